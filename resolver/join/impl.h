/* What the files of the join share among themselves. member.h is for the other rooms.
 *
 * The files call each other in one direction: units <- place <- owner <- member <- reduce,
 * vm <- verdict <- rows; others.c uses units.c. */
#ifndef PODPID_JOIN_IMPL_H
#define PODPID_JOIN_IMPL_H

#include "cri/base/hash.h"
#include "resolver/cgroup/line.h"
#include "resolver/cgroup/path.h"
#include "resolver/join/member.h"

/* Where a unit is looked up. The items of anchors and tails are numbers of anchor paths (unit *
 * ANCHOR_PATHS + path), those of ids are numbers of units. */
struct unit_indexes {
    struct hash_index anchors; /* by the whole path of an anchor */
    struct hash_index tails;   /* by the last component of an anchor */
    struct hash_index ids;     /* by the unit's ID */
};

/* The PID that the runtime reports for a unit's main process; 0: none. */
static inline pid_t unit_reported_pid(const struct unit *u)
{
    return u->container ? u->container->pid : u->pod->pid;
}

/* The kernel lets nobody remove a cgroup with a living process in it, be it only a thread. */
static inline bool is_alive(const struct proc *row)
{
    return proc_is_alive(row->state, row->threads);
}

/* ---- units.c --------------------------------------------------------------------------------- */

/* Make the units of a view, with their anchors and indexes, in a. 0 or -ENOMEM. */
int units_build(const struct view *v, struct arena *a, struct members *m);

/* The number of the unit with that ID, with an anchor of exactly that path (hash is the path's),
 * with an anchor that ends in that component; MEMBER_NONE: there is none. Where several units claim
 * one path, the first one in the view has it. */
int32_t units_by_id(const struct members *m, struct str id);
int32_t units_by_anchor(const struct members *m, struct str path, uint64_t hash);
int32_t units_by_tail(const struct members *m, struct str component);

/* ---- place.c --------------------------------------------------------------------------------- */

/* Whether the lines of a text that show the unit's cgroup, at least one of them, all say that this
 * cgroup itself was removed. For units without an anchor. */
bool place_is_deleted(const struct ptable *t, const struct unit *u, struct str text);

/* The cgroup text of the unit's reported process; NULL: the runtime reports none, or it has ended.
 */
const struct ptable_cgroup *place_of_reported(const struct ptable *t, const struct unit *u);

/* Whether a line whose relative path ends as the unit's anchor does can be that anchor: not if the
 * reported process shows the anchor at another path. */
bool place_fits_reported(const struct ptable *t, const struct unit *u, struct str line);

/* ---- owner.c --------------------------------------------------------------------------------- */

/* Find the owner of a cgroup text and note it in the text; a disagreement of its lines becomes a
 * warning of m in a. 0 or -ENOMEM. */
int owner_find(struct members *m, const struct ptable *t, struct ptable_cgroup *g, struct arena *a);

/* ---- others.c -------------------------------------------------------------------------------- */

/* Collect the containers' cgroups that no unit owns into m->others, in a. 0 or -ENOMEM. */
int others_find(struct members *m, const struct ptable *t, struct arena *a);

#endif
