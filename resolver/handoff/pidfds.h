/* Pidfds, and room for their descriptors. */
#ifndef PODPID_HANDOFF_PIDFDS_H
#define PODPID_HANDOFF_PIDFDS_H

#include <stddef.h>
#include <sys/resource.h>

#include "cri/base/error.h"
#include "resolver/podpid.h"
#include "resolver/proc/procfs.h"

/* Open a pidfd of the process with this PID and start time (ticks since boot). A close-on-exec
 * descriptor that the caller closes, or a negative errno: ERR_ANSWER (-ESRCH) the process has
 * ended, or another one has its PID by now; ERR_USAGE (-ENOSYS) the kernel has no pidfd_open(2). */
int pidfd_open_process(const struct procfs *p, pid_t pid, uint64_t start, struct err *err);

/* Raise the process's soft limit of descriptors to room for `more` and a reserve, as far as the
 * hard limit allows. *before gets the limit for nofile_restore(). */
void nofile_raise(size_t more, struct rlimit *before);
void nofile_restore(const struct rlimit *before);

#endif
