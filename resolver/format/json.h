/* Documents written piece by piece: a snapshot is never held in memory as one tree.
 *
 * Values are jansson's. Every function that makes one gives NULL when memory is out, and those that
 * take one take NULL for that, so that only the end needs a check. Text may be any bytes: it is
 * made valid UTF-8 on its way in. */
#ifndef PODPID_FORMAT_JSON_H
#define PODPID_FORMAT_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cri/base/error.h"
#include "resolver/podpid.h"

/* ---- Values ---------------------------------------------------------------------------------- */

json_t *doc_text(const char *s);                       /* NULL text: null */
json_t *doc_number(uint64_t n);                        /* as it is */
json_t *doc_number_or_null(uint64_t n);                /* 0: null */
json_t *doc_time(int64_t epoch_ns);                    /* 0: null; else RFC 3339 UTC */
json_t *doc_texts(const char *const *items, size_t n); /* an array */
json_t *doc_pids(const pid_t *pids, size_t n);

/* Set a member, taking the value. Where value is NULL or the setting fails, *object is freed and
 * becomes NULL. */
void doc_put(json_t **object, const char *key, json_t *value);
void doc_append(json_t **array, json_t *value);
/* As doc_put() under a name that may be any bytes. */
void doc_put_named(json_t **object, const char *name, json_t *value);

/* ---- The writer ------------------------------------------------------------------------------ */

struct doc_writer {
    podpid_write_fn write;
    void *context;
    bool indent;           /* else everything on one line */
    enum err_kind failure; /* ERR_NONE; ERR_NOMEM, ERR_WRITE: the rest is dropped */
    unsigned depth;
    bool empty; /* nothing was written since the last opening bracket */
    size_t held;
    char hold[4096]; /* jansson writes by the token: its bits are gathered here */
};

void doc_writer_init(struct doc_writer *w, podpid_write_fn write, void *context, bool indent);

/* bracket is '{' or '['. key is NULL in an array and for the document itself. */
void doc_open(struct doc_writer *w, const char *key, char bracket);
void doc_close(struct doc_writer *w, char bracket); /* '}' or ']' */
/* Takes the value; NULL: memory was out. */
void doc_value(struct doc_writer *w, const char *key, json_t *value);
/* Ends the document with a newline. 0 or negative errno with ERR_NOMEM or ERR_WRITE. */
int doc_finish(struct doc_writer *w, struct err *err);

#endif
