/* Requests -> RPCs -> replies: which RPCs a request needs, which version of the service is asked,
 * what a failed RPC means. No I/O: cri/rpc/client.c reads and writes the gRPC connection. Internal
 * to cri/rpc. */
#ifndef PODPID_CRI_RPC_REQUESTS_H
#define PODPID_CRI_RPC_REQUESTS_H

#include "cri/grpc/grpc.h"
#include "cri/rpc/rpc.h"
#include "cri/speaker.h"

struct cri_op;
struct runtime;

/* Requests, in the order in which they were added. */
struct cri_op_list {
    struct cri_op *first, *last;
};

/* Zero-initialise, then set grpc, which is borrowed. */
struct cri_requests {
    struct grpc *grpc;
    enum cri_api api;              /* the version that is asked */
    bool served;                   /* it has answered: it is not changed any more */
    bool watching;                 /* the event stream is open */
    const struct runtime *runtime; /* NULL until Version has been answered */
    struct cri_op_list under_way, done;
    unsigned n_under_way;
};

/* Free the requests and replies in rq, not rq itself. */
void cri_requests_free(struct cri_requests *rq);

/* Start a request: queue its calls. req is copied; its arena and id are borrowed until the reply is
 * handed out. 0; -ENOMEM; -EINVAL for an id that is longer than any runtime's. */
int cri_requests_get(struct cri_requests *rq, const struct client_request *req, struct err *err);

/* Drop all requests without a reply; the event stream goes on. */
void cri_requests_cancel(struct cri_requests *rq);

/* Take all results that the connection has. 0; -EOPNOTSUPP: the peer serves neither version of CRI;
 * -ENOMEM. */
int cri_requests_take(struct cri_requests *rq, struct err *err);

/* As client_next(). */
bool cri_requests_next(struct cri_requests *rq, struct client_reply *ret);

/* As client_watch_events(). */
bool cri_requests_watch(struct cri_requests *rq, const struct view_runtime *who);

#endif
