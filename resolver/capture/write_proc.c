/* Writing the extract of /proc: no environment, no arguments, nothing of a process's memory. */
#include "resolver/capture/impl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "resolver/capture/folder.h"
#include "resolver/cgroup/line.h"
#include "resolver/format/json.h"
#include "resolver/proc/ns.h"
#include "resolver/proc/stat.h"

/* The extract of one process. */
struct extract {
    int pid_fd;        /* its directory in /proc: all is read through it, so it is of one process */
    int to;            /* the folder that is written */
    const char *where; /* that folder in messages, "DIR/proc/120" */
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

/* Keep the lines of status that identify a process; uids, memory and masks go. */
static void reduce_status(struct buf *b)
{
    static const char *const keys[] = {
        "Name:", "State:", "Tgid:", "Pid:", "PPid:", "NSpid:", "Threads:"};
    struct str text = {b->p, b->n}, line;
    size_t kept = 0;

    while (str_next_line(&text, &line)) {
        for (size_t i = 0; i < N_ELEMENTS(keys); i++) {
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

/* Note the v2 path of a cgroup text and those above it: an anchor may hold no process itself. 0 or
 * -ENOMEM. */
static int note_paths(struct str text, json_t *paths)
{
    struct cgroup_line line;

    if (!cgroup_v2_line(text, &line) || !text_is_utf8(line.path.p, line.path.n)) {
        return 0;
    }
    for (size_t n = line.path.n; n > 0 && !json_object_getn(paths, line.path.p, n);) {
        if (json_object_setn_new(paths, line.path.p, n, json_true()) < 0) {
            return -ENOMEM;
        }
        while (n > 0 && line.path.p[--n] != '/') {
        }
    }
    return 0;
}

/* A process that cannot be read because memory or descriptors ran out: without it the capture would
 * not be whole. */
static int cannot_read(const struct procfs *p, int32_t pid, int rc, struct err *err)
{
    return rc == -ENOMEM
               ? err_nomem(err)
               : err_set(err, ERR_PROC, -rc, "%s/%d: %s", p->path, (int)pid, strerror(-rc));
}

static int write_namespaces(const struct extract *x, const struct procfs *p)
{
    struct proc_ns ns;
    json_t *o;
    int rc;

    rc = procfs_read_ns(p, x->line.pid, PROC_NS_ALL, &ns);
    if (rc < 0) {
        return cannot_read(p, x->line.pid, rc, x->err);
    }
    if (!ns.pid && !ns.mnt && !ns.net && !ns.cgroup && !ns.user) {
        return 0;
    }
    o = json_object();
    doc_put(&o, "pid", doc_number_or_null(ns.pid));
    doc_put(&o, "mnt", doc_number_or_null(ns.mnt));
    doc_put(&o, "net", doc_number_or_null(ns.net));
    doc_put(&o, "cgroup", doc_number_or_null(ns.cgroup));
    doc_put(&o, "user", doc_number_or_null(ns.user));
    return folder_write_json(x->to, x->where, "ns.json", o, x->err);
}

static int write_thread(const struct extract *x, const char *tid, const struct buf *stat,
                        const struct buf *cgroup)
{
    AUTO_CLOSE int tasks = folder_make(x->to, x->where, "task", x->err);
    AUTO_CLOSE int to = tasks < 0 ? tasks : folder_make(tasks, x->where, tid, x->err);
    int rc = to;

    if (rc >= 0) {
        rc = folder_write_file(to, x->where, "stat", stat->p, stat->n, x->err);
    }
    return rc < 0 ? rc : folder_write_file(to, x->where, "cgroup", cgroup->p, cgroup->n, x->err);
}

/* Where the leader has exited, the cgroup of a live thread counts, and its stat shows that it
 * lives.
 */
static int write_live_thread(const struct extract *x, const struct procfs *p)
{
    CLEANUP(buf_free) struct buf stat = {0}, cgroup = {0};
    int tid = procfs_read_live_thread(x->pid_fd, &stat, &cgroup);
    char name[16];

    if (tid < 0) {
        return err_is_shortage(tid) ? cannot_read(p, x->line.pid, tid, x->err) : 0;
    }
    snprintf(name, sizeof(name), "%d", tid);
    return write_thread(x, name, &stat, &cgroup);
}

/* Read what is written of a process. 1: all of it was read; 0: the process is gone or may not be
 * read; a shortage. */
static int read_process(struct extract *x)
{
    const struct {
        const char *name;
        struct buf *text;
    } files[] = {{"stat", &x->stat}, {"cgroup", &x->cgroup}, {"status", &x->status}};

    for (size_t i = 0; i < N_ELEMENTS(files); i++) {
        int rc = procfs_read_pinned(x->pid_fd, files[i].name, files[i].text);

        if (rc < 0) {
            return err_is_shortage(rc) ? rc : 0;
        }
    }
    if (!stat_parse((struct str){x->stat.p, x->stat.n}, &x->line)) {
        return 0;
    }
    reduce_status(&x->status);
    return 1;
}

static int write_texts(const struct extract *x)
{
    int rc = folder_write_file(x->to, x->where, "stat", x->stat.p, x->stat.n, x->err);

    if (rc < 0) {
        return rc;
    }
    rc = folder_write_file(x->to, x->where, "cgroup", x->cgroup.p, x->cgroup.n, x->err);
    if (rc < 0) {
        return rc;
    }
    return folder_write_file(x->to, x->where, "status", x->status.p, x->status.n, x->err);
}

/* Write one process; 0 also where it is gone or may not be read. */
static int write_process(const struct procfs *p, int proc_to, const char *where, const char *name,
                         json_t *paths, struct err *err)
{
    CLEANUP(extract_done) struct extract x = {.pid_fd = -1, .to = -1, .err = err};
    char folder[512];
    int32_t pid;
    int rc;

    if (!procfs_pid_name(name, &pid)) {
        return 0;
    }
    x.pid_fd = procfs_open_pid(p->fd, pid);
    rc = x.pid_fd < 0 ? x.pid_fd : read_process(&x);
    if (rc <= 0) {
        return err_is_shortage(rc) ? cannot_read(p, pid, rc, err) : 0;
    }
    x.to = folder_make(proc_to, where, name, err);
    if (x.to < 0) {
        return x.to;
    }
    snprintf(folder, sizeof(folder), "%.400s/%s", where, name);
    x.where = folder;
    rc = write_texts(&x);
    if (rc < 0) {
        return rc;
    }
    rc = write_namespaces(&x, p);
    if (rc < 0) {
        return rc;
    }
    rc = stat_leader_exited(&x.line) ? write_live_thread(&x, p) : 0;
    if (rc < 0) {
        return rc;
    }
    return note_paths((struct str){x.cgroup.p, x.cgroup.n}, paths) < 0 ? err_nomem(err) : 0;
}

/* Write the btime line of /proc/stat; a replay needs no other. */
static int write_boot_time(const struct procfs *p, int to, const char *where, struct err *err)
{
    uint64_t btime;
    char line[32];
    int rc = procfs_read_btime(p, &btime);

    if (rc < 0) {
        return err_set(err, ERR_PROC, -rc, "%s/stat: %s", p->path,
                       rc == -EBADMSG ? "has no boot time" : strerror(-rc));
    }
    snprintf(line, sizeof(line), "btime %" PRIu64 "\n", btime);
    return folder_write_file(to, where, "stat", line, strlen(line), err);
}

int capture_write_proc(int dir_fd, const char *dir, const struct procfs *p, json_t *paths,
                       struct err *err)
{
    AUTO_CLOSE int to = folder_make(dir_fd, dir, "proc", err);
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
    rc = write_boot_time(p, to, where, err);
    while (rc == 0) {
        int more = dir_next(&reader, &e);

        if (more <= 0) {
            return more < 0 ? err_set(err, ERR_PROC, -more, "%s: %s", p->path, strerror(-more)) : 0;
        }
        rc = write_process(p, to, where, e.name, paths, err);
    }
    return rc;
}
