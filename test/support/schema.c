#include "test/support/schema.h"

#include <regex.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES = 4, DEPTH = 64 };

struct schema {
    char *folder;
    struct file {
        char *name;
        json_t *root;
    } files[FILES]; /* the first is the schema itself, others are those it refers to */
    size_t n_files;
};

/* Where we are, for the reason. */
struct place {
    struct schema *schema;
    const struct file *file; /* of the rules at hand */
    char path[512];
    char *why;
    size_t size;
    unsigned depth;
};

static bool holds(struct place *at, const json_t *rules, const json_t *doc);

static bool no(const struct place *at, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool no(const struct place *at, const char *fmt, ...)
{
    va_list ap;
    int n = snprintf(at->why, at->size, "%s: ", at->path[0] ? at->path : "the document");

    if (n > 0 && (size_t)n < at->size) {
        va_start(ap, fmt);
        vsnprintf(at->why + n, at->size - (size_t)n, fmt, ap);
        va_end(ap);
    }
    return false;
}

static const struct file *open_file(struct schema *s, const char *name)
{
    char path[1024];
    json_error_t error;
    struct file *f = &s->files[s->n_files];

    for (size_t i = 0; i < s->n_files; i++) {
        if (strcmp(s->files[i].name, name) == 0) {
            return &s->files[i];
        }
    }
    snprintf(path, sizeof(path), "%s/%s", s->folder, name);
    if (s->n_files == FILES) {
        return NULL;
    }
    f->root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!f->root) {
        fprintf(stderr, "%s:%d: %s\n", path, error.line, error.text);
        return NULL;
    }
    f->name = strdup(name);
    s->n_files++;
    return f;
}

struct schema *schema_open(const char *path)
{
    struct schema *s = calloc(1, sizeof(*s));
    const char *slash = strrchr(path, '/');

    if (!s) {
        return NULL;
    }
    s->folder = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
    if (!open_file(s, slash ? slash + 1 : path)) {
        schema_close(s);
        return NULL;
    }
    return s;
}

void schema_close(struct schema *s)
{
    if (!s) {
        return;
    }
    for (size_t i = 0; i < s->n_files; i++) {
        free(s->files[i].name);
        json_decref(s->files[i].root);
    }
    free(s->folder);
    free(s);
}

static bool is_type(const json_t *doc, const char *type)
{
    static const struct {
        const char *name;
        json_type type;
    } types[] = {{"object", JSON_OBJECT},   {"array", JSON_ARRAY},  {"string", JSON_STRING},
                 {"integer", JSON_INTEGER}, {"null", JSON_NULL},    {"number", JSON_REAL},
                 {"number", JSON_INTEGER},  {"boolean", JSON_TRUE}, {"boolean", JSON_FALSE}};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i].name, type) == 0 && json_typeof(doc) == types[i].type) {
            return true;
        }
    }
    return false;
}

static bool type_holds(struct place *at, const json_t *type, const json_t *doc)
{
    size_t i;
    json_t *one;

    if (json_is_string(type)) {
        return is_type(doc, json_string_value(type)) || no(at, "is no %s", json_string_value(type));
    }
    json_array_foreach(type, i, one)
    {
        if (is_type(doc, json_string_value(one))) {
            return true;
        }
    }
    return no(at, "has none of the allowed types");
}

static bool enum_holds(struct place *at, const json_t *values, const json_t *doc)
{
    size_t i;
    json_t *one;

    json_array_foreach(values, i, one)
    {
        if (json_equal(one, doc)) {
            return true;
        }
    }
    return no(at, "is none of the allowed values");
}

static bool pattern_holds(struct place *at, const char *pattern, const json_t *doc)
{
    regex_t re;
    int rc;

    if (!json_is_string(doc)) {
        return true;
    }
    if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0) {
        return no(at, "the schema's pattern %s cannot be compiled", pattern);
    }
    rc = regexec(&re, json_string_value(doc), 0, NULL, 0);
    regfree(&re);
    return rc == 0 || no(at, "'%.80s' does not match %s", json_string_value(doc), pattern);
}

/* rules for the member of that name or number. */
static bool inside(struct place *at, const char *name, const json_t *rules, const json_t *doc)
{
    size_t n = strlen(at->path);
    bool ok;

    snprintf(at->path + n, sizeof(at->path) - n, "/%.100s", name);
    ok = holds(at, rules, doc);
    at->path[n] = '\0';
    return ok;
}

static bool items_hold(struct place *at, const json_t *rules, const json_t *doc)
{
    size_t i;
    json_t *item;

    json_array_foreach(doc, i, item)
    {
        char name[24];

        snprintf(name, sizeof(name), "%zu", i);
        if (!inside(at, name, rules, item)) {
            return false;
        }
    }
    return true;
}

static bool required_hold(struct place *at, const json_t *names, const json_t *doc)
{
    size_t i;
    json_t *name;

    json_array_foreach(names, i, name)
    {
        if (json_is_object(doc) && !json_object_get(doc, json_string_value(name))) {
            return no(at, "lacks %s", json_string_value(name));
        }
    }
    return true;
}

static bool members_hold(struct place *at, const json_t *rules, const json_t *doc)
{
    const json_t *properties = json_object_get(rules, "properties");
    const json_t *additional = json_object_get(rules, "additionalProperties");
    const char *name;
    json_t *member;

    if (!json_is_object(doc) || (!properties && !additional)) {
        return true;
    }
    json_object_foreach((json_t *)(uintptr_t)doc, name, member)
    {
        const json_t *its = properties ? json_object_get(properties, name) : NULL;

        its = its ? its : additional;
        if (!its || json_is_false(its)) {
            return no(at, "has a member '%.80s' that the schema does not know", name);
        }
        if (json_is_object(its) && !inside(at, name, its, member)) {
            return false;
        }
    }
    return true;
}

/* "#/$defs/x" or "file.json#/$defs/x" or "file.json". */
static bool ref_holds(struct place *at, const char *ref, const json_t *doc)
{
    const struct file *before = at->file;
    const char *hash = strchr(ref, '#');
    const json_t *rules;
    char name[128];
    bool ok;

    snprintf(name, sizeof(name), "%.*s", (int)(hash ? hash - ref : (long)strlen(ref)), ref);
    if (name[0]) {
        at->file = open_file(at->schema, name);
    }
    if (!at->file) {
        at->file = before;
        return no(at, "the schema refers to %s, which cannot be read", ref);
    }
    rules = at->file->root;
    for (const char *p = hash ? hash + 1 : ""; *p == '/' && rules;) {
        size_t n = strcspn(++p, "/");

        snprintf(name, sizeof(name), "%.*s", (int)n, p);
        rules = json_object_get(rules, name);
        p += n;
    }
    ok = rules ? holds(at, rules, doc) : no(at, "the schema refers to %s, which is not there", ref);
    at->file = before;
    return ok;
}

/* How many of the rules hold; the reason is that of the last that does not. */
static unsigned count_holding(struct place *at, const json_t *rules, const json_t *doc)
{
    unsigned n = 0;
    size_t i;
    json_t *one;

    json_array_foreach(rules, i, one)
    {
        n += holds(at, one, doc);
    }
    return n;
}

static bool keyword_holds(struct place *at, const char *word, const json_t *value,
                          const json_t *doc)
{
    static const char *const annotations[] = {
        "$schema",     "$id",      "$defs",      "title",
        "description", "examples", "properties", "additionalProperties"};

    if (strcmp(word, "type") == 0) {
        return type_holds(at, value, doc);
    }
    if (strcmp(word, "enum") == 0) {
        return enum_holds(at, value, doc);
    }
    if (strcmp(word, "const") == 0) {
        return json_equal(value, doc) || no(at, "is not the one allowed value");
    }
    if (strcmp(word, "pattern") == 0) {
        return pattern_holds(at, json_string_value(value), doc);
    }
    if (strcmp(word, "minimum") == 0) {
        return !json_is_number(doc) || json_number_value(doc) >= json_number_value(value) ||
               no(at, "%g is too small", json_number_value(doc));
    }
    if (strcmp(word, "items") == 0) {
        return !json_is_array(doc) || items_hold(at, value, doc);
    }
    if (strcmp(word, "required") == 0) {
        return required_hold(at, value, doc);
    }
    if (strcmp(word, "$ref") == 0) {
        return ref_holds(at, json_string_value(value), doc);
    }
    if (strcmp(word, "anyOf") == 0) {
        return count_holding(at, value, doc) > 0;
    }
    if (strcmp(word, "oneOf") == 0) {
        unsigned n = count_holding(at, value, doc);

        return n == 1 || (n > 1 ? no(at, "several of oneOf hold") : false);
    }
    for (size_t i = 0; i < sizeof(annotations) / sizeof(annotations[0]); i++) {
        if (strcmp(word, annotations[i]) == 0) {
            return true;
        }
    }
    return no(at, "the schema has a keyword '%s' that is not understood here", word);
}

static bool holds(struct place *at, const json_t *rules, const json_t *doc)
{
    const char *word;
    json_t *value;

    if (at->depth == DEPTH) {
        return no(at, "too deep");
    }
    at->depth++;
    json_object_foreach((json_t *)(uintptr_t)rules, word, value)
    {
        if (!keyword_holds(at, word, value, doc)) {
            at->depth--;
            return false;
        }
    }
    at->depth--;
    return members_hold(at, rules, doc);
}

bool schema_holds(const struct schema *s, const json_t *doc, char *why, size_t size)
{
    struct schema *own = (struct schema *)(uintptr_t)s; /* files it refers to are read on the way */
    struct place at = {.schema = own, .file = &s->files[0], .why = why, .size = size};

    return holds(&at, s->files[0].root, doc);
}

static bool one_holds(const struct schema *s, const char *text, size_t n, char *why, size_t size)
{
    json_error_t error;
    json_t *doc = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
    bool ok;

    if (!doc) {
        snprintf(why, size, "no JSON: line %d column %d: %s", error.line, error.column, error.text);
        return false;
    }
    ok = schema_holds(s, doc, why, size);
    json_decref(doc);
    return ok;
}

bool schema_holds_text(const struct schema *s, const char *text, size_t n, bool lines, char *why,
                       size_t size)
{
    if (!lines) {
        return one_holds(s, text, n, why, size);
    }
    while (n > 0) {
        const char *end = memchr(text, '\n', n);
        size_t len = end ? (size_t)(end - text) : n;

        if (!one_holds(s, text, len, why, size)) {
            return false;
        }
        len += end ? 1 : 0;
        text += len;
        n -= len;
    }
    return true;
}
