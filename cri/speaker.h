/* What a speaker of one API (CRI, Docker Engine) has to bring to be a client (cri/client.h).
 * Internal to cri/. */
#ifndef PODPID_CRI_SPEAKER_H
#define PODPID_CRI_SPEAKER_H

#include "cri/client.h"

struct client_request {
    enum client_reply_kind kind; /* CLIENT_IDENTITY, _LIST, _POD, _CONTAINER */
    const char *id;              /* of _POD and _CONTAINER; a copy that lives in the arena */
    struct arena *arena;
    uint64_t tag;
};

/* Each does what the function of the same name in cri/client.h says. */
struct client_ops {
    void (*close)(struct client *c); /* never called with NULL */
    int (*fd)(const struct client *c);
    nsec (*deadline)(const struct client *c);
    int (*get)(struct client *c, const struct client_request *req, struct err *err);
    void (*cancel)(struct client *c);
    int (*step)(struct client *c, nsec now, struct err *err);
    bool (*next)(struct client *c, struct client_reply *ret);
    unsigned (*pending)(const struct client *c);
    int (*settle)(const struct client *c, struct view *v, struct arena *a);
    bool (*watch_events)(struct client *c, const struct view_runtime *who);
};

/* The first member of every speaker's own struct. */
struct client {
    const struct client_ops *ops;
    bool peer_elsewhere; /* set by client_open() */
};

/* Speaks the Docker Engine API to ep. Called by client_open() once a peer turned out to speak
 * HTTP/1.x and no CRI. The descriptor that ops->fd gives may be an epoll one: it is only polled. */
int docker_client_open(const struct endpoint *ep, struct client **ret, struct err *err);

#endif
