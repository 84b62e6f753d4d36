/* An arena: memory that is given out piece by piece and freed all at once. Each document has one.
 */
#ifndef PODPID_BASE_ARENA_H
#define PODPID_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena_chunk;

/* Zero-initialise ({0}); arena_free() makes it so again. Two threads must not use one at the same
 * time. */
struct arena {
    struct arena_chunk *head;
    size_t bytes; /* taken from malloc so far; limits and tests read it */
};

/* Zeroed memory, aligned for any type; NULL when memory is out. size 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t size);

/* The same for n members of size bytes; NULL also when the product overflows. */
void *arena_calloc(struct arena *a, size_t n, size_t size);

/* NUL-terminated copies; NULL when memory is out. arena_strdup(NULL) is NULL. */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);

/* Formatted text; NULL when memory is out. */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* Make room for one more member in an array that lives in an arena: *items holds n members of size
 * bytes and has room for *cap. The old block stays in the arena. 0, or -ENOMEM with *items as it
 * was. */
int arena_grow(struct arena *a, void **items, size_t n, size_t *cap, size_t size);

/* Append one element to an array in an arena: items, n and cap are the caller's variables (a
 * pointer, the number of elements, the room), the value comes last and may be a compound literal.
 * 0, or -ENOMEM with the array as it was.
 *
 *     rc = ARENA_APPEND(a, list->rows, list->n_rows, list->cap_rows, (struct row){.pid = pid}); */
#define ARENA_APPEND(a, items, n, cap, ...)                                                        \
    __extension__({                                                                                \
        void *items_ = (items);                                                                    \
        int rc_ = arena_grow((a), &items_, (n), &(cap), sizeof(*(items)));                         \
                                                                                                   \
        if (rc_ == 0) {                                                                            \
            (items) = items_;                                                                      \
            (items)[(n)++] = (__VA_ARGS__);                                                        \
        }                                                                                          \
        rc_;                                                                                       \
    })

/* A list of texts in an arena. Zero-initialise to start. */
struct texts {
    const char **items;
    size_t n, cap;
};

/* Append a text, which is not copied. -ENOMEM also for NULL, so that the result of arena_printf()
 * can be passed on as it is. */
int texts_add(struct texts *t, struct arena *a, const char *text);

/* Free everything in the arena; usable with CLEANUP(arena_free). */
void arena_free(struct arena *a);

#endif
