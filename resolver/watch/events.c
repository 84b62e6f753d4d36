/* The runtime's events, and the connection whose end is the runtime's. */
#include "resolver/watch/impl.h"

/* How long to wait before connecting again for events. Looks find the runtime sooner: this only
 * keeps a runtime that drops the stream at once from being asked all the time. */
static const nsec reconnect_pause = 5 * NSEC_PER_SEC;

void watch_events_close(struct podpid_watch *w)
{
    client_close(w->events);
    w->events = NULL;
    arena_free(&w->events_arena);
}

static void give_up(struct podpid_watch *w, nsec retry)
{
    watch_events_close(w);
    w->events_retry = retry;
}

static void connect_events(struct podpid_watch *w, nsec now)
{
    const struct podpid_runtime *r = podpid_snapshot_runtime(w->now.full);
    struct endpoint ep;

    w->events_retry = nsec_after(now, reconnect_pause);
    if (!r || !r->endpoint || endpoint_parse(r->endpoint, &ep, NULL) < 0) {
        w->events_retry = NSEC_NEVER;
    } else if (client_open(&ep, &w->events, NULL) < 0) {
        w->events = NULL;
    } else if (client_get_identity(w->events, &w->events_arena, NULL) < 0 ||
               watch_listen(w, client_fd(w->events), WATCH_EVENTS) < 0) {
        watch_events_close(w);
    }
}

const struct runtime *watch_runtime(const struct podpid_watch *w)
{
    const struct podpid_runtime *r = podpid_snapshot_runtime(w->now.full);

    return runtime_find(r ? r->name : NULL, r ? r->api : NULL);
}

nsec watch_events_deadline(const struct podpid_watch *w)
{
    if (w->events) {
        return client_deadline(w->events);
    }
    return w->now.full && !w->stale ? w->events_retry : NSEC_NEVER;
}

/* A runtime that serves no events, or whose only event channel is the kubelet's, is connected to
 * all the same: the connection ends with the runtime, and tells of a restart between two looks.
 * Docker's event stream ends only with the daemon; that of CRI may end alone. */
bool watch_events_step(struct podpid_watch *w, nsec now)
{
    struct client_reply r;
    bool any = false, lost;

    if (!w->events && now >= watch_events_deadline(w)) {
        connect_events(w, now);
    }
    if (!w->events) {
        return false;
    }
    lost = client_step(w->events, now, NULL) < 0;
    while (client_next(w->events, &r)) {
        if (r.kind == CLIENT_EVENT) {
            any = true;
        } else if (r.kind == CLIENT_EVENTS_END) {
            lost = lost || watch_runtime(w)->events_end_with_daemon;
        } else if (r.kind == CLIENT_IDENTITY && r.rc < 0) {
            give_up(w, NSEC_NEVER);
            return any;
        } else if (r.kind == CLIENT_IDENTITY) {
            client_watch_events(w->events, &r.runtime);
        }
    }
    if (lost) {
        give_up(w, nsec_after(now, reconnect_pause));
        return true;
    }
    return any;
}
