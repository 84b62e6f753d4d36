#include "cri/docker/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "cri/docker/http.h"
#include "cri/docker/json.h"
#include "cri/docker/pods.h"

enum { LIST_MAX = 64 * 1024 * 1024, DOCUMENT_MAX = 16 * 1024 * 1024 };

/* filters={"type": ["container"], "event": [...]}. Without it every readiness probe would be an
 * event, since exec and health checks make some. "died" and "remove" are podman's words. */
#define EVENTS_PATH                                                                                \
    "/events?filters=%7B%22type%22%3A%5B%22container%22%5D%2C%22event%22%3A%5B%22create%22%2C"     \
    "%22start%22%2C%22die%22%2C%22died%22%2C%22destroy%22%2C%22remove%22%2C%22pause%22%2C"         \
    "%22unpause%22%5D%7D"

struct job {
    struct job *next, *before; /* in under_way; in done only next */
    struct client_request req;
    bool info; /* CLIENT_IDENTITY: /version has been answered, /info is asked for */
    struct client_reply reply;
};

struct docker_client {
    struct client base;
    struct docker_http *http;
    struct job *under_way;
    unsigned n_under_way;
    struct job *done, **done_end;
    char endpoint[128];
    bool event, events_end;
    /* Of the identity, for ops->settle: */
    const char *name; /* a literal of the table of runtimes */
    char driver[32];
};

static struct docker_client *self(struct client *c)
{
    return (struct docker_client *)(void *)c;
}

static const struct docker_client *self_const(const struct client *c)
{
    return (const struct docker_client *)(const void *)c;
}

/* Jobs ------------------------------------------------------------------------------------------
 */

static void start(struct docker_client *d, struct job *job)
{
    job->next = d->under_way;
    if (job->next) {
        job->next->before = job;
    }
    d->under_way = job;
    d->n_under_way++;
}

static void stop(struct docker_client *d, struct job *job)
{
    if (job->before) {
        job->before->next = job->next;
    } else {
        d->under_way = job->next;
    }
    if (job->next) {
        job->next->before = job->before;
    }
    job->next = job->before = NULL;
    d->n_under_way--;
}

static void finish(struct docker_client *d, struct job *job)
{
    stop(d, job);
    *d->done_end = job;
    d->done_end = &job->next;
}

static void docker_cancel(struct client *c)
{
    struct docker_client *d = self(c);
    struct job *job;

    docker_http_cancel(d->http);
    while ((job = d->under_way)) {
        stop(d, job);
        free(job);
    }
}

static void docker_close(struct client *c)
{
    struct docker_client *d = self(c);
    struct job *job;

    docker_cancel(c);
    while ((job = d->done)) {
        d->done = job->next;
        free(job);
    }
    docker_http_close(d->http);
    free(d);
}

static int docker_fd(const struct client *c)
{
    return docker_http_fd(self_const(c)->http);
}

static nsec docker_deadline(const struct client *c)
{
    const struct docker_client *d = self_const(c);

    return d->done || d->event || d->events_end ? 0 : docker_http_deadline(d->http);
}

/* Asking ----------------------------------------------------------------------------------------
 */

static int ask(struct docker_client *d, struct job *job, struct err *err)
{
    char path[256];
    size_t max = DOCUMENT_MAX;

    switch (job->req.kind) {
    case CLIENT_IDENTITY:
        snprintf(path, sizeof(path), "%s", job->info ? "/info" : "/version");
        break;
    case CLIENT_LIST:
        snprintf(path, sizeof(path), "/containers/json?all=1");
        max = LIST_MAX;
        break;
    default:
        snprintf(path, sizeof(path), "/containers/%s/json", job->req.id);
        break;
    }
    return docker_http_get(d->http, path, max, job, err);
}

static int docker_get(struct client *c, const struct client_request *req, struct err *err)
{
    struct docker_client *d = self(c);
    struct job *job = calloc(1, sizeof(*job));
    int rc;

    if (!job) {
        return err_nomem(err);
    }
    job->req = *req;
    job->reply.kind = req->kind;
    job->reply.pod.id = job->reply.container.id = req->id;
    start(d, job);
    if (req->id && !docker_id_is_plain(req->id)) {
        job->reply.rc =
            err_set(&job->reply.err, ERR_USAGE, EINVAL, "not a container's id: %.128s", req->id);
        job->reply.pod.status = job->reply.container.status = VIEW_STATUS_FAILED;
        finish(d, job);
        return 0;
    }
    rc = ask(d, job, err);
    if (rc < 0) {
        stop(d, job);
        free(job);
    }
    return rc;
}

/* Answers ----------------------------------------------------------------------------------------
 */

static struct str body_of(const struct docker_http_reply *h)
{
    return (struct str){h->body.p ? h->body.p : "", h->body.n};
}

/* 0 if the reply has a document; else negative errno with err filled. */
static int check_status(struct docker_client *d, const struct job *job,
                        const struct docker_http_reply *h, struct err *err)
{
    const char *message;

    if (h->rc < 0) {
        *err = h->err;
        return h->rc;
    }
    if (h->status == 200) {
        return 0;
    }
    message = docker_parse_message(body_of(h), job->req.arena);
    err_set(err, ERR_RUNTIME, h->status == 404 ? ENOENT : EPROTO, "%s: HTTP status %ld%s%.512s",
            d->endpoint, h->status, message ? ": " : "", message ? message : "");
    if (h->status == 403 || h->status == 401) {
        err->kind = ERR_DENIED;
        err_hint(err, "an authorisation plugin of the engine refuses it");
    }
    return -err->errnum;
}

static int take_identity(struct docker_client *d, struct job *job,
                         const struct docker_http_reply *h)
{
    struct client_reply *r = &job->reply;
    struct err why = {0};
    int rc = check_status(d, job, h, &why);

    if (!job->info) {
        if (rc == 0) {
            rc = docker_parse_version(body_of(h), job->req.arena, &r->runtime, &why);
        }
        if (rc < 0) {
            r->err = why;
            return rc;
        }
        d->name = r->runtime.name;
        job->info = true;
        return ask(d, job, &r->err) < 0 ? -ENOMEM : 1;
    }
    if (rc == 0) {
        rc = docker_parse_info(body_of(h), job->req.arena, &r->runtime.cgroup_driver, &why);
    }
    if (rc < 0) {
        r->runtime.status_error = arena_strdup(job->req.arena, why.text);
        return r->runtime.status_error ? 0 : err_nomem(&r->err);
    }
    snprintf(d->driver, sizeof(d->driver), "%s",
             r->runtime.cgroup_driver ? r->runtime.cgroup_driver : "");
    return 0;
}

static int take_list(struct docker_client *d, struct job *job, const struct docker_http_reply *h)
{
    int rc = check_status(d, job, h, &job->reply.err);

    return rc < 0
               ? rc
               : docker_parse_list(body_of(h), job->req.arena, &job->reply.list, &job->reply.err);
}

/* A sandbox is a container here, so both kinds of status come from the same document. */
static int take_inspect(struct docker_client *d, struct job *job, const struct docker_http_reply *h)
{
    struct client_reply *r = &job->reply;
    struct view_container *row = arena_alloc(job->req.arena, sizeof(*row));
    int rc;

    if (!row) {
        return err_nomem(&r->err);
    }
    rc = check_status(d, job, h, &r->err);
    r->gone = h->rc == 0 && h->status == 404;
    if (rc == 0) {
        rc = docker_parse_inspect(body_of(h), job->req.arena, row, &r->err);
    }
    if (rc == 0 && strcmp(row->id, job->req.id) != 0) {
        rc = err_set(&r->err, ERR_RUNTIME, EPROTO, "%s: asked for container %s, it answered of %s",
                     d->endpoint, job->req.id, row->id);
    }
    if (rc < 0) {
        const char *text = r->gone ? NULL : arena_strdup(job->req.arena, r->err.text);

        r->pod.status = r->container.status = r->gone ? VIEW_STATUS_GONE : VIEW_STATUS_FAILED;
        r->pod.error = r->container.error = text;
        return r->gone || text ? rc : err_nomem(&r->err);
    }
    r->container = *row;
    if (job->req.kind == CLIENT_POD) {
        docker_pod_of(row, &r->pod);
    }
    return 0;
}

static void take(struct docker_client *d, const struct docker_http_reply *h)
{
    struct job *job = h->tag;
    int rc;

    switch (job->req.kind) {
    case CLIENT_IDENTITY:
        rc = take_identity(d, job, h);
        if (rc > 0) {
            return; /* /info is asked for */
        }
        break;
    case CLIENT_LIST:
        rc = take_list(d, job, h);
        break;
    default:
        rc = take_inspect(d, job, h);
        break;
    }
    job->reply.rc = rc;
    finish(d, job);
}

static int docker_step(struct client *c, nsec now, struct err *err)
{
    struct docker_client *d = self(c);
    struct docker_http_reply h;
    bool ended;
    int rc = docker_http_step(d->http, now, err);

    while (docker_http_next(d->http, &h)) {
        take(d, &h);
        buf_free(&h.body);
    }
    d->event |= docker_http_stream_news(d->http, &ended);
    d->events_end |= ended;
    return rc;
}

static bool docker_next(struct client *c, struct client_reply *ret)
{
    struct docker_client *d = self(c);
    struct job *job = d->done;

    if (job) {
        *ret = job->reply;
        d->done = job->next;
        if (!d->done) {
            d->done_end = &d->done;
        }
        free(job);
        return true;
    }
    if (d->event || d->events_end) {
        *ret = (struct client_reply){.kind = d->event ? CLIENT_EVENT : CLIENT_EVENTS_END};
        if (d->event) {
            d->event = false;
        } else {
            d->events_end = false;
        }
        return true;
    }
    return false;
}

static unsigned docker_pending(const struct client *c)
{
    return self_const(c)->n_under_way;
}

static int docker_client_settle(const struct client *c, struct view *v, struct arena *a)
{
    const struct docker_client *d = self_const(c);
    const struct view_runtime who = {
        .name = d->name, .api = "docker", .cgroup_driver = *d->driver ? d->driver : NULL};

    return docker_settle(&who, v, a);
}

static bool docker_watch_events(struct client *c, const struct view_runtime *who)
{
    (void)who;
    return docker_http_stream(self(c)->http, EVENTS_PATH, NULL) == 0;
}

static const struct client_ops ops = {
    .close = docker_close,
    .fd = docker_fd,
    .deadline = docker_deadline,
    .get = docker_get,
    .cancel = docker_cancel,
    .step = docker_step,
    .next = docker_next,
    .pending = docker_pending,
    .settle = docker_client_settle,
    .watch_events = docker_watch_events,
};

int docker_client_open(const struct endpoint *ep, struct client **ret, struct err *err)
{
    AUTO_FREE struct docker_client *d = calloc(1, sizeof(*d));
    int rc;

    if (!d) {
        return err_nomem(err);
    }
    d->base.ops = &ops;
    d->done_end = &d->done;
    endpoint_format(ep, d->endpoint, sizeof(d->endpoint));
    rc = docker_http_open(ep, &d->http, err);
    if (rc < 0) {
        return rc;
    }
    *ret = &TAKE_PTR(d)->base;
    return 0;
}
