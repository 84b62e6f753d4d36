/* A snapshot and its parts as JSON, by the schema podpid/v1. Values are as in format/json.h: the
 * caller owns them, and NULL means that memory is out. */
#ifndef PODPID_SNAPSHOT_JSON_H
#define PODPID_SNAPSHOT_JSON_H

#include "resolver/format/json.h"

json_t *doc_node(const struct podpid_node *n);
json_t *doc_runtime(const struct podpid_runtime *r); /* NULL: null */
json_t *doc_pod(const struct podpid_pod *p);         /* with its containers */
json_t *doc_container(const struct podpid_container *c);
/* A container that stands alone: its pod's fields first, prefixed pod_. */
json_t *doc_container_line(const struct podpid_container *c);
json_t *doc_stray(const struct podpid_stray *s);
json_t *doc_foreign(const struct podpid_foreign *f);

/* Write a whole snapshot as one object; key is NULL for the document itself. */
void doc_snapshot(struct doc_writer *w, const char *key, const struct podpid_snapshot *s);
#endif
