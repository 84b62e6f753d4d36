#include "resolver/format/json.h"
#include "resolver/snapshot/snapshot.h"

#include <errno.h>
#include <string.h>

#include "resolver/error.h"

enum { INDENT = 2, REAL_PRECISION = 12 };

void doc_writer_init(struct doc_writer *w, podpid_write_fn write, void *context, bool indent)
{
    w->write = write;
    w->context = context;
    w->indent = indent;
    w->failure = ERR_NONE;
    w->depth = 0;
    w->empty = true;
    w->held = 0;
}

static void pass_on(struct doc_writer *w, const char *data, size_t n)
{
    if (w->failure == ERR_NONE && n > 0 && w->write(w->context, data, n) != 0) {
        w->failure = ERR_WRITE;
    }
}

static void flush(struct doc_writer *w)
{
    pass_on(w, w->hold, w->held);
    w->held = 0;
}

static void put(struct doc_writer *w, const char *data, size_t n)
{
    if (n > sizeof(w->hold) - w->held) {
        flush(w);
    }
    if (n > sizeof(w->hold)) {
        pass_on(w, data, n);
    } else if (n > 0) {
        memcpy(w->hold + w->held, data, n);
        w->held += n;
    }
}

static void new_line(struct doc_writer *w)
{
    static const char spaces[] = "                                ";
    size_t n = (size_t)w->depth * INDENT;

    put(w, "\n", 1);
    while (n > 0) {
        size_t some = n < sizeof(spaces) - 1 ? n : sizeof(spaces) - 1;

        put(w, spaces, some);
        n -= some;
    }
}

/* jansson indents from the left margin: every line it begins is moved to our depth. A newline in
 * its output is always one of its own, those in strings are escaped. */
static int put_dumped(const char *data, size_t n, void *context)
{
    struct doc_writer *w = context;

    for (;;) {
        const char *end = n ? memchr(data, '\n', n) : NULL;
        size_t some = end ? (size_t)(end - data) : n;

        put(w, data, some);
        if (!end) {
            return w->failure == ERR_NONE ? 0 : -1;
        }
        new_line(w);
        data += some + 1;
        n -= some + 1;
    }
}

static void dump(struct doc_writer *w, const json_t *value)
{
    size_t flags = JSON_ENCODE_ANY | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(REAL_PRECISION);

    flags |= w->indent ? JSON_INDENT(INDENT) : 0;
    if (w->failure != ERR_NONE) {
        return;
    }
    if (json_dump_callback(value, put_dumped, w, flags) < 0 && w->failure == ERR_NONE) {
        w->failure = ERR_NOMEM;
    }
}

/* What stands before a member: the comma, the line, the key. Keys are plain words of the schema. */
static void begin_member(struct doc_writer *w, const char *key)
{
    if (!w->empty) {
        put(w, w->indent ? "," : ", ", w->indent ? 1 : 2);
    }
    if (w->indent && w->depth > 0) {
        new_line(w);
    }
    w->empty = false;
    if (key) {
        put(w, "\"", 1);
        put(w, key, strlen(key));
        put(w, "\": ", 3);
    }
}

void doc_open(struct doc_writer *w, const char *key, char bracket)
{
    begin_member(w, key);
    put(w, &bracket, 1);
    w->depth++;
    w->empty = true;
}

void doc_close(struct doc_writer *w, char bracket)
{
    w->depth--;
    if (w->indent && !w->empty) {
        new_line(w);
    }
    put(w, &bracket, 1);
    w->empty = false;
}

void doc_value(struct doc_writer *w, const char *key, json_t *value)
{
    begin_member(w, key);
    if (!value && w->failure == ERR_NONE) {
        w->failure = ERR_NOMEM;
    }
    dump(w, value);
    json_decref(value);
}

static double milliseconds(int64_t ns)
{
    return (double)(ns / 100000) / 10;
}

void doc_snapshot(struct doc_writer *w, const char *key, const struct podpid_snapshot *s)
{
    size_t n, n_warnings;
    const struct podpid_pod *const *pods = podpid_snapshot_pods(s, &n);
    const struct podpid_stray *const *strays;
    const struct podpid_foreign *const *foreign;
    const char *const *warnings = podpid_snapshot_warnings(s, &n_warnings);

    doc_open(w, key, '{');
    doc_value(w, "schema", doc_text("podpid/v1"));
    doc_value(w, "taken_at", doc_time(podpid_snapshot_taken_at(s)));
    doc_value(w, "took_ms", json_real(milliseconds(podpid_snapshot_took(s))));
    doc_value(w, "complete", json_boolean(podpid_snapshot_complete(s)));
    if (s->generation) {
        doc_value(w, "generation", doc_number(s->generation));
    }
    doc_value(w, "node", doc_node(podpid_snapshot_node(s)));
    doc_value(w, "runtime", doc_runtime(podpid_snapshot_runtime(s)));
    doc_open(w, "pods", '[');
    for (size_t i = 0; i < n && w->failure == ERR_NONE; i++) {
        doc_value(w, NULL, doc_pod(pods[i]));
    }
    doc_close(w, ']');
    strays = podpid_snapshot_strays(s, &n);
    doc_open(w, "strays", '[');
    for (size_t i = 0; i < n && w->failure == ERR_NONE; i++) {
        doc_value(w, NULL, doc_stray(strays[i]));
    }
    doc_close(w, ']');
    foreign = podpid_snapshot_foreign(s, &n);
    doc_open(w, "foreign", '[');
    for (size_t i = 0; i < n && w->failure == ERR_NONE; i++) {
        doc_value(w, NULL, doc_foreign(foreign[i]));
    }
    doc_close(w, ']');
    doc_value(w, "warnings", doc_texts(warnings, n_warnings));
    doc_close(w, '}');
}

int doc_finish(struct doc_writer *w, struct err *err)
{
    put(w, "\n", 1);
    flush(w);
    switch (w->failure) {
    case ERR_NONE:
        return 0;
    case ERR_NOMEM:
        return err_nomem(err);
    default:
        return err_set(err, ERR_WRITE, EIO, "the document could not be written");
    }
}

static int write_lines(const struct podpid_snapshot *s, podpid_write_fn write, void *context,
                       struct err *err)
{
    size_t n;
    const struct podpid_pod *const *pods = podpid_snapshot_pods(s, &n);

    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < pods[i]->n_containers; k++) {
            struct doc_writer w;
            int rc;

            doc_writer_init(&w, write, context, false);
            doc_value(&w, NULL, doc_container_line(pods[i]->containers[k]));
            rc = doc_finish(&w, err);
            if (rc < 0) {
                return rc;
            }
        }
    }
    return 0;
}

int podpid_snapshot_to_json(const struct podpid_snapshot *s, enum podpid_json_style style,
                            podpid_write_fn write, void *context, struct podpid_error *error)
{
    struct doc_writer w;
    struct err err = {0};
    int rc;

    if (style == PODPID_JSON_LINES) {
        rc = write_lines(s, write, context, &err);
    } else {
        doc_writer_init(&w, write, context, style == PODPID_JSON_DOCUMENT);
        doc_snapshot(&w, NULL, s);
        rc = doc_finish(&w, &err);
    }
    return rc < 0 ? error_publish(&err, error) : PODPID_OK;
}
