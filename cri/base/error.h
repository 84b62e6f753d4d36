/* One way to fail, inside: a function returns 0 or a negative errno, and on failure fills the
 * caller's struct err with one line for people and, where there is one, a hint that says what to
 * do. */
#ifndef PODPID_BASE_ERROR_H
#define PODPID_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

/* What kind of failure it is decides the exit status and the public code (resolver/error.c). */
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

/* Fill e (may be NULL) and give back -errnum, so that "return err_set(...)" reads well. Control
 * bytes in the text are made visible: it often quotes what a peer or a file said. */
int err_set(struct err *e, enum err_kind kind, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Add the hint to an e that is set. */
void err_hint(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

int err_nomem(struct err *e);

/* Whether a negative errno from a read under /proc/<pid> means that the process went away: ESRCH
 * (opened, then reaped) or ENOENT (a fresh open). The one place where that is decided. */
bool err_is_gone(int rc);

/* Whether a negative errno means that we are short of memory or descriptors: it says nothing about
 * the process that was to be read, and nothing may be concluded from it. */
bool err_is_shortage(int rc);

#endif
