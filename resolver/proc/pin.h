/* Stat and cgroup of one process, read through a descriptor of its directory in /proc: both are of
 * the same process, even if its PID is reused meanwhile. */
#ifndef PODPID_PROC_PIN_H
#define PODPID_PROC_PIN_H

#include <sys/types.h>

#include "cri/base/text.h"
#include "resolver/proc/stat.h"

struct pin {
    struct stat_line stat; /* read after the cgroup */
    struct buf cgroup;     /* the caller's to buf_free(); that of a live thread if the leader has
                              exited */
};

/* Read stat, cgroup and stat again through one descriptor of <pid>. *ret is set on success only.
 * 0, or a negative errno: -ESRCH the process has exited, -EAGAIN the start time changed in between
 * (only in a folder of files), -EBADMSG a stat that cannot be parsed, an errno that
 * err_is_shortage(), or that of opening or reading a file. */
int procfs_pin(int proc_fd, pid_t pid, struct pin *ret);

#endif
