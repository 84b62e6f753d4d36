#include "resolver/watch/impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "resolver/error.h"
#include "resolver/handoff/handoff.h"
#include "resolver/look/impl.h"

static const nsec default_period = 30 * NSEC_PER_SEC;
/* A container is followed from its cgroup's making to its running, and from its main process's end
 * to the runtime's word. */
static const nsec chase_first = 30 * NSEC_PER_MSEC;
static const nsec chase_most = 100 * NSEC_PER_MSEC; /* while something is on its way */
static const nsec chase_time = 2 * NSEC_PER_SEC;
static const nsec least_gap = 10 * NSEC_PER_MSEC;
static const nsec most_gap = 100 * NSEC_PER_MSEC;
static const nsec backoff_first = 100 * NSEC_PER_MSEC;
static const nsec backoff_most = 5 * NSEC_PER_SEC;

/* ---- Making and freeing ---------------------------------------------------------------------- */

static int watch_new(const struct podpid_watch_options *options, struct podpid_watch **ret,
                     struct err *err)
{
    struct podpid_watch *w;
    int rc;

    if (options->look->replay) {
        return err_set(err, ERR_USAGE, EINVAL,
                       "a capture does not change: there is nothing to watch");
    }
    if (options->handoff_path && handoff_check(options->look, options->targets, err) < 0) {
        return -EINVAL;
    }
    w = calloc(1, sizeof(*w));
    if (!w) {
        return err_nomem(err);
    }
    w->options = *options;
    w->options.period = options->period > 0 ? options->period : default_period;
    w->inotify_fd = -1;
    w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (w->epoll_fd < 0) {
        rc = err_set(err, ERR_INTERNAL, errno, "no epoll descriptor can be had: %s",
                     strerror(errno));
    } else {
        rc = watch_wake_open(w, err);
    }
    if (rc < 0) {
        podpid_watch_free(w);
        return rc;
    }
    *ret = w;
    return 0;
}

int podpid_watch_new(const struct podpid_watch_options *options, struct podpid_watch **ret,
                     struct podpid_error *error)
{
    struct err err = {0};

    return watch_new(options, ret, &err) < 0 ? error_publish(&err, error) : 0;
}

void podpid_watch_free(struct podpid_watch *w)
{
    if (!w) {
        return;
    }
    podpid_look_free(w->look);
    for (size_t i = 0; i < w->n_lives; i++) {
        handle_drop(w, &w->lives[i]->process);
        free(w->lives[i]);
    }
    free(w->lives);
    watch_sandboxes_free(w);
    watch_wake_close(w);
    document_free(&w->before);
    document_free(&w->now);
    arena_free(&w->queue_arena);
    free(w->queue);
    if (w->epoll_fd >= 0) {
        close(w->epoll_fd);
    }
    free(w);
}

int podpid_watch_fd(const struct podpid_watch *w)
{
    return w->epoll_fd;
}

/* ---- When to look ---------------------------------------------------------------------------- */

/* Looks follow each other no faster than they take, however much changes; a slow one (the node is
 * busy) does not hold the next back for long. */
static nsec soonest(const struct podpid_watch *w, nsec now)
{
    nsec gap = nsec_min(w->look_took > least_gap ? w->look_took : least_gap, most_gap);
    nsec after = nsec_after(w->look_started, w->look_took + gap);

    return after > now ? after : now;
}

static void wake(struct podpid_watch *w, nsec now, nsec delay)
{
    w->chase_pause = chase_first;
    w->chase_until = nsec_after(now, chase_time);
    if (w->stale) {
        return; /* the backoff decides */
    }
    if (w->look && look_waits_for_strays(w->look)) {
        /* It saw all but what has just changed, and strays can wait for the next full one. */
        podpid_look_free(w->look);
        w->look = NULL;
        w->next_look = w->next_full;
    }
    if (w->look) {
        w->look_again = true;
        return;
    }
    w->next_look = nsec_min(w->next_look, nsec_after(soonest(w, now), delay));
}

void podpid_watch_look_now(struct podpid_watch *w)
{
    if (w->look) {
        w->look_again = true;
    } else {
        w->next_look = 0;
    }
}

/* Is anything between being made and running, or between its process's end and the runtime's word?
 */
static bool is_on_its_way(const struct podpid_watch *w)
{
    for (size_t i = 0; i < w->now.n_rows; i++) {
        enum podpid_verdict v = w->now.rows[i]->verdict;

        if (v == PODPID_VERDICT_CREATED || v == PODPID_VERDICT_DEAD || v == PODPID_VERDICT_ERROR) {
            return true;
        }
    }
    return false;
}

static void plan_next(struct podpid_watch *w, nsec now)
{
    w->next_look = w->next_full;
    if (w->look_again) {
        w->look_again = false;
        w->next_look = soonest(w, now);
    } else if (now < w->chase_until) {
        nsec pause = is_on_its_way(w) ? nsec_min(w->chase_pause, chase_most) : w->chase_pause;
        nsec at = nsec_after(now, pause);

        w->next_look = nsec_min(w->next_full, at > soonest(w, now) ? at : soonest(w, now));
        w->chase_pause += w->chase_pause / 2;
    }
}

/* ---- The truth ------------------------------------------------------------------------------- */

static int found_runtime(struct podpid_watch *w)
{
    if (!w->stale) {
        return 0;
    }
    w->stale = false;
    w->backoff = 0;
    w->events_retry = 0; /* another version may be back, or its events may be on now */
    return watch_push_runtime(w, "the runtime answers again");
}

static int take_look(struct podpid_watch *w, nsec now, struct err *err)
{
    uint64_t before = w->generation;
    struct podpid_snapshot *s = podpid_look_take(w->look);
    bool complete = podpid_snapshot_complete(s), lost_is_news = false;
    int rc;

    podpid_look_free(w->look);
    w->look = NULL;
    w->look_took = now - w->look_started;
    rc = found_runtime(w);
    if (rc < 0) {
        podpid_snapshot_free(s);
    } else {
        rc = watch_apply(w, s);
    }
    if (rc == 0) {
        rc = watch_sandboxes_follow(w);
    }
    if (rc == 0) {
        rc = watch_dirs_follow(w);
    }
    if (rc == 0) {
        rc = watch_lost_publish(w, &lost_is_news);
    }
    if (rc < 0) {
        return err_nomem(err);
    }
    if (lost_is_news && w->generation == before) {
        watch_number_batch(w, w->queue_n); /* no event, but the file has it */
    }
    if (w->generation != before) {
        w->chase_pause = chase_first;
    }
    if (!complete && now >= w->chase_until) {
        w->chase_pause = chase_first;
        w->chase_until = nsec_after(now, chase_time);
    }
    plan_next(w, now);
    return w->generation != before ? watch_write_handoff(w, err) : 0;
}

/* The runtime is away: the last truth stays, marked as stale. */
static int lost_runtime(struct podpid_watch *w, nsec now, const struct podpid_error *e,
                        struct err *err)
{
    bool is_news = !w->stale;

    podpid_look_free(w->look);
    w->look = NULL;
    w->look_took = now - w->look_started;
    w->stale = true;
    w->backoff = w->backoff ? nsec_min(w->backoff * 2, backoff_most) : backoff_first;
    w->next_look = nsec_after(now, w->backoff);
    w->look_again = false;
    if (!is_news) {
        return 0;
    }
    return watch_push_runtime(w, e->message) < 0 ? err_nomem(err) : watch_write_handoff(w, err);
}

static int step_look(struct podpid_watch *w, nsec now, struct podpid_error *error)
{
    struct podpid_error e = PODPID_ERROR_INIT;
    struct err err = {0};
    int rc = 0;

    if (!w->look && now >= w->next_look) {
        struct epoll_event ev = {.events = EPOLLIN, .data.u64 = WATCH_LOOK};

        w->look_started = now;
        rc = podpid_look_new(w->options.look, &w->look, &e);
        if (now >= w->next_full) {
            w->next_full = nsec_after(now, w->options.period);
        } else if (rc == 0) {
            look_skip_strays(w->look);
        }
        if (rc == 0 && epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, podpid_look_fd(w->look), &ev) < 0) {
            err_set(&err, ERR_INTERNAL, errno, "the look cannot be polled: %s", strerror(errno));
            return error_publish(&err, error);
        }
    }
    if (rc == 0 && w->look) {
        rc = podpid_look_step(w->look, now, &e);
    }
    if (rc < 0 && (!w->first_done || rc == PODPID_ERR_NOMEM)) {
        return error_copy(&e, error);
    }
    if (rc < 0) {
        rc = lost_runtime(w, now, &e, &err);
    } else if (rc == 1) {
        rc = take_look(w, now, &err);
    }
    return rc < 0 ? error_publish(&err, error) : 0;
}

/* ---- The stepper ----------------------------------------------------------------------------- */

/* A main process that has ended is told at once, and what the runtime says of it is worth a
 * moment's wait; a sandbox's end is for the look to tell. 0 or -ENOMEM. */
static int process_ended(struct podpid_watch *w, struct handle *h, nsec now)
{
    if (!h->live) {
        handle_drop(w, h);
        wake(w, now, 0);
        return 0;
    }
    if (watch_exited(w, h->live) < 0) {
        return -ENOMEM;
    }
    wake(w, now, chase_first);
    return 0;
}

int podpid_watch_step(struct podpid_watch *w, int64_t now, struct podpid_error *error)
{
    struct epoll_event events[64];
    struct err err = {0};
    int n;

    if (w->queue_n) {
        return 0; /* taken first: what they tell of must not change under them */
    }
    n = epoll_wait(w->epoll_fd, events, 64, 0);
    for (int i = 0; i < n; i++) {
        if (events[i].data.u64 == WATCH_INOTIFY) {
            if (watch_dirs_read(w)) {
                wake(w, now, 0);
            }
        } else if (events[i].data.u64 > WATCH_TAGS) {
            if (process_ended(w, (struct handle *)(uintptr_t)events[i].data.u64, now) < 0) {
                err_nomem(&err);
                return error_publish(&err, error);
            }
        }
    }
    if (watch_step_events(w, now)) {
        wake(w, now, 0);
    }
    if (w->queue_n) {
        watch_number_batch(w, 0);
        return watch_write_handoff(w, &err) < 0 ? error_publish(&err, error) : 0;
    }
    return step_look(w, now, error);
}

int64_t podpid_watch_deadline(const struct podpid_watch *w)
{
    nsec deadline;

    if (w->queue_n) {
        return 0;
    }
    deadline = w->look ? podpid_look_deadline(w->look) : w->next_look;
    return nsec_min(deadline, watch_events_deadline(w));
}

const struct podpid_event *podpid_watch_next(struct podpid_watch *w)
{
    if (w->queue_at == w->queue_n) {
        w->queue_at = w->queue_n = 0;
        arena_free(&w->queue_arena);
        document_free(&w->before);
        return NULL;
    }
    return &w->queue[w->queue_at++];
}

const struct podpid_snapshot *podpid_watch_snapshot(const struct podpid_watch *w)
{
    return w->now.shown;
}

bool podpid_watch_stale(const struct podpid_watch *w)
{
    return w->stale;
}

const char *podpid_event_name(enum podpid_event_kind k)
{
    static const char *const names[] = {
        [PODPID_EVENT_SNAPSHOT] = "snapshot", [PODPID_EVENT_ADDED] = "added",
        [PODPID_EVENT_REMOVED] = "removed",   [PODPID_EVENT_CHANGED] = "changed",
        [PODPID_EVENT_RUNTIME] = "runtime",
    };

    return (size_t)k < sizeof(names) / sizeof(names[0]) && names[k] ? names[k] : "?";
}
