#include "cri/rpc/requests.h"

#include <errno.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cri/lists.h"
#include "cri/rpc/decode.h"
#include "cri/runtimes.h"

/* A request, from cri_requests_get() until its reply is handed out. */
struct cri_op {
    struct cri_op *prev, *next;
    struct client_request req;
    unsigned waiting; /* bit i: the RPC i has no answer yet */
    struct client_reply reply;
};

static void list_add(struct cri_op_list *l, struct cri_op *op)
{
    op->next = NULL;
    op->prev = l->last;
    *(l->last ? &l->last->next : &l->first) = op;
    l->last = op;
}

static void list_remove(struct cri_op_list *l, struct cri_op *op)
{
    *(op->prev ? &op->prev->next : &l->first) = op->next;
    *(op->next ? &op->next->prev : &l->last) = op->prev;
}

static void list_free(struct cri_op_list *l)
{
    while (l->first) {
        struct cri_op *op = l->first;

        list_remove(l, op);
        free(op);
    }
}

/* A call's tag: the address of its request, with the RPC and the service's version in the low bits.
 */
enum { TAG_RPC = 7, TAG_ALPHA = 8, TAG_MASK = TAG_RPC | TAG_ALPHA };

_Static_assert(alignof(max_align_t) > TAG_MASK, "malloc leaves these bits of a pointer free");
_Static_assert(CRI_RPCS <= TAG_RPC + 1, "an RPC has to fit its bits");

static uint64_t tag_of(const struct cri_op *op, enum cri_rpc rpc, enum cri_api api)
{
    return (uint64_t)(uintptr_t)op | rpc | (api == CRI_V1ALPHA2 ? TAG_ALPHA : 0U);
}

static int call(struct cri_requests *rq, struct cri_op *op, enum cri_rpc rpc, struct err *err)
{
    uint8_t message[CRI_REQUEST_MOST];
    char path[64];
    size_t n;
    int rc;

    if (!cri_rpc_pack(rpc, op ? op->req.id : NULL, message, &n)) {
        return err_set(err, ERR_USAGE, EINVAL, "no runtime has ids as long as \"%.64s...\"",
                       op->req.id);
    }
    cri_rpc_path(rpc, rq->api, path, sizeof(path));
    rc = grpc_call(rq->grpc, path, message, n, rpc == CRI_EVENTS, tag_of(op, rpc, rq->api), err);
    if (rc < 0) {
        return rc;
    }
    if (op) {
        op->waiting |= 1U << rpc;
    }
    return 0;
}

static const struct {
    enum cri_rpc rpcs[3];
    unsigned n;
} rpcs_of[] = {
    [CLIENT_IDENTITY] = {{CRI_VERSION, CRI_STATUS, CRI_RUNTIME_CONFIG}, 3},
    [CLIENT_LIST] = {{CRI_LIST_PODS, CRI_LIST_CONTAINERS}, 2},
    [CLIENT_POD] = {{CRI_POD_STATUS}, 1},
    [CLIENT_CONTAINER] = {{CRI_CONTAINER_STATUS}, 1},
};

/* Cancel the calls of a request that have no answer yet. */
static void calls_cancel(struct cri_requests *rq, struct cri_op *op)
{
    for (enum cri_rpc rpc = 0; rpc < CRI_RPCS; rpc++) {
        if (op->waiting & 1U << rpc) {
            grpc_cancel(rq->grpc, tag_of(op, rpc, rq->api));
            if (rq->api == CRI_V1ALPHA2) { /* a call may have gone to v1 before */
                grpc_cancel(rq->grpc, tag_of(op, rpc, CRI_V1));
            }
        }
    }
    op->waiting = 0;
}

static void op_cancel(struct cri_requests *rq, struct cri_op *op)
{
    calls_cancel(rq, op);
    list_remove(&rq->under_way, op);
    rq->n_under_way--;
    free(op);
}

int cri_requests_get(struct cri_requests *rq, const struct client_request *req, struct err *err)
{
    struct cri_op *op = calloc(1, sizeof(*op));

    if (!op) {
        return err_nomem(err);
    }
    op->req = *req;
    op->reply.kind = req->kind;
    list_add(&rq->under_way, op);
    rq->n_under_way++;
    for (unsigned i = 0; i < rpcs_of[req->kind].n; i++) {
        enum cri_rpc rpc = rpcs_of[req->kind].rpcs[i];
        int rc;

        if (rpc == CRI_RUNTIME_CONFIG && rq->api == CRI_V1ALPHA2) {
            continue; /* v1alpha2 has no RuntimeConfig */
        }
        rc = call(rq, op, rpc, err);
        if (rc < 0) {
            op_cancel(rq, op);
            return rc;
        }
    }
    return 0;
}

static void op_done(struct cri_requests *rq, struct cri_op *op)
{
    list_remove(&rq->under_way, op);
    rq->n_under_way--;
    list_add(&rq->done, op);
}

/* The whole request failed: cancel its other calls, complete its reply. */
static void op_failed(struct cri_requests *rq, struct cri_op *op, int rc)
{
    struct client_reply *r = &op->reply;
    enum view_status status = r->gone ? VIEW_STATUS_GONE : VIEW_STATUS_FAILED;
    const char *why = arena_strdup(op->req.arena, r->err.text);

    calls_cancel(rq, op);
    r->rc = rc;
    if (!why) {
        why = "out of memory";
    }
    if (op->req.kind == CLIENT_POD) {
        r->pod = (struct view_pod){.id = op->req.id, .status = status, .error = why};
    } else if (op->req.kind == CLIENT_CONTAINER) {
        r->container = (struct view_container){
            .id = op->req.id, .state = VIEW_UNKNOWN, .status = status, .error = why};
    }
    op_done(rq, op);
}

static const char *api_name(enum cri_api api)
{
    return api == CRI_V1 ? "cri/v1" : "cri/v1alpha2";
}

/* Decode one RPC's answer into the reply. */
static int decode(struct cri_op *op, enum cri_rpc rpc, struct wire w)
{
    struct client_reply *r = &op->reply;
    struct arena *a = op->req.arena;

    switch (rpc) {
    case CRI_VERSION:
        return cri_decode_version(w, a, &r->runtime, &r->err);
    case CRI_STATUS:
        return cri_decode_status(w, a, &r->runtime, &r->err);
    case CRI_RUNTIME_CONFIG:
        return cri_decode_config(w, &r->runtime, &r->err);
    case CRI_LIST_PODS:
        return cri_decode_pods(w, a, &r->list, &r->err);
    case CRI_LIST_CONTAINERS:
        return cri_decode_containers(w, a, &r->list, &r->err);
    case CRI_POD_STATUS:
        return cri_decode_pod_status(w, op->req.id, a, &r->pod, &r->err);
    case CRI_CONTAINER_STATUS:
        return cri_decode_container_status(w, op->req.id, a, &r->container, &r->err);
    case CRI_EVENTS:
    case CRI_RPCS:
        break;
    }
    return 0;
}

/* A failed Status or RuntimeConfig does not make the identity fail. */
static int tolerate(struct cri_op *op, enum cri_rpc rpc, int rc)
{
    struct client_reply *r = &op->reply;

    if (rc == -ENOMEM || (rpc != CRI_STATUS && rpc != CRI_RUNTIME_CONFIG)) {
        return rc;
    }
    if (rpc == CRI_STATUS) {
        r->runtime.status_error = arena_strdup(op->req.arena, r->err.text);
        if (!r->runtime.status_error) {
            return err_nomem(&r->err);
        }
    }
    r->err = (struct err){0};
    return 0;
}

/* Where a sandbox's status has no PID, ask for the sandbox as a container. 1: asked; 0: no need;
 * negative errno. */
static int ask_for_pod_pid(struct cri_requests *rq, struct cri_op *op, enum cri_rpc rpc)
{
    int rc;

    if (!rq->runtime || !rq->runtime->hides_sandbox_pid || rpc != CRI_POD_STATUS ||
        !op->reply.pod.ready || op->reply.pod.pid) {
        return 0;
    }
    rc = call(rq, op, CRI_CONTAINER_STATUS, &op->reply.err);
    return rc < 0 ? rc : 1;
}

/* Add the PID to a sandbox's status; a failure leaves the status without one. */
static void take_pod_pid(struct cri_op *op, const struct grpc_result *res)
{
    struct view_container c = {0};
    struct err ignored = {0};

    if (res->code == GRPC_OK &&
        cri_decode_container_status((struct wire){res->message, res->n}, op->req.id, op->req.arena,
                                    &c, &ignored) == 0) {
        op->reply.pod.pid = c.pid;
    }
}

static void op_answered(struct cri_requests *rq, struct cri_op *op, enum cri_rpc rpc,
                        const struct grpc_result *res)
{
    struct client_reply *r = &op->reply;
    int rc;

    op->waiting &= ~(1U << rpc);
    if (op->req.kind == CLIENT_POD && rpc == CRI_CONTAINER_STATUS) {
        take_pod_pid(op, res);
        op_done(rq, op);
        return;
    }
    if (res->code == GRPC_OK) {
        rc = decode(op, rpc, (struct wire){res->message, res->n});
    } else {
        rc = cri_rpc_error(rpc, res->code, res->text, &r->gone, &r->err);
    }
    if (rc < 0) {
        rc = tolerate(op, rpc, rc);
    }
    if (rc == 0 && rpc == CRI_VERSION) {
        rq->runtime = runtime_find(r->runtime.name, NULL);
    }
    if (rc == 0 && (rc = ask_for_pod_pid(rq, op, rpc)) > 0) {
        return;
    }
    if (rc == 0 && op->waiting == 0) {
        r->runtime.api = op->req.kind == CLIENT_IDENTITY ? api_name(rq->api) : NULL;
        if (op->req.kind == CLIENT_LIST && lists_settle(&r->list, false, op->req.arena) < 0) {
            rc = err_nomem(&r->err);
        }
    }
    if (rc < 0) {
        op_failed(rq, op, rc);
    } else if (op->waiting == 0) {
        op_done(rq, op);
    }
}

static int event(struct cri_requests *rq, const struct grpc_result *res, struct err *err)
{
    struct cri_op *op;

    if (!res->end && rq->done.last && rq->done.last->reply.kind == CLIENT_EVENT) {
        return 0; /* an event waits already, and events have no content */
    }
    op = calloc(1, sizeof(*op));
    if (!op) {
        return err_nomem(err);
    }
    op->reply.kind = res->end ? CLIENT_EVENTS_END : CLIENT_EVENT;
    if (res->end) {
        rq->watching = false;
        if (res->code != GRPC_OK) {
            op->reply.rc =
                cri_rpc_error(CRI_EVENTS, res->code, res->text, &op->reply.gone, &op->reply.err);
            op->reply.gone = false;
        }
    }
    list_add(&rq->done, op);
    return 0;
}

static int no_cri(const char *text, struct err *err)
{
    err_set(err, ERR_RUNTIME, EOPNOTSUPP, "answers gRPC but serves no CRI (%s)", text);
    err_hint(err,
             "on containerd: \"cri\" stands in disabled_plugins of "
             "/etc/containerd/config.toml (Docker's packages ship it so), or the plugin failed "
             "to load (ctr plugins ls)");
    return -EOPNOTSUPP;
}

/* Whether the answer means that the peer does not have that version of the service. */
static bool is_missing(const struct grpc_result *res, enum cri_rpc rpc)
{
    return res->code == GRPC_UNIMPLEMENTED && cri_rpc_service_missing(rpc, res->text);
}

static int take_result(struct cri_requests *rq, const struct grpc_result *res, struct err *err)
{
    enum cri_rpc rpc = (enum cri_rpc)(res->tag & TAG_RPC);
    bool alpha = res->tag & TAG_ALPHA;
    struct cri_op *op = (struct cri_op *)(uintptr_t)(res->tag & ~(uint64_t)TAG_MASK);

    if (res->end && res->retryable) {
        return 0; /* the peer never took this call: the end of the connection gives the error */
    }
    if (rpc == CRI_EVENTS) {
        return event(rq, res, err);
    }
    if (!(op->waiting & 1U << rpc)) {
        return 0; /* the request has failed by another answer */
    }
    if (is_missing(res, rpc)) {
        if (alpha && !rq->served) {
            return no_cri(res->text, err);
        }
        if (!alpha && (!rq->served || rq->api == CRI_V1ALPHA2)) {
            /* The first such answer decides for the connection; calls that went to v1 together with
             * it come here too. */
            rq->api = CRI_V1ALPHA2;
            if (rpc != CRI_RUNTIME_CONFIG) {
                return call(rq, op, rpc, err);
            }
        }
    } else if (res->code != GRPC_UNIMPLEMENTED) {
        rq->served = true;
    }
    op_answered(rq, op, rpc, res);
    return 0;
}

int cri_requests_take(struct cri_requests *rq, struct err *err)
{
    struct grpc_result res;

    while (grpc_next(rq->grpc, &res)) {
        int rc = take_result(rq, &res, err);

        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

void cri_requests_free(struct cri_requests *rq)
{
    list_free(&rq->under_way);
    list_free(&rq->done);
}

void cri_requests_cancel(struct cri_requests *rq)
{
    while (rq->under_way.first) {
        op_cancel(rq, rq->under_way.first);
    }
}

bool cri_requests_next(struct cri_requests *rq, struct client_reply *ret)
{
    struct cri_op *op = rq->done.first;

    if (!op) {
        return false;
    }
    *ret = op->reply;
    list_remove(&rq->done, op);
    free(op);
    return true;
}

bool cri_requests_watch(struct cri_requests *rq, const struct view_runtime *who)
{
    if (rq->watching || rq->api != CRI_V1 ||
        !runtime_events_are_shared(runtime_find(who->name, who->api), who->version)) {
        return false;
    }
    rq->watching = call(rq, NULL, CRI_EVENTS, NULL) == 0;
    return rq->watching;
}
