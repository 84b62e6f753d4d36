#include "resolver/join/verdict.h"

#include <stdarg.h>
#include <stdio.h>

#include "resolver/join/impl.h"

/* By how much a process may have started before its container was created, or after it was started,
 * and still count as the container's. The runtime's times are of the wall clock; the start in ticks
 * is made comparable by btime, which has whole seconds and moves when the clock is set. Larger is
 * not better: a PID that is given to another process within this time is "moved", not "recycled".
 */
enum { CLOCK_SLACK_SECONDS = 5 };

static void set_verdict(struct verdict *v, enum podpid_verdict verdict, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void set_verdict(struct verdict *v, enum podpid_verdict verdict, const char *fmt, ...)
{
    va_list ap;

    v->verdict = verdict;
    va_start(ap, fmt);
    vsnprintf(v->reason, sizeof(v->reason), fmt, ap);
    va_end(ap);
}

/* ---- The state as the runtime reports it ------------------------------------------------------
 */

/* Whether the runtime's answer alone decides the verdict. */
static bool state_decides(const struct unit *u, struct verdict *v)
{
    const struct view_container *c = u->container;
    enum view_status status = c ? c->status : u->pod->status;

    if (status == VIEW_STATUS_GONE) {
        set_verdict(v, PODPID_VERDICT_ERROR,
                    "the runtime lists it, but says that there is no such thing");
        return true;
    }
    if (status == VIEW_STATUS_FAILED) {
        const char *why = c ? c->error : u->pod->error;

        set_verdict(v, PODPID_VERDICT_ERROR, "its status could not be read: %s",
                    why ? why : "no reason given");
        return true;
    }
    if (!c) {
        if (!u->pod->ready) {
            set_verdict(v, PODPID_VERDICT_EXITED, "the runtime says that the sandbox is not ready");
        }
        return !u->pod->ready;
    }
    switch (c->state) {
    case VIEW_CREATED:
        set_verdict(v, PODPID_VERDICT_CREATED, "the runtime says created: not started yet");
        return true;
    case VIEW_EXITED:
        if (u->n_members) {
            set_verdict(v, PODPID_VERDICT_EXITED,
                        "the runtime says exited; %u of its processes live on", u->n_members);
        } else {
            set_verdict(v, PODPID_VERDICT_EXITED, "the runtime says exited");
        }
        return true;
    case VIEW_UNKNOWN:
        set_verdict(v, PODPID_VERDICT_UNKNOWN,
                    "the runtime does not know the state of this container");
        return true;
    case VIEW_RUNNING:
        break;
    }
    return false;
}

/* ---- Without a reported PID ------------------------------------------------------------------ */

/* Whether a root of another unit is in that PID namespace. */
static bool shares_namespace(const struct verdict_input *in, const struct unit *u, uint64_t pid_ns)
{
    for (size_t i = 0; i < in->members->n_units; i++) {
        const struct unit *other = &in->members->units[i];

        for (uint32_t k = 0; other != u && k < other->n_roots; k++) {
            const struct proc *row = &in->table->procs[other->roots[k]];

            if (row->ns && row->ns->pid == pid_ns) {
                return true;
            }
        }
    }
    return false;
}

/* Whether the unit's roots are in several cgroups that have the shape of the container's: which of
 * them the runtime made cannot be told. */
static bool is_scattered(const struct verdict_input *in, const struct unit *u)
{
    const struct ptable *t = in->table;

    for (uint32_t i = 1; i < u->n_roots; i++) {
        if (!members_share_place(t, u, t->cgroups[t->procs[u->roots[0]].cgroup].text,
                                 t->cgroups[t->procs[u->roots[i]].cgroup].text)) {
            return true;
        }
    }
    return false;
}

/* The root that is PID 1 of a PID namespace other than the host's; NULL: there is none, or several.
 * *ret_n: how many there are. */
static const struct proc *find_init(const struct verdict_input *in, const struct unit *u,
                                    unsigned *ret_n)
{
    const struct proc *init = NULL;

    *ret_n = 0;
    for (uint32_t i = 0; i < u->n_roots; i++) {
        const struct proc *row = &in->table->procs[u->roots[i]];

        if (row->nspid == 1 && row->ns_depth > 1) {
            init = row;
            (*ret_n)++;
        }
    }
    return *ret_n == 1 ? init : NULL;
}

static void infer_without_members(const struct unit *u, struct verdict *v)
{
    if (u->container) {
        set_verdict(v, PODPID_VERDICT_NO_PROCESS,
                    "the runtime gives no PID and no process is in its cgroup");
    } else {
        set_verdict(v, PODPID_VERDICT_ABSENT,
                    "ready, without a process: the runtime keeps none for this sandbox");
    }
}

static void infer(const struct verdict_input *in, const struct unit *u, struct verdict *v)
{
    unsigned n_inits;
    const struct proc *init = find_init(in, u, &n_inits);

    if (in->blind) {
        set_verdict(v, PODPID_VERDICT_UNPROVEN, "the runtime gives no PID, and %s", in->blind);
    } else if (u->n_members == 0) {
        infer_without_members(u, v);
    } else if (is_scattered(in, u)) {
        set_verdict(
            v, PODPID_VERDICT_UNPROVEN,
            "the runtime gives no PID, and there are processes in several cgroups of this id");
    } else if (!init) {
        set_verdict(v, PODPID_VERDICT_UNPROVEN,
                    "the runtime gives no PID; %u of %u top processes is PID 1 of a PID namespace",
                    n_inits, u->n_roots);
    } else if (!init->ns || !init->ns->pid) {
        set_verdict(v, PODPID_VERDICT_UNPROVEN,
                    "the runtime gives no PID; whether PID %d has its PID namespace for itself "
                    "cannot be read",
                    init->pid);
    } else if (shares_namespace(in, u, init->ns->pid)) {
        set_verdict(v, PODPID_VERDICT_UNPROVEN,
                    "the runtime gives no PID; PID %d is PID 1 of a namespace shared with another "
                    "container",
                    init->pid);
    } else if (init != v->main) {
        /* A process that made itself a namespace may have left it behind, or it came from outside.
         */
        set_verdict(v, PODPID_VERDICT_UNPROVEN,
                    "the runtime gives no PID; PID %d is PID 1 of a PID namespace, but PID %d was "
                    "there before it",
                    init->pid, v->main->pid);
    } else if (!is_alive(init)) {
        set_verdict(v, PODPID_VERDICT_UNPROVEN, "the runtime gives no PID; PID %d is a zombie",
                    init->pid);
    } else {
        set_verdict(
            v, PODPID_VERDICT_INFERRED,
            "the runtime gives no PID; PID %d is PID 1 of the container's own PID namespace",
            init->pid);
        v->inferred_pid = init->pid;
    }
}

/* ---- The reported PID compared with the scan --------------------------------------------------
 */

/* When a process started, in nanoseconds since the epoch. */
static nsec start_time(const struct verdict_input *in, const struct proc *row)
{
    nsec hz = in->ticks_per_second;
    nsec ticks = (nsec)(row->start % ((uint64_t)NSEC_NEVER / NSEC_PER_SEC));

    return nsec_after(in->boot_time, ticks / hz * NSEC_PER_SEC + ticks % hz * NSEC_PER_SEC / hz);
}

/* The reported process is no member: it was moved, or its PID is another process's by now. */
static void judge_outsider(const struct verdict_input *in, const struct unit *u, struct verdict *v)
{
    const struct proc *row = v->reported;
    const struct unit *owner = members_owner(in->members, in->table, row);
    nsec created = u->container ? u->container->created_at : u->pod->created_at;
    nsec started = u->container ? u->container->started_at : u->pod->created_at;
    nsec slack = CLOCK_SLACK_SECONDS * NSEC_PER_SEC;
    nsec start = start_time(in, row);

    if (started < created) {
        started = created;
    }
    if (owner && owner != u) {
        set_verdict(v, PODPID_VERDICT_RECYCLED, "PID %d now belongs to %s %.12s", row->pid,
                    owner->container ? "container" : "the sandbox", owner->id);
    } else if (created > 0 && start >= created - slack && start <= nsec_after(started, slack)) {
        set_verdict(v, PODPID_VERDICT_MOVED,
                    "PID %d started with the container but is not in its cgroup", row->pid);
    } else {
        set_verdict(
            v, PODPID_VERDICT_RECYCLED,
            "PID %d is another process by now: not in the container's cgroup, and started at "
            "another time",
            row->pid);
    }
}

/* Whether the container has a PID namespace of its own in which another process than this one is
 * PID 1. Namespaces that cannot be read prove nothing. */
static bool must_be_init_but_is_not(const struct verdict_input *in, const struct unit *u,
                                    const struct proc *row)
{
    if (row->nspid == 1 || row->ns_depth < 2 || !row->ns || !row->ns->pid || !u->container) {
        return false;
    }
    if (shares_namespace(in, u, row->ns->pid)) {
        return false;
    }
    /* The namespace may be the pod's, whose sandbox process has ended: then no member is PID 1. */
    for (uint32_t i = 0; i < u->n_members; i++) {
        const struct proc *other = &in->table->procs[u->members[i]];

        if (other->nspid == 1 && other->ns && other->ns->pid == row->ns->pid) {
            return true;
        }
    }
    return false;
}

static void cross_check(const struct verdict_input *in, const struct unit *u, struct verdict *v)
{
    const struct proc *row = v->reported;
    pid_t pid = unit_reported_pid(u);

    if (in->blind) {
        set_verdict(v, PODPID_VERDICT_UNPROVEN, "the runtime says PID %d, but %s", pid, in->blind);
    } else if (!row) {
        set_verdict(v, PODPID_VERDICT_DEAD,
                    "the runtime says running with PID %d, but there is no such process", pid);
    } else if (!is_alive(row)) {
        set_verdict(v, PODPID_VERDICT_ZOMBIE, "PID %d has ended and waits for its parent to notice",
                    pid);
    } else if (members_owner(in->members, in->table, row) != u) {
        judge_outsider(in, u, v);
    } else if (!unit_has_root(in->table, u, row)) {
        set_verdict(v, PODPID_VERDICT_MISMATCH,
                    "PID %d is a child of PID %d, which is in the container too", pid, row->ppid);
    } else if (row != v->main) {
        set_verdict(v, PODPID_VERDICT_MISMATCH,
                    "PID %d is in the container, but PID %d is its first process", pid,
                    v->main->pid);
    } else if (must_be_init_but_is_not(in, u, row)) {
        set_verdict(v, PODPID_VERDICT_MISMATCH,
                    "PID %d is not PID 1 of the container's own PID namespace", pid);
    } else {
        set_verdict(v, PODPID_VERDICT_VERIFIED,
                    u->n_roots > 1 ? "runtime and kernel agree; first of %u top processes"
                                   : "runtime and kernel agree",
                    u->n_roots);
        v->pid = pid;
    }
}

void verdict_of(const struct verdict_input *in, const struct unit *u, struct verdict *ret)
{
    struct verdict v = {0};
    pid_t pid = unit_reported_pid(u);

    if (pid > 0) {
        v.reported = ptable_find(in->table, pid);
        if (v.reported && (v.reported->have & PROC_GONE || !(v.reported->have & PROC_STAT))) {
            v.reported = NULL;
        }
    }
    v.main = reduce_main(in->table, u);
    if (state_decides(u, &v)) {
        *ret = v;
        return;
    }
    if (vm_reason(in, u, v.reported, v.reason, sizeof(v.reason))) {
        v.verdict = PODPID_VERDICT_VM;
    } else if (pid <= 0) {
        infer(in, u, &v);
    } else {
        cross_check(in, u, &v);
    }
    *ret = v;
}

const struct proc *verdict_main_row(const struct verdict *v)
{
    switch (v->verdict) {
    case PODPID_VERDICT_VERIFIED:
    case PODPID_VERDICT_INFERRED:
    case PODPID_VERDICT_MISMATCH:
    case PODPID_VERDICT_CHANGED:
        return v->main;
    case PODPID_VERDICT_ZOMBIE:
        return v->main == v->reported ? v->main : NULL;
    default:
        return NULL;
    }
}
