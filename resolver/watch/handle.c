/* A process and its pidfd, which is readable once the process has ended. */
#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

#include "resolver/proc/pidfd.h"
#include "resolver/watch/impl.h"

/* Descriptors that pidfds leave free below RLIMIT_NOFILE. A look needs some: a connection, the
 * directories and files of /proc, of which it holds only a few at a time. */
enum { SPARE_FDS = 64 };

void handle_close(struct podpid_watch *w, struct handle *h)
{
    if (h->fd >= 0) {
        epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, h->fd, NULL);
        close(h->fd);
        h->fd = -1;
    }
}

/* New descriptors get the lowest free number, so the number of fd tells how many are in use. */
static bool leaves_room(int fd)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_NOFILE, &limit) < 0 || (rlim_t)fd + SPARE_FDS < limit.rlim_cur;
}

bool handle_has_no_room(int rc)
{
    /* ENOSPC: fs.epoll.max_user_watches is used up. */
    return err_is_shortage(rc) || rc == -ENOSPC || rc == -ENOSYS;
}

int handle_follow(struct podpid_watch *w, struct handle *h, pid_t pid, uint64_t start)
{
    struct err err = {0};
    int rc;

    if (h->fd >= 0 && h->pid == pid && h->start == start) {
        return 0;
    }
    handle_close(w, h);
    if (!w->procfs.own_pidns || pid == 0) {
        return 0;
    }
    rc = pidfd_open_process(&w->procfs, pid, start, &err);
    if (rc < 0) {
        return err.kind == ERR_ANSWER ? -ESRCH : rc;
    }
    h->fd = rc;
    h->pid = pid;
    h->start = start;
    rc = leaves_room(h->fd) ? watch_listen(w, h->fd, (uint64_t)(uintptr_t)h) : -EMFILE;
    if (rc < 0) {
        handle_close(w, h);
    }
    return rc;
}
