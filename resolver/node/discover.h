/* Which endpoint to speak to, and why: the sources in the order of the manual, first that is set.
 */
#ifndef PODPID_NODE_DISCOVER_H
#define PODPID_NODE_DISCOVER_H

#include "cri/base/arena.h"
#include "cri/endpoint.h"
#include "resolver/podpid.h"
#include "resolver/proc/procfs.h"

struct discovered {
    struct endpoint endpoint;
    const char *chosen_by;     /* in words, for the report */
    struct endpoint others[8]; /* where a well-known socket was chosen: the others that exist, in
                                  order; asked for pods, for the warning */
    unsigned n_others;
    const char *const *warnings; /* crictl.yaml and kubelet differ, two kubelets differ, a kubelet
                                    that did not count */
    size_t n_warnings;
};

/* root_fd: where absolute paths of config files and well-known sockets are looked up (AT_FDCWD for
 * the real ones; tests give a folder). ERR_USAGE or ERR_INPUT for explicit ones that make no sense;
 * ERR_RUNTIME where there is nothing to speak to. */
int discover_endpoint(const struct podpid_options *options, const struct procfs *p, int root_fd,
                      struct arena *a, struct discovered *ret, struct err *err);

#endif
