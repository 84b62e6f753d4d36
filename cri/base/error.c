#include "cri/base/error.h"

#include <errno.h>
#include <stdio.h>

static void make_visible(char *s)
{
    for (; *s; s++) {
        if ((unsigned char)*s < 0x20 || *s == 0x7f) {
            *s = '?';
        }
    }
}

int err_set(struct err *e, enum err_kind kind, int errnum, const char *fmt, ...)
{
    va_list ap;

    /* A failure must not look like a success because errno was read too late. */
    if (errnum <= 0) {
        errnum = EIO;
    }
    if (!e) {
        return -errnum;
    }
    e->kind = kind;
    e->errnum = errnum;
    e->hint[0] = '\0';
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof(e->text), fmt, ap);
    va_end(ap);
    make_visible(e->text);
    return -errnum;
}

void err_hint(struct err *e, const char *fmt, ...)
{
    va_list ap;

    if (!e) {
        return;
    }
    va_start(ap, fmt);
    vsnprintf(e->hint, sizeof(e->hint), fmt, ap);
    va_end(ap);
    make_visible(e->hint);
}

int err_nomem(struct err *e)
{
    return err_set(e, ERR_NOMEM, ENOMEM, "out of memory");
}

bool err_is_gone(int rc)
{
    return rc == -ESRCH || rc == -ENOENT;
}

bool err_is_shortage(int rc)
{
    return rc == -ENOMEM || rc == -EMFILE || rc == -ENFILE;
}
