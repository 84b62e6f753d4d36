/* The node itself: who it is, how its cgroups are mounted, and what is odd about the /proc we were
 * given. */
#ifndef PODPID_NODE_H
#define PODPID_NODE_H

#include "cri/base/arena.h"
#include "resolver/podpid.h"
#include "resolver/procfs.h"

enum hidepid { HIDEPID_OFF, HIDEPID_NOACCESS = 1, HIDEPID_INVISIBLE = 2, HIDEPID_PTRACEABLE = 4 };

/* What may keep a scan of this /proc from being the whole truth. Read once before the scan. */
struct node_facts {
    struct podpid_node node;
    bool replay; /* a folder of files: nothing below was looked at */
    bool not_procfs;
    bool other_pidns;  /* /proc is of another PID namespace than ours */
    bool nested_pidns; /* our PID namespace is not the initial one */
    bool own_cgroupns; /* our cgroup namespace is not the initial one: paths are relative */
    enum hidepid hidepid;
    bool exempt_from_hidepid; /* CAP_SYS_PTRACE, or the mount's gid is one of ours */
    bool no_ptrace;           /* without CAP_SYS_PTRACE: namespaces cannot be compared */
    bool not_root;
    const char *const *warnings; /* one line each, in words */
    size_t n_warnings;
};

/* Never fails but for memory: what cannot be read is unknown and, where it matters, warned of.
 * hostname comes from the kernel of /proc (sys/kernel/hostname), boot_id from
 * sys/kernel/random/boot_id, kernel from sys/kernel/osrelease. */
int node_read(const struct procfs *p, struct arena *a, struct node_facts *ret, struct err *err);

/* Ids of cgroups in the v2 hierarchy. */
struct cgroup_ids;
/* Finds where cgroup2 is mounted (mountinfo of our own process; host mounts through /proc/1/root
 * are not used). *ret may be NULL with rc 0: there is no v2 hierarchy here. */
int cgroup_ids_open(const struct procfs *p, struct cgroup_ids **ret, struct err *err);
void cgroup_ids_close(struct cgroup_ids *c);
/* 0 where it is not known: removed, renamed, not visible from here. By name_to_handle_at; the inode
 * on Linux >=5.5. */
uint64_t cgroup_ids_get(struct cgroup_ids *c, const char *path);
/* PIDs in cgroup.procs of path and everything below it, in the first hierarchy that has the path.
 * Appends to *pids (malloc'ed). 0, -ENOENT: no such cgroup here, -ENOMEM. The second source where
 * "no process" would be the verdict. */
int cgroup_ids_procs(struct cgroup_ids *c, const char *path, pid_t **pids, size_t *n);

#endif
