#include "resolver/watch/impl.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "resolver/arguments.h"
#include "resolver/handoff/handoff.h"
#include "resolver/look/impl.h"
#include "resolver/proc/cgroupfs.h"

enum { EVENTS_A_STEP = 64 /* epoll events; the others are read by the next step */ };

static const nsec default_period = 30 * NSEC_PER_SEC;

/* A change is followed up by more looks for a while: a container takes some time from its cgroup's
 * making to its running, and from its main process's end to the runtime's report. The pauses grow
 * by half from the first one, and stay short while a container is seen in between. */
static const nsec follow_up_first = 30 * NSEC_PER_MSEC;
static const nsec follow_up_longest = 100 * NSEC_PER_MSEC;
static const nsec follow_up_time = 2 * NSEC_PER_SEC;

/* Between two looks there is a pause as long as a look takes, so that looks use half a core at
 * most, within these bounds: a fast look is not repeated all the time, and a slow one (the node is
 * busy) does not hold back the next one for long. */
static const nsec gap_shortest = 10 * NSEC_PER_MSEC;
static const nsec gap_longest = 100 * NSEC_PER_MSEC;

/* While the runtime is away it is tried again after pauses that double up to the longest. */
static const nsec backoff_first = 100 * NSEC_PER_MSEC;
static const nsec backoff_longest = 5 * NSEC_PER_SEC;

/* ---- Making and freeing ---------------------------------------------------------------------- */

static int open_sources(struct podpid_watch *w, struct err *err)
{
    int rc;

    w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (w->epoll_fd < 0) {
        return err_set(err, ERR_INTERNAL, errno, "no epoll descriptor can be had: %s",
                       strerror(errno));
    }
    rc = procfs_open(node_proc_path(w->options.look), &w->procfs, err);
    if (rc < 0) {
        return rc;
    }
    w->procfs_open = true;
    rc = cgroupfs_open(&w->procfs, &w->cgroups, err);
    if (rc < 0) {
        return rc;
    }
    w->lost.no_cgroups = !w->cgroups && w->procfs.is_procfs;
    return 0;
}

static int take_options(struct podpid_watch *w, const struct podpid_watch_options *options,
                        struct err *err)
{
    int rc = SIZED_COPY(&w->options, options, err);

    if (rc < 0) {
        return rc;
    }
    rc = SIZED_COPY(&w->look_options, w->options.look, err);
    if (rc < 0) {
        return rc;
    }
    w->options.look = &w->look_options;
    w->options.period = w->options.period > 0 ? w->options.period : default_period;
    if (w->look_options.replay) {
        return err_set(err, ERR_USAGE, EINVAL,
                       "a capture does not change: there is nothing to watch");
    }
    return w->options.handoff_path ? handoff_check(&w->look_options, w->options.targets, err) : 0;
}

static int watch_new(const struct podpid_watch_options *options, struct podpid_watch **ret,
                     struct err *err)
{
    struct podpid_watch *w = calloc(1, sizeof(*w));
    int rc;

    if (!w) {
        return err_nomem(err);
    }
    rc = take_options(w, options, err);
    if (rc < 0) {
        free(w);
        return rc;
    }
    w->inotify_fd = -1;
    rc = open_sources(w, err);
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

    if (!ret) {
        return bad_argument(__func__, error);
    }
    return watch_new(options, ret, &err) < 0 ? error_publish(&err, error) : 0;
}

void podpid_watch_free(struct podpid_watch *w)
{
    if (!w) {
        return;
    }
    podpid_look_free(w->look);
    watch_truth_free(w);
    watch_sandboxes_free(w);
    watch_events_close(w);
    watch_dirs_close(w);
    watch_queue_free(w);
    cgroupfs_close(w->cgroups);
    if (w->procfs_open) {
        procfs_close(&w->procfs);
    }
    if (w->epoll_fd >= 0) {
        close(w->epoll_fd);
    }
    free(w);
}

int podpid_watch_fd(const struct podpid_watch *w)
{
    return w ? w->epoll_fd : -1;
}

/* ---- When to look ---------------------------------------------------------------------------- */

/* The earliest time for the next look. */
static nsec earliest_look(const struct podpid_watch *w, nsec now)
{
    nsec gap = nsec_min(w->look_took > gap_shortest ? w->look_took : gap_shortest, gap_longest);
    nsec after = nsec_after(w->look_started, w->look_took + gap);

    return after > now ? after : now;
}

static void follow_up(struct podpid_watch *w, nsec now)
{
    w->follow_up_pause = follow_up_first;
    w->follow_up_until = nsec_after(now, follow_up_time);
}

/* Something changed on the node: look, delay nanoseconds from now at the earliest, and follow that
 * look up. While the runtime is away, the pauses between tries decide. */
static void wake(struct podpid_watch *w, nsec now, nsec delay)
{
    follow_up(w, now);
    if (w->stale) {
        return;
    }
    if (w->look && look_waits_for_strays(w->look)) {
        /* It has seen everything but this change, and strays can wait for the next full look. */
        podpid_look_free(w->look);
        w->look = NULL;
        w->next_look = w->next_full;
    }
    if (w->look) {
        w->look_again = true;
        return;
    }
    w->next_look = nsec_min(w->next_look, nsec_after(earliest_look(w, now), delay));
}

void podpid_watch_look_now(struct podpid_watch *w)
{
    if (!w) {
        return;
    }
    if (w->look) {
        w->look_again = true;
    } else {
        w->next_look = 0;
    }
}

/* Whether a container is between being made and running, or between its main process's end and the
 * runtime's report of it. */
static bool is_in_between(const struct podpid_watch *w)
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
    nsec earliest = earliest_look(w, now);

    w->next_look = w->next_full;
    if (w->look_again) {
        w->look_again = false;
        w->next_look = earliest;
    } else if (now < w->follow_up_until) {
        nsec pause =
            is_in_between(w) ? nsec_min(w->follow_up_pause, follow_up_longest) : w->follow_up_pause;
        nsec at = nsec_after(now, pause);

        w->next_look = nsec_min(w->next_full, at > earliest ? at : earliest);
        w->follow_up_pause += w->follow_up_pause / 2;
    }
}

/* ---- Looks that have ended ------------------------------------------------------------------- */

/* The look may be NULL: it could not even begin. */
static void end_look(struct podpid_watch *w, nsec now)
{
    podpid_look_free(w->look);
    w->look = NULL;
    w->look_took = now - w->look_started;
}

static int mark_runtime_back(struct podpid_watch *w)
{
    if (!w->stale) {
        return 0;
    }
    w->stale = false;
    w->backoff = 0;
    w->events_retry = 0; /* at once: it may be another version, or serve events now */
    return watch_queue_runtime(w, "the runtime answers again");
}

/* Make a look's snapshot the document. Takes s. *ret_lost_differ: other sources are lost than
 * before. 0 or -ENOMEM. */
static int publish(struct podpid_watch *w, struct podpid_snapshot *s, bool *ret_lost_differ)
{
    int rc = mark_runtime_back(w);

    if (rc < 0) {
        podpid_snapshot_free(s);
        return rc;
    }
    rc = watch_apply(w, s);
    if (rc < 0) {
        return rc;
    }
    rc = watch_sandboxes_follow(w);
    if (rc < 0) {
        return rc;
    }
    rc = watch_dirs_follow(w);
    if (rc < 0) {
        return rc;
    }
    return watch_lost_publish(w, ret_lost_differ);
}

static int take_look(struct podpid_watch *w, nsec now, struct err *err)
{
    uint64_t before = w->generation;
    struct podpid_snapshot *s = podpid_look_take(w->look);
    bool complete = podpid_snapshot_complete(s), lost_differ = false;

    end_look(w, now);
    if (publish(w, s, &lost_differ) < 0) {
        return err_nomem(err);
    }
    if (lost_differ && w->generation == before) {
        watch_queue_number(w, w->queue_n); /* there is no event, but the handoff file says it */
    }
    if (w->generation != before) {
        w->follow_up_pause = follow_up_first;
    }
    if (!complete && now >= w->follow_up_until) {
        follow_up(w, now);
    }
    plan_next(w, now);
    return w->generation != before ? watch_write_handoff(w, err) : 0;
}

/* A look failed: the runtime is away. The document stays, marked as stale. */
static int mark_runtime_away(struct podpid_watch *w, nsec now, const struct podpid_error *why,
                             struct err *err)
{
    bool is_news = !w->stale;

    end_look(w, now);
    w->stale = true;
    w->backoff = w->backoff ? nsec_min(w->backoff * 2, backoff_longest) : backoff_first;
    w->next_look = nsec_after(now, w->backoff);
    w->look_again = false;
    if (!is_news) {
        return 0;
    }
    if (watch_queue_runtime(w, why->message) < 0) {
        return err_nomem(err);
    }
    return watch_write_handoff(w, err);
}

/* ---- The stepper ----------------------------------------------------------------------------- */

/* 0, or a public code with *error filled. Between two full looks, strays are not looked for. */
static int start_look(struct podpid_watch *w, nsec now, struct podpid_error *error)
{
    bool full = now >= w->next_full;
    int rc;

    w->look_started = now;
    if (full) {
        w->next_full = nsec_after(now, w->options.period);
    }
    rc = podpid_look_new(w->options.look, &w->look, error);
    if (rc == 0 && !full) {
        look_skip_strays(w->look);
    }
    return rc;
}

/* Start a look if it is time, go on with the one under way, and take its result. 0 or a public
 * code. Only the first look's failure is an error; later ones mean that the runtime is away. */
static int step_look(struct podpid_watch *w, nsec now, struct podpid_error *error)
{
    struct podpid_error why = PODPID_ERROR_INIT;
    struct err err = {0};
    int rc = 0;

    if (!w->look && now >= w->next_look) {
        rc = start_look(w, now, &why);
        if (rc == 0 && watch_listen(w, podpid_look_fd(w->look), WATCH_LOOK) < 0) {
            err_set(&err, ERR_INTERNAL, errno, "the look cannot be polled: %s", strerror(errno));
            return error_publish(&err, error);
        }
    }
    if (rc == 0 && w->look) {
        rc = podpid_look_step(w->look, now, &why);
    }
    if (rc < 0 && (!w->first_done || rc == PODPID_ERR_NOMEM)) {
        return error_copy(&why, error);
    }
    if (rc < 0) {
        rc = mark_runtime_away(w, now, &why, &err);
    } else if (rc == 1) {
        rc = take_look(w, now, &err);
    }
    return rc < 0 ? error_publish(&err, error) : 0;
}

/* A followed process has ended. A main process's end is published at once, and the look waits a
 * moment for the runtime's report; what a sandbox's end means is for the look to find out. 0 or
 * -ENOMEM. */
static int take_end(struct podpid_watch *w, struct handle *h, nsec now)
{
    int rc;

    if (!h->of) {
        handle_close(w, h);
        wake(w, now, 0);
        return 0;
    }
    rc = watch_main_ended(w, h->of);
    if (rc < 0) {
        return rc;
    }
    wake(w, now, follow_up_first);
    return 0;
}

/* Read what the kernel reports: directories and ended processes. 0 or -ENOMEM. */
static int step_kernel(struct podpid_watch *w, nsec now)
{
    struct epoll_event events[EVENTS_A_STEP];
    int n = epoll_wait(w->epoll_fd, events, EVENTS_A_STEP, 0);

    for (int i = 0; i < n; i++) {
        if (events[i].data.u64 == WATCH_INOTIFY) {
            if (watch_dirs_read(w)) {
                wake(w, now, 0);
            }
        } else if (events[i].data.u64 > WATCH_TAGS) {
            int rc = take_end(w, (struct handle *)(uintptr_t)events[i].data.u64, now);

            if (rc < 0) {
                return rc;
            }
        }
    }
    return 0;
}

int podpid_watch_step(struct podpid_watch *w, int64_t now, struct podpid_error *error)
{
    struct err err = {0};

    if (!w) {
        return bad_argument(__func__, error);
    }
    if (w->queue_n) {
        return 0; /* the rows that queued events point to may not change before they are taken */
    }
    if (step_kernel(w, now) < 0) {
        err_nomem(&err);
        return error_publish(&err, error);
    }
    if (watch_events_step(w, now)) {
        wake(w, now, 0);
    }
    if (w->queue_n) {
        watch_queue_number(w, 0);
        return watch_write_handoff(w, &err) < 0 ? error_publish(&err, error) : 0;
    }
    return step_look(w, now, error);
}

int64_t podpid_watch_deadline(const struct podpid_watch *w)
{
    nsec deadline;

    if (!w) {
        return PODPID_NO_DEADLINE;
    }
    if (w->queue_n) {
        return 0;
    }
    deadline = w->look ? podpid_look_deadline(w->look) : w->next_look;
    return nsec_min(deadline, watch_events_deadline(w));
}

const struct podpid_event *podpid_watch_next(struct podpid_watch *w)
{
    const struct podpid_event *e = w ? watch_queue_take(w) : NULL;

    if (w && !e) {
        document_free(&w->before);
    }
    return e;
}

const struct podpid_snapshot *podpid_watch_snapshot(const struct podpid_watch *w)
{
    return w ? w->now.shown : NULL;
}

uint64_t podpid_watch_revision(const struct podpid_watch *w)
{
    return w ? w->revision : 0;
}

bool podpid_watch_stale(const struct podpid_watch *w)
{
    return w && w->stale;
}
