/* Time. Functions take the present time as a parameter, so that tests of deadlines never sleep. */
#ifndef PODPID_BASE_CLOCK_H
#define PODPID_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

typedef int64_t nsec; /* nanoseconds; of CLOCK_MONOTONIC where a name says now or deadline */

#define NSEC_PER_SEC INT64_C(1000000000)
#define NSEC_PER_MSEC INT64_C(1000000)
#define NSEC_NEVER INT64_MAX /* no deadline */

static inline nsec clock_read(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (nsec)ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static inline nsec clock_now(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

static inline nsec nsec_min(nsec a, nsec b)
{
    return a < b ? a : b;
}

/* now + delay, NSEC_NEVER where it would overflow. */
static inline nsec nsec_after(nsec now, nsec delay)
{
    return delay > NSEC_NEVER - now ? NSEC_NEVER : now + delay;
}

/* The timeout for poll(), in milliseconds rounded up: -1 for never, 0 for a deadline that has
 * passed. */
static inline int nsec_poll_timeout(nsec now, nsec deadline)
{
    nsec left;

    if (deadline == NSEC_NEVER) {
        return -1;
    }
    if (deadline <= now) {
        return 0;
    }
    left = (deadline - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC;
    return left > INT32_MAX ? INT32_MAX : (int)left;
}

#endif
