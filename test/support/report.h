/* A podpid/v1 document as short lines, to be held against lines that somebody wrote by hand.
 * test/scenarios/README.md has the format. */
#ifndef PODPID_TEST_REPORT_H
#define PODPID_TEST_REPORT_H

#include <jansson.h>

#include "test/support/scenario.h"

/* What is wrong with the document whatever it describes: a PID that is not verified, a process in
 * two containers, ... ret is empty where it holds together. */
void report_check(const json_t *document, struct buf *ret);

/* Differences between the document and the expected lines, one a line, into ret; empty: none. */
void report_compare(const json_t *document, struct str expected, struct scenario *s,
                    struct buf *ret);

#endif
