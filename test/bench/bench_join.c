/* What joining, reducing and cross-checking cost, apart from reading: the last step of a look at a
 * capture takes the whole table and the whole view and makes the snapshot. Not a test: it prints
 * CPU time of the thread, in user mode (ours) and in the kernel (the reading of the roots' files,
 * which happens in the same step).
 *
 *     bench_join CAPTURE [ROUNDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "cri/base/clock.h"
#include "resolver/podpid.h"

enum { MOST_ROUNDS = 1000 };

static double ms_of(struct timeval after, struct timeval before)
{
    return (double)(after.tv_sec - before.tv_sec) * 1e3 +
           (double)(after.tv_usec - before.tv_usec) / 1e3;
}

/* One look; the CPU time of its last step. */
static int last_step(const struct podpid_options *options, double *ret_user, double *ret_system)
{
    struct podpid_error error = PODPID_ERROR_INIT;
    struct rusage before, after;
    struct podpid_look *look;
    int rc = podpid_look_new(options, &look, &error);

    if (rc < 0) {
        fprintf(stderr, "bench_join: %s\n", error.message);
        return rc;
    }
    do {
        getrusage(RUSAGE_THREAD, &before);
        rc = podpid_look_step(look, clock_now(), &error);
        getrusage(RUSAGE_THREAD, &after);
    } while (rc == 0);
    if (rc < 0) {
        fprintf(stderr, "bench_join: %s\n", error.message);
    }
    *ret_user = ms_of(after.ru_utime, before.ru_utime);
    *ret_system = ms_of(after.ru_stime, before.ru_stime);
    podpid_look_free(look);
    return rc;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

int main(int argc, char **argv)
{
    struct podpid_options options = PODPID_OPTIONS_INIT;
    int rounds = argc > 2 ? atoi(argv[2]) : 11;
    double user[MOST_ROUNDS], system[MOST_ROUNDS];

    if (argc < 2 || rounds < 1 || rounds > MOST_ROUNDS) {
        fputs("usage: bench_join CAPTURE [ROUNDS]\n", stderr);
        return 2;
    }
    options.replay = argv[1];
    options.timeout = 60 * NSEC_PER_SEC;
    for (int i = 0; i < rounds; i++) {
        if (last_step(&options, &user[i], &system[i]) < 0) {
            return 1;
        }
    }
    qsort(user, (size_t)rounds, sizeof(user[0]), by_value);
    qsort(system, (size_t)rounds, sizeof(system[0]), by_value);
    printf("user %.3f ms  system %.3f ms\n", user[rounds / 2], system[rounds / 2]);
    return 0;
}
