/* A podpid/v1 document as short lines, to be compared with expected lines written by hand.
 * test/scenarios/README.md describes the lines. */
#ifndef PODPID_TEST_REPORT_H
#define PODPID_TEST_REPORT_H

#include <jansson.h>

#include "test/support/scenario.h"

/* Append to ret what no document may say, whatever it describes: a PID of a container that is not
 * verified, a process in two containers, ... */
void report_check(const json_t *document, struct buf *ret);

/* Append to ret the differences between the document and the expected lines, one a line. */
void report_compare(const json_t *document, struct str expected, struct scenario *s,
                    struct buf *ret);

#endif
