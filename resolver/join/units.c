/* The units of a runtime view, and how one is found by its ID or by its anchor. */
#include "resolver/join/impl.h"

#include <errno.h>

static struct str anchor_path(const struct members *m, uint32_t item)
{
    return str_of(m->units[item / ANCHOR_PATHS].anchor.paths[item % ANCHOR_PATHS]);
}

int32_t units_by_id(const struct members *m, struct str id)
{
    const struct hash_index *x = &m->indexes->ids;
    uint32_t item;

    for (size_t at = hash_index_start(x, hash_text(id)); hash_index_next(x, &at, &item);) {
        if (str_eq(str_of(m->units[item].id), id)) {
            return (int32_t)item;
        }
    }
    return MEMBER_NONE;
}

int32_t units_by_anchor(const struct members *m, struct str path, uint64_t hash)
{
    const struct hash_index *x = &m->indexes->anchors;
    uint32_t item;

    for (size_t at = hash_index_start(x, hash); hash_index_next(x, &at, &item);) {
        if (str_eq(anchor_path(m, item), path)) {
            return (int32_t)(item / ANCHOR_PATHS);
        }
    }
    return MEMBER_NONE;
}

int32_t units_by_tail(const struct members *m, struct str component)
{
    const struct hash_index *x = &m->indexes->tails;
    uint32_t item;

    for (size_t at = hash_index_start(x, hash_text(component)); hash_index_next(x, &at, &item);) {
        if (str_eq(path_last(anchor_path(m, item)), component)) {
            return (int32_t)(item / ANCHOR_PATHS);
        }
    }
    return MEMBER_NONE;
}

/* The first unit that claims a key keeps it: two units cannot have one anchor, and a container
 * whose spec claims another's gains nothing. */
static void index_unit(struct members *m, uint32_t i)
{
    const struct unit *u = &m->units[i];
    struct str id = str_of(u->id);

    if (units_by_id(m, id) == MEMBER_NONE) {
        hash_index_add(&m->indexes->ids, hash_text(id), i);
    }
    for (uint32_t k = 0; k < u->anchor.n_paths; k++) {
        struct str path = str_of(u->anchor.paths[k]), tail = path_last(path);

        if (units_by_anchor(m, path, hash_text(path)) == MEMBER_NONE) {
            hash_index_add(&m->indexes->anchors, hash_text(path), i * ANCHOR_PATHS + k);
        }
        if (units_by_tail(m, tail) == MEMBER_NONE) {
            hash_index_add(&m->indexes->tails, hash_text(tail), i * ANCHOR_PATHS + k);
        }
    }
}

static int build_indexes(struct members *m, struct arena *a)
{
    m->indexes = arena_alloc(a, sizeof(*m->indexes));
    if (!m->indexes || hash_index_init(&m->indexes->ids, m->n_units, a) < 0 ||
        hash_index_init(&m->indexes->anchors, m->n_units * ANCHOR_PATHS, a) < 0 ||
        hash_index_init(&m->indexes->tails, m->n_units * ANCHOR_PATHS, a) < 0) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < m->n_units; i++) {
        index_unit(m, (uint32_t)i);
    }
    return 0;
}

int units_build(const struct view *v, struct arena *a, struct members *m)
{
    m->units = arena_calloc(a, v->n_containers + v->n_pods, sizeof(*m->units));
    if (!m->units) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < v->n_containers; i++) {
        const struct view_container *c = &v->containers[i];

        m->units[m->n_units++] =
            (struct unit){.id = c->id, .container = c, .pod = view_find_pod(v, c->sandbox_id)};
    }
    for (size_t i = 0; i < v->n_pods; i++) {
        m->units[m->n_units++] = (struct unit){.id = v->pods[i].id, .pod = &v->pods[i]};
    }
    for (size_t i = 0; i < m->n_units; i++) {
        struct unit *u = &m->units[i];
        const char *path = u->container ? u->container->cgroups_path : u->pod->cgroups_path;

        if (path && anchor_parse(path, a, &u->anchor) < 0) {
            return -ENOMEM;
        }
    }
    return build_indexes(m, a);
}

struct unit *members_find_id(const struct members *m, const char *id)
{
    int32_t unit = units_by_id(m, str_of(id));

    return unit == MEMBER_NONE ? NULL : &m->units[unit];
}
