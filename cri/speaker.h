/* A speaker: the client's half for one API (CRI in cri/rpc, the Docker Engine API in cri/docker).
 * This is what it takes from cri/client.c and what it must offer to it. Internal to cri/. */
#ifndef PODPID_CRI_SPEAKER_H
#define PODPID_CRI_SPEAKER_H

#include "cri/base/arena.h"
#include "cri/base/clock.h"
#include "cri/reply.h"

struct client;

struct client_request {
    enum client_reply_kind kind; /* CLIENT_IDENTITY, _LIST, _POD or _CONTAINER */
    const char *id;              /* of _POD and _CONTAINER; lives in arena. Else NULL */
    struct arena *arena;         /* the caller's: what the reply points to is allocated here */
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
    bool peer_elsewhere; /* the peer's PID namespace is not ours; set by client_open() */
};

#endif
