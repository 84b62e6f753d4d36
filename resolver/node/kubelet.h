/* The running kubelet: which process it is, and whether its settings are believed.
 *
 * Any pod can run a process named kubelet. Such a process counts only if its uid is 0, if it is in
 * the mount and PID namespaces of PID 1 (or, where those cannot be read, of podpid itself when
 * podpid runs on the host), and if it is in no pod's or container's cgroup, other than the one that
 * the node as a whole is in. */
#ifndef PODPID_NODE_KUBELET_H
#define PODPID_NODE_KUBELET_H

#include <sys/types.h>

#include "cri/base/arena.h"
#include "cri/base/error.h"
#include "resolver/cgroup/facts.h"
#include "resolver/proc/ns.h"
#include "resolver/proc/procfs.h"

/* What decides whether a process named kubelet counts. */
struct kubelet_facts {
    bool uid_known;
    uint32_t uid[4]; /* real, effective, saved, file system */
    struct proc_ns ns;
    enum cgroup_kind cgroup; /* below the node's own root */
};
struct kubelet_host {
    struct proc_ns init; /* the namespaces of PID 1; 0 where unreadable */
    struct proc_ns self; /* those of podpid, if it runs on the host; else 0 */
    struct str root;     /* the cgroup of a node that is itself a container; else none */
};

/* Why the process does not count, in a few words; NULL: it counts. Pure. */
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
    pid_t refused_pid;          /* the first process named kubelet that does not count; 0: none */
    const char *refused_reason; /* why it does not count */
};

/* Find all processes named kubelet in a /proc, or in a folder of files that stands in for it.
 * Strings live in the arena or are constant. 0, or a negative errno with ERR_NOMEM or ERR_PROC:
 * also where descriptors run out, for then a kubelet may have been missed. */
int kubelet_find(const struct procfs *p, struct arena *a, struct kubelets *ret, struct err *err);

#endif
