/* Membership: which process of the process table belongs to which unit of the runtime view. Pure.
 *
 * A unit is a container or a pod's sandbox, for which the runtime made a cgroup. Its members are
 * the processes whose cgroup is the unit's anchor or below it. A unit without an anchor (of
 * cri-dockerd, or of a scan without a runtime) has as members the processes whose outermost
 * container component carries the unit's ID, below a component with its pod's UID, and never below
 * user.slice; if the reported process is at such a place, only that place counts. */
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
    uint32_t *members; /* indexes of rows of the table, ascending by PID */
    uint32_t n_members;
    uint32_t *roots; /* indexes of those members whose parent is no member, ascending by PID */
    uint32_t n_roots;
    /* The caller fills these two, for the join reads no files: */
    struct str v2_anchor; /* the anchor as a 0:: line shows it; none where no line does */
    uint64_t v2_id;       /* the anchor's ID in the v2 hierarchy; 0: not known */
};

/* The cgroup of a container that is no unit, with the processes in it and below it. */
struct other_cgroup {
    const struct cgroup_facts *facts;
    const char *path; /* up to the container's component */
    uint32_t *procs;  /* indexes of rows of the table, ascending by PID */
    uint32_t n_procs;
    bool impostor; /* carries the ID of a unit, at a place that is not that unit's */
};

struct members {
    struct unit *units; /* containers in the view's order, then sandboxes in the view's order */
    size_t n_units;
    struct other_cgroup *others; /* by container ID, then by pod UID */
    size_t n_others;
    struct texts warnings;        /* about cgroup texts whose lines disagree */
    struct unit_indexes *indexes; /* of the join alone (impl.h) */
};

/* The owner of a cgroup that is no unit's (struct ptable_cgroup.owner). */
enum { MEMBER_NONE = -1 };

/* Cut the node's own root (ptable.root) off the cgroup texts and parse them again: on a node that
 * is itself a container every path starts with that root. Once per scan, before members_assign(). 0
 * or -ENOMEM. */
int members_strip_root(struct ptable *t);

/* Give each row of the table to the unit that owns its cgroup text, and note the owner in the text.
 * Everything in *ret is allocated in a; the view and the table must outlive it. 0 or -ENOMEM. */
int members_assign(const struct view *v, struct ptable *t, struct arena *a, struct members *ret);

/* Find the owner of one more cgroup text, the table's cgroup-th, which was interned after
 * members_assign(). Warns of nothing. 0 or -ENOMEM. */
int members_own_text(struct members *m, struct ptable *t, size_t cgroup);

/* The unit with that ID; NULL: there is none. */
struct unit *members_find_id(const struct members *m, const char *id);

/* The unit that owns a process by its row's cgroup; NULL: none does, the process is gone, or its
 * cgroup may not be read. */
struct unit *members_owner(const struct members *m, const struct ptable *t, const struct proc *row);

/* Drop members that have no stat or are gone, then find the units' roots. The rows of members need
 * their stat (ptable_load()) before this. 0 or -ENOMEM. */
int members_find_roots(struct members *m, const struct ptable *t, struct arena *a);

/* The part of a path of the table that is the unit's anchor, as /proc shows it: with the node's own
 * root. None if the path is neither the anchor nor below it. */
struct str members_anchor_in(const struct ptable *t, const struct unit *u, struct str path);

/* Whether two cgroup texts, both of the unit's members, show the same cgroup as the unit's in some
 * hierarchy. They need not where the anchor is not known or not all of it is visible: anybody may
 * have made a cgroup of the same shape elsewhere. */
bool members_share_place(const struct ptable *t, const struct unit *u, struct str a, struct str b);

/* Whether a cgroup that no unit owns is a stray: it is below a kubelet's pod or has this runtime's
 * own prefix, but the runtime did not list the container. */
bool other_is_stray(const struct other_cgroup *o, const struct view_runtime *r);

#endif
