/* A pidfd of a container's main process: a handle that cannot be recycled. */
#ifndef PODPID_PIDFDS_H
#define PODPID_PIDFDS_H

#include <stddef.h>
#include <sys/resource.h>

#include "cri/base/error.h"
#include "resolver/podpid.h"
#include "resolver/procfs.h"

/* Open one (close-on-exec) and make sure that it is the process of the row. ERR_ANSWER: it is gone
 * or another one by now. ERR_USAGE with -ENOSYS: this kernel has none. */
int pidfd_open_one(const struct procfs *p, const struct podpid_container *c,
                   struct podpid_pidfd *ret, struct err *err);

/* Raise the soft limit of descriptors for that many more, as far as the hard one allows; *before is
 * what to restore. */
void nofile_raise(size_t more, struct rlimit *before);
void nofile_restore(const struct rlimit *before);

#endif
