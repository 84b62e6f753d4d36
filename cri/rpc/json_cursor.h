/* A cursor over JSON text that goes straight to a few values and skips the rest, without building
 * a tree: the verbose info of a container is up to 30 KB of which four strings are wanted. Pure,
 * linear, without recursion. What is skipped is held to its brackets and strings only. */
#ifndef PODPID_CRI_RPC_JSON_CURSOR_H
#define PODPID_CRI_RPC_JSON_CURSOR_H

#include "cri/base/arena.h"
#include "cri/base/text.h"

enum { JSON_CURSOR_DEPTH = 64 }; /* brackets within brackets */

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

/* Of the value that comes next, after white space; JSON_CURSOR_NONE: the text ends, or this is no
 * value.
 */
enum json_cursor_kind json_cursor_peek(struct json_cursor *j);

/* Step into the object that comes next. */
bool json_cursor_enter(struct json_cursor *j);

/* The next key of an object that was entered, without its quotes and with its escapes as they are;
 * the cursor is before its value then. 1: a key; 0: the object is over; -EBADMSG. *first starts
 * true. */
int json_cursor_key(struct json_cursor *j, bool *first, struct str *ret);

/* Over the next value. ret (may be NULL) gets its text, a string's with its quotes. 0 or -EBADMSG.
 */
int json_cursor_skip(struct json_cursor *j, struct str *ret);

/* The value of a string's text (quotes and all), in the arena. 0, -EBADMSG (a bad escape, a NUL in
 * it) or -ENOMEM. */
int json_cursor_unquote(struct str quoted, struct arena *a, const char **ret);

#endif
