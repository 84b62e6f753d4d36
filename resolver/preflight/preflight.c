/* The preflight: two looks, then the checks. While a check fails and there is time to wait, the
 * same again after a pause. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "cri/base/clock.h"
#include "cri/base/text.h"
#include "resolver/arguments.h"
#include "resolver/handoff/handoff.h"
#include "resolver/node/node.h"
#include "resolver/preflight/report.h"
#include "resolver/preflight/try.h"

/* Pauses between tries: short at first, because containers start within a second; then half as long
 * again each time, up to one that does not burden a node that waits for minutes. */
static const nsec first_pause = 250 * NSEC_PER_MSEC;
static const nsec longest_pause = 5 * NSEC_PER_SEC;

enum phase {
    PHASE_BEGIN,  /* before the first step, which starts the clock */
    PHASE_FIRST,  /* first look of a try */
    PHASE_SECOND, /* second look of a try */
    PHASE_PAUSE,  /* between tries, until wake */
    PHASE_DONE
};

struct podpid_preflight {
    struct podpid_preflight_options options; /* its .look is look_options */
    struct podpid_options look_options;
    enum phase phase;
    int epoll_fd;
    struct podpid_look *look;       /* under way; NULL: none */
    struct podpid_snapshot *before; /* of the first look, while the second is under way */
    struct podpid_report *report;   /* of the last try that ended; NULL: none has */
    nsec give_up;                   /* when waiting ends: later tries are cut off */
    nsec pause;                     /* length of the next pause */
    nsec wake;                      /* when the current pause ends */
    char *progress;                 /* what fails in report, for podpid_preflight_progress() */
};

static int check_options(const struct podpid_preflight_options *o, struct err *err)
{
    enum check_id id;

    for (const char *const *i = o->ignore; i && *i; i++) {
        if (!check_by_name(*i, &id)) {
            err_set(err, ERR_USAGE, EINVAL, "unknown check \"%s\" to ignore", *i);
            err_hint(err, "the ids are those that podpid preflight prints, such as runtime.ready");
            return -EINVAL;
        }
    }
    return o->handoff_path || o->pidfds ? handoff_check(o->look, o->targets, err) : 0;
}

static int take_options(struct podpid_preflight *p, const struct podpid_preflight_options *options,
                        struct err *err)
{
    int rc = SIZED_COPY(&p->options, options, err);

    if (rc < 0) {
        return rc;
    }
    rc = SIZED_COPY(&p->look_options, p->options.look, err);
    if (rc < 0) {
        return rc;
    }
    p->options.look = &p->look_options;
    return check_options(&p->options, err);
}

static int preflight_new(const struct podpid_preflight_options *options,
                         struct podpid_preflight **ret, struct err *err)
{
    struct podpid_preflight *p = calloc(1, sizeof(*p));
    int rc;

    if (!p) {
        return err_nomem(err);
    }
    p->pause = first_pause;
    p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    rc = p->epoll_fd < 0 ? err_set(err, ERR_INTERNAL, errno, "epoll_create1: %s", strerror(errno))
                         : take_options(p, options, err);
    if (rc < 0) {
        podpid_preflight_free(p);
        return rc;
    }
    *ret = p;
    return 0;
}

int podpid_preflight_new(const struct podpid_preflight_options *options,
                         struct podpid_preflight **ret, struct podpid_error *error)
{
    struct err err = {0};

    if (!ret) {
        return bad_argument(__func__, error);
    }
    return preflight_new(options, ret, &err) < 0 ? error_publish(&err, error) : 0;
}

void podpid_preflight_free(struct podpid_preflight *p)
{
    if (!p) {
        return;
    }
    podpid_look_free(p->look);
    podpid_snapshot_free(p->before);
    podpid_report_free(p->report);
    free(p->progress);
    cleanup_close(&p->epoll_fd);
    free(p);
}

int podpid_preflight_fd(const struct podpid_preflight *p)
{
    return p ? p->epoll_fd : -1;
}

int64_t podpid_preflight_deadline(const struct podpid_preflight *p)
{
    nsec deadline = 0;

    if (!p) {
        return PODPID_NO_DEADLINE;
    }
    if (p->phase == PHASE_PAUSE) {
        deadline = p->wake;
    } else if (p->look) {
        deadline = podpid_look_deadline(p->look);
    } else if (p->phase == PHASE_DONE) {
        deadline = NSEC_NEVER;
    }
    /* The first try has all the time that its looks take; later ones are cut off at give_up. */
    return p->report && p->phase != PHASE_DONE ? nsec_min(deadline, p->give_up) : deadline;
}

/* What fails, in one line; malloc'ed. handoff.written only follows from the others. */
static char *progress_of(const struct podpid_report *r)
{
    struct buf b = {0};

    for (size_t i = 0; i < N_CHECKS; i++) {
        const struct podpid_check *c = r->checks[i];

        if (c->result == PODPID_RESULT_FAIL && i != CHECK_HANDOFF_WRITTEN) {
            buf_printf(&b, "%s%s: %s", b.n ? "; " : "", c->id,
                       c->n_items == 1 ? c->items[0] : c->detail);
        }
    }
    return b.p;
}

/* Whether a look failed for a reason that no check reports and no waiting changes: options, inputs,
 * memory. */
static bool ends_preflight(int code)
{
    return code == PODPID_ERR_USAGE || code == PODPID_ERR_INPUT || code == PODPID_ERR_NOMEM ||
           code == PODPID_ERR_INTERNAL;
}

/* Make the report of a try whose looks are done, and decide whether another try follows. Takes the
 * snapshot; NULL: the look failed with look_error. */
static int end_try(struct podpid_preflight *p, struct podpid_snapshot *snapshot,
                   const struct podpid_error *look_error, nsec now, struct err *err)
{
    struct preflight_try t = {.options = &p->options,
                              .snapshot = snapshot,
                              .before = p->before,
                              .look_error = look_error};
    struct podpid_report *report;
    int rc = preflight_conclude(&t, &report, err);

    podpid_snapshot_free(p->before);
    p->before = NULL;
    if (rc < 0) {
        return rc;
    }
    podpid_report_free(p->report);
    p->report = report;
    free(p->progress);
    p->progress = progress_of(report);
    if (podpid_report_result(report) != PODPID_RESULT_FAIL || p->options.look->replay ||
        now >= p->give_up) {
        p->phase = PHASE_DONE;
        return 0;
    }
    p->phase = PHASE_PAUSE;
    p->wake = nsec_min(nsec_after(now, p->pause), p->give_up);
    p->pause = nsec_min(p->pause * 3 / 2, longest_pause);
    return 0;
}

/* The look under way has failed. 0: the try ends with a report about that. A negative PODPID_ERR_*
 * in *error: the preflight ends without a report. */
static int end_failed(struct podpid_preflight *p, const struct podpid_error *look_error, nsec now,
                      struct podpid_error *error)
{
    struct err err = {0};

    podpid_look_free(p->look);
    p->look = NULL;
    if (ends_preflight(look_error->code)) {
        return error_copy(look_error, error);
    }
    return end_try(p, NULL, look_error, now, &err) < 0 ? error_publish(&err, error) : 0;
}

static int start_look(struct podpid_preflight *p, nsec now, struct podpid_error *error)
{
    struct epoll_event e = {.events = EPOLLIN};
    struct podpid_error look_error = PODPID_ERROR_INIT;
    struct err err = {0};

    if (podpid_look_new(p->options.look, &p->look, &look_error) < 0) {
        p->look = NULL;
        return end_failed(p, &look_error, now, error);
    }
    if (epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, podpid_look_fd(p->look), &e) < 0) {
        err_set(&err, ERR_INTERNAL, errno, "epoll_ctl: %s", strerror(errno));
        return error_publish(&err, error);
    }
    return 0;
}

/* The look under way is done: the first of a try is followed by the second, which ends the try. A
 * capture is looked at once. */
static int end_look(struct podpid_preflight *p, nsec now, struct podpid_error *error)
{
    struct podpid_snapshot *s = podpid_look_take(p->look);
    struct err err = {0};
    int rc = 0;

    podpid_look_free(p->look);
    p->look = NULL;
    if (p->options.targets) {
        rc = podpid_targets_answerable(p->options.targets, s, error);
    }
    if (rc < 0) {
        podpid_snapshot_free(s);
        return rc;
    }
    if (p->phase == PHASE_FIRST && !p->options.look->replay) {
        p->before = s;
        p->phase = PHASE_SECOND;
        return 0;
    }
    return end_try(p, s, NULL, now, &err) < 0 ? error_publish(&err, error) : 0;
}

/* One step: 1: call again at once; 0: wait; negative PODPID_ERR_*: the preflight cannot go on. */
static int advance(struct podpid_preflight *p, nsec now, struct podpid_error *error)
{
    struct podpid_error look_error = PODPID_ERROR_INIT;
    int rc;

    if (p->phase == PHASE_BEGIN) {
        p->give_up = nsec_after(now, p->options.wait);
        p->phase = PHASE_FIRST;
    }
    if (p->report && now >= p->give_up) {
        p->phase = PHASE_DONE;
        return 1;
    }
    if (p->phase == PHASE_PAUSE) {
        if (now < p->wake) {
            return 0;
        }
        p->phase = PHASE_FIRST;
    }
    if (!p->look) {
        rc = start_look(p, now, error);
        return rc < 0 ? rc : 1;
    }
    rc = podpid_look_step(p->look, now, &look_error);
    if (rc == 0) {
        return 0;
    }
    rc = rc < 0 ? end_failed(p, &look_error, now, error) : end_look(p, now, error);
    return rc < 0 ? rc : 1;
}

int podpid_preflight_step(struct podpid_preflight *p, int64_t now, struct podpid_error *error)
{
    if (!p) {
        return bad_argument(__func__, error);
    }
    while (p->phase != PHASE_DONE) {
        int rc = advance(p, now, error);

        if (rc <= 0) {
            return rc;
        }
    }
    return 1;
}

const char *podpid_preflight_progress(const struct podpid_preflight *p)
{
    return p && p->progress ? p->progress : "";
}

struct podpid_report *podpid_preflight_take(struct podpid_preflight *p)
{
    return p && p->phase == PHASE_DONE ? TAKE_PTR(p->report) : NULL;
}
