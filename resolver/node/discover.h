/* Discovery of the runtime's endpoint: the first of the sources that podpid(1) lists which names
 * one.
 */
#ifndef PODPID_NODE_DISCOVER_H
#define PODPID_NODE_DISCOVER_H

#include "cri/base/arena.h"
#include "cri/endpoint.h"
#include "resolver/podpid.h"
#include "resolver/proc/procfs.h"

struct discovered {
    struct endpoint endpoint;
    const char *chosen_by;     /* the source, in words, for reports */
    struct endpoint others[8]; /* if endpoint is a well-known socket: the other ones that exist, in
                                  their order. The look asks whether they have pods too */
    unsigned n_others;
    const char *const *warnings; /* sources that were left out, or that disagree */
    size_t n_warnings;
};

/* Find the endpoint. root_fd stands for the root in paths of configuration files and well-known
 * sockets that the user did not name (AT_FDCWD: the real root; tests give a folder). Texts of *ret
 * live in a or are the options'. 0, or a negative errno: ERR_USAGE or ERR_INPUT where what the user
 * named makes no sense, ERR_RUNTIME where no source names an endpoint, ERR_PROC where descriptors
 * run out. */
int discover_endpoint(const struct podpid_options *options, const struct procfs *p, int root_fd,
                      struct arena *a, struct discovered *ret, struct err *err);

#endif
