#include "resolver/error.h"

#include <stddef.h>
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

/* A text that an older, smaller struct cuts short still ends with NUL. */
static void end_text(struct podpid_error *e, size_t size, size_t from, size_t to)
{
    if (size > from && size < to) {
        ((char *)e)[size - 1] = '\0';
    }
}

static void copy_sized(const struct podpid_error *from, struct podpid_error *ret)
{
    const size_t message = offsetof(struct podpid_error, message);
    const size_t hint = offsetof(struct podpid_error, hint);
    size_t size = ret->size;

    if (size <= sizeof(size)) {
        return;
    }
    memcpy((char *)ret + sizeof(size), (const char *)from + sizeof(size),
           (size < from->size ? size : from->size) - sizeof(size));
    end_text(ret, size, message, hint);
    end_text(ret, size, hint, sizeof(*from));
}

int error_copy(const struct podpid_error *from, struct podpid_error *ret)
{
    if (ret) {
        copy_sized(from, ret);
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
