/* Runs commands in turn (A B C A B C ...) and prints what each took, as lines of tab-separated
 * NAME, median and fastest wall-clock time in ms, median CPU time in ms, peak memory in KiB.
 *
 *     bench_run ROUNDS NAME COMMAND [NAME COMMAND]...
 *
 * A command is split at spaces (no shell stands between), its output is dropped. Turns are taken
 * so that whatever else the machine does meanwhile befalls all of them. */
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cri/base/clock.h"

enum { MOST_WORDS = 64, MOST_ROUNDS = 1000 };

extern char **environ;

struct command {
    const char *name;
    char *words[MOST_WORDS];
    nsec wall[MOST_ROUNDS], cpu[MOST_ROUNDS];
    long peak; /* KiB */
};

static nsec of_timeval(struct timeval t)
{
    return (nsec)t.tv_sec * NSEC_PER_SEC + (nsec)t.tv_usec * 1000;
}

static void split(char *text, char *words[MOST_WORDS])
{
    size_t n = 0;

    for (char *word = strtok(text, " "); word && n + 1 < MOST_WORDS; word = strtok(NULL, " ")) {
        words[n++] = word;
    }
    words[n] = NULL;
}

/* Spawned, not forked: a child's peak memory is its own then, not ours. */
static bool run(struct command *c, unsigned round, const posix_spawn_file_actions_t *actions)
{
    nsec start = clock_now();
    struct rusage usage;
    int status;
    pid_t pid;

    if (posix_spawnp(&pid, c->words[0], actions, NULL, c->words, environ) != 0 ||
        wait4(pid, &status, 0, &usage) != pid) {
        fprintf(stderr, "bench_run: %s: cannot be run\n", c->name);
        return false;
    }
    c->wall[round] = clock_now() - start;
    c->cpu[round] = of_timeval(usage.ru_utime) + of_timeval(usage.ru_stime);
    if (usage.ru_maxrss > c->peak) {
        c->peak = usage.ru_maxrss;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "bench_run: %s: failed\n", c->name);
        return false;
    }
    return true;
}

static int by_value(const void *a, const void *b)
{
    const nsec *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static bool run_all(struct command *all, unsigned n, unsigned rounds)
{
    posix_spawn_file_actions_t actions;
    bool ok = true;

    if (posix_spawn_file_actions_init(&actions) != 0 ||
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) != 0) {
        return false;
    }
    for (unsigned i = 0; i < rounds && ok; i++) {
        for (unsigned k = 0; k < n && ok; k++) {
            ok = run(&all[k], i, &actions);
        }
    }
    posix_spawn_file_actions_destroy(&actions);
    return ok;
}

static void print(struct command *c, unsigned rounds)
{
    qsort(c->wall, rounds, sizeof(c->wall[0]), by_value);
    qsort(c->cpu, rounds, sizeof(c->cpu[0]), by_value);
    printf("%s\t%.3f\t%.3f\t%.3f\t%ld\n", c->name, (double)c->wall[rounds / 2] / 1e6,
           (double)c->wall[0] / 1e6, (double)c->cpu[rounds / 2] / 1e6, c->peak);
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 0;
    unsigned n = (unsigned)(argc - 2) / 2;
    struct command *all;
    bool ok;

    if (argc < 4 || argc % 2 != 0 || rounds == 0 || rounds > MOST_ROUNDS) {
        fputs("usage: bench_run ROUNDS NAME COMMAND [NAME COMMAND]...\n", stderr);
        return 2;
    }
    all = calloc(n, sizeof(*all));
    if (!all) {
        return 1;
    }
    for (unsigned i = 0; i < n; i++) {
        all[i].name = argv[2 + 2 * i];
        split(argv[3 + 2 * i], all[i].words);
    }
    ok = run_all(all, n, rounds);
    for (unsigned i = 0; i < n && ok; i++) {
        print(&all[i], rounds);
    }
    free(all);
    return !ok;
}
