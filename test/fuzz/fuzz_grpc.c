/* A CRI client that waits for replies: the input is what the server sends, after a first byte that
 * says in pieces of how many bytes it arrives. Each request gets one reply at most, and a
 * connection that fails has an error text. */
#include "test/fuzz/fuzz.h"

#include "cri/base/cleanup.h"
#include "cri/grpc/grpc.h"
#include "cri/rpc/requests.h"

#define KINDS (CLIENT_EVENTS_END + 1)

struct connection {
    struct arena arena;
    struct grpc *grpc;
    struct cri_requests requests;
    unsigned replies[KINDS]; /* one request of each kind is made */
};

static void take_replies(struct connection *w)
{
    struct client_reply r;

    while (cri_requests_next(&w->requests, &r)) {
        must(r.rc == 0 || r.err.text[0]);
        if (r.kind == CLIENT_EVENT || r.kind == CLIENT_EVENTS_END) {
            continue;
        }
        must(r.kind < KINDS && w->replies[r.kind]++ == 0);
        must(r.kind != CLIENT_CONTAINER || r.container.id);
        must(r.kind != CLIENT_POD || r.pod.id);
    }
}

/* Take what the client wants to write, and discard it. */
static int discard_output(struct connection *w, struct err *err)
{
    const uint8_t *p;
    size_t n;
    int rc;

    do {
        rc = grpc_send(w->grpc, &p, &n, err);
        if (rc < 0) {
            return rc;
        }
        grpc_sent(w->grpc, n);
    } while (n > 0);
    return 0;
}

static void send_request(struct connection *w, enum client_reply_kind kind, const char *id)
{
    const struct client_request req = {.kind = kind, .id = id, .arena = &w->arena};

    must(cri_requests_get(&w->requests, &req, NULL) == 0);
}

static int feed(struct connection *w, const uint8_t *p, size_t n, struct err *err)
{
    int rc = grpc_recv(w->grpc, p, n, err), rc_take = cri_requests_take(&w->requests, err);

    take_replies(w);
    if (rc == 0) {
        rc = rc_take;
    }
    return rc == 0 ? discard_output(w, err) : rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct view_runtime who = {.name = "cri-o", .version = "1"};
    struct connection w = {0};
    struct err err = {0};
    size_t piece = size > 0 && data[0] % 16 > 0 ? data[0] : size;
    int rc;

    must(grpc_new("podpid/fuzz", &w.grpc, &err) == 0);
    w.requests.grpc = w.grpc;
    send_request(&w, CLIENT_IDENTITY, NULL);
    send_request(&w, CLIENT_LIST, NULL);
    send_request(&w, CLIENT_POD, "p");
    send_request(&w, CLIENT_CONTAINER, "c");
    must(cri_requests_watch(&w.requests, &who));
    rc = discard_output(&w, &err);
    for (size_t at = 1; rc == 0 && at < size; at += piece) {
        rc = feed(&w, data + at, size - at < piece ? size - at : piece, &err);
    }
    if (rc == 0) {
        rc = grpc_eof(w.grpc, &err);
    }
    must(rc < 0 && err.text[0]);
    cri_requests_free(&w.requests);
    grpc_free(w.grpc);
    arena_free(&w.arena);
    return 0;
}
