#include "cri/base/hash.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "cri/base/clock.h"

/* ---- SipHash-1-3 ---- */

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

uint64_t hash_keyed(struct hash_seed seed, struct str text)
{
    struct sip s = {
        seed.k[0] ^ UINT64_C(0x736f6d6570736575), seed.k[1] ^ UINT64_C(0x646f72616e646f6d),
        seed.k[0] ^ UINT64_C(0x6c7967656e657261), seed.k[1] ^ UINT64_C(0x7465646279746573)};
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

struct hash_seed hash_seed_make(void)
{
    struct hash_seed seed;

    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed)) {
        /* Early at boot the kernel may have no random numbers yet. A seed that can be guessed only
         * costs time: colliding keys make look-ups slow, never wrong. */
        seed.k[0] = (uint64_t)clock_now();
        seed.k[1] = (uint64_t)(uintptr_t)&seed;
    }
    return seed;
}

/* ---- The index ---- */

enum { LEAST_SLOTS = 16 };

int hash_index_init(struct hash_index *x, size_t n, struct arena *a)
{
    size_t size = LEAST_SLOTS;
    uint32_t *slots;

    if (n > UINT32_MAX / 2) {
        return -ENOMEM;
    }
    while (size < n * 2) {
        size *= 2;
    }
    slots = arena_calloc(a, size, sizeof(*slots));
    if (!slots) {
        return -ENOMEM;
    }
    *x = (struct hash_index){slots, size - 1};
    return 0;
}

size_t hash_index_room(const struct hash_index *x)
{
    return x->slots ? (x->mask + 1) / 2 : 0;
}

void hash_index_add(struct hash_index *x, uint64_t hash, uint32_t item)
{
    size_t i = hash_index_start(x, hash);

    while (x->slots[i]) {
        i = (i + 1) & x->mask;
    }
    x->slots[i] = item + 1;
}
