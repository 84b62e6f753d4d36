/* The unit that owns a cgroup text: each line votes, by its path or by the shape of its path. */
#include "resolver/join/impl.h"

#include <errno.h>

/* ---- By the path ----------------------------------------------------------------------------- */

/* The owner of the outermost prefix of an absolute path that is an anchor. The prefixes' hashes are
 * made in one pass over the path. */
static int32_t owner_by_prefix(const struct members *m, struct str path)
{
    uint64_t hash = HASH_START;
    size_t hashed = 0;

    for (size_t i = 1; i <= path.n; i++) {
        int32_t unit;

        if (i < path.n && path.p[i] != '/') {
            continue;
        }
        hash = hash_more(hash, path.p + hashed, i - hashed);
        hashed = i;
        unit = units_by_anchor(m, (struct str){path.p, i}, hash);
        if (unit != MEMBER_NONE) {
            return unit;
        }
    }
    return MEMBER_NONE;
}

/* The owner of a path that starts with "/..": the outermost component that ends some anchor
 * decides, if the visible end of the path is that anchor's. */
static int32_t owner_by_tail(const struct members *m, struct str path)
{
    size_t start = 1;

    for (size_t i = 1; i <= path.n; i++) {
        int32_t unit;

        if (i < path.n && path.p[i] != '/') {
            continue;
        }
        unit = units_by_tail(m, (struct str){path.p + start, i - start});
        start = i + 1;
        if (unit != MEMBER_NONE) {
            return anchor_holds(&m->units[unit].anchor, path) ? unit : MEMBER_NONE;
        }
    }
    return MEMBER_NONE;
}

/* The owner of a path with a component "slice:prefix:id": a runtime with the wrong cgroup driver
 * takes that text for a path, below its own cgroup, so the component may stand anywhere. */
static int32_t owner_by_literal(const struct members *m, struct str path)
{
    struct str prefix = cgroup_container_prefix(path);
    struct str name = path_last(prefix);
    int32_t unit = MEMBER_NONE;

    if (name.n && memchr(name.p, ':', name.n)) {
        unit = units_by_tail(m, name);
    }
    return unit != MEMBER_NONE && anchor_holds(&m->units[unit].anchor, path) ? unit : MEMBER_NONE;
}

/* The owner of a line that is an anchor or below one. */
static int32_t owner_by_path(const struct members *m, const struct ptable *t,
                             const struct cgroup_line *line)
{
    struct str path = cgroup_strip_root(line->path, t->root);
    int32_t unit;

    if (cgroup_is_relative(path)) {
        unit = owner_by_tail(m, path);
        return unit != MEMBER_NONE && place_fits_reported(t, &m->units[unit], line->text)
                   ? unit
                   : MEMBER_NONE;
    }
    unit = owner_by_prefix(m, path);
    return unit != MEMBER_NONE ? unit : owner_by_literal(m, path);
}

/* ---- By the shape ---------------------------------------------------------------------------- */

/* The unit without an anchor whose ID the text's outermost container component carries, in a pod of
 * the unit's UID. */
static int32_t owner_by_id(const struct members *m, const struct cgroup_facts *f)
{
    const struct unit *u;
    int32_t i;

    if (!f->container_id || f->in_user_slice) {
        return MEMBER_NONE;
    }
    i = units_by_id(m, str_of(f->container_id));
    if (i == MEMBER_NONE) {
        return MEMBER_NONE;
    }
    u = &m->units[i];
    if (u->anchor.n_paths) {
        return MEMBER_NONE;
    }
    /* A container without a pod has no cgroup below a pod's. */
    if (u->container && !u->container->sandbox_id && f->pod_uid) {
        return MEMBER_NONE;
    }
    if (u->pod && u->pod->uid && (!f->pod_uid || strcmp(u->pod->uid, f->pod_uid) != 0)) {
        return MEMBER_NONE;
    }
    return i;
}

/* The unit without an anchor that owns a text by its shape. A process that may create cgroups can
 * fake the shape elsewhere: if the reported process is at a place of this shape, only that place
 * counts. */
static int32_t owner_by_shape(const struct members *m, const struct ptable *t,
                              const struct cgroup_facts *f, struct str text)
{
    int32_t i = owner_by_id(m, f);
    const struct unit *u = i == MEMBER_NONE ? NULL : &m->units[i];
    const struct ptable_cgroup *reported = u ? place_of_reported(t, u) : NULL;

    if (!reported || owner_by_id(m, &reported->facts) != i ||
        members_share_place(t, u, reported->text, text)) {
        return i;
    }
    return MEMBER_NONE;
}

/* ---- The vote of the lines ------------------------------------------------------------------- */

struct vote {
    int32_t unit;   /* MEMBER_NONE: the lines name a container that is no unit */
    const char *id; /* that container's ID */
    unsigned lines;
    bool strong;  /* the v2 line or name=systemd is among them: breaks a tie */
    bool deleted; /* all of them say that the unit's cgroup itself was removed */
};

/* One vote for each unit or other container that some line names. A kernel has about fifteen v1
 * hierarchies, so that the votes of a text nearly always fit in here; more go into the arena. */
enum { VOTES_IN_PLACE = 16 };

struct votes {
    struct vote in_place[VOTES_IN_PLACE];
    struct vote *items;
    size_t n, cap;
};

static int votes_add(struct votes *v, struct arena *a, struct vote vote)
{
    for (size_t i = 0; i < v->n; i++) {
        struct vote *same = &v->items[i];

        if (same->unit == vote.unit &&
            (vote.unit != MEMBER_NONE || strcmp(same->id, vote.id) == 0)) {
            same->lines++;
            same->strong = same->strong || vote.strong;
            same->deleted = same->deleted && vote.deleted;
            return 0;
        }
    }
    return ARENA_APPEND(a, v->items, v->n, v->cap, vote);
}

/* The vote of one line: for the unit whose anchor it is at or below. Where the text's lines
 * disagree a line that only names a container votes too. */
static int votes_add_line(struct votes *v, const struct members *m, const struct ptable *t,
                          const struct cgroup_facts *facts, const struct cgroup_line *line,
                          struct arena *a)
{
    struct vote vote = {.lines = 1};

    vote.unit = owner_by_path(m, t, line);
    if (vote.unit == MEMBER_NONE && facts->disagreement) {
        struct cgroup_facts one;

        if (cgroup_parse_below(line->text, t->root, a, &one) < 0) {
            return -ENOMEM;
        }
        vote.unit = owner_by_shape(m, t, &one, line->text);
        vote.id = one.container_id;
    }
    if (vote.unit == MEMBER_NONE && !vote.id) {
        return 0;
    }
    vote.strong = line->hierarchy == 0 || str_is(line->controllers, "name=systemd");
    /* Below the anchor anybody may have made a cgroup whose name ends in " (deleted)". */
    vote.deleted = line->deleted && vote.unit != MEMBER_NONE &&
                   members_anchor_in(t, &m->units[vote.unit], line->path).n == line->path.n;
    return votes_add(v, a, vote);
}

/* The vote of most lines; NULL: there is none. */
static const struct vote *votes_best(const struct votes *v)
{
    const struct vote *best = NULL;

    for (size_t i = 0; i < v->n; i++) {
        const struct vote *vote = &v->items[i];

        if (!best || vote->lines > best->lines ||
            (vote->lines == best->lines && vote->strong && !best->strong)) {
            best = vote;
        }
    }
    return best;
}

int owner_find(struct members *m, const struct ptable *t, struct ptable_cgroup *g, struct arena *a)
{
    struct votes votes;
    struct str text = g->text;
    struct cgroup_line line;
    const struct vote *best;

    votes.items = votes.in_place;
    votes.n = 0;
    votes.cap = VOTES_IN_PLACE;
    while (cgroup_next_line(&text, &line)) {
        int rc = votes_add_line(&votes, m, t, &g->facts, &line, a);

        if (rc < 0) {
            return rc;
        }
    }
    best = votes_best(&votes);
    g->owner = best ? best->unit : owner_by_shape(m, t, &g->facts, g->text);
    if (g->owner == MEMBER_NONE) {
        g->owner_deleted = false;
        return 0;
    }
    g->owner_deleted = best ? best->deleted : place_is_deleted(t, &m->units[g->owner], g->text);
    if (votes.n < 2) {
        return 0;
    }
    return texts_add(&m->warnings, a,
                     arena_printf(a,
                                  "processes of container %.12s are in cgroups of another "
                                  "container as well; the majority of the hierarchies decides",
                                  m->units[g->owner].id));
}
