#include "cri/base/text.h"
#include "resolver/error.h"

#include <errno.h>

int podpid_parse_duration(const char *text, int64_t *ret, struct podpid_error *error)
{
    struct err err = {0};

    if (text_to_duration(text, ret)) {
        return PODPID_OK;
    }
    err_set(&err, ERR_USAGE, EINVAL, "'%.100s' is no duration: write 500ms, 10s, 1m30s or 2h",
            text);
    return error_publish(&err, error);
}
