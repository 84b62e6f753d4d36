/* Selectors: which pods and containers a caller means. The public part is in podpid.h. */
#ifndef PODPID_SNAPSHOT_SELECTOR_H
#define PODPID_SNAPSHOT_SELECTOR_H

/* Why a glob would not mean what it says to fnmatch(3): an open bracket, a backslash at the end, or
 * no character at all. NULL: the glob is fine. A string constant. */
const char *glob_problem(const char *glob);

#endif
