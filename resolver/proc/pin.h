/* One process, held by a descriptor of its directory in /proc: what is read through it is of that
 * process, even if its PID is given to another meanwhile. */
#ifndef PODPID_PROC_PIN_H
#define PODPID_PROC_PIN_H

#include <sys/types.h>

#include "cri/base/text.h"
#include "resolver/proc/stat.h"

struct pin {
    struct stat_line stat; /* as it was read after the cgroup */
    struct buf cgroup;     /* owned: buf_free(). Of a live thread where the leader has exited */
};

/* Read stat, cgroup and stat again through one descriptor of <pid>. *ret is set on success only.
 * 0, or a negative errno: -ESRCH the process has exited, -EAGAIN the start time changed in between
 * (only in a folder of files), -EBADMSG a stat that cannot be parsed, another that
 * err_is_shortage(), or why the files may not be read. */
int procfs_pin(int proc_fd, pid_t pid, struct pin *ret);

#endif
