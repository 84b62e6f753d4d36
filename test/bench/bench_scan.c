/* How much the scan costs beyond the reads that it has to do. Not a test: it prints figures.
 *
 *     bench_scan [CONTAINERS [PROCESSES]]      default 100 containers of 20 processes each; root
 *
 * Processes are made in cgroups of their own, then /proc is read both ways, in turn, on one thread:
 * bare (every cgroup, the members' stat, the roots' status, by paths made beforehand), and with a
 * ptable_scan. Of each the fastest and the median of ROUNDS are shown, as CPU time of the thread:
 * a busy machine does not change it much. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "cri/base/clock.h"
#include "resolver/proc/ptable.h"

enum { ROUNDS = 41 };

static const char *const mounts[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};

struct crowd {
    char parent[64];
    unsigned containers, processes;
    pid_t *pids;
    size_t n;
};

static void container_path(const struct crowd *c, unsigned i, const char *file, char path[256])
{
    snprintf(path, 256, "%s/docker/%064x%s", c->parent, i + 1, file);
}

static void disperse(struct crowd *c)
{
    char path[256];

    for (size_t i = 0; i < c->n; i++) {
        kill(c->pids[i], SIGKILL);
    }
    while (wait(NULL) > 0) {
    }
    for (unsigned i = 0; i < c->containers; i++) {
        container_path(c, i, "", path);
        rmdir(path);
    }
    snprintf(path, sizeof(path), "%s/docker", c->parent);
    rmdir(path);
    rmdir(c->parent);
    free(c->pids);
}

static bool join_cgroup(const char *path)
{
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

    return fd >= 0 && write(fd, "0\n", 2) == 2;
}

/* In the child: a main process and, below it, the others; one byte into ready when all are there.
 */
_Noreturn static void be_container(const char *procs, unsigned processes, int ready)
{
    pid_t main_pid;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!join_cgroup(procs)) {
        _exit(1);
    }
    main_pid = getpid();
    for (unsigned k = 1; k < processes && getpid() == main_pid; k++) {
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
        }
    }
    if (getpid() == main_pid && write(ready, "r", 1) != 1) {
        _exit(1);
    }
    for (;;) {
        pause();
    }
}

static bool gather(struct crowd *c)
{
    char path[256], byte;
    int ready[2];

    for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]) && !c->parent[0]; i++) {
        snprintf(c->parent, sizeof(c->parent), "%s/podpid-bench-%d", mounts[i], (int)getpid());
        if (mkdir(c->parent, 0755) < 0) {
            c->parent[0] = '\0';
        }
    }
    snprintf(path, sizeof(path), "%s/docker", c->parent);
    c->pids = calloc(c->containers + 1, sizeof(*c->pids));
    if (!c->pids || !c->parent[0] || mkdir(path, 0755) < 0 || pipe(ready) < 0) {
        return false;
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (unsigned i = 0; i < c->containers; i++) {
        container_path(c, i, "", path);
        mkdir(path, 0755);
        container_path(c, i, "/cgroup.procs", path);
        c->pids[c->n] = fork();
        if (c->pids[c->n] < 0) {
            return false;
        }
        if (c->pids[c->n] == 0) {
            close(ready[0]);
            be_container(path, c->processes, ready[1]);
        }
        c->n++;
    }
    close(ready[1]);
    for (size_t i = 0; i < c->n; i++) {
        if (read(ready[0], &byte, 1) != 1) {
            return false;
        }
    }
    close(ready[0]);
    return true;
}

struct paths {
    char (*all)[32];
    size_t n, cap;
};

static bool add_path(struct paths *p, pid_t pid, const char *name)
{
    if (p->n == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 1024;
        p->all = realloc(p->all, p->cap * sizeof(*p->all));
        if (!p->all) {
            return false;
        }
    }
    snprintf(p->all[p->n++], sizeof(*p->all), "%d/%s", (int)pid, name);
    return true;
}

static nsec read_bare(int proc_fd, const struct paths *p)
{
    static char data[64 * 1024];
    nsec start = clock_read(CLOCK_THREAD_CPUTIME_ID);
    struct dir_reader dir = {.fd = openat(proc_fd, ".", O_RDONLY | O_DIRECTORY)};
    struct dir_entry entry;

    while (dir_next(&dir, &entry) > 0) {
    }
    close(dir.fd);
    for (size_t i = 0; i < p->n; i++) {
        int fd = openat(proc_fd, p->all[i], O_RDONLY | O_CLOEXEC);

        if (fd >= 0) {
            if (read(fd, data, sizeof(data)) < 0) {
                data[0] = '\0';
            }
            close(fd);
        }
    }
    return clock_read(CLOCK_THREAD_CPUTIME_ID) - start;
}

static bool is_member(const struct ptable *t, const struct proc *row)
{
    return row && t->cgroups[row->cgroup].facts.kind == CGROUP_CONTAINER;
}

static bool is_root(const struct ptable *t, const struct proc *row)
{
    return is_member(t, row) && !is_member(t, ptable_find(t, row->ppid));
}

static int scan(const struct procfs *p, struct ptable *t, nsec *ret)
{
    nsec start = clock_read(CLOCK_THREAD_CPUTIME_ID);
    struct ptable_scan *s;
    int rc = ptable_scan_new(p, t, &s, NULL);

    if (rc < 0) {
        return rc;
    }
    while ((rc = ptable_scan_step(s, 64, NULL)) == 0) {
    }
    ptable_scan_free(s);
    for (size_t i = 0; rc > 0 && i < t->n_procs; i++) {
        if (is_root(t, &t->procs[i]) && ptable_load(t, p, &t->procs[i], PROC_STATUS) < 0) {
            rc = -ENOMEM;
        }
    }
    *ret = clock_read(CLOCK_THREAD_CPUTIME_ID) - start;
    return rc;
}

/* *ret_others: how many rows have their stat read that are no members (v1 lines that read "/"). */
static bool list_reads(const struct ptable *t, struct paths *p, size_t *ret_others)
{
    bool good = true;

    *ret_others = 0;
    for (size_t i = 0; good && i < t->n_procs; i++) {
        const struct proc *row = &t->procs[i];

        *ret_others += !is_member(t, row) && row->have & PROC_STAT ? 1 : 0;
        good = add_path(p, row->pid, "cgroup") &&
               (!is_member(t, row) || add_path(p, row->pid, "stat")) &&
               (!is_root(t, row) || add_path(p, row->pid, "status"));
    }
    return good;
}

static int by_value(const void *a, const void *b)
{
    const nsec *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static int measure(const struct procfs *p)
{
    nsec bare[ROUNDS], ours[ROUNDS], unused;
    struct ptable t = {0};
    struct paths paths = {0};
    size_t procs, texts, bytes, others;

    if (scan(p, &t, &unused) < 0 || !list_reads(&t, &paths, &others)) {
        return 1;
    }
    procs = t.n_procs;
    texts = t.n_cgroups;
    bytes = t.arena.bytes;
    for (size_t i = 0; i < ROUNDS; i++) {
        ptable_free(&t);
        bare[i] = read_bare(p->fd, &paths);
        if (scan(p, &t, &ours[i]) < 0) {
            return 1;
        }
    }
    ptable_free(&t);
    qsort(bare, ROUNDS, sizeof(bare[0]), by_value);
    qsort(ours, ROUNDS, sizeof(ours[0]), by_value);
    printf("%zu processes, %zu texts, %zu files, %zu KiB; the scan reads %zu stat more\n", procs,
           texts, paths.n, bytes / 1024, others);
    printf("bare  fastest %7.3f ms  median %7.3f ms\n", (double)bare[0] / 1e6,
           (double)bare[ROUNDS / 2] / 1e6);
    printf("scan  fastest %7.3f ms  median %7.3f ms\n", (double)ours[0] / 1e6,
           (double)ours[ROUNDS / 2] / 1e6);
    printf("ratio fastest %7.3f     median %7.3f\n", (double)ours[0] / (double)bare[0],
           (double)ours[ROUNDS / 2] / (double)bare[ROUNDS / 2]);
    free(paths.all);
    return 0;
}

int main(int argc, char **argv)
{
    struct crowd c = {.containers = argc > 1 ? (unsigned)atoi(argv[1]) : 100,
                      .processes = argc > 2 ? (unsigned)atoi(argv[2]) : 20};
    struct procfs p;
    int rc = 1;

    if (procfs_open("/proc", &p, NULL) < 0) {
        fprintf(stderr, "bench_scan: no /proc\n");
        return 1;
    }
    if (gather(&c)) {
        rc = measure(&p);
    } else {
        fprintf(stderr, "bench_scan: cannot make cgroups or processes: %s\n", strerror(errno));
    }
    disperse(&c);
    procfs_close(&p);
    return rc;
}
