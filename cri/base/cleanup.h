/* Variables that free what they own at the end of their scope, and the visible word for handing
 * that ownership to somebody else. */
#ifndef PODPID_BASE_CLEANUP_H
#define PODPID_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* Give the value and leave the variable empty, so that nothing is freed at the end of its scope:
 * return TAKE_PTR(p); *ret = TAKE_FD(fd); */
#define TAKE_PTR(p)                                                                                \
    __extension__({                                                                                \
        __typeof__(p) taken_ = (p);                                                                \
        (p) = NULL;                                                                                \
        taken_;                                                                                    \
    })
#define TAKE_FD(fd)                                                                                \
    __extension__({                                                                                \
        int taken_ = (fd);                                                                         \
        (fd) = -1;                                                                                 \
        taken_;                                                                                    \
    })

/* DEFINE_CLEANUP(thing_free, struct thing *) defines cleanup_thing_free(), for
 * CLEANUP(cleanup_thing_free) struct thing *t = NULL; it calls thing_free(t) unless t is NULL. */
#define DEFINE_CLEANUP(fn, type)                                                                   \
    static inline void cleanup_##fn(type *p)                                                       \
    {                                                                                              \
        if (*p) {                                                                                  \
            fn(*p);                                                                                \
        }                                                                                          \
    }

static inline void cleanup_free(void *p)
{
    free(*(void **)p);
}

static inline void cleanup_close(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
}

#define AUTO_FREE CLEANUP(cleanup_free)
#define AUTO_CLOSE CLEANUP(cleanup_close)

#endif
