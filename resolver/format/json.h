/* JSON documents, written piece by piece: a snapshot is never held in memory as one tree.
 *
 * Values are jansson's. A function that makes a value returns NULL when memory is out; a function
 * that takes a value also takes NULL and then fails. So a caller checks once, at the end of the
 * value or the document. Text may be any bytes: what is not UTF-8 becomes U+FFFD. */
#ifndef PODPID_FORMAT_JSON_H
#define PODPID_FORMAT_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cri/base/error.h"
#include "resolver/podpid.h"

/* ---- Values ---------------------------------------------------------------------------------- */

/* A new value; the caller's to json_decref() or to pass on. */
json_t *doc_text(const char *s);                       /* a string; NULL gives null */
json_t *doc_number(uint64_t n);                        /* more than INT64_MAX gives INT64_MAX */
json_t *doc_number_or_null(uint64_t n);                /* a number; 0 gives null */
json_t *doc_time(int64_t epoch_ns);                    /* RFC 3339 in UTC; 0 gives null */
json_t *doc_texts(const char *const *items, size_t n); /* an array of strings */
json_t *doc_pids(const pid_t *pids, size_t n);         /* an array of numbers */

/* Set a member of an object, or append to an array; takes ownership of value. If value is NULL or
 * memory is out, *object (*array) is freed and becomes NULL, and further calls only free value. key
 * must be UTF-8. */
void doc_put(json_t **object, const char *key, json_t *value);
void doc_append(json_t **array, json_t *value);

/* As doc_put() for a name of any bytes, such as that of a label. */
void doc_put_named(json_t **object, const char *name, json_t *value);

/* ---- The writer ------------------------------------------------------------------------------ */

struct doc_writer {
    podpid_write_fn write;
    void *context;         /* for write */
    bool indent;           /* one member a line; false: the document on one line */
    enum err_kind failure; /* ERR_NONE so far; ERR_NOMEM or ERR_WRITE: nothing more is written */
    unsigned depth;        /* how many brackets are open */
    bool empty;            /* nothing was written since the last opening bracket */
    size_t held;           /* bytes in hold */
    char hold[4096]; /* gathers output, because jansson writes token by token; 4 KiB a write */
};

/* Start a document whose text goes to write(context, ...). The writer holds nothing to be freed. */
void doc_writer_init(struct doc_writer *w, podpid_write_fn write, void *context, bool indent);

/* Begin an object ('{') or an array ('['). key is its name in the object around it, UTF-8 without
 * characters that need escaping; NULL in an array and for the document itself. */
void doc_open(struct doc_writer *w, const char *key, char bracket);

/* End it: bracket is '}' or ']'. */
void doc_close(struct doc_writer *w, char bracket);

/* Write a value, and take ownership of it; NULL makes the document fail with ERR_NOMEM. key as of
 * doc_open(). */
void doc_value(struct doc_writer *w, const char *key, json_t *value);

/* End the document with a newline. 0, or a negative errno with ERR_NOMEM or ERR_WRITE if anything
 * failed since doc_writer_init(). */
int doc_finish(struct doc_writer *w, struct err *err);

#endif
