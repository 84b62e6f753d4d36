/* Warnings about podpid's own namespaces and privileges and about the given /proc: what each means
 * for the report, and what to do. */
#include "resolver/node/node.h"

#include <errno.h>

static const char *hidepid_effect(enum hidepid h)
{
    switch (h) {
    case HIDEPID_NOACCESS:
        return "hidepid=1: the processes of other users are listed, but cannot be read";
    case HIDEPID_INVISIBLE:
        return "hidepid=2: the processes of other users are hidden";
    case HIDEPID_PTRACEABLE:
        return "hidepid=4: processes that we may not trace are hidden";
    case HIDEPID_OFF:
        break;
    }
    return NULL;
}

int node_warn(const struct procfs *p, struct arena *a, struct node_facts *n)
{
    struct texts all = {0};

    if (n->not_procfs &&
        texts_add(&all, a,
                  arena_printf(a,
                               "%s is no procfs but a folder of files: it is taken for what the "
                               "kernel says, and may be old",
                               p->path)) < 0) {
        return -ENOMEM;
    }
    if (n->other_pidns &&
        texts_add(&all, a,
                  arena_printf(a,
                               "%s is of another PID namespace than podpid's own: PIDs are those "
                               "of that namespace, and no pidfd can be opened for them; run podpid "
                               "in the node's PID namespace (hostPID: true)",
                               p->path)) < 0) {
        return -ENOMEM;
    }
    if (n->nested_pidns && !n->other_pidns &&
        texts_add(&all, a,
                  arena_printf(a,
                               "podpid runs in a PID namespace of its own, and %s shows only the "
                               "processes in it: unless the node itself is a container, run podpid "
                               "in the node's PID namespace (hostPID: true), or give it the node's "
                               "/proc with --proc",
                               p->path)) < 0) {
        return -ENOMEM;
    }
    if (n->own_cgroupns &&
        texts_add(&all, a,
                  "podpid runs in a cgroup namespace of its own: the cgroup paths in /proc are "
                  "relative to it (/../..), and containers are told by the visible end of their "
                  "paths only; run podpid in the node's cgroup namespace (nsenter --cgroup "
                  "--target 1)") < 0) {
        return -ENOMEM;
    }
    if (n->hidepid != HIDEPID_OFF && !n->exempt_from_hidepid &&
        texts_add(&all, a,
                  arena_printf(a,
                               "%s is mounted with %s: containers may seem to have no process; "
                               "run podpid with CAP_SYS_PTRACE, or mount a procfs without hidepid "
                               "and name it with --proc",
                               p->path, hidepid_effect(n->hidepid))) < 0) {
        return -ENOMEM;
    }
    if (n->own_userns &&
        texts_add(&all, a,
                  "podpid runs in a user namespace of its own: it is not the node's root, whatever "
                  "its uid and capabilities are; run it without one") < 0) {
        return -ENOMEM;
    }
    if (n->not_root && !n->own_userns &&
        texts_add(&all, a,
                  "podpid does not run as root: the runtime's socket may refuse it, and the "
                  "namespaces of other users' processes may be hidden") < 0) {
        return -ENOMEM;
    }
    if (n->no_ptrace && !n->own_userns &&
        texts_add(&all, a,
                  "podpid runs without CAP_SYS_PTRACE: the namespaces of other processes cannot be "
                  "read, so PID namespaces are not compared; give it that capability") < 0) {
        return -ENOMEM;
    }
    if (n->own_timens &&
        texts_add(&all, a,
                  "podpid runs in a time namespace of its own: start times may differ from what "
                  "programs outside of it read") < 0) {
        return -ENOMEM;
    }
    n->warnings = all.items;
    n->n_warnings = all.n;
    return 0;
}
