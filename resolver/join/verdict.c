#include "resolver/join/verdict.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLOCK_SLACK_SECONDS = 5 };

static int by_index(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static bool is_root(const struct ptable *t, const struct unit *u, const struct proc *row)
{
    uint32_t key = (uint32_t)(row - t->procs);

    return u->n_roots && bsearch(&key, u->roots, u->n_roots, sizeof(key), by_index) != NULL;
}

static bool comes_first(const struct proc *a, const struct proc *b)
{
    bool init_a = a->nspid == 1, init_b = b->nspid == 1;

    if (a->start != b->start) {
        return a->start < b->start;
    }
    if (init_a != init_b) {
        return init_a;
    }
    return a->pid < b->pid;
}

const struct proc *reduce_main(const struct ptable *t, const struct unit *u)
{
    const struct proc *first = NULL;

    for (uint32_t i = 0; i < u->n_roots; i++) {
        const struct proc *row = &t->procs[u->roots[i]];

        if (!first || comes_first(row, first)) {
            first = row;
        }
    }
    return first;
}

static pid_t reported_pid(const struct unit *u)
{
    return u->container ? u->container->pid : u->pod->pid;
}

static void say(struct verdict *v, enum podpid_verdict verdict, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void say(struct verdict *v, enum podpid_verdict verdict, const char *fmt, ...)
{
    va_list ap;

    v->verdict = verdict;
    va_start(ap, fmt);
    vsnprintf(v->reason, sizeof(v->reason), fmt, ap);
    va_end(ap);
}

/* ---- What the runtime says of the state ------------------------------------------------------ */

static bool state_decides(const struct unit *u, struct verdict *v)
{
    const struct view_container *c = u->container;
    enum view_status status = c ? c->status : u->pod->status;

    if (status == VIEW_STATUS_GONE) {
        say(v, PODPID_VERDICT_ERROR, "the runtime lists it, but says that there is no such thing");
        return true;
    }
    if (status == VIEW_STATUS_FAILED) {
        const char *why = c ? c->error : u->pod->error;

        say(v, PODPID_VERDICT_ERROR, "its status could not be read: %s",
            why ? why : "no reason given");
        return true;
    }
    if (!c) {
        if (!u->pod->ready) {
            say(v, PODPID_VERDICT_EXITED, "the runtime says that the sandbox is not ready");
        }
        return !u->pod->ready;
    }
    switch (c->state) {
    case VIEW_CREATED:
        say(v, PODPID_VERDICT_CREATED, "the runtime says created: not started yet");
        return true;
    case VIEW_EXITED:
        if (u->n_members) {
            say(v, PODPID_VERDICT_EXITED, "the runtime says exited; %u of its processes live on",
                u->n_members);
        } else {
            say(v, PODPID_VERDICT_EXITED, "the runtime says exited");
        }
        return true;
    case VIEW_UNKNOWN:
        say(v, PODPID_VERDICT_UNKNOWN, "the runtime does not know the state of this container");
        return true;
    case VIEW_RUNNING:
        break;
    }
    return false;
}

/* ---- Virtual machines ------------------------------------------------------------------------ */

static bool in_list(const char *list, const char *name)
{
    size_t n = strlen(name);

    while (list && *list) {
        size_t len = strcspn(list, ",");

        if (len == n && strncmp(list, name, n) == 0) {
            return true;
        }
        list += len + (list[len] == ',');
    }
    return false;
}

static bool any_match(const char *const *globs, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++) {
        if (fnmatch(globs[i], text, 0) == 0) {
            return true;
        }
    }
    return false;
}

/* Shim names: io.containerd.kata.v2, io.containerd.kata-qemu.v2, io.containerd.runsc.v1. */
static bool is_vm_type(const char *runtime_type)
{
    static const char *const types[] = {"io.containerd.kata*", "io.containerd.runsc*",
                                        "*containerd-shim-kata*", "*containerd-shim-runsc*"};

    return runtime_type && any_match(types, sizeof(types) / sizeof(types[0]), runtime_type);
}

/* Names of what runs Kata's and gVisor's guests; comm is cut to 15 bytes by the kernel. */
static bool is_vmm(const char *comm)
{
    static const char *const names[] = {"qemu-system-*",    "qemu-kvm",    "qemu-lite*",
                                        "cloud-hyperviso*", "firecracker", "dragonball*",
                                        "stratovirt*",      "acrn-dm",     "runsc*"};

    return comm && any_match(names, sizeof(names) / sizeof(names[0]), comm);
}

static bool in_overhead_cgroup(const struct verdict_input *in, const struct unit *u,
                               const struct proc *row)
{
    const struct unit *owner = members_owner(in->members, in->table, row);
    const struct cgroup_facts *f = &in->table->cgroups[row->cgroup].facts;

    if (owner && !owner->container && owner->pod == u->pod) {
        return true;
    }
    return f->kind == CGROUP_HELPER && f->path && strstr(f->path, "kata") != NULL;
}

/* Two containers of one pod with one PID: it is the machine's. Linear in the pod's containers, and
 * those are looked at only when the PID is no member of this container. */
static bool pid_is_shared(const struct verdict_input *in, const struct unit *u, pid_t pid)
{
    for (size_t i = 0; i < in->members->n_units; i++) {
        const struct unit *other = &in->members->units[i];

        if (other != u && other->container && other->pod == u->pod &&
            other->container->pid == pid && other->container->state == VIEW_RUNNING) {
            return true;
        }
    }
    return false;
}

/* Docker knows no handlers: a runtime's name in the daemon's settings is what comes nearest. */
static const char *handler_of(const struct unit *u)
{
    const char *handler = u->pod ? u->pod->runtime_handler : NULL;

    if (handler && *handler) {
        return handler;
    }
    return u->container ? u->container->runtime_type : u->pod->runtime_type;
}

static bool is_vm(const struct verdict_input *in, const struct unit *u, struct verdict *v)
{
    static const char *const handlers[] = {"kata*", "runsc*", "gvisor*"};
    const char *type = u->container ? u->container->runtime_type : u->pod->runtime_type;
    const char *handler = handler_of(u);
    pid_t pid = reported_pid(u);
    bool is_member = v->reported && members_owner(in->members, in->table, v->reported) == u;

    if (!is_vm_type(type) && u->pod && is_vm_type(u->pod->runtime_type)) {
        type = u->pod->runtime_type;
    }
    if (is_vm_type(type)) {
        say(v, PODPID_VERDICT_VM,
            "runs in a virtual machine or sandboxed kernel (runtime type %.60s)", type);
    } else if (v->reported && !is_member && u->container && is_vmm(v->reported->comm) &&
               in_overhead_cgroup(in, u, v->reported)) {
        say(v, PODPID_VERDICT_VM, "PID %d is %.20s, a virtual machine monitor of its pod", pid,
            v->reported->comm);
    } else if (u->container && u->pod && pid && !is_member && pid_is_shared(in, u, pid)) {
        say(v, PODPID_VERDICT_VM, "the runtime reports PID %d for several containers of the pod",
            pid);
    } else if (handler && *handler && in_list(in->vm_handlers, handler)) {
        say(v, PODPID_VERDICT_VM, "runtime handler %.60s is named as one of virtual machines",
            handler);
    } else if (handler && *handler && u->n_members == 0 &&
               any_match(handlers, sizeof(handlers) / sizeof(handlers[0]), handler)) {
        say(v, PODPID_VERDICT_VM, "runtime handler %.60s, and no process of it is visible",
            handler);
    } else {
        return false;
    }
    return true;
}

/* ---- Without a reported PID ---------------------------------------------------------------- */

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

/* Cgroups of the container's shape at several places: one is the container's, and nobody can say
 * which. */
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

static void infer(const struct verdict_input *in, const struct unit *u, struct verdict *v)
{
    const struct proc *init = NULL;
    unsigned inits = 0;

    if (in->blind) {
        say(v, PODPID_VERDICT_UNPROVEN, "the runtime gives no PID, and %s", in->blind);
        return;
    }
    if (u->n_members == 0) {
        if (!u->container) {
            say(v, PODPID_VERDICT_ABSENT,
                "ready, without a process: the runtime keeps none for this sandbox");
        } else {
            say(v, PODPID_VERDICT_NO_PROCESS,
                "the runtime gives no PID and no process is in its cgroup");
        }
        return;
    }
    if (is_scattered(in, u)) {
        say(v, PODPID_VERDICT_UNPROVEN,
            "the runtime gives no PID, and there are processes in several cgroups of this id");
        return;
    }
    for (uint32_t i = 0; i < u->n_roots; i++) {
        const struct proc *row = &in->table->procs[u->roots[i]];

        if (row->nspid == 1 && row->ns_depth > 1) {
            init = row;
            inits++;
        }
    }
    if (inits != 1) {
        say(v, PODPID_VERDICT_UNPROVEN,
            "the runtime gives no PID; %u of %u top processes is PID 1 of a PID namespace", inits,
            u->n_roots);
    } else if (!init->ns || !init->ns->pid) {
        say(v, PODPID_VERDICT_UNPROVEN,
            "the runtime gives no PID; whether PID %d has its PID namespace for itself cannot be "
            "read",
            init->pid);
    } else if (shares_namespace(in, u, init->ns->pid)) {
        say(v, PODPID_VERDICT_UNPROVEN,
            "the runtime gives no PID; PID %d is PID 1 of a namespace shared with another "
            "container",
            init->pid);
    } else if (init != v->main) {
        /* Left behind by a process that made itself a namespace, or brought from elsewhere. */
        say(v, PODPID_VERDICT_UNPROVEN,
            "the runtime gives no PID; PID %d is PID 1 of a PID namespace, but PID %d was there "
            "before it",
            init->pid, v->main->pid);
    } else if (init->state == 'Z' && init->threads <= 1) {
        say(v, PODPID_VERDICT_UNPROVEN, "the runtime gives no PID; PID %d is a zombie", init->pid);
    } else {
        say(v, PODPID_VERDICT_INFERRED,
            "the runtime gives no PID; PID %d is PID 1 of the container's own PID namespace",
            init->pid);
        v->inferred_pid = init->pid;
        v->main = init;
    }
}

/* ---- The reported PID against the scan ----------------------------------------------------- */

static nsec start_time(const struct verdict_input *in, const struct proc *row)
{
    nsec hz = in->ticks_per_second;
    nsec ticks = (nsec)(row->start % ((uint64_t)NSEC_NEVER / NSEC_PER_SEC));

    return nsec_after(in->boot_time, ticks / hz * NSEC_PER_SEC + ticks % hz * NSEC_PER_SEC / hz);
}

static void outside(const struct verdict_input *in, const struct unit *u, struct verdict *v)
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
        say(v, PODPID_VERDICT_RECYCLED, "PID %d now belongs to %s %.12s", row->pid,
            owner->container ? "container" : "the sandbox", owner->id);
    } else if (created > 0 && start >= created - slack && start <= nsec_after(started, slack)) {
        say(v, PODPID_VERDICT_MOVED, "PID %d started with the container but is not in its cgroup",
            row->pid);
    } else {
        say(v, PODPID_VERDICT_RECYCLED,
            "PID %d is another process by now: not in the container's cgroup, and started at "
            "another time",
            row->pid);
    }
}

/* In a PID namespace of its own the main process is PID 1. Namespaces that cannot be read prove
 * nothing. */
static bool must_be_init_but_is_not(const struct verdict_input *in, const struct unit *u,
                                    const struct proc *row)
{
    if (row->nspid == 1 || row->ns_depth < 2 || !row->ns || !row->ns->pid || !u->container) {
        return false;
    }
    if (shares_namespace(in, u, row->ns->pid)) {
        return false;
    }
    /* Shared with the pod's sandbox, whose process may be gone: then PID 1 is not in this container
     * either, and somebody else is it. */
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
    pid_t pid = reported_pid(u);

    if (in->blind) {
        say(v, PODPID_VERDICT_UNPROVEN, "the runtime says PID %d, but %s", pid, in->blind);
    } else if (!row) {
        say(v, PODPID_VERDICT_DEAD,
            "the runtime says running with PID %d, but there is no such process", pid);
    } else if ((row->state == 'Z' || row->state == 'X') && row->threads <= 1) {
        say(v, PODPID_VERDICT_ZOMBIE, "PID %d has ended and waits for its parent to notice", pid);
    } else if (members_owner(in->members, in->table, row) != u) {
        outside(in, u, v);
    } else if (!is_root(in->table, u, row)) {
        say(v, PODPID_VERDICT_MISMATCH,
            "PID %d is a child of PID %d, which is in the container too", pid, row->ppid);
    } else if (row != v->main) {
        say(v, PODPID_VERDICT_MISMATCH,
            "PID %d is in the container, but PID %d is its first process", pid, v->main->pid);
    } else if (must_be_init_but_is_not(in, u, row)) {
        say(v, PODPID_VERDICT_MISMATCH, "PID %d is not PID 1 of the container's own PID namespace",
            pid);
    } else {
        say(v, PODPID_VERDICT_VERIFIED,
            u->n_roots > 1 ? "runtime and kernel agree; first of %u top processes"
                           : "runtime and kernel agree",
            u->n_roots);
        v->pid = pid;
    }
}

void verdict_of(const struct verdict_input *in, const struct unit *u, struct verdict *ret)
{
    struct verdict v = {0};
    pid_t pid = reported_pid(u);

    if (pid > 0) {
        v.reported = ptable_find(in->table, pid);
        if (v.reported && (v.reported->have & PROC_GONE || !(v.reported->have & PROC_STAT))) {
            v.reported = NULL;
        }
    }
    v.main = reduce_main(in->table, u);
    if (!state_decides(u, &v) && !is_vm(in, u, &v)) {
        if (pid <= 0) {
            infer(in, u, &v);
        } else {
            cross_check(in, u, &v);
        }
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

enum podpid_role role_of(const struct verdict_input *in, const struct unit *u,
                         const struct proc *row, const struct proc *main_process)
{
    if (row == main_process) {
        return PODPID_ROLE_MAIN;
    }
    if (!is_root(in->table, u, row)) {
        return PODPID_ROLE_CHILD;
    }
    if (u->pod && u->pod->pid && row->ppid == u->pod->pid) {
        return PODPID_ROLE_ORPHAN;
    }
    return row->session == row->pid ? PODPID_ROLE_EXEC : PODPID_ROLE_ORPHAN;
}
