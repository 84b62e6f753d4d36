#include "resolver/error.h"

#include <stdio.h>
#include <string.h>

static int code_of(enum err_kind kind)
{
    switch (kind) {
    case ERR_NONE:
        return PODPID_ERR_INTERNAL;
    case ERR_NOMEM:
        return PODPID_ERR_NOMEM;
    case ERR_USAGE:
        return PODPID_ERR_USAGE;
    case ERR_INPUT:
        return PODPID_ERR_INPUT;
    case ERR_RUNTIME:
        return PODPID_ERR_RUNTIME;
    case ERR_DENIED:
        return PODPID_ERR_DENIED;
    case ERR_TIMEOUT:
        return PODPID_ERR_TIMEOUT;
    case ERR_PROC:
        return PODPID_ERR_PROC;
    case ERR_CANCELED:
        return PODPID_ERR_CANCELED;
    case ERR_ANSWER:
        return PODPID_ERR_ANSWER;
    case ERR_WRITE:
        return PODPID_ERR_WRITE;
    case ERR_INTERNAL:
        break;
    }
    return PODPID_ERR_INTERNAL;
}

int error_copy(const struct podpid_error *from, struct podpid_error *ret)
{
    if (ret) {
        size_t size = ret->size;

        memcpy(ret, from, size < from->size ? size : from->size);
        ret->size = size;
    }
    return from->code;
}

int error_publish(const struct err *e, struct podpid_error *ret)
{
    struct podpid_error full = PODPID_ERROR_INIT;

    full.code = code_of(e->kind);
    full.system_errno = e->errnum;
    snprintf(full.message, sizeof(full.message), "%s", e->text[0] ? e->text : "internal error");
    snprintf(full.hint, sizeof(full.hint), "%s", e->hint);
    return error_copy(&full, ret);
}

int podpid_exit_status(int code)
{
    switch (code) {
    case PODPID_OK:
        return 0;
    case PODPID_ERR_ANSWER:
    case PODPID_ERR_WRITE:
        return 1;
    case PODPID_ERR_USAGE:
    case PODPID_ERR_INPUT:
        return 2;
    default:
        return code > 0 ? 0 : 3;
    }
}
