#include "resolver/format/yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* An anchor and its value; NULL while that list or map is being read. */
struct anchor_name {
    const char *name;
    const struct yaml_value *value;
};

/* A list or map that is being read. */
struct level {
    struct yaml_value *value;
    const struct yaml_value **items;
    size_t n, cap;
    size_t anchor; /* index in reader.anchors + 1; 0: it has no anchor */
};

struct reader {
    yaml_parser_t parser;
    struct str text;
    const char *file;
    struct arena *arena;
    size_t values, max_values;           /* how many values were read; the limit */
    struct level levels[YAML_MAX_DEPTH]; /* the lists and maps that are open, outermost first */
    unsigned depth;                      /* how many are */
    struct anchor_name *anchors;         /* of the current document */
    size_t n_anchors, cap_anchors;
    const struct yaml_value *root; /* of the current document; NULL: none yet */
};

/* How many anchors a document may have. An alias searches them one by one, so that this limits the
 * time; manifests have a few at most. */
enum { MAX_ANCHORS = 256 };

static int error_at(struct err *err, const char *file, size_t line, size_t column, const char *what)
{
    return err_set(err, ERR_INPUT, EINVAL, "%s:%zu:%zu: %s", file, line, column, what);
}

int yaml_error(struct err *err, const char *file, const struct yaml_value *at, const char *fmt, ...)
{
    char what[768]; /* leaves room for the place in err.text */
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    return error_at(err, file, at->line, at->column, what);
}

static int error_at_mark(struct reader *r, yaml_mark_t at, struct err *err, const char *what)
{
    return error_at(err, r->file, at.line + 1, at.column + 1, what);
}

static int parser_error(struct reader *r, struct err *err)
{
    yaml_parser_t *p = &r->parser;
    size_t line = 1, column = 1;
    char what[256];

    if (p->error == YAML_MEMORY_ERROR) {
        return err_nomem(err);
    }
    if (p->error == YAML_READER_ERROR) {
        for (size_t i = 0; i < p->problem_offset && i < r->text.n; i++) {
            column = r->text.p[i] == '\n' ? 1 : column + 1;
            line += r->text.p[i] == '\n' ? 1 : 0;
        }
        snprintf(what, sizeof(what), "expected UTF-8 text: %s", p->problem);
        return error_at(err, r->file, line, column, what);
    }
    if (p->problem_mark.index < r->text.n && r->text.p[p->problem_mark.index] == '\t') {
        return error_at_mark(r, p->problem_mark, err, "expected spaces: tabs cannot indent YAML");
    }
    snprintf(what, sizeof(what), "expected YAML: %s%s%s",
             p->problem ? p->problem : "it cannot be read", p->context ? " " : "",
             p->context ? p->context : "");
    return error_at_mark(r, p->problem_mark, err, what);
}

static struct yaml_value *new_value(struct reader *r, enum yaml_kind kind, yaml_mark_t at,
                                    struct err *err)
{
    struct yaml_value *v;

    if (++r->values > r->max_values) {
        error_at_mark(r, at, err, "too many values");
        return NULL;
    }
    v = arena_alloc(r->arena, sizeof(*v));
    if (!v) {
        err_nomem(err);
        return NULL;
    }
    v->kind = (uint8_t)kind;
    v->line = (uint32_t)at.line + 1;
    v->column = (uint32_t)at.column + 1;
    v->weight = 1;
    return v;
}

/* Add an anchor; name NULL: there is none. *ret is its index + 1, or 0. */
static int add_anchor(struct reader *r, const yaml_char_t *name, yaml_mark_t at,
                      const struct yaml_value *value, size_t *ret, struct err *err)
{
    struct anchor_name anchor = {.value = value};

    if (!name) {
        *ret = 0;
        return 0;
    }
    if (r->n_anchors == MAX_ANCHORS) {
        return error_at_mark(r, at, err, "too many anchors");
    }
    anchor.name = arena_strdup(r->arena, (const char *)name);
    if (!anchor.name ||
        ARENA_APPEND(r->arena, r->anchors, r->n_anchors, r->cap_anchors, anchor) < 0) {
        return err_nomem(err);
    }
    *ret = r->n_anchors;
    return 0;
}

/* Add a complete value to the innermost open list or map, or make it the document's root. */
static int add_value(struct reader *r, const struct yaml_value *v, yaml_mark_t at, struct err *err)
{
    struct level *l;

    if (r->depth == 0) {
        r->root = v;
        return 0;
    }
    l = &r->levels[r->depth - 1];
    if (l->value->kind == YAML_MAP && l->n % 2 == 0 && v->kind != YAML_TEXT) {
        return yaml_error(err, r->file, v, "expected a text as key");
    }
    if (ARENA_APPEND(r->arena, l->items, l->n, l->cap, v) < 0) {
        return err_nomem(err);
    }
    if (v->weight > r->max_values - l->value->weight) {
        return error_at_mark(r, at, err, "too many values once its aliases are expanded");
    }
    l->value->weight += v->weight;
    return 0;
}

static int on_scalar(struct reader *r, const yaml_event_t *e, struct err *err)
{
    struct yaml_value *v = new_value(r, YAML_TEXT, e->start_mark, err);
    size_t anchor;
    int rc;

    if (!v) {
        return -err->errnum;
    }
    if (memchr(e->data.scalar.value, '\0', e->data.scalar.length)) {
        return error_at_mark(r, e->start_mark, err, "expected a text without NUL characters");
    }
    v->text = arena_strndup(r->arena, (const char *)e->data.scalar.value, e->data.scalar.length);
    if (!v->text) {
        return err_nomem(err);
    }
    v->n = (uint32_t)e->data.scalar.length;
    v->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !e->data.scalar.tag;
    rc = add_anchor(r, e->data.scalar.anchor, e->start_mark, v, &anchor, err);
    return rc < 0 ? rc : add_value(r, v, e->start_mark, err);
}

static int on_alias(struct reader *r, const yaml_event_t *e, struct err *err)
{
    /* From the end: an anchor may be defined again, and the last definition counts. */
    for (size_t i = r->n_anchors; i-- > 0;) {
        if (strcmp(r->anchors[i].name, (const char *)e->data.alias.anchor) != 0) {
            continue;
        }
        if (!r->anchors[i].value) {
            return error_at_mark(r, e->start_mark, err, "an alias inside its own anchor");
        }
        return add_value(r, r->anchors[i].value, e->start_mark, err);
    }
    return error_at_mark(r, e->start_mark, err, "an alias without an anchor before it");
}

static int on_open(struct reader *r, enum yaml_kind kind, const yaml_char_t *anchor, yaml_mark_t at,
                   struct err *err)
{
    struct level *l;
    struct yaml_value *v;

    if (r->depth == YAML_MAX_DEPTH) {
        return error_at_mark(r, at, err, "too deep");
    }
    v = new_value(r, kind, at, err);
    if (!v) {
        return -err->errnum;
    }
    l = &r->levels[r->depth++];
    *l = (struct level){.value = v};
    return add_anchor(r, anchor, at, NULL, &l->anchor, err);
}

/* Compare keys by text, then by place, for qsort(). */
static int compare_keys(const void *a, const void *b)
{
    const struct yaml_value *const *x = a, *const *y = b;
    int cmp = strcmp((*x)->text, (*y)->text);

    if (cmp) {
        return cmp;
    }
    return (*x)->line != (*y)->line ? ((*x)->line < (*y)->line ? -1 : 1)
                                    : (int)(*x)->column - (int)(*y)->column;
}

/* Refuse a map that has a key twice. */
static int check_keys(struct reader *r, const struct yaml_value *map, struct err *err)
{
    size_t n = map->n / 2;
    const struct yaml_value **keys;
    int rc = 0;

    if (n < 2) {
        return 0;
    }
    keys = calloc(n, sizeof(const struct yaml_value *));
    if (!keys) {
        return err_nomem(err);
    }
    for (size_t i = 0; i < n; i++) {
        keys[i] = map->items[2 * i];
    }
    qsort(keys, n, sizeof(const struct yaml_value *), compare_keys);
    for (size_t i = 1; i < n && rc == 0; i++) {
        if (strcmp(keys[i - 1]->text, keys[i]->text) == 0) {
            rc = yaml_error(err, r->file, keys[i], "duplicate key \"%.64s\": first in line %u",
                            keys[i]->text, keys[i - 1]->line);
        }
    }
    free(keys);
    return rc;
}

static int on_close(struct reader *r, yaml_mark_t at, struct err *err)
{
    struct level *l = &r->levels[--r->depth];
    int rc;

    l->value->items = l->items;
    l->value->n = (uint32_t)l->n;
    if (l->anchor) {
        r->anchors[l->anchor - 1].value = l->value;
    }
    if (l->value->kind == YAML_MAP) {
        rc = check_keys(r, l->value, err);
        if (rc < 0) {
            return rc;
        }
    }
    return add_value(r, l->value, at, err);
}

static int on_document_end(struct reader *r, struct yaml_stream *s, size_t *cap, struct err *err)
{
    r->n_anchors = 0;
    if (!r->root || yaml_is_null(r->root)) {
        return 0;
    }
    if (ARENA_APPEND(r->arena, s->roots, s->n, *cap, r->root) < 0) {
        return err_nomem(err);
    }
    r->root = NULL;
    return 0;
}

static int on_event(struct reader *r, const yaml_event_t *e, struct yaml_stream *s, size_t *cap,
                    struct err *err)
{
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(r, e, err);
    case YAML_ALIAS_EVENT:
        return on_alias(r, e, err);
    case YAML_SEQUENCE_START_EVENT:
        return on_open(r, YAML_LIST, e->data.sequence_start.anchor, e->start_mark, err);
    case YAML_MAPPING_START_EVENT:
        return on_open(r, YAML_MAP, e->data.mapping_start.anchor, e->start_mark, err);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return on_close(r, e->start_mark, err);
    case YAML_DOCUMENT_END_EVENT:
        return on_document_end(r, s, cap, err);
    default:
        return 0;
    }
}

static int read_events(struct reader *r, struct yaml_stream *s, struct err *err)
{
    size_t cap = 0;
    bool end = false;
    int rc = 0;

    while (!end && rc == 0) {
        yaml_event_t e;

        if (!yaml_parser_parse(&r->parser, &e)) {
            return parser_error(r, err);
        }
        end = e.type == YAML_STREAM_END_EVENT;
        rc = on_event(r, &e, s, &cap, err);
        yaml_event_delete(&e);
    }
    return rc;
}

int yaml_parse(struct str text, const char *file, size_t max_values, struct arena *a,
               struct yaml_stream *ret, struct err *err)
{
    struct reader r = {.text = text, .file = file, .arena = a, .max_values = max_values};
    struct yaml_stream s = {.file = file};
    struct err local;
    int rc;

    // cppcheck-suppress uninitvar ; only its address is taken
    err = err ? err : &local;
    if (!yaml_parser_initialize(&r.parser)) {
        return err_nomem(err);
    }
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.p, text.n);
    rc = read_events(&r, &s, err);
    yaml_parser_delete(&r.parser);
    if (rc == 0) {
        *ret = s;
    }
    return rc;
}

const struct yaml_value *yaml_get(const struct yaml_value *map, const char *key)
{
    if (!map || map->kind != YAML_MAP) {
        return NULL;
    }
    for (size_t i = 0; i + 1 < map->n; i += 2) {
        if (strcmp(map->items[i]->text, key) == 0) {
            return yaml_is_null(map->items[i + 1]) ? NULL : map->items[i + 1];
        }
    }
    return NULL;
}

const struct yaml_value *yaml_path(const struct yaml_value *map, ...)
{
    const char *key;
    va_list ap;

    va_start(ap, map);
    while (map && (key = va_arg(ap, const char *))) {
        map = yaml_get(map, key);
    }
    va_end(ap);
    return map;
}

bool yaml_is_null(const struct yaml_value *v)
{
    return v->kind == YAML_TEXT && v->plain &&
           (v->n == 0 || strcmp(v->text, "~") == 0 || strcmp(v->text, "null") == 0);
}

static bool is_bool(const struct yaml_value *v)
{
    return v->plain && (strcmp(v->text, "true") == 0 || strcmp(v->text, "false") == 0);
}

static bool is_number(const struct yaml_value *v)
{
    const char *s = v->text + (v->text[0] == '-' || v->text[0] == '+' ? 1 : 0);
    char *end;

    if (!v->plain || (!(s[0] >= '0' && s[0] <= '9') && s[0] != '.')) {
        return false;
    }
    strtod(s, &end);
    return *end == '\0' && end != s;
}

bool yaml_is_string(const struct yaml_value *v)
{
    return v->kind == YAML_TEXT && !yaml_is_null(v) && !is_bool(v) && !is_number(v);
}

const char *yaml_string(const struct yaml_value *v)
{
    return v && yaml_is_string(v) ? v->text : NULL;
}

const char *yaml_kind_name(const struct yaml_value *v)
{
    switch ((enum yaml_kind)v->kind) {
    case YAML_LIST:
        return "a list";
    case YAML_MAP:
        return "a map";
    case YAML_TEXT:
        break;
    }
    if (yaml_is_null(v)) {
        return "nothing";
    }
    return is_bool(v) ? "true or false" : is_number(v) ? "a number" : "a text";
}
