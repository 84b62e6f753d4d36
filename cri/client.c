#include "cri/client.h"

#include "cri/speaker.h"

void client_close(struct client *c)
{
    if (c) {
        c->ops->close(c);
    }
}

int client_fd(const struct client *c)
{
    return c->ops->fd(c);
}

nsec client_deadline(const struct client *c)
{
    return c->ops->deadline(c);
}

static int get(struct client *c, enum client_reply_kind kind, const char *id, struct arena *a,
               struct err *err)
{
    struct client_request req = {.kind = kind, .arena = a};

    if (id) {
        req.id = arena_strdup(a, id);
        if (!req.id) {
            return err_nomem(err);
        }
    }
    return c->ops->get(c, &req, err);
}

int client_get_identity(struct client *c, struct arena *a, struct err *err)
{
    return get(c, CLIENT_IDENTITY, NULL, a, err);
}

int client_get_list(struct client *c, struct arena *a, struct err *err)
{
    return get(c, CLIENT_LIST, NULL, a, err);
}

int client_get_pod(struct client *c, const char *id, struct arena *a, struct err *err)
{
    return get(c, CLIENT_POD, id, a, err);
}

int client_get_container(struct client *c, const char *id, struct arena *a, struct err *err)
{
    return get(c, CLIENT_CONTAINER, id, a, err);
}

void client_cancel(struct client *c)
{
    c->ops->cancel(c);
}

int client_step(struct client *c, nsec now, struct err *err)
{
    return c->ops->step(c, now, err);
}

bool client_next(struct client *c, struct client_reply *ret)
{
    return c->ops->next(c, ret);
}

bool client_is_elsewhere(const struct client *c)
{
    return c->peer_elsewhere;
}

unsigned client_pending(const struct client *c)
{
    return c->ops->pending(c);
}

int client_settle(const struct client *c, struct view *v, struct arena *a)
{
    return c->ops->settle(c, v, a);
}

bool client_watch_events(struct client *c, const struct view_runtime *who)
{
    return c->ops->watch_events(c, who);
}
