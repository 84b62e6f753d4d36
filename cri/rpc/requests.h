/* Requests -> RPCs -> replies, over a gRPC connection that somebody else reads and writes: which
 * RPCs a request takes, which version of the service is asked, what a failed one means. No I/O.
 * Internal to cri/. */
#ifndef PODPID_CRI_RPC_REQUESTS_H
#define PODPID_CRI_RPC_REQUESTS_H

#include "cri/grpc/grpc.h"
#include "cri/rpc/rpc.h"
#include "cri/speaker.h"

struct cri_op;
struct runtime;

/* In the order in which they came. */
struct cri_op_list {
    struct cri_op *first, *last;
};

/* Zero-initialise, then set grpc, which is borrowed. */
struct cri_requests {
    struct grpc *grpc;
    enum cri_api api;              /* the version that is asked */
    bool served;                   /* it answered: there is no falling back any more */
    bool watching;                 /* the event stream is open */
    const struct runtime *runtime; /* NULL until Version has been answered */
    struct cri_op_list under_way, done;
    unsigned n_under_way;
};

void cri_requests_free(struct cri_requests *rq); /* what it holds */

int cri_requests_get(struct cri_requests *rq, const struct client_request *req, struct err *err);

/* Drop all that is under way; the event stream goes on. */
void cri_requests_cancel(struct cri_requests *rq);

/* Take the connection's results, all of them. 0; or negative errno: neither version of CRI is
 * served there, or -ENOMEM. */
int cri_requests_take(struct cri_requests *rq, struct err *err);

bool cri_requests_next(struct cri_requests *rq, struct client_reply *ret);

/* As client_watch_events(). */
bool cri_requests_watch(struct cri_requests *rq, const struct view_runtime *who);

#endif
