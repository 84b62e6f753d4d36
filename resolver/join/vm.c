/* Containers that run in a virtual machine or a sandboxed kernel: the host's kernel shows only the
 * process that runs the guest, so no process of the container can be verified. */
#include "resolver/join/impl.h"

#include <fnmatch.h>
#include <stdio.h>

#include "resolver/join/verdict.h"

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

static bool matches_any(const char *const *globs, size_t n, const char *text)
{
    for (size_t i = 0; text && i < n; i++) {
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

    return matches_any(types, N_ELEMENTS(types), runtime_type);
}

/* The programs that run Kata's and gVisor's guests; the kernel cuts comm to 15 bytes. */
static bool is_vmm(const char *comm)
{
    static const char *const names[] = {"qemu-system-*",    "qemu-kvm",    "qemu-lite*",
                                        "cloud-hyperviso*", "firecracker", "dragonball*",
                                        "stratovirt*",      "acrn-dm",     "runsc*"};

    return matches_any(names, N_ELEMENTS(names), comm);
}

/* The handlers that Kata's and gVisor's documentation names. A name alone proves nothing: it is the
 * administrator's choice. */
static bool is_vm_handler(const char *handler)
{
    static const char *const handlers[] = {"kata*", "runsc*", "gvisor*"};

    return matches_any(handlers, N_ELEMENTS(handlers), handler);
}

/* Whether a process is in its pod's sandbox or in a cgroup of Kata's for what a guest costs the
 * host. */
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

/* Whether another running container of the pod has the same reported PID: it is the guest's then.
 * Walks through all units, and is asked only where the PID is no member of this container. */
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

static const char *runtime_type(const struct unit *u)
{
    const char *own = u->container ? u->container->runtime_type : NULL;
    const char *pods = u->pod ? u->pod->runtime_type : NULL;

    return !own || (!is_vm_type(own) && is_vm_type(pods)) ? pods : own;
}

/* The runtime handler; NULL or "": none. Docker has no handlers: the name of a runtime in the
 * daemon's settings comes nearest. */
static const char *runtime_handler(const struct unit *u)
{
    const char *handler = u->pod ? u->pod->runtime_handler : NULL;

    if (handler && *handler) {
        return handler;
    }
    return u->container ? u->container->runtime_type : u->pod->runtime_type;
}

bool vm_reason(const struct verdict_input *in, const struct unit *u, const struct proc *reported,
               char *reason, size_t size)
{
    const char *type = runtime_type(u), *handler = runtime_handler(u);
    pid_t pid = unit_reported_pid(u);
    bool is_member = reported && members_owner(in->members, in->table, reported) == u;

    if (is_vm_type(type)) {
        snprintf(reason, size, "runs in a virtual machine or sandboxed kernel (runtime type %.60s)",
                 type);
        return true;
    }
    if (u->container && reported && !is_member && is_vmm(reported->comm) &&
        in_overhead_cgroup(in, u, reported)) {
        snprintf(reason, size, "PID %d is %.20s, a virtual machine monitor of its pod", pid,
                 reported->comm);
        return true;
    }
    if (u->container && u->pod && pid && !is_member && pid_is_shared(in, u, pid)) {
        snprintf(reason, size, "the runtime reports PID %d for several containers of the pod", pid);
        return true;
    }
    if (!handler || !*handler) {
        return false;
    }
    if (in_list(in->vm_handlers, handler)) {
        snprintf(reason, size, "runtime handler %.60s is named as one of virtual machines",
                 handler);
        return true;
    }
    if (u->n_members == 0 && is_vm_handler(handler)) {
        snprintf(reason, size, "runtime handler %.60s, and no process of it is visible", handler);
        return true;
    }
    return false;
}
