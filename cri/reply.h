/* What comes of a request: the replies that both speakers make and cri/client.h hands out. */
#ifndef PODPID_CRI_REPLY_H
#define PODPID_CRI_REPLY_H

#include <stdbool.h>

#include "cri/base/error.h"
#include "cri/view.h"

enum client_reply_kind {
    CLIENT_IDENTITY,  /* to client_get_identity(): runtime is filled */
    CLIENT_LIST,      /* to client_get_list(): list is filled */
    CLIENT_POD,       /* to client_get_pod(): pod is filled */
    CLIENT_CONTAINER, /* to client_get_container(): container is filled */
    CLIENT_EVENT,     /* some container changed; without content: the reader looks again */
    CLIENT_EVENTS_END /* the event stream ended, or with rc < 0 it is not served; requests go on */
};

struct client_reply {
    enum client_reply_kind kind;
    int rc;    /* 0, or negative errno with err filled: this one request failed */
    bool gone; /* with rc < 0: the container or sandbox no longer exists */
    struct err err;
    struct view_runtime runtime;
    struct view list;    /* ids, states and what else a list tells, sorted by id; no statuses */
    struct view_pod pod; /* its id is the request's also after a failure; status is OK,
                            GONE or FAILED */
    struct view_container container; /* likewise; sandbox_id is NULL for CRI, whose status does not
                                        tell it (the list does) */
};

#endif
