/* Between the files of member.h. */
#ifndef PODPID_JOIN_IMPL_H
#define PODPID_JOIN_IMPL_H

#include "resolver/join/member.h"
#include "resolver/join/unit_map.h"

struct member_maps {
    struct unit_map anchors; /* whole anchor paths */
    struct unit_map tails;   /* last components of anchors, for paths that start with "/.." */
    struct unit_map ids;     /* ids of all units */
};

/* member_shape.c: the unit without an anchor that a text is of, by what it says; MEMBER_NONE. */
int32_t members_by_shape(const struct members *m, const struct ptable *t,
                         const struct cgroup_facts *f, struct str text);

/* Of a line whose path starts with "/..", its end is the unit's anchor's: may it be the anchor, or
 * is that where the unit's reported process is, with another path? */
bool members_tail_fits(const struct ptable *t, const struct unit *u, struct str line);

/* Does every line of the text that is in the cgroup of u, which has no anchor, say that this cgroup
 * itself was removed? */
bool members_place_deleted(const struct ptable *t, const struct unit *u, struct str text);

#endif
