/* How functions fail inside podpid: they return 0 or a negative errno, and on failure fill the
 * caller's struct err with one line for people and, where something can be done about it, a hint.
 */
#ifndef PODPID_BASE_ERROR_H
#define PODPID_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

/* The kind of a failure; it decides the exit status and the public error code (resolver/error.c).
 */
enum err_kind {
    ERR_NONE,
    ERR_NOMEM,
    ERR_USAGE,    /* an option or argument: exit 2 */
    ERR_INPUT,    /* a policy, manifest, config or capture that cannot be read: exit 2 */
    ERR_RUNTIME,  /* no runtime, not a runtime, connection lost, protocol broken: exit 3 */
    ERR_DENIED,   /* no permission to look: exit 3 */
    ERR_TIMEOUT,  /* the deadline passed: exit 3 */
    ERR_PROC,     /* /proc cannot be read: exit 3 */
    ERR_CANCELED, /* the caller's cancel descriptor, or a signal */
    ERR_ANSWER,   /* looked, and what was asked for is absent, ambiguous or unverified: exit 1 */
    ERR_WRITE,    /* an output file could not be written: exit 1 */
    ERR_INTERNAL, /* a bug here */
};

struct err {
    enum err_kind kind;
    int errnum; /* positive errno */
    char text[1024];
    char hint[512]; /* "" where there is none */
};

/* Fill e, which may be NULL, and return -errnum, so that "return err_set(...)" works. Control bytes
 * in the text become '?': it often quotes what a peer or a file said. errnum <= 0 counts as EIO, so
 * that a failure never looks like a success. */
int err_set(struct err *e, enum err_kind kind, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Add a hint to an error that err_set() filled; e may be NULL. */
void err_hint(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Fill e, which may be NULL, with "out of memory"; returns -ENOMEM. */
int err_nomem(struct err *e);

/* Whether a negative errno from a read below /proc/<pid> means that the process has ended: ESRCH
 * from a file that was opened before the process was reaped, ENOENT from an open after that. No
 * other code decides this. */
bool err_is_gone(int rc);

/* Whether a negative errno means that podpid is short of memory or descriptors: it tells nothing
 * about what was to be read. */
bool err_is_shortage(int rc);

#endif
