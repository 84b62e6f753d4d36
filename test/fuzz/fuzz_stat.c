/* stat_parse(): comm is terminated. */
#include "test/fuzz/fuzz.h"

#include <string.h>

#include "resolver/proc/stat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stat_line s;

    must(!stat_parse((struct str){(const char *)data, size}, &s) ||
         memchr(s.comm, '\0', sizeof(s.comm)));
    return 0;
}
