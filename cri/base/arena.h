/* One arena a document: everything in it is allocated bump-wise and freed at once. */
#ifndef PODPID_BASE_ARENA_H
#define PODPID_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena_chunk;

/* Zero-initialise to start ({0}); arena_free() returns it to that state. Not for two threads at
 * once. */
struct arena {
    struct arena_chunk *head;
    size_t bytes; /* allocated from malloc so far, for tests and figures */
};

/* Zeroed memory aligned for any type, or NULL when memory is out. size 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t size);

/* As arena_alloc for n members of size bytes; NULL too when the product overflows. */
void *arena_calloc(struct arena *a, size_t n, size_t size);

/* Copies, NUL-terminated. arena_strdup(NULL) is NULL. */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);

char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* Grows an array that lives in an arena: *items has room for *cap members of size bytes and holds
 * n; makes room for one more. The old block stays in the arena. 0 or -ENOMEM, with *items as it
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

void arena_free(struct arena *a);

#endif
