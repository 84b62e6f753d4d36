/* Processes that are followed by a pidfd: it is readable once they have ended. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "resolver/handoff/pidfds.h"
#include "resolver/watch/impl.h"

enum { SPARE_FDS = 64 }; /* for looks: what is left where pidfds use up the limit */

void handle_drop(struct podpid_watch *w, struct handle *h)
{
    if (h->fd >= 0) {
        epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, h->fd, NULL);
        close(h->fd);
        h->fd = -1;
    }
}

static bool leaves_room(int fd)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_NOFILE, &limit) < 0 || (rlim_t)fd + SPARE_FDS < limit.rlim_cur;
}

bool handle_is_short(int rc)
{
    /* ENOSPC: of epoll's own limit. */
    return err_is_shortage(rc) || rc == -ENOSPC || rc == -ENOSYS;
}

static int open_handle(struct podpid_watch *w, struct handle *h, pid_t pid, uint64_t start)
{
    struct err err = {0};
    int rc = pidfd_open_process(&w->procfs, pid, start, &err);

    if (rc < 0) {
        return err.kind == ERR_ANSWER ? -ESRCH : rc;
    }
    h->fd = rc;
    h->pid = pid;
    h->start = start;
    rc = leaves_room(h->fd) ? watch_listen_to(w, h->fd, (uint64_t)(uintptr_t)h) : -EMFILE;
    if (rc < 0) {
        handle_drop(w, h);
    }
    return rc;
}

int handle_follow(struct podpid_watch *w, struct handle *h, pid_t pid, uint64_t start)
{
    int rc;

    if (h->fd >= 0 && h->pid == pid && h->start == start) {
        return 0;
    }
    handle_drop(w, h);
    if (!w->procfs.own_pidns || pid == 0) {
        return 0;
    }
    do {
        rc = open_handle(w, h, pid, start);
    } while (h->live && handle_is_short(rc) && watch_sandboxes_yield(w));
    return rc;
}
