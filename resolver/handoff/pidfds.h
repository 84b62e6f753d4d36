/* A pidfd of a process: a handle that cannot be recycled. */
#ifndef PODPID_HANDOFF_PIDFDS_H
#define PODPID_HANDOFF_PIDFDS_H

#include <stddef.h>
#include <sys/resource.h>

#include "cri/base/error.h"
#include "resolver/podpid.h"
#include "resolver/proc/procfs.h"

/* A pidfd (close-on-exec) of the process that has this PID and started then: a descriptor, or a
 * negative errno. ERR_ANSWER: it is gone, or another one by now. ERR_USAGE with -ENOSYS: this
 * kernel has none. */
int pidfd_open_process(const struct procfs *p, pid_t pid, uint64_t start, struct err *err);

/* Raise the soft limit of descriptors for that many more, as far as the hard one allows; *before is
 * what to restore. */
void nofile_raise(size_t more, struct rlimit *before);
void nofile_restore(const struct rlimit *before);

#endif
