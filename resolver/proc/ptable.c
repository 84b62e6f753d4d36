#include "resolver/proc/ptable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "resolver/proc/pin.h"

void ptable_free(struct ptable *t)
{
    if (t) {
        arena_free(&t->arena);
        *t = (struct ptable){0};
    }
}

static int compare_pid(const void *key, const void *row)
{
    pid_t pid = *(const pid_t *)key, other = ((const struct proc *)row)->pid;

    return (pid > other) - (pid < other);
}

struct proc *ptable_find(const struct ptable *t, pid_t pid)
{
    return t->n_procs ? bsearch(&pid, t->procs, t->n_procs, sizeof(*t->procs), compare_pid) : NULL;
}

int ptable_set_stat(struct ptable *t, struct proc *row, const struct stat_line *s)
{
    const char *comm = arena_strdup(&t->arena, s->comm);

    if (!comm) {
        return -ENOMEM;
    }
    row->ppid = s->ppid;
    row->session = s->session;
    row->threads = s->threads;
    row->start = s->start;
    row->state = s->state;
    row->comm = comm;
    row->have |= PROC_STAT;
    return 0;
}

static int load_stat(struct ptable *t, struct proc *row, struct str text)
{
    struct stat_line s;

    return stat_parse(text, &s) && s.pid == row->pid ? ptable_set_stat(t, row, &s) : 0;
}

static void load_status(struct proc *row, struct str text)
{
    struct status_text s;

    if (!status_parse(text, &s) || s.pid != row->pid) {
        return;
    }
    row->ns_depth = (uint8_t)s.n_nspid;
    row->nspid = s.n_nspid ? s.nspid[s.n_nspid - 1] : 0;
    row->have |= PROC_STATUS;
}

/* Read <pid>/<name> of a row into b. 1: b has the text; 0: it cannot be read; or a negative errno
 * that err_is_shortage(). */
static int read_row_file(const struct procfs *p, struct proc *row, const char *name, struct buf *b)
{
    int rc = procfs_read(p->fd, row->pid, name, b);

    if (rc == -ESRCH) {
        row->have |= PROC_GONE;
    }
    return rc == 0 ? 1 : err_is_shortage(rc) ? rc : 0;
}

int ptable_load(struct ptable *t, const struct procfs *p, struct proc *row, unsigned want)
{
    CLEANUP(buf_free) struct buf b = {0};
    int rc = 0;

    want &= ~(unsigned)row->have;
    if (row->have & PROC_GONE) {
        return 0;
    }
    if (want & PROC_STAT) {
        rc = read_row_file(p, row, "stat", &b);
        if (rc > 0) {
            rc = load_stat(t, row, (struct str){b.p, b.n});
        }
    }
    if (rc == 0 && want & PROC_STATUS) {
        rc = read_row_file(p, row, "status", &b);
        if (rc > 0) {
            load_status(row, (struct str){b.p, b.n});
            rc = 0;
        }
    }
    if (rc == 0 && want & PROC_NS) {
        row->ns = arena_alloc(&t->arena, sizeof(*row->ns));
        if (!row->ns) {
            return -ENOMEM;
        }
        rc = procfs_read_ns(p, row->pid, PROC_NS_PID | PROC_NS_MNT | PROC_NS_NET | PROC_NS_CGROUP,
                            row->ns);
        row->have |= rc == 0 ? PROC_NS : 0;
    }
    return rc;
}

static void remove_row(struct ptable *t, pid_t pid)
{
    struct proc *row = ptable_find(t, pid);

    if (row) {
        size_t n_after = (size_t)(t->procs + t->n_procs - row) - 1;

        memmove(row, row + 1, n_after * sizeof(*row));
        t->n_procs--;
    }
}

/* Replace the row of a process, or insert one. NULL: memory is out. */
static struct proc *set_row(struct ptable *t, const struct proc *row)
{
    struct proc *old = ptable_find(t, row->pid);
    size_t i;

    if (old) {
        *old = *row;
        return old;
    }
    if (ARENA_APPEND(&t->arena, t->procs, t->n_procs, t->cap_procs, *row) < 0) {
        return NULL;
    }
    /* Few rows are new: a linear search from the end, where the kernel's next PIDs are. */
    for (i = t->n_procs - 1; i > 0 && t->procs[i - 1].pid > row->pid; i--) {
        t->procs[i] = t->procs[i - 1];
    }
    t->procs[i] = *row;
    return &t->procs[i];
}

int ptable_refresh(struct ptable *t, const struct procfs *p, pid_t pid, struct proc **ret)
{
    struct proc row = {.pid = pid};
    struct pin pin;
    int64_t text;
    int rc = procfs_pin(p->fd, pid, &pin);

    *ret = NULL;
    if (rc == -ESRCH) {
        remove_row(t, pid);
    }
    if (rc < 0) {
        return err_is_shortage(rc) ? rc : 0;
    }
    text = ptable_intern(t, (struct str){pin.cgroup.p, pin.cgroup.n});
    buf_free(&pin.cgroup);
    if (text < 0 || ptable_set_stat(t, &row, &pin.stat) < 0) {
        return -ENOMEM;
    }
    row.cgroup = (uint32_t)text;
    *ret = set_row(t, &row);
    return *ret ? 0 : -ENOMEM;
}
