/* The runtime's side of a look: what is asked, and what came back. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "resolver/look/impl.h"

int look_listen_to(struct podpid_look *k, const struct client *c)
{
    struct epoll_event ev = {.events = EPOLLIN};

    if (epoll_ctl(k->epoll_fd, EPOLL_CTL_ADD, client_fd(c), &ev) < 0) {
        return -errno;
    }
    return 0;
}

int look_ask_list(struct podpid_look *k, struct err *err)
{
    k->listed = false;
    return client_get_list(k->client, &k->arena, 0, err);
}

int look_ask_first(struct podpid_look *k, struct err *err)
{
    int rc;

    k->runtime_elsewhere = k->procfs.own_pidns && client_is_elsewhere(k->client);
    rc = client_get_identity(k->client, &k->arena, 0, err);
    return rc < 0 ? rc : look_ask_list(k, err);
}

int look_open_runtime(struct podpid_look *k, struct err *err)
{
    int rc = client_open(&k->discovered.endpoint, &k->client, err);

    look_ask_others(k);
    if (rc < 0) {
        return rc;
    }
    rc = look_listen_to(k, k->client);
    if (rc < 0) {
        return err_set(err, ERR_INTERNAL, -rc, "the runtime's socket cannot be polled: %s",
                       strerror(-rc));
    }
    return look_ask_first(k, err);
}

/* A reply says what is wrong with it, and need not say at which socket. */
static void say_where(const struct podpid_look *k, const struct client_reply *r, struct err *err)
{
    const char *why = r->err.kind == ERR_NONE ? strerror(-r->rc) : r->err.text;
    char where[128];

    endpoint_format(&k->discovered.endpoint, where, sizeof(where));
    if (strncmp(why, where, strlen(where)) == 0) {
        *err = r->err;
        return;
    }
    err_set(err, r->err.kind == ERR_NONE ? ERR_RUNTIME : r->err.kind, -r->rc, "%s: %s", where, why);
    if (r->err.hint[0]) {
        err_hint(err, "%s", r->err.hint);
    }
}

static int take_reply(struct podpid_look *k, const struct client_reply *r, struct err *err)
{
    switch (r->kind) {
    case CLIENT_IDENTITY:
        k->identified = true;
        if (r->rc == 0) {
            k->runtime = r->runtime;
        }
        break;
    case CLIENT_LIST:
        k->listed = true;
        if (r->rc == 0) {
            k->list = r->list;
        }
        break;
    case CLIENT_POD:
        k->asked--;
        return look_take_pod(k, r);
    case CLIENT_CONTAINER:
        k->asked--;
        return look_take_container(k, r);
    case CLIENT_EVENT:
    case CLIENT_EVENTS_END:
        return 0;
    }
    if (r->rc < 0) {
        say_where(k, r, err);
    }
    return r->rc;
}

int look_step_runtime(struct podpid_look *k, nsec now, struct err *err)
{
    struct client_reply r;
    int rc;

    if (!k->client) {
        return 0;
    }
    rc = client_step(k->client, now, err);
    /* What came before the connection was lost counts first: the reply may say why. */
    while (client_next(k->client, &r)) {
        int taken = take_reply(k, &r, err);

        if (taken < 0) {
            return taken;
        }
    }
    look_step_others(k, now);
    return rc;
}

/* A sandbox that is not ready has no process to ask for. Where pods are put together from claims,
 * though, it is asked all the same: its containers' claims rest on what becomes of its own. */
static bool is_asked(const struct view_pod *pod)
{
    return pod->ready || pod->as_container;
}

int look_ask_statuses(struct podpid_look *k, nsec now, struct err *err)
{
    for (size_t i = 0; i < k->n_tracks; i++) {
        const struct track *t = k->tracks[i];
        const struct view_pod *pod;
        int rc = 0;

        if (!t->open) {
            continue;
        }
        /* By what the list called it: settling may have made a container of what is asked for as a
         * sandbox. */
        pod = view_find_pod(&k->view, t->id);
        if (pod && is_asked(pod)) {
            rc = client_get_pod(k->client, t->id, &k->arena, 0, err);
            k->asked++;
        } else if (!pod) {
            rc = client_get_container(k->client, t->id, &k->arena, 0, err);
            k->asked++;
        }
        if (rc < 0) {
            return rc;
        }
    }
    k->status_deadline = nsec_after(now, (k->deadline - now) / 2);
    return 0;
}

void look_fail_unanswered(struct podpid_look *k)
{
    static const char text[] = "no answer from the runtime in time";

    client_cancel(k->client);
    k->asked = 0;
    for (size_t i = 0; i < k->n_tracks; i++) {
        const struct track *t = k->tracks[i];
        struct view_container *c;
        struct view_pod *p;

        if (!t->open) {
            continue;
        }
        c = view_find_container(&k->view, t->id);
        p = view_find_pod(&k->view, t->id);
        if (c && c->status == VIEW_STATUS_NONE) {
            c->status = VIEW_STATUS_FAILED;
            c->error = text;
        }
        if (p && is_asked(p) && p->status == VIEW_STATUS_NONE) {
            p->status = VIEW_STATUS_FAILED;
            p->error = text;
        }
    }
}

void look_forget_statuses(struct podpid_look *k)
{
    for (size_t i = 0; i < k->n_tracks; i++) {
        struct view_container *c;
        struct view_pod *p;

        if (!k->tracks[i]->open) {
            continue;
        }
        if ((c = view_find_container(&k->view, k->tracks[i]->id))) {
            c->status = VIEW_STATUS_NONE;
        }
        if ((p = view_find_pod(&k->view, k->tracks[i]->id))) {
            p->status = VIEW_STATUS_NONE;
        }
    }
}
