#include "resolver/arguments.h"

#include <errno.h>
#include <string.h>

int bad_argument(const char *function, struct podpid_error *error)
{
    struct err err = {0};

    err_set(&err, ERR_USAGE, EINVAL, "%s(): an argument is NULL or not a known value", function);
    return error_publish(&err, error);
}

static bool is_zero(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i]) {
            return false;
        }
    }
    return true;
}

int sized_copy(void *to, size_t known, const void *from, const char *name, struct err *err)
{
    size_t size;

    if (!from) {
        return err_set(err, ERR_USAGE, EINVAL, "%s is NULL", name);
    }
    memcpy(&size, from, sizeof(size));
    if (size < sizeof(size)) {
        return err_set(err, ERR_USAGE, EINVAL,
                       "%s: size is not set; initialise the struct with its PODPID_..._INIT", name);
    }
    if (size > known && !is_zero((const unsigned char *)from + known, size - known)) {
        return err_set(err, ERR_USAGE, EINVAL,
                       "%s sets a member that libpodpid " PODPID_VERSION " does not know", name);
    }
    memset(to, 0, known);
    memcpy(to, from, size < known ? size : known);
    memcpy(to, &known, sizeof(known));
    return 0;
}
