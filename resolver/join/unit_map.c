#include "resolver/join/unit_map.h"

#include <errno.h>

uint64_t unit_map_hash(uint64_t h, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        h = (h ^ (unsigned char)p[i]) * UINT64_C(0x100000001b3);
    }
    return h;
}

/* The low bits alone of an FNV hash are weak for a power-of-two table. */
static size_t hash_end(uint64_t h)
{
    return (size_t)(h ^ (h >> 29));
}

int unit_map_init(struct unit_map *m, size_t n, struct arena *a)
{
    size_t size = 16;

    while (size < n * 2) {
        size *= 2;
    }
    m->slots = arena_calloc(a, size, sizeof(*m->slots));
    m->mask = size - 1;
    return m->slots ? 0 : -ENOMEM;
}

static struct unit_slot *map_slot(const struct unit_map *m, struct str key, uint64_t h)
{
    size_t i = hash_end(h) & m->mask;

    while (m->slots[i].key.p && !str_eq(m->slots[i].key, key)) {
        i = (i + 1) & m->mask;
    }
    return &m->slots[i];
}

void unit_map_put(struct unit_map *m, struct str key, int32_t unit)
{
    struct unit_slot *s = map_slot(m, key, unit_map_hash(UNIT_MAP_HASH, key.p, key.n));

    if (!s->key.p) {
        *s = (struct unit_slot){key, unit};
    }
}

int32_t unit_map_get(const struct unit_map *m, struct str key, uint64_t h)
{
    const struct unit_slot *s = map_slot(m, key, h);

    return s->key.p ? s->unit : -1;
}

int32_t unit_map_find(const struct unit_map *m, struct str key)
{
    return unit_map_get(m, key, unit_map_hash(UNIT_MAP_HASH, key.p, key.n));
}
