#include "resolver/look/ns_numbers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "resolver/proc/ns.h"

void ns_numbers_free(struct ns_numbers *n)
{
    arena_free(&n->arena);
    *n = (struct ns_numbers){0};
}

/* ---- Reading one process --------------------------------------------------------------------- */

int ns_read_status(const struct procfs *p, pid_t pid, struct status_text *ret)
{
    CLEANUP(buf_free) struct buf b = {0};
    int rc = procfs_read(p->fd, pid, "status", &b);

    if (rc < 0) {
        return err_is_shortage(rc) ? rc : -ESRCH;
    }
    return status_parse((struct str){b.p, b.n}, ret) ? 0 : -ESRCH;
}

/* Open the PID namespace that is `up` levels above that of pid. A descriptor or negative errno. */
static int open_pidns(const struct procfs *p, pid_t pid, unsigned up)
{
    char path[32];
    int fd;

    snprintf(path, sizeof(path), "%d/ns/pid", (int)pid);
    fd = openat(p->fd, path, O_RDONLY | O_CLOEXEC);
    for (; fd >= 0 && up > 0; up--) {
        int parent = ioctl(fd, NS_GET_PARENT);

        close(fd);
        fd = parent;
    }
    return fd < 0 ? -errno : fd;
}

/* *ret: the inode of the PID namespace that is `up` levels above that of pid; 0: it cannot be read.
 * 0, or negative errno: a shortage. */
static int read_pidns_ino(const struct procfs *p, pid_t pid, unsigned up, uint64_t *ret)
{
    AUTO_CLOSE int fd = -1;
    struct proc_ns ns;
    struct stat st;
    int rc;

    *ret = 0;
    if (up == 0) {
        rc = procfs_read_ns(p, pid, PROC_NS_PID, &ns);
        *ret = ns.pid;
        return rc;
    }
    if (!p->is_procfs) {
        return 0;
    }
    fd = open_pidns(p, pid, up);
    if (fd < 0) {
        return err_is_shortage(fd) ? fd : 0;
    }
    if (fstat(fd, &st) == 0) {
        *ret = st.st_ino;
    }
    return 0;
}

/* *ret: the number of a process or thread in the namespace; 0: it is not in it, or gone. 0, or
 * negative errno: a shortage. */
static int read_number(const struct ns_numbers *n, const struct procfs *p, pid_t pid, pid_t *ret)
{
    struct status_text st;
    uint64_t ino;
    int rc = ns_read_status(p, pid, &st);

    *ret = 0;
    if (rc < 0) {
        return rc == -ESRCH ? 0 : rc;
    }
    if (st.n_nspid <= n->pidns_depth) {
        return 0;
    }
    rc = read_pidns_ino(p, pid, st.n_nspid - 1 - n->pidns_depth, &ino);
    if (rc == 0 && ino == n->pidns_ino) {
        *ret = st.nspid[n->pidns_depth];
    }
    return rc;
}

/* ---- Numbering all of them ------------------------------------------------------------------- */

static int by_inside(const void *pa, const void *pb)
{
    const struct ns_number *a = pa, *b = pb;

    return a->inside < b->inside ? -1 : a->inside > b->inside;
}

static void sort(struct ns_number *all, size_t n)
{
    if (n) {
        qsort(all, n, sizeof(*all), by_inside);
    }
}

/* 0, or negative errno: a shortage. */
static int number_processes(struct ns_numbers *n, const struct procfs *p, const struct ptable *t)
{
    n->processes = arena_calloc(&n->arena, t->n_procs, sizeof(*n->processes));
    if (!n->processes) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < t->n_procs; i++) {
        pid_t inside, pid = t->procs[i].pid;
        int rc = read_number(n, p, pid, &inside);

        if (rc < 0) {
            return rc;
        }
        if (inside) {
            n->processes[n->n_processes++] = (struct ns_number){inside, pid};
        }
    }
    sort(n->processes, n->n_processes);
    return 0;
}

/* 0, also where the process is gone, or negative errno: a shortage. */
static int number_threads_of(struct ns_numbers *n, const struct procfs *p, pid_t process,
                             struct dir_reader *dir)
{
    AUTO_CLOSE int fd = -1;
    struct dir_entry entry;
    char path[32];
    int32_t tid;
    int rc;

    snprintf(path, sizeof(path), "%d/task", (int)process);
    fd = openat(p->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return err_is_shortage(-errno) ? -errno : 0;
    }
    dir->fd = fd;
    dir->pos = dir->len = 0;
    while ((rc = dir_next(dir, &entry)) > 0) {
        pid_t inside;

        if (!procfs_pid_name(entry.name, &tid) || tid == process) {
            continue;
        }
        rc = read_number(n, p, tid, &inside);
        if (rc == 0 && inside) {
            rc = ARENA_APPEND(&n->arena, n->threads, n->n_threads, n->cap_threads,
                              (struct ns_number){inside, tid});
        }
        if (rc < 0) {
            return rc;
        }
    }
    return err_is_shortage(rc) ? rc : 0;
}

/* To read the threads of all processes is slow: done only if a number is no process's. 0, or
 * negative errno: a shortage. */
static int number_threads(struct ns_numbers *n, const struct procfs *p)
{
    AUTO_FREE struct dir_reader *dir = calloc(1, sizeof(*dir));

    if (!dir) {
        return -ENOMEM;
    }
    n->threads = NULL;
    n->n_threads = n->cap_threads = 0;
    for (size_t i = 0; i < n->n_processes; i++) {
        int rc = number_threads_of(n, p, n->processes[i].pid, dir);

        if (rc < 0) {
            return rc;
        }
    }
    sort(n->threads, n->n_threads);
    n->have_threads = true;
    return 0;
}

/* ---- Questions ------------------------------------------------------------------------------- */

static int short_of(const struct procfs *p, int rc, struct err *err)
{
    return rc == -ENOMEM ? err_nomem(err)
                         : err_set(err, ERR_PROC, -rc, "reading %s: %s", p->path, strerror(-rc));
}

/* Number all processes of the table as the namespace of ns_of does. */
static int enter_namespace(struct ns_numbers *n, const struct procfs *p, const struct ptable *t,
                           pid_t ns_of, struct err *err)
{
    struct status_text st;
    int rc;

    ns_numbers_free(n);
    rc = ns_read_status(p, ns_of, &st);
    if (rc == -ESRCH || (rc == 0 && st.n_nspid == 0)) {
        return err_set(err, ERR_ANSWER, ESRCH,
                       "no process %d, whose PID namespace the PIDs are to be of", (int)ns_of);
    }
    if (rc < 0) {
        return short_of(p, rc, err);
    }
    n->pidns_depth = st.n_nspid - 1;
    if (n->pidns_depth) {
        rc = read_pidns_ino(p, ns_of, 0, &n->pidns_ino);
        if (rc == 0 && !n->pidns_ino) {
            return err_set(err, ERR_PROC, EACCES, "the PID namespace of process %d cannot be read",
                           (int)ns_of);
        }
        rc = rc < 0 ? rc : number_processes(n, p, t);
        if (rc < 0) {
            return short_of(p, rc, err);
        }
    }
    n->ns_of = ns_of;
    return 0;
}

static const struct ns_number *search(const struct ns_number *all, size_t n, pid_t inside)
{
    const struct ns_number key = {.inside = inside};

    return n ? bsearch(&key, all, n, sizeof(key), by_inside) : NULL;
}

int ns_numbers_find(struct ns_numbers *n, const struct procfs *p, const struct ptable *t,
                    pid_t ns_of, pid_t inside, pid_t *ret, struct err *err)
{
    const struct ns_number *found;
    pid_t now;
    int rc = n->ns_of == ns_of ? 0 : enter_namespace(n, p, t, ns_of, err);

    if (rc < 0) {
        return rc;
    }
    if (n->pidns_depth == 0) {
        *ret = inside; /* the namespace of the /proc that is read */
        return 0;
    }
    found = search(n->processes, n->n_processes, inside);
    if (!found && !n->have_threads) {
        rc = number_threads(n, p);
        if (rc < 0) {
            return short_of(p, rc, err);
        }
    }
    found = found ? found : search(n->threads, n->n_threads, inside);
    *ret = 0;
    if (!found) {
        return 0;
    }
    /* The PID may belong to another process by now. */
    rc = read_number(n, p, found->pid, &now);
    if (rc < 0) {
        return short_of(p, rc, err);
    }
    *ret = now == inside ? found->pid : 0;
    return 0;
}
