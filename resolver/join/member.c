#include "resolver/join/impl.h"

#include "cri/base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct str last_component(struct str path)
{
    size_t i = path.n;

    while (i > 0 && path.p[i - 1] != '/') {
        i--;
    }
    return i > 0 ? (struct str){path.p + i, path.n - i} : path;
}

static int units_build(const struct view *v, struct arena *a, struct members *m)
{
    size_t n = 0;

    m->units = arena_calloc(a, v->n_containers + v->n_pods, sizeof(*m->units));
    if (!m->units) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < v->n_containers; i++) {
        const struct view_container *c = &v->containers[i];

        m->units[n++] =
            (struct unit){.id = c->id, .container = c, .pod = view_find_pod(v, c->sandbox_id)};
    }
    for (size_t i = 0; i < v->n_pods; i++) {
        m->units[n++] = (struct unit){.id = v->pods[i].id, .pod = &v->pods[i]};
    }
    m->n_units = n;
    for (size_t i = 0; i < n; i++) {
        struct unit *u = &m->units[i];
        const char *path = u->container ? u->container->cgroups_path : u->pod->cgroups_path;

        if (path && anchor_parse(path, a, &u->anchor) < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

static int maps_build(struct members *m, struct arena *a)
{
    struct member_maps *maps = arena_alloc(a, sizeof(*maps));

    if (!maps || unit_map_init(&maps->anchors, m->n_units * ANCHOR_PATHS, a) < 0 ||
        unit_map_init(&maps->tails, m->n_units * ANCHOR_PATHS, a) < 0 ||
        unit_map_init(&maps->ids, m->n_units, a) < 0) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < m->n_units; i++) {
        const struct unit *u = &m->units[i];

        unit_map_put(&maps->ids, str_of(u->id), (int32_t)i);
        for (unsigned k = 0; k < u->anchor.n_paths; k++) {
            struct str path = str_of(u->anchor.paths[k]);

            unit_map_put(&maps->anchors, path, (int32_t)i);
            unit_map_put(&maps->tails, last_component(path), (int32_t)i);
        }
    }
    m->maps = maps;
    return 0;
}

/* The outermost prefix of an absolute path that is an anchor. */
static int32_t owner_by_prefix(const struct members *m, struct str path)
{
    uint64_t h = UNIT_MAP_HASH;
    size_t done = 0;

    for (size_t i = 1; i <= path.n; i++) {
        int32_t unit;

        if (i < path.n && path.p[i] != '/') {
            continue;
        }
        h = unit_map_hash(h, path.p + done, i - done);
        done = i;
        unit = unit_map_get(&m->maps->anchors, (struct str){path.p, i}, h);
        if (unit != MEMBER_NONE) {
            return unit;
        }
    }
    return MEMBER_NONE;
}

/* Seen from another cgroup namespace the path starts with "/..": the outermost component that ends
 * some anchor decides, if the visible tail is that anchor's. */
static int32_t owner_by_tail(const struct members *m, struct str path)
{
    size_t start = 1;

    for (size_t i = 1; i <= path.n; i++) {
        int32_t unit;

        if (i < path.n && path.p[i] != '/') {
            continue;
        }
        unit = unit_map_find(&m->maps->tails, (struct str){path.p + start, i - start});
        start = i + 1;
        if (unit != MEMBER_NONE) {
            return anchor_holds(&m->units[unit].anchor, path) ? unit : MEMBER_NONE;
        }
    }
    return MEMBER_NONE;
}

static bool is_relative(struct str path)
{
    return str_is(path, "/..") || str_starts(path, STR("/../"));
}

/* "slice:prefix:id" taken for a path is made below the runtime's own cgroup: its component may be
 * anywhere. */
static int32_t owner_by_literal(const struct members *m, struct str path)
{
    struct str prefix = cgroup_container_prefix(path);
    struct str name = last_component(prefix);
    int32_t unit = MEMBER_NONE;

    if (name.n && memchr(name.p, ':', name.n)) {
        unit = unit_map_find(&m->maps->tails, name);
    }
    return unit != MEMBER_NONE && anchor_holds(&m->units[unit].anchor, path) ? unit : MEMBER_NONE;
}

static int32_t owner_by_path(const struct members *m, const struct ptable *t, struct str path)
{
    int32_t unit;

    path = anchor_strip_root(path, t->root);
    if (is_relative(path)) {
        return owner_by_tail(m, path);
    }
    unit = owner_by_prefix(m, path);
    return unit != MEMBER_NONE ? unit : owner_by_literal(m, path);
}

struct vote {
    int32_t unit; /* MEMBER_NONE: an id that is no unit's */
    const char *id;
    unsigned lines;
    bool strong; /* the v2 line, or name=systemd: breaks a tie */
    bool deleted;
};

static void vote_add(struct vote *votes, unsigned *n, unsigned max, int32_t unit, const char *id,
                     const struct cgroup_line *line, bool deleted)
{
    bool strong = line->hierarchy == 0 || str_is(line->controllers, "name=systemd");

    for (unsigned i = 0; i < *n; i++) {
        if (votes[i].unit == unit && (unit != MEMBER_NONE || strcmp(votes[i].id, id) == 0)) {
            votes[i].lines++;
            votes[i].strong = votes[i].strong || strong;
            votes[i].deleted = votes[i].deleted && deleted;
            return;
        }
    }
    if (*n < max) {
        votes[(*n)++] = (struct vote){unit, id, 1, strong, deleted};
    }
}

static int warn(struct members *m, struct arena *a, size_t *cap, char *text)
{
    int rc =
        text ? arena_grow(a, (void **)&m->warnings, m->n_warnings, cap, sizeof(char *)) : -ENOMEM;

    if (rc == 0) {
        m->warnings[m->n_warnings++] = text;
    }
    return rc;
}

/* Whose is this text? Every line that is an anchor or below one votes; so does, where lines
 * disagree, one that names a container without being at its anchor: then the majority must be the
 * owner's, or nobody owns it. */
static int text_owner(struct members *m, const struct ptable *t, struct ptable_cgroup *g,
                      const struct cgroup_facts *facts, struct arena *a, size_t *cap)
{
    enum { VOTES = 16 };
    struct vote votes[VOTES], *best = NULL;
    struct str text = g->text, raw;
    unsigned n = 0;

    while (str_next_line(&text, &raw)) {
        struct cgroup_line line;
        const char *other = NULL;
        int32_t unit;

        if (!cgroup_line_parse(raw, &line)) {
            continue;
        }
        unit = owner_by_path(m, t, line.path);
        if (unit != MEMBER_NONE && is_relative(anchor_strip_root(line.path, t->root)) &&
            !members_tail_fits(t, &m->units[unit], raw)) {
            unit = MEMBER_NONE;
        }
        if (unit == MEMBER_NONE && facts->disagreement) {
            struct cgroup_facts one;

            if (cgroup_parse_below(raw, t->root, a, &one) < 0) {
                return -ENOMEM;
            }
            unit = members_by_shape(m, t, &one, raw);
            other = one.container_id;
        }
        if (unit != MEMBER_NONE || other) {
            /* Below the anchor such a name is somebody's choice, too, but not beside it. */
            bool deleted = line.deleted && unit != MEMBER_NONE &&
                           members_anchor_in(t, &m->units[unit], line.path).n == line.path.n;

            vote_add(votes, &n, VOTES, unit, other, &line, deleted);
        }
    }
    for (unsigned i = 0; i < n; i++) {
        if (!best || votes[i].lines > best->lines ||
            (votes[i].lines == best->lines && votes[i].strong && !best->strong)) {
            best = &votes[i];
        }
    }
    g->owner = best ? best->unit : members_by_shape(m, t, facts, g->text);
    g->owner_deleted =
        best ? best->deleted
             : g->owner != MEMBER_NONE && members_place_deleted(t, &m->units[g->owner], g->text);
    if (n > 1 && g->owner != MEMBER_NONE) {
        return warn(m, a, cap,
                    arena_printf(a,
                                 "processes of container %.12s are in cgroups of another container "
                                 "as well; the majority of the hierarchies decides",
                                 m->units[g->owner].id));
    }
    return 0;
}

static int owners_find(struct members *m, struct ptable *t, struct arena *a)
{
    size_t cap = 0;

    for (size_t i = 0; i < t->n_cgroups; i++) {
        struct ptable_cgroup *g = &t->cgroups[i];
        int rc = text_owner(m, t, g, &g->facts, a, &cap);

        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

/* Rows by owner, in two passes: count, then fill. Rows of the table ascend by PID, so members do.
 */
static int members_fill(struct members *m, const struct ptable *t, struct arena *a)
{
    for (size_t i = 0; i < t->n_procs; i++) {
        struct unit *u = members_owner(m, t, &t->procs[i]);

        if (u) {
            u->n_members++;
        }
    }
    for (size_t i = 0; i < m->n_units; i++) {
        struct unit *u = &m->units[i];

        u->members = arena_calloc(a, u->n_members, sizeof(*u->members));
        if (!u->members) {
            return -ENOMEM;
        }
        u->n_members = 0;
    }
    for (size_t i = 0; i < t->n_procs; i++) {
        struct unit *u = members_owner(m, t, &t->procs[i]);

        if (u) {
            u->members[u->n_members++] = (uint32_t)i;
        }
    }
    return 0;
}

static int strip_root(struct ptable *t, struct ptable_cgroup *g)
{
    CLEANUP(buf_free) struct buf b = {0};
    struct str text = g->text, raw;

    while (str_next_line(&text, &raw)) {
        struct cgroup_line line;
        struct str rest;

        if (!cgroup_line_parse(raw, &line)) {
            continue;
        }
        rest = anchor_strip_root(line.path, t->root);
        buf_append(&b, raw.p, (size_t)(line.path.p - raw.p));
        buf_append(&b, rest.n ? rest.p : "/", rest.n ? rest.n : 1);
        buf_puts(&b, "\n");
    }
    return b.failed ? -ENOMEM
                    : cgroup_parse((struct str){b.p ? b.p : "", b.n}, &t->arena, &g->facts);
}

int members_strip_root(struct ptable *t)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && t->root.n && i < t->n_cgroups; i++) {
        rc = strip_root(t, &t->cgroups[i]);
    }
    return rc;
}

int members_own_text(struct members *m, struct ptable *t, size_t cgroup)
{
    struct ptable_cgroup *g = &t->cgroups[cgroup];
    struct members quiet = {.units = m->units, .n_units = m->n_units, .maps = m->maps};
    size_t cap = 0;
    int rc = t->root.n ? strip_root(t, g) : 0;

    return rc < 0 ? rc : text_owner(&quiet, t, g, &g->facts, &t->arena, &cap);
}

int members_assign(const struct view *v, struct ptable *t, struct arena *a, struct members *ret)
{
    struct members m = {0};
    int rc = units_build(v, a, &m);

    if (rc == 0) {
        rc = maps_build(&m, a);
    }
    if (rc == 0) {
        rc = owners_find(&m, t, a);
    }
    if (rc == 0) {
        rc = members_fill(&m, t, a);
    }
    if (rc == 0) {
        rc = members_find_others(&m, t, a);
    }
    if (rc == 0) {
        *ret = m;
    }
    return rc;
}

struct unit *members_find_id(const struct members *m, const char *id)
{
    int32_t unit = unit_map_find(&m->maps->ids, str_of(id));

    return unit == MEMBER_NONE ? NULL : &m->units[unit];
}

/* The kernel lets nobody remove a cgroup with a living process in it, be it only a thread. */
static bool is_alive(const struct proc *row)
{
    return (row->state != 'Z' && row->state != 'X') || row->threads > 1;
}

struct unit *members_owner(const struct members *m, const struct ptable *t, const struct proc *row)
{
    const struct ptable_cgroup *g;

    if (row->have & (PROC_GONE | PROC_DENIED)) {
        return NULL;
    }
    g = &t->cgroups[row->cgroup];
    if (g->owner == MEMBER_NONE) {
        return NULL;
    }
    /* A cgroup with living processes cannot be removed: "<anchor> (deleted)" around one of them is
     * the name that somebody gave to a cgroup beside the anchor. */
    if (g->owner_deleted && (row->have & PROC_STAT) && is_alive(row)) {
        return NULL;
    }
    return &m->units[g->owner];
}

/* Where the anchor holds a living process it was not removed, and "<anchor> (deleted)" is the name
 * of a cgroup beside it, whoever has ended there. */
static bool anchor_is_alive(const struct ptable *t, const struct unit *u)
{
    for (uint32_t k = 0; k < u->n_members; k++) {
        const struct proc *row = &t->procs[u->members[k]];

        if ((row->have & PROC_STAT) && !(row->have & PROC_GONE) && is_alive(row) &&
            !t->cgroups[row->cgroup].owner_deleted) {
            return true;
        }
    }
    return false;
}

int members_find_roots(struct members *m, const struct ptable *t, struct arena *a)
{
    for (size_t i = 0; i < m->n_units; i++) {
        struct unit *u = &m->units[i];
        bool alive = anchor_is_alive(t, u);
        uint32_t kept = 0;

        for (uint32_t k = 0; k < u->n_members; k++) {
            const struct proc *row = &t->procs[u->members[k]];

            if ((row->have & PROC_STAT) && members_owner(m, t, row) == u &&
                !(alive && t->cgroups[row->cgroup].owner_deleted)) {
                u->members[kept++] = u->members[k];
            }
        }
        u->n_members = kept;
        u->n_roots = 0;
        u->roots = arena_calloc(a, kept, sizeof(*u->roots));
        if (!u->roots) {
            return -ENOMEM;
        }
        for (uint32_t k = 0; k < kept; k++) {
            const struct proc *row = &t->procs[u->members[k]];
            const struct proc *parent = ptable_find(t, row->ppid);

            if (!parent || parent == row || members_owner(m, t, parent) != u) {
                u->roots[u->n_roots++] = u->members[k];
            }
        }
    }
    return 0;
}

struct str members_anchor_in(const struct ptable *t, const struct unit *u, struct str path)
{
    struct str rest = anchor_strip_root(path, t->root);
    size_t cut = (size_t)(rest.p - path.p);

    for (unsigned i = 0; i < u->anchor.n_paths; i++) {
        struct str anchor = str_of(u->anchor.paths[i]);

        if (str_starts(rest, anchor) && (rest.n == anchor.n || rest.p[anchor.n] == '/')) {
            return (struct str){path.p, cut + anchor.n};
        }
    }
    if (u->anchor.n_paths == 0 ||
        ((u->anchor.literal_systemd || is_relative(rest)) && anchor_holds(&u->anchor, rest))) {
        struct str prefix = cgroup_container_prefix(rest);
        struct str name = last_component(prefix), id = str_of(u->id);

        /* One hierarchy may have the process in another container's cgroup. */
        if (prefix.n && memmem(name.p, name.n, id.p, id.n)) {
            return (struct str){path.p, cut + prefix.n};
        }
    }
    return (struct str){NULL, 0};
}
