/* The running kubelet: which process it is, and whether it is to be believed.
 *
 * Any pod can run a process named kubelet. One counts only if it is uid 0, in the mount and PID
 * namespaces of PID 1 (or, those unreadable, of podpid itself run on the host), and in no pod's or
 * container's cgroup, other than the one that the node as a whole is in. */
#ifndef PODPID_NODE_KUBELET_H
#define PODPID_NODE_KUBELET_H

#include <sys/types.h>

#include "cri/base/arena.h"
#include "cri/base/error.h"
#include "resolver/cgroup/facts.h"
#include "resolver/proc/ns.h"
#include "resolver/proc/procfs.h"

/* What decides whether a process counts. */
struct kubelet_facts {
    bool uid_known;
    uint32_t uid[4]; /* real, effective, saved, file system */
    struct proc_ns ns;
    enum cgroup_kind cgroup; /* below the node's own root */
};
struct kubelet_host {
    struct proc_ns init; /* of PID 1; 0 where unreadable */
    struct proc_ns self; /* of podpid, if it runs on the host; else 0 */
    struct str root;     /* the cgroup of a node that is a container itself; else none */
};

/* NULL: it counts. Else why not, in a few words. Pure. */
const char *kubelet_refuse(const struct kubelet_facts *k, const struct kubelet_host *host);

/* The four numbers of the "Uid:" line of /proc/<pid>/status. Pure. */
bool kubelet_uid_parse(struct str status, uint32_t ret[4]);

struct kubelet {
    pid_t pid;
    const char *endpoint; /* --container-runtime-endpoint, NULL where not given */
    const char *config;   /* --config, NULL where not given */
};

struct kubelets {
    struct kubelet *k; /* those that count, ascending by PID */
    size_t n;
    size_t n_refused;
    pid_t refused_pid;          /* the first one that does not count, */
    const char *refused_reason; /* and why */
};

/* All processes named kubelet, from the scan of one directory of processes. Strings live in the
 * arena or are constant. 0, -ENOMEM, or ERR_PROC. */
int kubelet_find(const struct procfs *p, struct arena *a, struct kubelets *ret, struct err *err);

#endif
