/* status_parse(): at most NSPID_DEPTH PIDs. */
#include "test/fuzz/fuzz.h"

#include "resolver/proc/stat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct status_text s;

    must(!status_parse((struct str){(const char *)data, size}, &s) || s.n_nspid <= NSPID_DEPTH);
    return 0;
}
