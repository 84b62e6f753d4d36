/* What a program that is handed PIDs by podpid does with them: read the handoff file, believe only
 * what still holds, and wait on the pidfds. Needs jansson, and nothing of podpid's.
 *
 *     cc consumer.c -o consumer -ljansson
 *     podpid preflight -f policy.yaml -- ./consumer
 *
 * prints a line for each container, and one more when its main process has ended; ends when all
 * have. With --check it ends after the first lines. Exit status 1: something does not hold. */
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_FD = 3, MOST = 4096 };

struct container {
    const char *id;
    long pid;
    unsigned long long start;
    int pidfd; /* -1: none was passed */
};

/* PIDs of another boot mean nothing. */
static bool same_boot(json_t *document)
{
    json_t *boot = json_object_get(json_object_get(document, "node"), "boot_id");
    char now[64] = "";
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

    if (f) {
        if (!fgets(now, sizeof(now), f)) {
            now[0] = '\0';
        }
        fclose(f);
    }
    now[strcspn(now, "\n")] = '\0';
    return json_is_string(boot) && strcmp(json_string_value(boot), now) == 0;
}

/* Field 22 of /proc/PID/stat, counted from the last ')': a name may hold spaces and brackets. 0: no
 * such process. */
static unsigned long long start_time(long pid)
{
    char path[64], text[2048];
    unsigned long long start = 0;
    const char *p;
    size_t n;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    f = fopen(path, "re");
    if (!f) {
        return 0;
    }
    n = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    text[n] = '\0';
    p = strrchr(text, ')');
    for (int field = 2; p && field < 22; field++) {
        p = strchr(p + 1, ' ');
    }
    return p && sscanf(p, "%llu", &start) == 1 ? start : 0;
}

/* The pidfd that was passed for a container: its place in LISTEN_FDNAMES is that of its
 * descriptor. */
static int pidfd_of(const char *id)
{
    const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
    const char *names = getenv("LISTEN_FDNAMES");
    int n;

    if (!pid || !fds || !names || atol(pid) != getpid()) {
        return -1;
    }
    n = atoi(fds);
    for (int i = 0; i < n; i++) {
        size_t length = strcspn(names, ":");

        if (length == strlen(id) && strncmp(names, id, length) == 0) {
            return FIRST_FD + i;
        }
        names += length + (names[length] == ':');
    }
    return -1;
}

/* Verdicts are an open set: whatever is not "verified" has no PID to be used. */
static bool take(json_t *row, struct container *ret)
{
    json_t *pid = json_object_get(row, "pid"), *start = json_object_get(row, "start_time_ticks");
    const char *id = json_string_value(json_object_get(row, "id"));
    const char *verdict = json_string_value(json_object_get(row, "verdict"));

    if (!id || !verdict || strcmp(verdict, "verified") != 0 || !json_is_integer(pid) ||
        !json_is_integer(start)) {
        return false;
    }
    *ret = (struct container){.id = id,
                              .pid = (long)json_integer_value(pid),
                              .start = (unsigned long long)json_integer_value(start),
                              .pidfd = pidfd_of(id)};
    return true;
}

/* Every container of the document that still is what it says. -1: one is not. */
static int take_all(json_t *document, struct container *all)
{
    json_t *pod, *row;
    size_t i, k;
    int n = 0;

    json_array_foreach(json_object_get(document, "pods"), i, pod)
    {
        json_array_foreach(json_object_get(pod, "containers"), k, row)
        {
            if (n == MOST || !take(row, &all[n]) || start_time(all[n].pid) != all[n].start) {
                fprintf(stderr, "consumer: %s is not what the handoff says\n",
                        json_string_value(json_object_get(row, "id")));
                return -1;
            }
            printf("%s %ld %s\n", all[n].id, all[n].pid, all[n].pidfd >= 0 ? "pidfd" : "pid");
            n++;
        }
    }
    return n;
}

/* A pidfd is readable once its process has ended. */
static void wait_for_all(struct container *all, int n)
{
    static struct pollfd fds[MOST];
    int left = 0;

    for (int i = 0; i < n; i++) {
        fds[i] = (struct pollfd){.fd = all[i].pidfd, .events = POLLIN};
        left += all[i].pidfd >= 0;
    }
    while (left > 0) {
        if (poll(fds, (nfds_t)n, -1) < 0 && errno != EINTR) {
            return;
        }
        for (int i = 0; i < n; i++) {
            if (fds[i].fd >= 0 && fds[i].revents) {
                printf("%s ended\n", all[i].id);
                fflush(stdout);
                fds[i].fd = -1;
                left--;
            }
        }
    }
}

int main(int argc, char **argv)
{
    static struct container all[MOST];
    const char *path = getenv("PODPID_HANDOFF");
    json_t *document = path ? json_load_file(path, 0, NULL) : NULL;
    int n;

    if (!document) {
        fprintf(stderr, "consumer: PODPID_HANDOFF names no handoff file\n");
        return 1;
    }
    if (!same_boot(document) || !json_is_true(json_object_get(document, "complete"))) {
        fprintf(stderr, "consumer: the handoff is of another boot, or incomplete\n");
        json_decref(document);
        return 1;
    }
    n = take_all(document, all);
    fflush(stdout);
    if (n >= 0 && !(argc > 1 && strcmp(argv[1], "--check") == 0)) {
        wait_for_all(all, n);
    }
    json_decref(document);
    return n < 0;
}
