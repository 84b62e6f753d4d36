/* Hashes, and an index for tables that are looked up by a hash. The index holds the numbers of
 * items that the caller keeps elsewhere (open addressing); the caller compares the keys. */
#ifndef PODPID_BASE_HASH_H
#define PODPID_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cri/base/arena.h"
#include "cri/base/text.h"

/* SipHash-1-3 (Aumasson and Bernstein), for keys that a container can choose: without the secret
 * seed it could choose many keys with one hash and make look-ups slow. */
struct hash_seed {
    uint64_t k[2];
};

struct hash_seed hash_seed_make(void);
uint64_t hash_keyed(struct hash_seed seed, struct str text);

/* FNV-1a, for keys that the runtime chooses. It can be continued: start with HASH_START, and the
 * hashes of all prefixes of a path cost one pass over the path. */
#define HASH_START UINT64_C(0xcbf29ce484222325)

static inline uint64_t hash_more(uint64_t h, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        h = (h ^ (unsigned char)p[i]) * UINT64_C(0x100000001b3);
    }
    return h;
}

static inline uint64_t hash_text(struct str s)
{
    return hash_more(HASH_START, s.p, s.n);
}

/* The hash of a number (the finalizer of SplitMix64 by Steele, Lea and Flood): numbers in a row
 * must not fall into slots in a row. */
static inline uint64_t hash_number(uint64_t n)
{
    n = (n ^ (n >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    n = (n ^ (n >> 27)) * UINT64_C(0x94d049bb133111eb);
    return n ^ (n >> 31);
}

/* Zero-initialised: an index without items. The slots live in an arena. */
struct hash_index {
    uint32_t *slots; /* an item's number + 1; 0 is free */
    size_t mask;     /* number of slots - 1 */
};

/* Empty, with room for n items at a load of one half. 0 or -ENOMEM. A full index is made anew with
 * more room, and its items are added again; the old slots stay in the arena. */
int hash_index_init(struct hash_index *x, size_t n, struct arena *a);

/* How many items it has room for. */
size_t hash_index_room(const struct hash_index *x);

/* Add an item's number; at most as many as there is room for. Items of one hash are met in the
 * order in which they were added. */
void hash_index_add(struct hash_index *x, uint64_t hash, uint32_t item);

/* The place at which a search for a hash begins: FNV's low bits alone are weak for a table whose
 * size is a power of two. */
static inline size_t hash_index_start(const struct hash_index *x, uint64_t hash)
{
    return (size_t)(hash ^ (hash >> 29)) & x->mask;
}

/* Walk through the items that may have the hash that *at was started with: true and the next one's
 * number, false at the end.
 *
 *     for (size_t at = hash_index_start(x, hash); hash_index_next(x, &at, &i);) ... */
static inline bool hash_index_next(const struct hash_index *x, size_t *at, uint32_t *ret_item)
{
    uint32_t slot = x->slots ? x->slots[*at] : 0;

    if (!slot) {
        return false;
    }
    *ret_item = slot - 1;
    *at = (*at + 1) & x->mask;
    return true;
}

#endif
