/* The last reading: no PID is published whose process has changed since it was judged. */
#include "resolver/look/impl.h"

#include <errno.h>
#include <stdlib.h>

#include "resolver/proc/pin.h"

enum pin_result { PIN_SAME, PIN_CHANGED, PIN_GONE };

/* Read the process of a unit once more: start time, state and cgroup text, through a descriptor of
 * its directory in /proc. An enum pin_result, or negative errno: a shortage. */
static int pin_unit(const struct podpid_look *k, const struct look_unit *lu)
{
    struct pin pin = {0};
    int rc = procfs_pin(k->procfs.fd, lu->pid, &pin);
    bool same;

    if (err_is_shortage(rc)) {
        return rc;
    }
    if (rc < 0) {
        return err_is_gone(rc) ? PIN_GONE : PIN_CHANGED;
    }
    same = pin.stat.start == lu->start && proc_is_alive(pin.stat.state, pin.stat.threads) &&
           str_is((struct str){pin.cgroup.p, pin.cgroup.n}, lu->cgroup);
    buf_free(&pin.cgroup);
    return same ? PIN_SAME : PIN_CHANGED;
}

/* Whether the process still has its start time. 1 or 0, or negative errno: a shortage. */
static int pin_root(const struct podpid_look *k, const struct podpid_process *p)
{
    struct pin pin = {0};
    int rc = procfs_pin(k->procfs.fd, p->pid, &pin);

    if (rc < 0) {
        return err_is_shortage(rc) ? rc : 0;
    }
    buf_free(&pin.cgroup);
    return pin.stat.start == p->start_time_ticks;
}

/* Take the PID out of the row: the verdict is `changed`. */
static int mark_changed(struct podpid_look *k, struct look_unit *lu, bool gone)
{
    char *reason = arena_printf(&k->snapshot->arena, "PID %d %s while it was looked at", lu->pid,
                                gone ? "ended" : "changed its identity or its cgroup");

    if (!reason) {
        return -ENOMEM;
    }
    if (lu->row) {
        lu->row->verdict = PODPID_VERDICT_CHANGED;
        lu->row->reason = reason;
        lu->row->pid = lu->row->inferred_pid = 0;
        lu->row->start_time_ticks = 0;
        lu->row->ns_pid = lu->row->ns_mnt = lu->row->ns_net = lu->row->ns_cgroup = 0;
    } else if (lu->pod_row) {
        lu->pod_row->sandbox_verdict = PODPID_VERDICT_CHANGED;
        lu->pod_row->sandbox_reason = reason;
        lu->pod_row->sandbox_pid = 0;
        lu->pod_row->sandbox_start_time_ticks = 0;
    }
    lu->pid = 0;
    return 0;
}

static int compare_pids(const void *pa, const void *pb)
{
    pid_t a = *(const pid_t *)pa, b = *(const pid_t *)pb;

    return a < b ? -1 : a > b;
}

/* Roots beside the main process come and go with every exec'ed probe: leave those out of the row
 * that have ended. One pass, for a container may have thousands. The row gets new arrays, since
 * the old ones may have been handed out. */
static int drop_ended_roots(struct podpid_look *k, struct podpid_container *c, pid_t main_pid)
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
        bool root = bsearch(&p->pid, c->roots, c->n_roots, sizeof(*c->roots), compare_pids) != NULL;
        int same = root && p->pid != main_pid ? pin_root(k, p) : 1;

        if (same < 0) {
            return same;
        }
        if (same) {
            rows[n_rows++] = p;
        }
        if (same && root) {
            roots[n_roots++] = p->pid;
        }
    }
    if (n_roots) {
        qsort(roots, n_roots, sizeof(*roots), compare_pids);
    }
    c->processes = rows;
    c->n_processes = n_rows;
    c->roots = roots;
    c->n_roots = n_roots;
    return 0;
}

int look_pin(struct podpid_look *k, bool last, bool *ret_again)
{
    bool again = false;

    for (size_t i = 0; i < k->units.n; i++) {
        struct look_unit *lu = k->units.items[i];
        int rc = 0;

        if (lu->row && lu->row->n_roots > 1) {
            rc = drop_ended_roots(k, lu->row, lu->pid);
        }
        if (rc < 0) {
            return rc;
        }
        rc = lu->pid ? pin_unit(k, lu) : PIN_SAME;
        if (rc < 0) {
            return rc;
        }
        if (rc == PIN_SAME) {
            continue;
        }
        if (!last && lu->tries < LOOK_TRIES) {
            lu->open = true;
            again = true;
        } else if (mark_changed(k, lu, rc == PIN_GONE) < 0) {
            return -ENOMEM;
        }
    }
    *ret_again = again;
    return 0;
}
