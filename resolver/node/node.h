/* The node: its name, its cgroup mode, and what in the given /proc, or in podpid's own namespaces
 * and privileges, keeps podpid from seeing every process. */
#ifndef PODPID_NODE_NODE_H
#define PODPID_NODE_NODE_H

#include "cri/base/arena.h"
#include "resolver/podpid.h"
#include "resolver/proc/procfs.h"

enum hidepid { HIDEPID_OFF, HIDEPID_NOACCESS = 1, HIDEPID_INVISIBLE = 2, HIDEPID_PTRACEABLE = 4 };

/* What may keep a scan of this /proc from showing every process. Read once, before the scan. */
struct node_facts {
    struct podpid_node node;
    bool replay;      /* read from a capture: the fields below but for the warnings are not known */
    bool not_procfs;  /* /proc is a folder of files */
    bool other_pidns; /* /proc is of another PID namespace than ours */
    bool nested_pidns; /* our PID namespace is not the initial one */
    bool own_cgroupns; /* our cgroup namespace is not the initial one: paths are relative */
    bool own_userns;   /* our user namespace is not the initial one: no capability counts */
    bool own_timens;   /* our time namespace is not the initial one: start times may be shifted */
    enum hidepid hidepid;
    bool exempt_from_hidepid;    /* CAP_SYS_PTRACE, or the mount's gid is one of ours */
    bool no_ptrace;              /* without CAP_SYS_PTRACE: namespaces cannot be compared */
    bool not_root;               /* by effective uid, or by own_userns */
    const char *const *warnings; /* one line each, in words */
    size_t n_warnings;
};

/* The path of /proc: what the options say, else $HOST_PROC, else "/proc". Borrowed. */
const char *node_proc_path(const struct podpid_options *o);

/* Read the facts; texts and warnings live in a. What cannot be read is unknown and, where it
 * matters, a warning. 0, or a negative errno where memory (ERR_NOMEM) or descriptors (ERR_PROC) run
 * out.
 *
 * hostname comes from the kernel of /proc (sys/kernel/hostname), boot_id from
 * sys/kernel/random/boot_id, kernel from sys/kernel/osrelease. cgroup_mode is the mode of
 * the cgroup text of PID 1 (or our own). pid_namespace is that of the /proc that is read. The
 * initial namespaces are known by their constant inodes. Of a folder of files only these values are
 * read. */
int node_read(const struct procfs *p, struct arena *a, struct node_facts *ret, struct err *err);

/* Make the warnings that the other facts call for. Pure. 0 or -ENOMEM. */
int node_warn(const struct procfs *p, struct arena *a, struct node_facts *n);

/* "v2", "hybrid" or "v1", by the hierarchies of a cgroup text's lines; NULL: it has no line. */
const char *node_cgroup_mode(struct str cgroup_text);

#endif
