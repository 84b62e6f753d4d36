/* The scan: list /proc, read each process's cgroup, in slices. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "resolver/cgroup/path.h"
#include "resolver/proc/ptable.h"

struct ptable_scan {
    const struct procfs *procfs;
    struct ptable *table;
    struct dir_reader dir;
    struct buf text;
    bool unordered; /* a folder of files lists in any order; procfs by PID */
    bool done;
};

int ptable_scan_new(const struct procfs *p, struct ptable *t, struct ptable_scan **ret,
                    struct err *err)
{
    struct ptable_scan *s = calloc(1, sizeof(*s));

    if (!s) {
        return err_nomem(err);
    }
    s->procfs = p;
    s->table = t;
    s->dir.fd = openat(p->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->dir.fd < 0) {
        int e = errno;

        free(s);
        return err_set(err, e == EACCES || e == EPERM ? ERR_DENIED : ERR_PROC, e, "%s: %s", p->path,
                       strerror(e));
    }
    *ret = s;
    return 0;
}

void ptable_scan_free(struct ptable_scan *s)
{
    if (s) {
        close(s->dir.fd);
        buf_free(&s->text);
        free(s);
    }
}

/* Neighbours share their text more often than not: try the last row's first. */
static int64_t intern(struct ptable *t, struct str text)
{
    if (t->n_procs > 0) {
        uint32_t last = t->procs[t->n_procs - 1].cgroup;

        if (str_eq(t->cgroups[last].text, text)) {
            return last;
        }
    }
    return ptable_intern(t, text);
}

static int take_thread_cgroup(struct ptable_scan *s, struct proc *row)
{
    AUTO_CLOSE int fd = procfs_open_pid(s->procfs->fd, row->pid);
    CLEANUP(buf_free) struct buf stat = {0};
    int64_t text;
    int rc = fd < 0 ? fd : procfs_read_live_thread(fd, &stat, &s->text);

    if (rc < 0) {
        return err_is_shortage(rc) ? rc : 0;
    }
    text = intern(s->table, (struct str){s->text.p, s->text.n});
    if (text < 0) {
        return (int)text;
    }
    row->cgroup = (uint32_t)text;
    return 0;
}

/* 1: row has what the scan reads; 0: there is no such process any more; negative errno. */
static int read_row(struct ptable_scan *s, struct proc *row)
{
    struct ptable *t = s->table;
    int rc = procfs_read(s->procfs->fd, row->pid, "cgroup", &s->text);
    struct str text = {s->text.p, s->text.n};
    struct stat_line stat;
    int64_t index;

    if (rc == -ESRCH || rc == -ENOTDIR) {
        return 0;
    }
    if (err_is_shortage(rc)) {
        return rc;
    }
    if (rc < 0) {
        row->have |= PROC_DENIED;
        text = STR("");
    }
    index = intern(t, text);
    if (index < 0) {
        return (int)index;
    }
    row->cgroup = (uint32_t)index;
    if (row->have & PROC_DENIED ||
        (t->cgroups[index].facts.kind == CGROUP_HOST && !t->cgroups[index].v1_root)) {
        return 1;
    }
    rc = procfs_read(s->procfs->fd, row->pid, "stat", &s->text);
    if (rc == -ESRCH || err_is_shortage(rc)) {
        return rc == -ESRCH ? 0 : rc;
    }
    if (rc < 0 || !stat_parse((struct str){s->text.p, s->text.n}, &stat) || stat.pid != row->pid) {
        return 1;
    }
    rc = ptable_set_stat(t, row, &stat);
    if (rc == 0 && stat_leader_exited(&stat)) {
        rc = take_thread_cgroup(s, row);
    }
    return rc < 0 ? rc : 1;
}

static int add_row(struct ptable_scan *s, int32_t pid)
{
    struct ptable *t = s->table;
    struct proc row = {.pid = pid};
    void *items = t->procs;
    int rc = arena_grow(&t->arena, &items, t->n_procs, &t->cap_procs, sizeof(*t->procs));

    t->procs = items;
    if (rc < 0) {
        return rc;
    }
    rc = read_row(s, &row);
    if (rc <= 0) {
        return rc;
    }
    s->unordered = s->unordered || (t->n_procs > 0 && t->procs[t->n_procs - 1].pid >= pid);
    t->denied += row.have & PROC_DENIED ? 1 : 0;
    t->procs[t->n_procs++] = row;
    return 0;
}

static int by_pid(const void *a, const void *b)
{
    const struct proc *x = a, *y = b;

    return (x->pid > y->pid) - (x->pid < y->pid);
}

static void put_in_order(struct ptable *t)
{
    size_t n = 0;

    qsort(t->procs, t->n_procs, sizeof(*t->procs), by_pid);
    for (size_t i = 0; i < t->n_procs; i++) {
        if (n == 0 || t->procs[n - 1].pid != t->procs[i].pid) {
            t->procs[n++] = t->procs[i];
        }
    }
    t->n_procs = n;
}

/* A node that is a container itself (kind): everything on it is below PID 1's container. */
static struct str find_root(const struct ptable *t)
{
    const struct proc *init = ptable_find(t, 1);
    const struct cgroup_facts *facts;

    if (!init) {
        return (struct str){NULL, 0};
    }
    facts = &t->cgroups[init->cgroup].facts;
    if (facts->kind != CGROUP_CONTAINER && facts->kind != CGROUP_NESTED) {
        return (struct str){NULL, 0};
    }
    return cgroup_node_root(str_of(facts->path));
}

static int finish(struct ptable_scan *s, struct err *err)
{
    struct ptable *t = s->table;

    if (s->unordered) {
        put_in_order(t);
    }
    if (s->procfs->is_procfs && t->n_procs == 0) {
        err_set(err, ERR_PROC, ENOENT, "%s shows no process", s->procfs->path);
        err_hint(err, "--proc names a procfs of the node, or a folder that stands in for it");
        return -ENOENT;
    }
    t->root = find_root(t);
    s->done = true;
    return 1;
}

int ptable_scan_step(struct ptable_scan *s, unsigned n, struct err *err)
{
    if (s->done) {
        return 1;
    }
    for (; n > 0; n--) {
        struct dir_entry entry;
        int32_t pid;
        int rc = dir_next(&s->dir, &entry);

        if (rc == 0) {
            return finish(s, err);
        }
        if (rc > 0) {
            if ((entry.type != DT_DIR && entry.type != DT_UNKNOWN) ||
                !procfs_pid_name(entry.name, &pid)) {
                continue;
            }
            rc = add_row(s, pid);
        }
        if (rc == -ENOMEM) {
            return err_nomem(err);
        }
        if (rc < 0) {
            return err_set(err, ERR_PROC, -rc, "reading %s: %s", s->procfs->path, strerror(-rc));
        }
    }
    return 0;
}
