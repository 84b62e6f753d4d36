/* The extract of /proc in a capture: no environment, no arguments, nothing of a process's memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "resolver/capture/impl.h"
#include "resolver/cgroup/line.h"
#include "resolver/format/json.h"
#include "resolver/proc/ns.h"
#include "resolver/proc/stat.h"

/* One process under way. */
struct extract {
    int pid_fd;        /* its directory in /proc, held: what is read is of one process */
    int to;            /* the folder that it goes to */
    const char *where; /* "DIR/proc/120" */
    struct stat_line line;
    struct buf stat, cgroup, status;
    struct err *err;
};

static void extract_done(struct extract *x)
{
    cleanup_close(&x->pid_fd);
    cleanup_close(&x->to);
    buf_free(&x->stat);
    buf_free(&x->cgroup);
    buf_free(&x->status);
}

/* The lines of status that say who a process is. */
static void reduce_status(struct buf *b)
{
    static const char *const keys[] = {
        "Name:", "State:", "Tgid:", "Pid:", "PPid:", "NSpid:", "Threads:"};
    struct str text = {b->p, b->n}, line;
    size_t kept = 0;

    while (str_next_line(&text, &line)) {
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
            if (str_starts(line, str_of(keys[i]))) {
                size_t n = line.n + (line.p + line.n < b->p + b->n);

                memmove(b->p + kept, line.p, n);
                kept += n;
                break;
            }
        }
    }
    b->n = kept;
}

/* The v2 path and all above it: an anchor may hold no process of its own. */
static int note_paths(struct str text, json_t *paths)
{
    struct cgroup_line line;

    while (cgroup_next_line(&text, &line)) {
        if (line.hierarchy != 0 || !text_is_utf8(line.path.p, line.path.n)) {
            continue;
        }
        for (size_t n = line.path.n; n > 0 && !json_object_getn(paths, line.path.p, n);) {
            if (json_object_setn_new(paths, line.path.p, n, json_true()) < 0) {
                return -ENOMEM;
            }
            while (n > 0 && line.path.p[--n] != '/') {
            }
        }
    }
    return 0;
}

static int put_namespaces(const struct extract *x, const struct procfs *p)
{
    struct proc_ns ns;
    json_t *o;

    procfs_read_ns(p, x->line.pid, PROC_NS_ALL, &ns);
    if (!ns.pid && !ns.mnt && !ns.net && !ns.cgroup && !ns.user) {
        return 0;
    }
    o = json_object();
    doc_put(&o, "pid", doc_number_or_null(ns.pid));
    doc_put(&o, "mnt", doc_number_or_null(ns.mnt));
    doc_put(&o, "net", doc_number_or_null(ns.net));
    doc_put(&o, "cgroup", doc_number_or_null(ns.cgroup));
    doc_put(&o, "user", doc_number_or_null(ns.user));
    return capture_put_json(x->to, x->where, "ns.json", o, x->err);
}

static int put_thread(const struct extract *x, const char *tid, const struct buf *stat,
                      const struct buf *cgroup)
{
    AUTO_CLOSE int tasks = capture_folder(x->to, x->where, "task", x->err);
    AUTO_CLOSE int to = tasks < 0 ? tasks : capture_folder(tasks, x->where, tid, x->err);
    int rc = to;

    if (rc >= 0) {
        rc = capture_put(to, x->where, "stat", stat->p, stat->n, x->err);
    }
    return rc < 0 ? rc : capture_put(to, x->where, "cgroup", cgroup->p, cgroup->n, x->err);
}

/* The leader has exited: a live thread's cgroup is what counts, and its stat says that it lives. */
static int put_live_thread(const struct extract *x)
{
    CLEANUP(buf_free) struct buf stat = {0}, cgroup = {0};
    int tid = procfs_read_live_thread(x->pid_fd, &stat, &cgroup);
    char name[16];

    if (tid < 0) {
        return err_is_shortage(tid)
                   ? err_set(x->err, ERR_PROC, -tid, "%s/task: %s", x->where, strerror(-tid))
                   : 0;
    }
    snprintf(name, sizeof(name), "%d", tid);
    return put_thread(x, name, &stat, &cgroup);
}

/* 1: all of it was read; 0: the process went away, or may not be read; negative errno. */
static int read_process(struct extract *x)
{
    int rc;

    if ((rc = procfs_read_pinned(x->pid_fd, "stat", &x->stat)) < 0 ||
        (rc = procfs_read_pinned(x->pid_fd, "cgroup", &x->cgroup)) < 0 ||
        (rc = procfs_read_pinned(x->pid_fd, "status", &x->status)) < 0) {
        return rc == -ENOMEM ? err_nomem(x->err) : 0;
    }
    if (!stat_parse((struct str){x->stat.p, x->stat.n}, &x->line)) {
        return 0;
    }
    reduce_status(&x->status);
    return 1;
}

static int put_process(const struct procfs *p, int proc_to, const char *where, const char *name,
                       json_t *paths, struct err *err)
{
    CLEANUP(extract_done) struct extract x = {.pid_fd = -1, .to = -1, .err = err};
    char folder[512];
    int32_t pid;
    int rc;

    if (!procfs_pid_name(name, &pid) || (x.pid_fd = procfs_open_pid(p->fd, pid)) < 0) {
        return 0;
    }
    rc = read_process(&x);
    if (rc <= 0) {
        return rc;
    }
    x.to = capture_folder(proc_to, where, name, err);
    if (x.to < 0) {
        return x.to;
    }
    snprintf(folder, sizeof(folder), "%.400s/%s", where, name);
    x.where = folder;
    if ((rc = capture_put(x.to, folder, "stat", x.stat.p, x.stat.n, err)) < 0 ||
        (rc = capture_put(x.to, folder, "cgroup", x.cgroup.p, x.cgroup.n, err)) < 0 ||
        (rc = capture_put(x.to, folder, "status", x.status.p, x.status.n, err)) < 0 ||
        (rc = put_namespaces(&x, p)) < 0) {
        return rc;
    }
    if (stat_leader_exited(&x.line) && (rc = put_live_thread(&x)) < 0) {
        return rc;
    }
    return note_paths((struct str){x.cgroup.p, x.cgroup.n}, paths) < 0 ? err_nomem(err) : 0;
}

/* Of /proc/stat only the line that says when the node was booted. */
static int put_boot_time(const struct procfs *p, int to, const char *where, struct err *err)
{
    uint64_t btime;
    char line[32];
    int rc = procfs_read_btime(p, &btime);

    if (rc < 0) {
        return err_set(err, ERR_PROC, -rc, "%s/stat: %s", p->path,
                       rc == -EBADMSG ? "has no boot time" : strerror(-rc));
    }
    snprintf(line, sizeof(line), "btime %" PRIu64 "\n", btime);
    return capture_put(to, where, "stat", line, strlen(line), err);
}

int capture_put_proc(int dir_fd, const char *dir, const struct procfs *p, json_t *paths,
                     struct err *err)
{
    AUTO_CLOSE int to = capture_folder(dir_fd, dir, "proc", err);
    AUTO_CLOSE int from = openat(p->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct dir_reader reader = {.fd = from};
    struct dir_entry e;
    char where[480];
    int rc;

    if (to < 0) {
        return to;
    }
    if (from < 0) {
        return err_set(err, ERR_PROC, errno, "%s: %s", p->path, strerror(errno));
    }
    snprintf(where, sizeof(where), "%.400s/proc", dir);
    rc = put_boot_time(p, to, where, err);
    while (rc == 0) {
        int more = dir_next(&reader, &e);

        if (more <= 0) {
            return more < 0 ? err_set(err, ERR_PROC, -more, "%s: %s", p->path, strerror(-more)) : 0;
        }
        rc = put_process(p, to, where, e.name, paths, err);
    }
    return rc;
}
