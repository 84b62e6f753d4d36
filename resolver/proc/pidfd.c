#include "resolver/proc/pidfd.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "resolver/proc/pin.h"

/* Check that the process behind an open pidfd lives and has this start time: then the pidfd is of
 * this process. A PID is not reused while its process lives, so the start time that is read by PID
 * is that of the pidfd's process. 0 or a negative errno, as pidfd_open_process(). */
static int check_identity(const struct procfs *p, pid_t pid, uint64_t start, int fd,
                          struct err *err)
{
    struct pollfd dead = {.fd = fd, .events = POLLIN};
    struct pin pin = {0};
    int rc = procfs_pin(p->fd, pid, &pin);

    buf_free(&pin.cgroup);
    if (rc < 0 && !err_is_gone(rc)) {
        return err_set(err, ERR_PROC, -rc, "process %d cannot be read: %s", (int)pid,
                       strerror(-rc));
    }
    if (rc < 0 || pin.stat.start != start || poll(&dead, 1, 0) != 0) {
        return err_set(err, ERR_ANSWER, ESRCH,
                       "process %d has exited, or its PID is another process's now", (int)pid);
    }
    return 0;
}

int pidfd_open_process(const struct procfs *p, pid_t pid, uint64_t start, struct err *err)
{
    AUTO_CLOSE int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    int rc;

    if (fd < 0 && errno == ENOSYS) {
        err_set(err, ERR_USAGE, ENOSYS, "this kernel has no pidfd_open");
        err_hint(err, "Linux 5.3 or later has it; consumers can check start_time_ticks instead");
        return -ENOSYS;
    }
    /* EINVAL: the process has exited, and its PID is still the id of a process group or session. */
    if (fd < 0 && (errno == ESRCH || errno == EINVAL)) {
        return err_set(err, ERR_ANSWER, ESRCH, "process %d has exited", (int)pid);
    }
    if (fd < 0) {
        return err_set(err, ERR_WRITE, errno, "cannot open a pidfd of process %d: %s", (int)pid,
                       strerror(errno));
    }
    rc = check_identity(p, pid, start, fd, err);
    return rc < 0 ? rc : TAKE_FD(fd);
}
