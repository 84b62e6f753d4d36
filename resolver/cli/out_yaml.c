/* -o yaml: the same document as -o json. */
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "resolver/cli/format.h"

/* The JSON document, which append() collects. */
struct text {
    char *p;
    size_t n, cap;
};

static int append(void *context, const char *data, size_t n)
{
    struct text *t = context;

    if (n > t->cap - t->n) {
        size_t cap = (t->cap + n) * 2;
        char *p = realloc(t->p, cap);

        if (!p) {
            return -1;
        }
        t->p = p;
        t->cap = cap;
    }
    memcpy(t->p + t->n, data, n);
    t->n += n;
    return 0;
}

static bool emit_value(yaml_emitter_t *e, const json_t *value);

/* Emit an event that was initialised (made: with success); takes ownership of it. */
static bool emit(yaml_emitter_t *e, int made, yaml_event_t *event)
{
    return made && yaml_emitter_emit(e, event);
}

/* Whether a YAML reader could take the plain word for something else than a string. Errs on the
 * safe side: only words that begin with a letter or '/' are printed without quotes. */
static bool needs_quotes(const char *s)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on",
                                        "off",  "null",  "y",   "n"};

    if (!isalpha((unsigned char)s[0]) && s[0] != '/') {
        return true;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(s, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool emit_scalar(yaml_emitter_t *e, const char *text, size_t n, bool quoted)
{
    yaml_event_t event;

    return emit(e,
                yaml_scalar_event_initialize(
                    &event, NULL, NULL, (const yaml_char_t *)text, (int)n, 1, 1,
                    quoted ? YAML_DOUBLE_QUOTED_SCALAR_STYLE : YAML_PLAIN_SCALAR_STYLE),
                &event);
}

static bool emit_text(yaml_emitter_t *e, const char *text, size_t n)
{
    return emit_scalar(e, text, n, needs_quotes(text));
}

static bool emit_object(yaml_emitter_t *e, json_t *object)
{
    yaml_event_t event;
    const char *key;
    json_t *value;

    if (!emit(e,
              yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE),
              &event)) {
        return false;
    }
    json_object_foreach(object, key, value)
    {
        if (!emit_text(e, key, strlen(key)) || !emit_value(e, value)) {
            return false;
        }
    }
    return emit(e, yaml_mapping_end_event_initialize(&event), &event);
}

static bool emit_array(yaml_emitter_t *e, const json_t *array)
{
    yaml_event_t event;
    size_t i;
    json_t *value;

    if (!emit(
            e,
            yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE),
            &event)) {
        return false;
    }
    json_array_foreach(array, i, value)
    {
        if (!emit_value(e, value)) {
            return false;
        }
    }
    return emit(e, yaml_sequence_end_event_initialize(&event), &event);
}

static bool emit_value(yaml_emitter_t *e, const json_t *value)
{
    char number[64];

    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return emit_object(e, (json_t *)(uintptr_t)value);
    case JSON_ARRAY:
        return emit_array(e, value);
    case JSON_STRING:
        return emit_text(e, json_string_value(value), json_string_length(value));
    case JSON_INTEGER:
        snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return emit_scalar(e, number, strlen(number), false);
    case JSON_REAL:
        snprintf(number, sizeof(number), "%.1f", json_real_value(value));
        return emit_scalar(e, number, strlen(number), false);
    case JSON_TRUE:
        return emit_scalar(e, "true", 4, false);
    case JSON_FALSE:
        return emit_scalar(e, "false", 5, false);
    case JSON_NULL:
        break;
    }
    return emit_scalar(e, "null", 4, false);
}

static bool emit_document(yaml_emitter_t *e, const json_t *doc)
{
    yaml_event_t event;

    return emit(e, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING), &event) &&
           emit(e, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1), &event) &&
           emit_value(e, doc) && emit(e, yaml_document_end_event_initialize(&event, 1), &event) &&
           emit(e, yaml_stream_end_event_initialize(&event), &event);
}

static int print_document(const json_t *doc)
{
    yaml_emitter_t e;
    bool ok;

    if (!yaml_emitter_initialize(&e)) {
        return cli_nomem();
    }
    yaml_emitter_set_output_file(&e, stdout);
    yaml_emitter_set_width(&e, -1);
    ok = emit_document(&e, doc);
    yaml_emitter_delete(&e);
    return ok || ferror(stdout) ? CLI_OK : cli_nomem();
}

int out_yaml(const struct cli *cli, const struct podpid_snapshot *s)
{
    struct podpid_error error = PODPID_ERROR_INIT;
    struct text text = {0};
    json_t *doc;
    int status;

    (void)cli;
    if (podpid_snapshot_to_json(s, PODPID_JSON_COMPACT, append, &text, &error) < 0) {
        free(text.p);
        return error.code == PODPID_ERR_WRITE ? cli_nomem() : cli_fail(&error);
    }
    doc = json_loadb(text.p, text.n, 0, NULL);
    free(text.p);
    if (!doc) {
        return cli_nomem();
    }
    status = print_document(doc);
    json_decref(doc);
    return status;
}
