/* The process table: one row per process, from one scan of /proc.
 *
 * The scan reads every process's cgroup; stat, status and namespaces are read only for those rows
 * for which somebody asks. Cgroup texts are kept once each: a node has thousands of processes and
 * hundreds of texts.
 *
 * A process that is listed and goes away before its cgroup was read has no row: it is not there. */
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
    PROC_STATUS = 2, /* nspid, tgid */
    PROC_NS = 4,     /* ns */
    PROC_GONE = 8,   /* went away after its row was made: set by ptable_load() */
    PROC_DENIED = 16 /* listed, its cgroup not readable (hidepid=1): .cgroup is the empty text's */
};

struct proc {
    int32_t pid, ppid, session;
    uint32_t threads;
    uint64_t start;
    uint32_t cgroup; /* index into ptable.cgroups */
    char state;
    uint8_t have;       /* enum proc_have */
    uint8_t ns_depth;   /* how many numbers NSpid has; 0: not known */
    int32_t nspid;      /* last number of NSpid; 0: not known */
    const char *comm;   /* in the table's arena */
    struct proc_ns *ns; /* NULL unless PROC_NS */
};

struct ptable_cgroup {
    struct str text;
    struct cgroup_facts facts; /* parsed once */
    bool v1_root;              /* has v1 lines, all of which read "/" */
    uint64_t hash;             /* of text, keyed */
    int32_t owner;             /* scratch for the join (member.c); -1 to start */
    bool owner_deleted;        /* likewise: the path that decided ended in " (deleted)" */
    uint64_t id; /* of the 0:: path in the v2 hierarchy, looked up by who needs it; 0: not known */
};

/* Zero-initialise to start; ptable_free() returns it to that state. */
struct ptable {
    struct arena arena;
    struct proc *procs; /* ascending by pid */
    size_t n_procs, cap_procs;
    struct ptable_cgroup *cgroups;
    size_t n_cgroups, cap_cgroups;
    struct hash_index index; /* of cgroups, by the hash of their texts */
    struct hash_seed seed;   /* so that nobody can make texts that collide */
    size_t denied;           /* rows that were listed and could not be opened */
    struct str root; /* the node's own root: cgroup path of PID 1 through its container component;
                        none if it has none */
};

void ptable_free(struct ptable *t);

struct proc *ptable_find(const struct ptable *t, pid_t pid); /* NULL: not in the table */

/* Scan in slices: start, then step until it gives 1. p and t are borrowed until the scan is freed;
 * the directory is opened anew, so p->fd keeps its position. */
struct ptable_scan;
int ptable_scan_new(const struct procfs *p, struct ptable *t, struct ptable_scan **ret,
                    struct err *err);
/* Read up to n processes. 1 done, 0 more to come, negative errno with ERR_PROC or ERR_NOMEM. The
 * rows are in order once it is done, not before.
 *
 * Which rows have their stat read at once: those whose text names something (a container, a pod, a
 * helper), and those with v1 lines all of which read "/": that is what the text of a zombie looks
 * like, and of a leader that has exited while its threads live. Of the latter (state Z with more
 * than one thread) the cgroup of a live thread is taken. On a v2 node no host process is read twice
 * for that; on v1 it is the kernel threads and, without systemd, the host's daemons. */
int ptable_scan_step(struct ptable_scan *s, unsigned n, struct err *err);
void ptable_scan_free(struct ptable_scan *s);

/* Make sure of some part of a row (enum proc_have bits); what cannot be read leaves the bit unset,
 * and PROC_GONE is set where the process went away. Nothing is read for a row that is PROC_GONE. 0,
 * or negative errno: a shortage. */
int ptable_load(struct ptable *t, const struct procfs *p, struct proc *row, unsigned want);

/* Read one process anew (cgroup and stat) and put it into the table, in place of what was there.
 * *ret is the row, or NULL where it is gone (then its row is taken out) or unreadable. Rows may
 * move: pointers into procs are void afterwards. 0, or negative errno: a shortage. */
int ptable_refresh(struct ptable *t, const struct procfs *p, pid_t pid, struct proc **ret);

/* Fill the row from its stat. 0 or -ENOMEM. */
int ptable_set_stat(struct ptable *t, struct proc *row, const struct stat_line *s);

/* The index of a text in t->cgroups, copied, parsed and added if new; negative errno. */
int64_t ptable_intern(struct ptable *t, struct str text);

#endif
