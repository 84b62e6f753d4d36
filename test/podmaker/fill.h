/* Many pods at once: a node that looks like somebody's. */
#ifndef PODPID_TEST_PODMAKER_FILL_H
#define PODPID_TEST_PODMAKER_FILL_H

#include "test/podmaker/maker.h"

/* o->pods pods of o->containers containers each, by o->jobs workers, each on its own connection: a
 * runtime spends most of the time waiting. Prints each container. 0 or 1. */
int fill(const struct maker *m, const struct options *o, const char *socket_path);

#endif
