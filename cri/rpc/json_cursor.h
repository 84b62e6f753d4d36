/* A cursor over JSON text that goes straight to a few values and skips the rest without building a
 * tree: the verbose info of a container has up to 30 KB, of which four strings are wanted. Linear,
 * without recursion, no I/O. In what is skipped only brackets and strings are checked. */
#ifndef PODPID_CRI_RPC_JSON_CURSOR_H
#define PODPID_CRI_RPC_JSON_CURSOR_H

#include "cri/base/arena.h"
#include "cri/base/text.h"

enum { JSON_CURSOR_DEPTH = 64 }; /* of nested brackets; deeper text is refused. A bit each */

struct json_cursor {
    const char *p, *end;
};

enum json_cursor_kind {
    JSON_CURSOR_NONE,
    JSON_CURSOR_OBJECT,
    JSON_CURSOR_ARRAY,
    JSON_CURSOR_STRING,
    JSON_CURSOR_NUMBER,
    JSON_CURSOR_WORD
};

/* The kind of the next value, behind white space. JSON_CURSOR_NONE: the text ends, or no value
 * begins there. */
enum json_cursor_kind json_cursor_peek(struct json_cursor *j);

/* Step into the next value, if it is an object. False: it is none. */
bool json_cursor_enter(struct json_cursor *j);

/* The next key of the entered object, without quotes, escapes unresolved; the cursor then stands
 * before the key's value. *first is true at the first call for an object. 1: a key; 0: the object
 * ends here; -EBADMSG. */
int json_cursor_key(struct json_cursor *j, bool *first, struct str *ret);

/* Skip the next value. ret, which may be NULL, gets its text; a string's includes the quotes. 0 or
 * -EBADMSG. */
int json_cursor_skip(struct json_cursor *j, struct str *ret);

/* Resolve a string's text, quotes included, into a NUL-terminated copy in the arena. 0, -ENOMEM, or
 * -EBADMSG for a bad escape or a NUL. */
int json_cursor_unquote(struct str quoted, struct arena *a, const char **ret);

#endif
