/* A pidfd: a handle of a process. Unlike a PID it never comes to mean another process. */
#ifndef PODPID_PROC_PIDFD_H
#define PODPID_PROC_PIDFD_H

#include <stdint.h>
#include <sys/types.h>

#include "cri/base/error.h"
#include "resolver/proc/procfs.h"

/* Open a pidfd (close-on-exec) of the process with this PID and this start time (clock ticks since
 * boot). p must be procfs of our own PID namespace. A descriptor or a negative errno, with
 *     ERR_ANSWER  the process has exited, or the PID is another process's
 *     ERR_USAGE   with -ENOSYS: Linux before 5.3 has no pidfd_open(2)
 *     ERR_WRITE, ERR_PROC, ERR_NOMEM  it could not be opened or checked; err_is_shortage() */
int pidfd_open_process(const struct procfs *p, pid_t pid, uint64_t start, struct err *err);

#endif
