#include <stdlib.h>

#include "resolver/proc/procfs.h"
#include "resolver/proc/stat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct status_text s;

    if (status_parse((struct str){(const char *)data, size}, &s) && s.n_nspid > NSPID_DEPTH) {
        abort();
    }
    return 0;
}
