/* Documents held against their JSON Schema. What of JSON Schema the schemas use is understood; any
 * other keyword is a failure, so that none is silently passed over. */
#ifndef PODPID_TEST_SCHEMA_H
#define PODPID_TEST_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct schema;

/* Read a schema; a $ref to "FILE#/..." is read from the same folder. NULL: it cannot be read, which
 * is said on standard error. */
struct schema *schema_open(const char *path);
void schema_close(struct schema *s);

/* Is doc what the schema says? Readers accept members that the schema does not know; writers do
 * not make any: where an object has "properties", no others pass. False with the place and the
 * reason in why. */
bool schema_holds(const struct schema *s, const json_t *doc, char *why, size_t size);

/* The same for text: one document, or with lines one a line. */
bool schema_holds_text(const struct schema *s, const char *text, size_t n, bool lines, char *why,
                       size_t size);

#endif
