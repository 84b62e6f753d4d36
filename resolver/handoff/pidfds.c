/* Pidfds for the target containers: handles that, unlike PIDs, never come to name another process.
 */
#include "resolver/handoff/pidfds.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "resolver/arguments.h"
#include "resolver/proc/pidfd.h"
#include "resolver/proc/procfs.h"

/* Descriptors that are left for other uses beyond those a caller asks for: what the process has
 * open already, and what a look or a file needs. The usual soft limit is as high. */
enum { NOFILE_SPARE = 1024 };

/* The process that gets a pidfd, 0: none. An inferred one, too: whoever selected the targets
 * decided that inferred is good enough. */
static pid_t process_of(const struct podpid_container *c)
{
    if (c->verdict == PODPID_VERDICT_VERIFIED) {
        return c->pid;
    }
    return c->verdict == PODPID_VERDICT_INFERRED ? c->inferred_pid : 0;
}

static bool wants_pidfd(const struct podpid_container *c)
{
    return process_of(c) > 0;
}

static size_t count_pidfds(const struct podpid_snapshot *targets)
{
    size_t n_pods, n = 0;
    const struct podpid_pod *const *pods = podpid_snapshot_pods(targets, &n_pods);

    for (size_t i = 0; i < n_pods; i++) {
        for (size_t k = 0; k < pods[i]->n_containers; k++) {
            n += wants_pidfd(pods[i]->containers[k]) ? 1 : 0;
        }
    }
    return n;
}

static int open_row(const struct procfs *p, const struct podpid_container *c,
                    struct podpid_pidfd *ret, struct err *err)
{
    pid_t pid = process_of(c);
    int fd = pidfd_open_process(p, pid, c->start_time_ticks, err);

    if (fd < 0 && err->kind == ERR_ANSWER) {
        return err_set(err, ERR_ANSWER, ESRCH,
                       "container %.12s: its main process %d is gone or another one by now", c->id,
                       (int)pid);
    }
    if (fd >= 0) {
        *ret = (struct podpid_pidfd){.fd = fd, .container_id = c->id, .pid = pid};
    }
    return fd < 0 ? fd : 0;
}

static int open_all(const struct procfs *p, const struct podpid_snapshot *targets,
                    struct podpid_pidfd *fds, size_t *n, struct err *err)
{
    size_t n_pods;
    const struct podpid_pod *const *pods = podpid_snapshot_pods(targets, &n_pods);

    for (size_t i = 0; i < n_pods; i++) {
        for (size_t k = 0; k < pods[i]->n_containers; k++) {
            const struct podpid_container *c = pods[i]->containers[k];
            int rc = wants_pidfd(c) ? open_row(p, c, &fds[*n], err) : 0;

            if (rc < 0) {
                return rc;
            }
            *n += wants_pidfd(c) ? 1 : 0;
        }
    }
    return 0;
}

void nofile_raise(size_t more, struct rlimit *before)
{
    struct rlimit now;

    if (getrlimit(RLIMIT_NOFILE, before) < 0) {
        before->rlim_cur = before->rlim_max = RLIM_INFINITY;
        return;
    }
    now = *before;
    more += NOFILE_SPARE;
    if (now.rlim_cur < now.rlim_max && now.rlim_cur < more) {
        now.rlim_cur = more < now.rlim_max ? more : now.rlim_max;
        setrlimit(RLIMIT_NOFILE, &now);
    }
}

void nofile_restore(const struct rlimit *before)
{
    if (before->rlim_cur != RLIM_INFINITY) {
        setrlimit(RLIMIT_NOFILE, before);
    }
}

static int open_pidfds(const struct podpid_snapshot *targets, const char *proc,
                       struct podpid_pidfd **ret, size_t *ret_n, struct err *err)
{
    size_t n = count_pidfds(targets), opened = 0;
    AUTO_FREE struct podpid_pidfd *fds = calloc(n ? n : 1, sizeof(*fds));
    struct procfs p;
    struct rlimit before;
    int rc;

    if (!fds) {
        return err_nomem(err);
    }
    rc = procfs_open(proc, &p, err);
    if (rc < 0) {
        return rc;
    }
    if (!p.own_pidns) {
        rc = err_set(err, ERR_USAGE, EINVAL, "%s is not procfs of this PID namespace: no pidfds",
                     proc);
    } else {
        nofile_raise(n, &before);
        rc = open_all(&p, targets, fds, &opened, err);
        nofile_restore(&before);
    }
    procfs_close(&p);
    if (rc < 0) {
        while (opened) {
            close(fds[--opened].fd);
        }
        return rc;
    }
    *ret = TAKE_PTR(fds);
    *ret_n = n;
    return 0;
}

void podpid_pidfds_free(struct podpid_pidfd *fds, size_t n)
{
    for (size_t i = 0; fds && i < n; i++) {
        if (fds[i].fd >= 0) {
            close(fds[i].fd);
        }
    }
    free(fds);
}

int podpid_handoff_pidfds(const struct podpid_snapshot *targets, const char *proc,
                          struct podpid_pidfd **ret, size_t *ret_n, struct podpid_error *error)
{
    struct err err = {0};

    if (!targets || !ret || !ret_n) {
        return bad_argument(__func__, error);
    }
    proc = proc ? proc : "/proc";
    return open_pidfds(targets, proc, ret, ret_n, &err) < 0 ? error_publish(&err, error) : 0;
}
