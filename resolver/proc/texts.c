/* Cgroup texts, each kept and parsed once. Anybody on the node may make as many different ones as
 * there are cgroups, hence a keyed hash (SipHash-1-3 by Aumasson and Bernstein). */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "cri/base/clock.h"
#include "resolver/cgroup/line.h"
#include "resolver/proc/ptable.h"

struct sip {
    uint64_t a, b, c, d;
};

static uint64_t rotate(uint64_t v, unsigned bits)
{
    return v << bits | v >> (64 - bits);
}

static void sip_round(struct sip *s)
{
    s->a += s->b;
    s->b = rotate(s->b, 13) ^ s->a;
    s->a = rotate(s->a, 32);
    s->c += s->d;
    s->d = rotate(s->d, 16) ^ s->c;
    s->a += s->d;
    s->d = rotate(s->d, 21) ^ s->a;
    s->c += s->b;
    s->b = rotate(s->b, 17) ^ s->c;
    s->c = rotate(s->c, 32);
}

static void sip_word(struct sip *s, uint64_t word)
{
    s->d ^= word;
    sip_round(s);
    s->a ^= word;
}

static uint64_t text_hash(const uint64_t key[2], struct str text)
{
    struct sip s = {key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
                    key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)};
    uint64_t word = 0, length = (uint64_t)text.n << 56;

    for (; text.n >= sizeof(word); text.p += sizeof(word), text.n -= sizeof(word)) {
        memcpy(&word, text.p, sizeof(word));
        sip_word(&s, le64toh(word));
    }
    word = 0;
    if (text.n) {
        memcpy(&word, text.p, text.n);
    }
    sip_word(&s, le64toh(word) | length);
    s.c ^= 0xff;
    sip_round(&s);
    sip_round(&s);
    sip_round(&s);
    return s.a ^ s.b ^ s.c ^ s.d;
}

static void make_seed(uint64_t seed[2])
{
    if (getrandom(seed, 2 * sizeof(*seed), GRND_NONBLOCK) != (ssize_t)(2 * sizeof(*seed))) {
        /* Before the pool is ready: guessable, which costs time at worst. */
        seed[0] = (uint64_t)clock_now();
        seed[1] = (uint64_t)(uintptr_t)seed;
    }
}

static bool is_v1_root(struct str text)
{
    struct cgroup_line line;
    bool any = false;

    while (cgroup_next_line(&text, &line)) {
        if (line.hierarchy != 0 && !str_is(line.path, "/")) {
            return false;
        }
        any = any || line.hierarchy != 0;
    }
    return any;
}

/* The slot of the text, or the empty one where it belongs. The table is never full. */
static uint32_t *slot_of(const struct ptable *t, uint64_t hash, struct str text)
{
    size_t mask = t->hash_size - 1;

    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        uint32_t *slot = &t->hash[i];

        if (*slot == 0 ||
            (t->cgroups[*slot - 1].hash == hash && str_eq(t->cgroups[*slot - 1].text, text))) {
            return slot;
        }
    }
}

static int hash_grow(struct ptable *t)
{
    size_t size = t->hash_size ? t->hash_size * 2 : 64;
    uint32_t *slots;

    if (t->hash_size && t->n_cgroups < t->hash_size / 2) {
        return 0;
    }
    if (t->n_cgroups >= INT32_MAX) {
        return -ENOMEM;
    }
    if (!t->hash_size) {
        make_seed(t->seed);
    }
    slots = arena_calloc(&t->arena, size, sizeof(*slots));
    if (!slots) {
        return -ENOMEM;
    }
    t->hash = slots;
    t->hash_size = size;
    for (size_t i = 0; i < t->n_cgroups; i++) {
        *slot_of(t, t->cgroups[i].hash, t->cgroups[i].text) = (uint32_t)i + 1;
    }
    return 0;
}

int64_t ptable_intern(struct ptable *t, struct str text)
{
    struct ptable_cgroup *c;
    void *items = t->cgroups;
    uint64_t hash;
    uint32_t *slot;
    int rc = hash_grow(t);

    if (rc < 0) {
        return rc;
    }
    hash = text_hash(t->seed, text);
    slot = slot_of(t, hash, text);
    if (*slot) {
        return *slot - 1;
    }
    rc = arena_grow(&t->arena, &items, t->n_cgroups, &t->cap_cgroups, sizeof(*t->cgroups));
    t->cgroups = items;
    if (rc < 0) {
        return rc;
    }
    c = &t->cgroups[t->n_cgroups];
    *c = (struct ptable_cgroup){.hash = hash, .owner = -1};
    c->text = (struct str){arena_strndup(&t->arena, text.p, text.n), text.n};
    if (!c->text.p) {
        return -ENOMEM;
    }
    rc = cgroup_parse(c->text, &t->arena, &c->facts);
    if (rc < 0) {
        return rc;
    }
    c->v1_root = is_v1_root(c->text);
    *slot = (uint32_t)++t->n_cgroups;
    return *slot - 1;
}
