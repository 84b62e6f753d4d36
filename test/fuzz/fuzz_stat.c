#include <stdlib.h>
#include <string.h>

#include "resolver/proc/procfs.h"
#include "resolver/proc/stat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stat_line s;

    if (stat_parse((struct str){(const char *)data, size}, &s) &&
        !memchr(s.comm, '\0', sizeof(s.comm))) {
        abort();
    }
    return 0;
}
