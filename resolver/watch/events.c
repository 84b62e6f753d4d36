/* What wakes a watch: the descriptors, the runtime's events and its end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "cri/runtimes.h"
#include "resolver/watch/impl.h"

/* Before an event stream that broke is asked for again. */
static const nsec events_pause = 5 * NSEC_PER_SEC;

int watch_listen_to(struct podpid_watch *w, int fd, uint64_t tag)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = tag};

    return epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

int watch_wake_open(struct podpid_watch *w, struct err *err)
{
    const struct podpid_options *o = w->options.look;
    int rc = procfs_open(node_proc_path(o), &w->procfs, err);

    if (rc < 0) {
        return rc;
    }
    w->procfs_open = true;
    rc = cgroup_ids_open(&w->procfs, &w->cgroups, err);
    w->lost.no_cgroups = rc == 0 && !w->cgroups && w->procfs.is_procfs;
    return rc;
}

void watch_wake_close(struct podpid_watch *w)
{
    client_close(w->events);
    arena_free(&w->events_arena);
    free(w->dirs);
    if (w->inotify_fd >= 0) {
        close(w->inotify_fd);
    }
    cgroup_ids_close(w->cgroups);
    if (w->procfs_open) {
        procfs_close(&w->procfs);
    }
}

/* ---- The runtime's events -------------------------------------------------------------------- */

static void drop_events(struct podpid_watch *w, nsec retry)
{
    client_close(w->events);
    w->events = NULL;
    arena_free(&w->events_arena);
    w->events_retry = retry;
}

static void open_events(struct podpid_watch *w, nsec now)
{
    const struct podpid_runtime *r = podpid_snapshot_runtime(w->now.full);
    struct endpoint ep;

    w->events_retry = nsec_after(now, events_pause);
    if (!r || !r->endpoint || endpoint_parse(r->endpoint, &ep, NULL) < 0) {
        w->events_retry = NSEC_NEVER;
    } else if (client_open(&ep, &w->events, NULL) < 0) {
        w->events = NULL;
    } else if (client_get_identity(w->events, &w->events_arena, NULL) < 0 ||
               watch_listen_to(w, client_fd(w->events), WATCH_EVENTS) < 0) {
        drop_events(w, w->events_retry);
    }
}

/* Whether the end of the event stream means that the runtime is lost. */
static bool end_means_lost(const struct podpid_watch *w)
{
    const struct podpid_runtime *r = podpid_snapshot_runtime(w->now.full);

    return r && runtime_find(r->name, r->api)->events_end_with_daemon;
}

nsec watch_events_deadline(const struct podpid_watch *w)
{
    if (w->events) {
        return client_deadline(w->events);
    }
    return w->now.full && !w->stale ? w->events_retry : NSEC_NEVER;
}

/* A runtime that serves no events, or whose only channel is the kubelet's, keeps the connection all
 * the same: its end is that of the runtime, and a restart between two looks would not be seen. */
bool watch_step_events(struct podpid_watch *w, nsec now)
{
    struct client_reply r;
    bool any = false, lost;

    if (!w->events && now >= watch_events_deadline(w)) {
        open_events(w, now);
    }
    if (!w->events) {
        return false;
    }
    lost = client_step(w->events, now, NULL) < 0;
    while (client_next(w->events, &r)) {
        if (r.kind == CLIENT_EVENT) {
            any = true;
        } else if (r.kind == CLIENT_EVENTS_END) {
            lost = lost || end_means_lost(w);
        } else if (r.kind == CLIENT_IDENTITY && r.rc < 0) {
            drop_events(w, NSEC_NEVER);
            return any;
        } else if (r.kind == CLIENT_IDENTITY) {
            client_watch_events(w->events, &r.runtime);
        }
    }
    if (lost) {
        drop_events(w, nsec_after(now, events_pause));
        return true;
    }
    return any;
}
