/* The process table: a row for each process, from one scan of /proc.
 *
 * The scan reads the cgroup of every process; ptable_load() reads stat, status and namespaces of a
 * row. Each different cgroup text is kept and parsed once: a node has thousands of processes and
 * hundreds of texts.
 *
 * A process that exits between the listing of /proc and the reading of its cgroup has no row. */
#ifndef PODPID_PROC_PTABLE_H
#define PODPID_PROC_PTABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cri/base/arena.h"
#include "cri/base/hash.h"
#include "resolver/cgroup/facts.h"
#include "resolver/proc/ns.h"
#include "resolver/proc/procfs.h"
#include "resolver/proc/stat.h"

enum proc_have {
    PROC_STAT = 1,   /* ppid, session, threads, start, state, comm */
    PROC_STATUS = 2, /* nspid, ns_depth */
    PROC_NS = 4,     /* ns */
    PROC_GONE = 8,   /* the process exited after its row was made; ptable_load() found that out */
    PROC_DENIED = 16 /* its cgroup may not be read (hidepid=1); .cgroup is that of the empty text */
};

struct proc {
    int32_t pid;
    int32_t ppid, session;
    uint32_t threads;   /* number of threads */
    uint64_t start;     /* clock ticks since boot */
    uint32_t cgroup;    /* index into ptable.cgroups */
    char state;         /* a letter, as in proc_pid_stat(5) */
    uint8_t have;       /* enum proc_have bits: which other fields are filled */
    uint8_t ns_depth;   /* how many PIDs the NSpid line of status has; 0: not known */
    int32_t nspid;      /* the last of them, the PID in the process's own namespace; 0: not known */
    const char *comm;   /* in the table's arena */
    struct proc_ns *ns; /* in the table's arena; NULL unless PROC_NS */
};

struct ptable_cgroup {
    struct str text;           /* of /proc/<pid>/cgroup; in the table's arena */
    struct cgroup_facts facts; /* of text */
    bool v1_root;              /* text has v1 lines, and the path of each is "/" */
    uint64_t hash;             /* of text, keyed with ptable.seed */

    /* Set by the rooms that use the table: */
    int32_t owner; /* the unit that the processes of this text belong to (join/owner.c); -1: none */
    bool owner_deleted; /* the path that decided about the owner ended in " (deleted)" */
    uint64_t id;        /* id of the cgroup in the v2 hierarchy (cgroupfs_id()); 0: not known */
};

/* Zero-initialise to start; ptable_free() returns it to that state. */
struct ptable {
    struct arena arena;
    struct proc *procs; /* ascending by pid */
    size_t n_procs, cap_procs;
    struct ptable_cgroup *cgroups;
    size_t n_cgroups, cap_cgroups;
    struct hash_index index; /* of cgroups, by the hash of their texts */
    struct hash_seed seed;   /* secret: a container that makes cgroups cannot make hashes collide */
    size_t denied;           /* how many rows are PROC_DENIED */
    struct str root; /* the node's own cgroup root, cgroup_node_root() of PID 1's path: the node is
                        a container itself; none: it is not */
};

/* Free what the table holds. */
void ptable_free(struct ptable *t);

/* The row of a process; NULL: the table has none. The table must be in order: not during a scan. */
struct proc *ptable_find(const struct ptable *t, pid_t pid);

struct ptable_scan;

/* Start a scan of p into the empty table t; both must outlive the scan. Nothing is read yet, and
 * the file position of p->fd is not used. 0, or a negative errno with ERR_PROC, ERR_DENIED or
 * ERR_NOMEM. */
int ptable_scan_new(const struct procfs *p, struct ptable *t, struct ptable_scan **ret,
                    struct err *err);

/* Read up to n entries of /proc. 1: the scan is done and the rows are in order; 0: there are more;
 * a negative errno with ERR_PROC or ERR_NOMEM.
 *
 * The stat is read at once for two kinds of rows: where the cgroup text names something (a
 * container, a pod, a helper), and where it has v1 lines which all read "/". The latter is the text
 * of a zombie, and of a process whose leader has exited while other threads live; for such a
 * process (state Z with more than one thread) the cgroup of a live thread is taken. On a v2 node
 * that costs nothing; on a v1 node it is one more read for each kernel thread and, without systemd,
 * each daemon. */
int ptable_scan_step(struct ptable_scan *s, unsigned n, struct err *err);

/* End a scan, done or not. The table keeps the rows that were read. NULL: nothing. */
void ptable_scan_free(struct ptable_scan *s);

/* Fill the parts want (enum proc_have bits) of a row that it does not have yet. A part that cannot
 * be read leaves its bit unset; PROC_GONE is set where the process has exited. A row that is
 * PROC_GONE is not read again. 0, or a negative errno that err_is_shortage(). */
int ptable_load(struct ptable *t, const struct procfs *p, struct proc *row, unsigned want);

/* Read cgroup and stat of one process anew and replace or insert its row. *ret is the row, or NULL:
 * the process has exited (its row is removed), or its files cannot be read (its row stays). Rows
 * may move: pointers into procs are invalid afterwards. 0, or a negative errno that
 * err_is_shortage(). */
int ptable_refresh(struct ptable *t, const struct procfs *p, pid_t pid, struct proc **ret);

/* Fill the PROC_STAT fields of a row. 0 or -ENOMEM. */
int ptable_set_stat(struct ptable *t, struct proc *row, const struct stat_line *s);

/* The index of a text in t->cgroups; a new text is copied, parsed and added. Or -ENOMEM. */
int64_t ptable_intern(struct ptable *t, struct str text);

#endif
