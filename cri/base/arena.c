#include "cri/base/arena.h"

#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the first chunk, for small documents, and of the largest; each chunk is twice the one
 * before. */
enum { CHUNK_FIRST = 8 * 1024, CHUNK_MOST = 256 * 1024 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t used, cap;
    alignas(max_align_t) unsigned char data[];
};

static struct arena_chunk *chunk_new(struct arena *a, size_t need)
{
    size_t cap = CHUNK_FIRST;
    struct arena_chunk *c;

    if (a->head) {
        cap = a->head->cap < CHUNK_MOST ? a->head->cap * 2 : CHUNK_MOST;
    }
    if (cap > CHUNK_MOST) {
        cap = CHUNK_MOST;
    }
    if (cap < need) {
        cap = need;
    }
    if (cap > SIZE_MAX - sizeof(*c)) {
        return NULL;
    }
    c = malloc(sizeof(*c) + cap);
    if (!c) {
        return NULL;
    }
    c->used = 0;
    c->cap = cap;
    a->bytes += sizeof(*c) + cap;
    /* A block larger than a chunk must not hide the room that is left in the current one. */
    if (a->head && need > CHUNK_MOST / 2) {
        c->next = a->head->next;
        a->head->next = c;
    } else {
        c->next = a->head;
        a->head = c;
    }
    return c;
}

void *arena_alloc(struct arena *a, size_t size)
{
    const size_t align = alignof(max_align_t);
    struct arena_chunk *c = a->head;
    void *p;

    if (size > SIZE_MAX - align) {
        return NULL;
    }
    size = (size + align - 1) & ~(align - 1);
    if (!c || c->cap - c->used < size) {
        c = chunk_new(a, size);
        if (!c) {
            return NULL;
        }
    }
    p = c->data + c->used;
    c->used += size;
    return memset(p, 0, size);
}

void *arena_calloc(struct arena *a, size_t n, size_t size)
{
    if (size && n > SIZE_MAX / size) {
        return NULL;
    }
    return arena_alloc(a, n * size);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
    char *p;

    if (n == SIZE_MAX) {
        return NULL;
    }
    p = arena_alloc(a, n + 1);
    if (p && n) {
        memcpy(p, s, n);
    }
    return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return s ? arena_strndup(a, s, strlen(s)) : NULL;
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
    va_list again;
    char *p = NULL;
    int n;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    if (n >= 0) {
        p = arena_alloc(a, (size_t)n + 1);
    }
    if (p) {
        vsnprintf(p, (size_t)n + 1, fmt, again);
    }
    va_end(again);
    return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    char *p;

    va_start(ap, fmt);
    p = arena_vprintf(a, fmt, ap);
    va_end(ap);
    return p;
}

int arena_grow(struct arena *a, void **items, size_t n, size_t *cap, size_t size)
{
    size_t more;
    void *p;

    if (n < *cap) {
        return 0;
    }
    if (*cap > SIZE_MAX / 2) {
        return -ENOMEM;
    }
    more = *cap ? *cap * 2 : 8;
    p = arena_calloc(a, more, size);
    if (!p) {
        return -ENOMEM;
    }
    if (n) {
        memcpy(p, *items, n * size);
    }
    *items = p;
    *cap = more;
    return 0;
}

int texts_add(struct texts *t, struct arena *a, const char *text)
{
    return text ? ARENA_APPEND(a, t->items, t->n, t->cap, text) : -ENOMEM;
}

void arena_free(struct arena *a)
{
    struct arena_chunk *c = a->head;

    while (c) {
        struct arena_chunk *next = c->next;

        free(c);
        c = next;
    }
    *a = (struct arena){0};
}
