/* Text: views, numbers, UTF-8, a growing buffer. */
#ifndef PODPID_BASE_TEXT_H
#define PODPID_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A piece of text that lives elsewhere and is not NUL-terminated. {NULL, 0} means "none". */
struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){("" literal), sizeof(literal) - 1})

/* The whole of a C string; NULL gives none. Inline, so that the length of a literal is known when
 * the code is compiled. */
static inline struct str str_of(const char *s)
{
    return s ? (struct str){s, strlen(s)} : (struct str){NULL, 0};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_is(struct str a, const char *b)
{
    return str_eq(a, str_of(b));
}

static inline bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq((struct str){s.p, prefix.n}, prefix);
}

static inline bool str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n && str_eq((struct str){s.p + (s.n - suffix.n), suffix.n}, suffix);
}

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

/* The word for n things, for "%zu %s": plural(1, "pod", "pods") is "pod". */
static inline const char *plural(size_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}

/* Paths as text: components with slashes between them. */

/* Whether path is top or lies below it. top has no slash at its end. */
static inline bool path_is_below(struct str path, struct str top)
{
    return str_starts(path, top) && (path.n == top.n || path.p[top.n] == '/');
}

/* The last component; slashes at the end do not count. A path without a slash as a whole. */
struct str path_last(struct str path);

/* The path without its last component and the slash before that: "" for "/a", and for a path
 * without a slash. path has no slash at its end. */
struct str path_parent(struct str path);

/* Cut the next line (without its \n) off *text. False at the end. */
bool str_next_line(struct str *text, struct str *ret_line);

/* True if all of s is a decimal number that fits, without sign or space. */
bool str_to_u64(struct str s, uint64_t *ret);
bool str_to_i32(struct str s, int32_t *ret); /* an optional '-' */

/* True if s is one or more of the digits 0-9a-f. */
bool str_is_hex(struct str s);

/* Parse a duration ("10s", "500ms", "2m", "1h", "1m30s"; a bare number is seconds) into
 * nanoseconds. Zero is allowed. False for anything else, a sign and overflow included. */
bool text_to_duration(const char *s, int64_t *ret);

/* text_time() writes nanoseconds since the epoch (before it: negative) as RFC 3339 in UTC, without
 * trailing zeros: "2026-01-02T03:04:05.6Z"; 40 bytes are enough. text_to_time() parses RFC 3339
 * with any zone; false if it is no such time or does not fit. */
void text_time(int64_t epoch_ns, char *buf, size_t size);
bool text_to_time(const char *s, int64_t *ret_epoch_ns);

/* A buffer that grows. Zero-initialise; buf_free() it. After a failed allocation failed stays true
 * and further appends do nothing, so that a run of appends is checked once at its end. */
struct buf {
    char *p; /* malloc'ed; NULL until the first append, then always NUL-terminated */
    size_t n, cap;
    bool failed;
};

/* Make room for at least more bytes and a NUL behind the content and return where they go, for a
 * reader that writes there and raises b->n itself. b->cap - b->n - 1 bytes may be written. NULL,
 * with failed set, when memory is out. */
char *buf_reserve(struct buf *b, size_t more);

void buf_append(struct buf *b, const void *p, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_free(struct buf *b); /* the content; b is empty again. For CLEANUP(buf_free) too */

/* True if s is valid UTF-8 (RFC 3629: no surrogates, no overlong forms, up to U+10FFFF) without
 * NUL. */
bool text_is_utf8(const char *s, size_t n);

/* The length in bytes of the UTF-8 character that begins at s, of which n > 0 bytes are left; 0:
 * the bytes there are no valid character. */
size_t text_utf8_char(const char *s, size_t n);

/* Append s with every byte that is not part of valid UTF-8 replaced by U+FFFD. */
void buf_put_utf8(struct buf *b, const char *s, size_t n);

#endif
