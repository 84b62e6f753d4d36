/* Requests to the runtime, and its replies. */
#include "resolver/look/impl.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

int look_listen_to(struct podpid_look *k, const struct client *c)
{
    struct epoll_event ev = {.events = EPOLLIN};

    return epoll_ctl(k->epoll_fd, EPOLL_CTL_ADD, client_fd(c), &ev) < 0 ? -errno : 0;
}

int look_ask_list(struct podpid_look *k, struct err *err)
{
    k->listed = false;
    return client_get_list(k->client, &k->arena, err);
}

int look_ask_first(struct podpid_look *k, struct err *err)
{
    int rc;

    k->runtime = (struct view_runtime){0};
    k->identified = false;
    k->runtime_elsewhere = k->procfs.own_pidns && client_is_elsewhere(k->client);
    rc = client_get_identity(k->client, &k->arena, err);
    return rc < 0 ? rc : look_ask_list(k, err);
}

int look_open_runtime(struct podpid_look *k, struct err *err)
{
    int rc = client_open(&k->discovered.endpoint, &k->client, err);

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

/* ---- Replies ------------------------------------------------------------------------------- */

/* The error of a reply, with the endpoint in front of it unless it begins with that already. */
static int fail_with_endpoint(const struct podpid_look *k, const struct client_reply *r,
                              struct err *err)
{
    const char *why = r->err.kind == ERR_NONE ? strerror(-r->rc) : r->err.text;
    char where[ENDPOINT_TEXT_SIZE];

    endpoint_format(&k->discovered.endpoint, where, sizeof(where));
    if (strncmp(why, where, strlen(where)) == 0) {
        *err = r->err;
        return r->rc;
    }
    err_set(err, r->err.kind == ERR_NONE ? ERR_RUNTIME : r->err.kind, -r->rc, "%s: %s", where, why);
    if (r->err.hint[0]) {
        err_hint(err, "%s", r->err.hint);
    }
    return r->rc;
}

static int take_reply(struct podpid_look *k, const struct client_reply *r, struct err *err)
{
    switch (r->kind) {
    case CLIENT_IDENTITY:
        k->identified = true;
        if (r->rc < 0) {
            return fail_with_endpoint(k, r, err);
        }
        k->runtime = r->runtime;
        break;
    case CLIENT_LIST:
        k->listed = true;
        if (r->rc < 0) {
            return fail_with_endpoint(k, r, err);
        }
        k->list = r->list;
        break;
    case CLIENT_POD:
        k->asked--;
        look_take_pod(k, r);
        break;
    case CLIENT_CONTAINER:
        k->asked--;
        look_take_container(k, r);
        break;
    case CLIENT_EVENT:
    case CLIENT_EVENTS_END:
        break;
    }
    return 0;
}

int look_step_runtime(struct podpid_look *k, nsec now, struct err *err)
{
    struct client_reply r;
    int rc;

    if (!k->client) {
        return 0;
    }
    rc = client_step(k->client, now, err);
    /* Replies that came before the connection was lost count first: they may say why it was. */
    while (client_next(k->client, &r)) {
        int taken = take_reply(k, &r, err);

        if (taken < 0) {
            return taken;
        }
    }
    return rc;
}

/* ---- Statuses ------------------------------------------------------------------------------ */

static int ask_status(struct podpid_look *k, const char *id, struct err *err)
{
    struct view_container *c = view_find_container(&k->view, id);
    /* By what the list called it: settling may have made a container of a claimed sandbox. */
    struct view_pod *p = view_find_pod(&k->view, id);

    if (c) {
        c->status = VIEW_STATUS_NONE;
    }
    if (p) {
        p->status = VIEW_STATUS_NONE;
    }
    if (p && !look_is_asked(p)) {
        return 0;
    }
    k->asked++;
    return p ? client_get_pod(k->client, id, &k->arena, err)
             : client_get_container(k->client, id, &k->arena, err);
}

int look_ask_statuses(struct podpid_look *k, nsec now, struct err *err)
{
    for (size_t i = 0; i < k->units.n; i++) {
        const struct look_unit *lu = k->units.items[i];
        int rc = lu->open ? ask_status(k, lu->id, err) : 0;

        if (rc < 0) {
            return rc;
        }
    }
    /* The other half of the time is for the closing list and the rounds that may follow. */
    k->status_deadline = nsec_after(now, (k->deadline - now) / 2);
    return 0;
}

void look_fail_unanswered(struct podpid_look *k)
{
    client_cancel(k->client);
    k->asked = 0;
    k->identified = true; /* it does not come any more */
    for (size_t i = 0; i < k->units.n; i++) {
        if (k->units.items[i]->open) {
            look_fail_status(&k->view, k->units.items[i]->id, "no answer from the runtime in time");
        }
    }
}
