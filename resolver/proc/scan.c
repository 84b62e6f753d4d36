/* The scan of /proc: a step lists some processes and reads their cgroups. */
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
    struct buf text; /* the file that was read last */
    bool unordered;  /* entries did not come by PID: a folder of files, never procfs */
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

/* As ptable_intern(). Most processes have the same text as the one listed before: try that first.
 */
static int64_t intern_after_last_row(struct ptable *t, struct str text)
{
    if (t->n_procs > 0) {
        uint32_t last = t->procs[t->n_procs - 1].cgroup;

        if (str_eq(t->cgroups[last].text, text)) {
            return last;
        }
    }
    return ptable_intern(t, text);
}

/* Set the row's cgroup to that of a live thread; no live thread: it stays. 0, or a negative errno
 * that err_is_shortage(). */
static int set_cgroup_of_live_thread(struct ptable_scan *s, struct proc *row)
{
    AUTO_CLOSE int fd = procfs_open_pid(s->procfs->fd, row->pid);
    CLEANUP(buf_free) struct buf stat = {0};
    int64_t text;
    int rc = fd < 0 ? fd : procfs_read_live_thread(fd, &stat, &s->text);

    if (rc < 0) {
        return err_is_shortage(rc) ? rc : 0;
    }
    text = intern_after_last_row(s->table, (struct str){s->text.p, s->text.n});
    if (text < 0) {
        return (int)text;
    }
    row->cgroup = (uint32_t)text;
    return 0;
}

/* Fill the row with what the scan reads. 1; 0: the process has exited; or a negative errno that
 * err_is_shortage(). */
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
    index = intern_after_last_row(t, text);
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
        rc = set_cgroup_of_live_thread(s, row);
    }
    return rc < 0 ? rc : 1;
}

static int add_row(struct ptable_scan *s, int32_t pid)
{
    struct ptable *t = s->table;
    struct proc row = {.pid = pid};
    int rc = read_row(s, &row);

    if (rc <= 0) {
        return rc;
    }
    s->unordered = s->unordered || (t->n_procs > 0 && t->procs[t->n_procs - 1].pid >= pid);
    t->denied += row.have & PROC_DENIED ? 1 : 0;
    return ARENA_APPEND(&t->arena, t->procs, t->n_procs, t->cap_procs, row);
}

static int compare_pids(const void *a, const void *b)
{
    const struct proc *x = a, *y = b;

    return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Sort the rows by PID, and drop second rows of a PID. */
static void sort_rows(struct ptable *t)
{
    size_t n = 0;

    qsort(t->procs, t->n_procs, sizeof(*t->procs), compare_pids);
    for (size_t i = 0; i < t->n_procs; i++) {
        if (n == 0 || t->procs[n - 1].pid != t->procs[i].pid) {
            t->procs[n++] = t->procs[i];
        }
    }
    t->n_procs = n;
}

/* The cgroup root of a node that is a container itself (kind); none: the node is not. */
static struct str node_root(const struct ptable *t)
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

static int scan_finish(struct ptable_scan *s, struct err *err)
{
    struct ptable *t = s->table;

    if (s->unordered) {
        sort_rows(t);
    }
    if (s->procfs->is_procfs && t->n_procs == 0) {
        err_set(err, ERR_PROC, ENOENT, "%s shows no process", s->procfs->path);
        err_hint(err, "--proc names a procfs of the node, or a folder that stands in for it");
        return -ENOENT;
    }
    t->root = node_root(t);
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
            return scan_finish(s, err);
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
