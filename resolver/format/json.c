#include "resolver/format/json.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "cri/base/text.h"

/* ---- Values ---------------------------------------------------------------------------------- */

json_t *doc_text(const char *s)
{
    struct buf clean = {0};
    json_t *v;
    size_t n;

    if (!s) {
        return json_null();
    }
    n = strlen(s);
    if (text_is_utf8(s, n)) {
        return json_stringn_nocheck(s, n);
    }
    buf_put_utf8(&clean, s, n);
    v = clean.failed ? NULL : json_stringn_nocheck(clean.p, clean.n);
    buf_free(&clean);
    return v;
}

json_t *doc_number(uint64_t n)
{
    /* jansson's integers are signed. */
    return json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n);
}

json_t *doc_number_or_null(uint64_t n)
{
    return n ? doc_number(n) : json_null();
}

json_t *doc_time(int64_t epoch_ns)
{
    char text[40]; /* enough for text_time() */

    if (epoch_ns == 0) {
        return json_null();
    }
    text_time(epoch_ns, text, sizeof(text));
    return json_string(text);
}

void doc_put(json_t **object, const char *key, json_t *value)
{
    if (!*object) {
        json_decref(value);
    } else if (json_object_set_new_nocheck(*object, key, value) < 0) {
        json_decref(*object);
        *object = NULL;
    }
}

void doc_append(json_t **array, json_t *value)
{
    if (!*array) {
        json_decref(value);
    } else if (json_array_append_new(*array, value) < 0) {
        json_decref(*array);
        *array = NULL;
    }
}

json_t *doc_texts(const char *const *items, size_t n)
{
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++) {
        doc_append(&array, doc_text(items[i]));
    }
    return array;
}

json_t *doc_pids(const pid_t *pids, size_t n)
{
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++) {
        doc_append(&array, json_integer(pids[i]));
    }
    return array;
}

void doc_put_named(json_t **object, const char *name, json_t *value)
{
    struct buf key = {0};

    buf_puts(&key, ""); /* so that an empty name is a text too */
    buf_put_utf8(&key, name, strlen(name));
    if (key.failed) {
        json_decref(value);
        json_decref(*object);
        *object = NULL;
    } else {
        doc_put(object, key.p, value);
    }
    buf_free(&key);
}

/* ---- The writer ------------------------------------------------------------------------------ */

enum {
    INDENT = 2,         /* spaces a level */
    REAL_PRECISION = 12 /* significant digits; 17 would print 0.1 as 0.10000000000000001 */
};

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

/* Hand text to the caller's function, unless the document has failed. */
static void write_now(struct doc_writer *w, const char *data, size_t n)
{
    if (w->failure == ERR_NONE && n > 0 && w->write(w->context, data, n) != 0) {
        w->failure = ERR_WRITE;
    }
}

static void flush(struct doc_writer *w)
{
    write_now(w, w->hold, w->held);
    w->held = 0;
}

/* Write text by way of the hold. */
static void write_held(struct doc_writer *w, const char *data, size_t n)
{
    if (n > sizeof(w->hold) - w->held) {
        flush(w);
    }
    if (n > sizeof(w->hold)) {
        write_now(w, data, n);
    } else if (n > 0) {
        memcpy(w->hold + w->held, data, n);
        w->held += n;
    }
}

static void new_line(struct doc_writer *w)
{
    static const char spaces[] = "                                ";
    size_t n = (size_t)w->depth * INDENT;

    write_held(w, "\n", 1);
    while (n > 0) {
        size_t some = n < sizeof(spaces) - 1 ? n : sizeof(spaces) - 1;

        write_held(w, spaces, some);
        n -= some;
    }
}

/* Called by jansson with pieces of a value's text. jansson indents from the left margin, so each
 * line that it begins is moved to our depth. Its text has no other newlines: those in strings are
 * escaped. */
static int write_dumped(const char *data, size_t n, void *context)
{
    struct doc_writer *w = context;

    for (;;) {
        const char *end = n ? memchr(data, '\n', n) : NULL;
        size_t some = end ? (size_t)(end - data) : n;

        write_held(w, data, some);
        if (!end) {
            return w->failure == ERR_NONE ? 0 : -1;
        }
        new_line(w);
        data += some + 1;
        n -= some + 1;
    }
}

static void write_value(struct doc_writer *w, const json_t *value)
{
    size_t flags = JSON_ENCODE_ANY | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(REAL_PRECISION);

    flags |= w->indent ? JSON_INDENT(INDENT) : 0;
    if (w->failure != ERR_NONE) {
        return;
    }
    if (json_dump_callback(value, write_dumped, w, flags) < 0 && w->failure == ERR_NONE) {
        w->failure = ERR_NOMEM;
    }
}

/* Write what stands before a member: comma, line break, key. */
static void begin_member(struct doc_writer *w, const char *key)
{
    if (!w->empty) {
        write_held(w, w->indent ? "," : ", ", w->indent ? 1 : 2);
    }
    if (w->indent && w->depth > 0) {
        new_line(w);
    }
    w->empty = false;
    if (key) {
        write_held(w, "\"", 1);
        write_held(w, key, strlen(key));
        write_held(w, "\": ", 3);
    }
}

void doc_open(struct doc_writer *w, const char *key, char bracket)
{
    begin_member(w, key);
    write_held(w, &bracket, 1);
    w->depth++;
    w->empty = true;
}

void doc_close(struct doc_writer *w, char bracket)
{
    w->depth--;
    if (w->indent && !w->empty) {
        new_line(w);
    }
    write_held(w, &bracket, 1);
    w->empty = false;
}

void doc_value(struct doc_writer *w, const char *key, json_t *value)
{
    begin_member(w, key);
    if (!value && w->failure == ERR_NONE) {
        w->failure = ERR_NOMEM;
    }
    write_value(w, value);
    json_decref(value);
}

int doc_finish(struct doc_writer *w, struct err *err)
{
    write_held(w, "\n", 1);
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
