/* What is odd about where we stand, said so that somebody on call knows what it means and what to
 * do. */
#include <errno.h>

#include "resolver/node/node.h"

enum { WARNINGS_MAX = 8 };

static const char *hidepid_says(enum hidepid h)
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
    const char **all = arena_calloc(a, WARNINGS_MAX, sizeof(*all));
    size_t k = 0;

    if (!all) {
        return -ENOMEM;
    }
    if (n->not_procfs) {
        all[k++] = arena_printf(a,
                                "%s is no procfs but a folder of files: it is taken for what "
                                "the kernel says, and may be old",
                                p->path);
    }
    if (n->other_pidns) {
        all[k++] = arena_printf(a,
                                "%s is of another PID namespace than podpid's own: PIDs are "
                                "those of that namespace, and no pidfd can be opened for them; "
                                "run podpid in the node's PID namespace (hostPID: true)",
                                p->path);
    } else if (n->nested_pidns) {
        all[k++] = arena_printf(a,
                                "podpid runs in a PID namespace of its own, and %s shows only "
                                "the processes in it: unless the node itself is a container, "
                                "run podpid in the node's PID namespace (hostPID: true), or "
                                "give it the node's /proc with --proc",
                                p->path);
    }
    if (n->own_cgroupns) {
        all[k++] = arena_strdup(a, "podpid runs in a cgroup namespace of its own: the cgroup paths "
                                   "in /proc are relative to it (/../..), and containers are told "
                                   "by the visible end of their paths only; run podpid in the "
                                   "node's cgroup namespace (nsenter --cgroup --target 1)");
    }
    if (n->hidepid != HIDEPID_OFF && !n->exempt_from_hidepid) {
        all[k++] = arena_printf(a,
                                "%s is mounted with %s: containers may seem to have no process; "
                                "run podpid with CAP_SYS_PTRACE, or mount a procfs without "
                                "hidepid and name it with --proc",
                                p->path, hidepid_says(n->hidepid));
    }
    if (n->own_userns) {
        all[k++] = arena_strdup(a, "podpid runs in a user namespace of its own: it is not the "
                                   "node's root, whatever its uid and capabilities are; run it "
                                   "without one");
    } else if (n->not_root) {
        all[k++] = arena_strdup(a, "podpid does not run as root: the runtime's socket may refuse "
                                   "it, and what other users' processes are in may be hidden");
    }
    if (n->no_ptrace && !n->own_userns) {
        all[k++] = arena_strdup(a, "podpid runs without CAP_SYS_PTRACE: the namespaces of other "
                                   "processes cannot be read, so PID namespaces are not compared; "
                                   "give it that capability");
    }
    if (n->own_timens) {
        all[k++] = arena_strdup(a, "podpid runs in a time namespace of its own: start times may "
                                   "differ from what programs outside of it read");
    }
    for (size_t i = 0; i < k; i++) {
        if (!all[i]) {
            return -ENOMEM;
        }
    }
    n->warnings = all;
    n->n_warnings = k;
    return 0;
}
