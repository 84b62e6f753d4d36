/* A reader of YAML, and so of JSON, into a tree in which each value has its line and column.
 *
 * The text may be hostile. Depth and number of values are limited here, the text's size is for the
 * caller to limit. An alias points to the value of its anchor without a copy, but counts as many
 * values as a copy would: a text whose aliases would expand to millions of values is refused.
 * Duplicate keys and keys that are not text are refused; the merge key "<<" has no special meaning.
 */
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
    bool plain;            /* a text without quotes, which may mean a number, a boolean or null */
    uint32_t line, column; /* from 1 */
    uint32_t weight;       /* number of values: this one and all below it; an alias counts as its
                              anchor's value does */
    uint32_t n;            /* bytes of a text, members of a list, keys and values of a map */
    union {
        const char *text;                /* NUL-terminated, holds no other NUL */
        const struct yaml_value **items; /* of a list; of a map: key, value, key, value, ... */
    };
};

struct yaml_stream {
    const char *file;                /* for messages */
    const struct yaml_value **roots; /* of each document that is not empty */
    size_t n;
};

/* Limits: how deep lists and maps may be inside each other (a pod's manifest: about ten), and how
 * many values a stream may have (at some 40 bytes a value, 160 MB of kubectl's output). */
enum { YAML_MAX_DEPTH = 64, YAML_MAX_VALUES = 4000000 };

/* Parse a stream of documents. file is its name in messages; it is not opened. max_values limits
 * the values of all documents, at most YAML_MAX_VALUES. Everything lives in a, also after an error;
 * file must live as long. 0, or a negative errno with ERR_INPUT ("file:line:column: what is wrong")
 * or ERR_NOMEM. */
int yaml_parse(struct str text, const char *file, size_t max_values, struct arena *a,
               struct yaml_stream *ret, struct err *err);

/* Set err to ERR_INPUT with the place of a value: "file:line:column: message". -EINVAL. */
int yaml_error(struct err *err, const char *file, const struct yaml_value *at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The value of a key; NULL if map is NULL or not a map, has no such key, or the value is null. */
const struct yaml_value *yaml_get(const struct yaml_value *map, const char *key);

/* The same along several keys, NULL-terminated: yaml_path(pod, "metadata", "name", NULL). */
const struct yaml_value *yaml_path(const struct yaml_value *map, ...) __attribute__((sentinel));

bool yaml_is_null(const struct yaml_value *v); /* "", "~" or "null", without quotes */

/* Whether v is a text that means neither null nor a boolean or number. */
bool yaml_is_string(const struct yaml_value *v);

/* The text of a string value; NULL if v is NULL or something else. */
const char *yaml_string(const struct yaml_value *v);

/* What v is, for messages: "a map", "a list", "a text", "a number", "true or false", "nothing". */
const char *yaml_kind_name(const struct yaml_value *v);

#endif
