/* Who belongs to whom: the process table's rows handed to the units of the runtime view. Pure.
 *
 * A unit is what the runtime made a cgroup for: a container or a pod's sandbox. Its members are the
 * processes whose cgroup is its anchor or below it; without an anchor (cri-dockerd, a scan without
 * a runtime) those whose outermost container component carries its id, below a component with its
 * pod's uid, and never below user.slice; if the reported process is at one such place, at no other.
 */
#ifndef PODPID_JOIN_MEMBER_H
#define PODPID_JOIN_MEMBER_H

#include "cri/base/arena.h"
#include "cri/view.h"
#include "resolver/cgroup/anchor.h"
#include "resolver/proc/ptable.h"

struct unit {
    const char *id;
    const struct view_container *container; /* NULL for a sandbox */
    const struct view_pod *pod; /* the sandbox itself, or the container's; NULL: without a pod */
    struct anchor anchor;
    uint32_t *members; /* rows of the table, ascending by PID */
    uint32_t n_members;
    uint32_t *roots; /* those members whose parent is no member */
    uint32_t n_roots;
    /* Filled by who can look (look_load.c): the anchor as a 0:: line shows it, and its id in the v2
     * hierarchy. */
    struct str v2_anchor;
    uint64_t v2_id;
};

/* The cgroup of a container that no unit owns, with the processes in it. */
struct other_cgroup {
    const struct cgroup_facts *facts;
    const char *path;
    uint32_t *procs;
    uint32_t n_procs;
    bool impostor; /* carries the id of a unit, at a place that is not that unit's */
};

struct members {
    struct unit *units; /* containers in the view's order, then sandboxes in the view's order */
    size_t n_units;
    struct other_cgroup *others; /* by path */
    size_t n_others;
    const char **warnings; /* cgroup lines that disagree */
    size_t n_warnings;
    struct member_maps *maps;
};

enum { MEMBER_NONE = -1 };

/* On a node that is itself a container every text starts with the node's own root: read the facts
 * anew from what comes below it. Once a scan, before anything else here. 0 or -ENOMEM. */
int members_strip_root(struct ptable *t);

/* Everything is allocated in a; the view and the table must outlive it. Sets every ptable_cgroup's
 * owner. 0 or -ENOMEM. Rows that are members need their stat before members_find_roots(). */
int members_assign(const struct view *v, struct ptable *t, struct arena *a, struct members *ret);

/* member_others.c; members_assign() calls it. */
int members_find_others(struct members *m, const struct ptable *t, struct arena *a);

/* Find the owner of one more text of the table, interned since members_assign(). 0 or -ENOMEM. */
int members_own_text(struct members *m, struct ptable *t, size_t cgroup);

/* The unit of that id; NULL for none. */
struct unit *members_find_id(const struct members *m, const char *id);

/* The unit that owns a process by its row's cgroup; NULL for none. */
struct unit *members_owner(const struct members *m, const struct ptable *t, const struct proc *row);

/* Drop members that went away meanwhile (PROC_GONE, or no stat), and find the roots. 0 or -ENOMEM.
 */
int members_find_roots(struct members *m, const struct ptable *t, struct arena *a);

/* The part of a path of the table that is the unit's anchor, as /proc shows it (the node's own root
 * included); none if the path is neither the anchor nor below it. */
struct str members_anchor_in(const struct ptable *t, const struct unit *u, struct str path);

/* Are these cgroup texts, both of the unit's members, of one and the same cgroup in some hierarchy?
 * Where the anchor is not known, or not all of it visible, another may have been made by anybody.
 */
bool members_share_place(const struct ptable *t, const struct unit *u, struct str a, struct str b);

#endif
