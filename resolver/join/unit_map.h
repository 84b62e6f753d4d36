/* A map from text to the index of a unit. Open addressing; sized once; keys are borrowed. */
#ifndef PODPID_JOIN_UNIT_MAP_H
#define PODPID_JOIN_UNIT_MAP_H

#include "cri/base/arena.h"
#include "cri/base/text.h"

struct unit_slot {
    struct str key;
    int32_t unit;
};

struct unit_map {
    struct unit_slot *slots;
    size_t mask;
};

/* Room for n keys. 0 or -ENOMEM. */
int unit_map_init(struct unit_map *m, size_t n, struct arena *a);

/* The first unit that claims a key keeps it: two cannot have one anchor, and one that tries gains
 * nothing. */
void unit_map_put(struct unit_map *m, struct str key, int32_t unit);

/* The unit of a key; -1: none. */
int32_t unit_map_find(const struct unit_map *m, struct str key);

/* The same for one who has the key's hash, made piece by piece from UNIT_MAP_HASH on: all prefixes
 * of a path cost one pass over it. */
#define UNIT_MAP_HASH UINT64_C(0xcbf29ce484222325)
uint64_t unit_map_hash(uint64_t h, const char *p, size_t n);
int32_t unit_map_get(const struct unit_map *m, struct str key, uint64_t hash);

#endif
