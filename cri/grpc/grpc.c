#include "cri/grpc/impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/cleanup.h"

enum { OUT_MOST = 64 * 1024 }; /* bytes made ready for one write */

DEFINE_CLEANUP(grpc_call_free, struct call *)

DEFINE_CLEANUP(grpc_free, struct grpc *)

int grpc_new(const char *user_agent, struct grpc **ret, struct err *err)
{
    CLEANUP(cleanup_grpc_free) struct grpc *g = calloc(1, sizeof(*g));

    if (!g) {
        return err_nomem(err);
    }
    g->results_end = &g->results;
    g->user_agent = strdup(user_agent);
    if (!g->user_agent || grpc_session_new(g) < 0) {
        return err_nomem(err);
    }
    *ret = TAKE_PTR(g);
    return 0;
}

void grpc_free(struct grpc *g)
{
    if (!g) {
        return;
    }
    nghttp2_session_del(g->session);
    while (g->first) {
        struct call *c = g->first;

        g->first = c->next;
        grpc_call_free(c);
    }
    while (g->results) {
        struct result *r = g->results;

        g->results = r->next;
        grpc_result_free(g, r);
    }
    grpc_result_free(g, g->current);
    buf_free(&g->out);
    free(g->user_agent);
    free(g);
}

int grpc_call(struct grpc *g, const char *path, const void *message, size_t n, bool streaming,
              uint64_t tag, struct err *err)
{
    CLEANUP(cleanup_grpc_call_free) struct call *c = calloc(1, sizeof(*c));

    if (!c || n > UINT32_MAX) {
        return err_nomem(err);
    }
    c->tag = tag;
    c->stream = -1;
    c->streaming = streaming;
    c->n_request = GRPC_PREFIX + n;
    c->path = strdup(path);
    c->request = malloc(c->n_request);
    if (!c->path || !c->request) {
        return err_nomem(err);
    }
    grpc_put_prefix(c->request, (uint32_t)n);
    if (n) {
        memcpy(c->request + GRPC_PREFIX, message, n);
    }
    c->prev = g->last;
    *(g->last ? &g->last->next : &g->first) = c;
    g->last = TAKE_PTR(c);
    return 0;
}

static int broken(const struct grpc *g, struct err *err)
{
    return err_set(err, ERR_RUNTIME, EPROTO, "broke the HTTP/2 protocol%s%s",
                   g->detail[0] ? ": " : "", g->detail);
}

static int shut_down(const struct grpc *g, struct err *err)
{
    err_set(err, ERR_RUNTIME, ESHUTDOWN, "shut the connection down (GOAWAY, %s)", g->detail);
    err_hint(err, "the runtime is being stopped or restarted: try again when it is up");
    return -ESHUTDOWN;
}

int grpc_recv(struct grpc *g, const uint8_t *p, size_t n, struct err *err)
{
    ssize_t rc;

    if (grpc_sniff(&g->sniffer, p, n) > GRPC_PEER_HTTP2) {
        return grpc_sniff_error(&g->sniffer, err);
    }
    rc = nghttp2_session_mem_recv(g->session, p, n);
    if (g->nomem || rc == NGHTTP2_ERR_NOMEM) {
        return err_nomem(err);
    }
    if (rc < 0) {
        if (!g->detail[0]) {
            snprintf(g->detail, sizeof(g->detail), "%s", nghttp2_strerror((int)rc));
        }
        return broken(g, err);
    }
    return g->goaway && g->n_active == 0 ? shut_down(g, err) : 0;
}

int grpc_eof(const struct grpc *g, struct err *err)
{
    size_t half = 0;

    if (g->sniffer.peer != GRPC_PEER_HTTP2) {
        return grpc_sniff_error(&g->sniffer, err);
    }
    if (g->goaway) {
        return shut_down(g, err);
    }
    for (const struct call *c = g->first; c; c = c->next) {
        half += c->stream >= 0 && grpc_deframer_partial(&c->in) ? 1 : 0;
    }
    if (half > 0) {
        err_set(err, ERR_RUNTIME, ECONNRESET, "closed the connection in the middle of an answer");
    } else if (g->n_active > 0) {
        err_set(err, ERR_RUNTIME, ECONNRESET,
                "closed the connection with %zu calls still to be answered", g->n_active);
    } else {
        err_set(err, ERR_RUNTIME, ECONNRESET, "closed the connection");
    }
    err_hint(err, "the runtime stopped, was restarted or crashed: look at its log");
    return -ECONNRESET;
}

int grpc_send(struct grpc *g, const uint8_t **ret_p, size_t *ret_n, struct err *err)
{
    if (grpc_submit_queued(g) < 0) {
        return err_nomem(err);
    }
    if (g->out_sent == g->out.n) {
        g->out.n = g->out_sent = 0;
    }
    while (g->out.n < OUT_MOST) {
        const uint8_t *p;
        ssize_t n = nghttp2_session_mem_send(g->session, &p);

        if (n == NGHTTP2_ERR_NOMEM || g->nomem) {
            return err_nomem(err);
        }
        if (n < 0) {
            return broken(g, err);
        }
        if (n == 0) {
            break;
        }
        buf_append(&g->out, p, (size_t)n);
    }
    if (g->out.failed) {
        return err_nomem(err);
    }
    if (g->we_broke != NGHTTP2_NO_ERROR) {
        return broken(g, err);
    }
    if (g->goaway && g->n_active == 0) {
        return shut_down(g, err);
    }
    *ret_p = (const uint8_t *)g->out.p + g->out_sent;
    *ret_n = g->out.n - g->out_sent;
    return 0;
}

void grpc_sent(struct grpc *g, size_t n)
{
    g->out_sent += n;
}

enum grpc_peer grpc_peer_seen(const struct grpc *g)
{
    return g->sniffer.peer;
}

const char *grpc_code_name(enum grpc_code code)
{
    static const char *const names[] = {
        "OK",
        "Cancelled",
        "Unknown",
        "InvalidArgument",
        "DeadlineExceeded",
        "NotFound",
        "AlreadyExists",
        "PermissionDenied",
        "ResourceExhausted",
        "FailedPrecondition",
        "Aborted",
        "OutOfRange",
        "Unimplemented",
        "Internal",
        "Unavailable",
        "DataLoss",
        "Unauthenticated",
    };

    return (unsigned)code < N_ELEMENTS(names) ? names[code] : "?";
}
