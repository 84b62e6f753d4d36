#include "resolver/proc/pin.h"

#include <errno.h>

#include "cri/base/cleanup.h"
#include "resolver/proc/procfs.h"

static int read_stat(int stat_fd, struct buf *b, struct stat_line *ret)
{
    int rc = procfs_read_again(stat_fd, b);

    if (rc == 0 && !stat_parse((struct str){b->p, b->n}, ret)) {
        rc = -EBADMSG;
    }
    return rc;
}

int procfs_pin(int proc_fd, pid_t pid, struct pin *ret)
{
    AUTO_CLOSE int fd = procfs_open_pid(proc_fd, pid);
    AUTO_CLOSE int stat_fd = fd < 0 ? fd : procfs_open_pinned(fd, "stat");
    CLEANUP(buf_free) struct buf text = {0};
    CLEANUP(buf_free) struct buf cgroup = {0};
    CLEANUP(buf_free) struct buf of_thread = {0};
    struct stat_line before, after;
    int rc = stat_fd < 0 ? stat_fd : read_stat(stat_fd, &text, &before);

    if (rc < 0) {
        return rc;
    }
    rc = procfs_read_pinned(fd, "cgroup", &cgroup);
    if (rc < 0) {
        return rc;
    }
    rc = read_stat(stat_fd, &text, &after);
    if (rc < 0) {
        return rc;
    }
    if (before.start != after.start || before.pid != after.pid) {
        return -EAGAIN;
    }
    if (stat_leader_exited(&after)) {
        rc = procfs_read_live_thread(fd, &text, &of_thread);
        if (rc < 0 && rc != -ESRCH) {
            return rc;
        }
        if (rc > 0) {
            struct buf of_leader = cgroup;

            cgroup = of_thread;
            of_thread = of_leader;
        }
    }
    *ret = (struct pin){.stat = after, .cgroup = cgroup};
    cgroup = (struct buf){0};
    return 0;
}
