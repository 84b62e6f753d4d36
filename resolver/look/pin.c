/* The last reading: nothing is published that was not itself a moment ago. */
#include <errno.h>
#include <stdlib.h>

#include "resolver/look/impl.h"

/* Is the process still the one that was judged, in the cgroup it was judged by? 1 or 0, or negative
 * errno: a shortage. */
static int is_itself(const struct podpid_look *k, const struct track *t, bool *ret_gone)
{
    struct pin pin = {0};
    int rc = procfs_pin(k->procfs.fd, t->pid, &pin);
    bool same = rc == 0 && pin.stat.start == t->start &&
                ((pin.stat.state != 'Z' && pin.stat.state != 'X') || pin.stat.threads > 1) &&
                str_is((struct str){pin.cgroup.p, pin.cgroup.n}, t->cgroup);

    *ret_gone = err_is_gone(rc);
    if (rc == 0) {
        buf_free(&pin.cgroup);
    }
    return err_is_shortage(rc) ? rc : same;
}

static int not_itself(struct podpid_look *k, struct track *t, bool gone)
{
    char *reason = arena_printf(&k->snapshot->arena, "PID %d %s while it was looked at", t->pid,
                                gone ? "ended" : "changed its identity or its cgroup");

    if (!reason) {
        return -ENOMEM;
    }
    if (t->row) {
        t->row->verdict = PODPID_VERDICT_CHANGED;
        t->row->reason = reason;
        t->row->pid = t->row->inferred_pid = 0;
        t->row->start_time_ticks = 0;
        t->row->ns_pid = t->row->ns_mnt = t->row->ns_net = t->row->ns_cgroup = 0;
    } else if (t->pod_row) {
        t->pod_row->sandbox_verdict = PODPID_VERDICT_CHANGED;
        t->pod_row->sandbox_reason = reason;
        t->pod_row->sandbox_pid = 0;
        t->pod_row->sandbox_start_time_ticks = 0;
    }
    t->pid = 0;
    return 0;
}

/* Likewise. */
static int is_there(const struct podpid_look *k, const struct podpid_process *p)
{
    struct pin pin = {0};
    int rc = procfs_pin(k->procfs.fd, p->pid, &pin);
    bool there;

    if (rc < 0) {
        return err_is_shortage(rc) ? rc : 0;
    }
    there = pin.stat.start == p->start_time_ticks;
    buf_free(&pin.cgroup);
    return there;
}

static int by_pid(const void *pa, const void *pb)
{
    pid_t a = *(const pid_t *)pa, b = *(const pid_t *)pb;

    return a < b ? -1 : a > b;
}

/* Roots beside the main one, which come and go with every probe: those that are not themselves any
 * more are left out. One pass, for a container may have thousands; the row gets new arrays, what
 * was handed around stays as it is. */
static int pin_other_roots(struct podpid_look *k, struct podpid_container *c, pid_t main_pid)
{
    struct arena *a = &k->snapshot->arena;
    const struct podpid_process **rows = arena_calloc(a, c->n_processes, sizeof(*rows));
    pid_t *roots = arena_calloc(a, c->n_roots, sizeof(*roots));
    size_t n_rows = 0, n_roots = 0;

    if (!rows || !roots) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < c->n_processes; i++) {
        const struct podpid_process *p = c->processes[i];
        bool root = bsearch(&p->pid, c->roots, c->n_roots, sizeof(*c->roots), by_pid) != NULL;
        int there = root && p->pid != main_pid ? is_there(k, p) : 1;

        if (there < 0) {
            return there;
        }
        if (!there) {
            continue;
        }
        rows[n_rows++] = p;
        if (root) {
            roots[n_roots++] = p->pid;
        }
    }
    if (n_roots) {
        qsort(roots, n_roots, sizeof(*roots), by_pid);
    }
    c->processes = rows;
    c->n_processes = n_rows;
    c->roots = roots;
    c->n_roots = n_roots;
    return 0;
}

int look_pin(struct podpid_look *k, bool last, bool *ret_again)
{
    *ret_again = false;
    for (size_t i = 0; i < k->n_tracks; i++) {
        struct track *t = k->tracks[i];
        bool gone = false;
        int rc = 0;

        if (t->row && t->row->n_roots > 1) {
            rc = pin_other_roots(k, t->row, t->pid);
        }
        if (rc == 0) {
            rc = t->pid ? is_itself(k, t, &gone) : 1;
        }
        if (rc < 0) {
            return rc;
        }
        if (rc > 0) {
            continue;
        }
        if (!last && t->tries < LOOK_TRIES) {
            t->open = true;
            *ret_again = true;
        } else if (not_itself(k, t, gone) < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}
