/* A small reader of YAML (and so of JSON) into a tree that knows where each value stood.
 *
 * The text is hostile: its size is the caller's to bound, depth and number of values are bounded
 * here. An alias is the value of its anchor, not a copy, and counts in full, so that anchors that
 * explode are refused before anybody walks them. Duplicate keys, keys that are no text and merge
 * keys have no meaning here: the first two are refused, "<<" is a key like any other. */
#ifndef PODPID_FORMAT_YAML_H
#define PODPID_FORMAT_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cri/base/arena.h"
#include "cri/base/error.h"
#include "cri/base/text.h"

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_value {
    uint8_t kind;          /* enum yaml_kind */
    bool plain;            /* a text without quotes: it may stand for a number, true or null */
    uint32_t line, column; /* from 1 */
    uint32_t weight;       /* how many values it is with everything below it, aliases in full */
    uint32_t n;            /* bytes of a text, members of a list, 2 x pairs of a map */
    union {
        const char *text;                /* NUL-terminated, holds no other NUL */
        const struct yaml_value **items; /* of a map: key, value, key, value, ... */
    };
};

struct yaml_stream {
    const char *file;                /* for messages */
    const struct yaml_value **roots; /* one a document; empty documents are left out */
    size_t n;
};

enum {
    YAML_MAX_DEPTH = 64,
    YAML_MAX_VALUES = 4000000 /* of a whole stream; kubectl prints some 40 bytes a value */
};

/* Everything lives in the arena. max_values: at most YAML_MAX_VALUES. ERR_INPUT as
 * "file:line:column: what is wrong". */
int yaml_parse(struct str text, const char *file, size_t max_values, struct arena *a,
               struct yaml_stream *ret, struct err *err);

/* ERR_INPUT at the place of a value. */
int yaml_error(struct err *err, const char *file, const struct yaml_value *at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The value of a key; NULL if map is NULL or no map, or has no such key, or the value is null. */
const struct yaml_value *yaml_get(const struct yaml_value *map, const char *key);

/* The same along several keys, NULL-terminated: yaml_path(pod, "metadata", "name", NULL). */
const struct yaml_value *yaml_path(const struct yaml_value *map, ...) __attribute__((sentinel));

bool yaml_is_null(const struct yaml_value *v);   /* plain "", "~" or "null" */
bool yaml_is_string(const struct yaml_value *v); /* text that is no null, bool or number */

/* The text of a string value; NULL if v is NULL or something else. */
const char *yaml_string(const struct yaml_value *v);

const char *yaml_kind_name(const struct yaml_value *v); /* "a map", "a list", "a number", ... */

#endif
