#include "cri/grpc/impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/cleanup.h"

void grpc_call_free(struct call *c)
{
    if (c) {
        free(c->path);
        free(c->request);
        free(c->message);
        grpc_deframer_reset(&c->in);
        free(c);
    }
}

static void grpc_call_unlink(struct grpc *g, struct call *c)
{
    *(c->prev ? &c->prev->next : &g->first) = c->next;
    *(c->next ? &c->next->prev : &g->last) = c->prev;
    if (c->stream >= 0) {
        g->n_active--;
    }
    g->buffered -= c->in.cap + c->n_message;
}

void grpc_result_free(struct grpc *g, struct result *r)
{
    if (r) {
        g->buffered -= r->pub.n;
        free(r->message);
        free(r);
    }
}

int grpc_result_push(struct grpc *g, const struct call *c, uint8_t **message, size_t n, bool end)
{
    struct result *r = calloc(1, sizeof(*r));

    if (!r) {
        g->nomem = true;
        return -ENOMEM;
    }
    r->message = TAKE_PTR(*message);
    r->pub = (struct grpc_result){.tag = c->tag, .end = end, .message = r->message, .n = n};
    g->buffered += n;
    *g->results_end = r;
    g->results_end = &r->next;
    return 0;
}

int grpc_call_end(struct grpc *g, struct call *c, enum grpc_code code, bool retryable,
                  const char *text)
{
    struct result **at = g->results_end;
    size_t n = code == GRPC_OK ? c->n_message : 0;
    AUTO_FREE uint8_t *message = NULL;

    if (c->stream >= 0) {
        nghttp2_session_set_stream_user_data(g->session, c->stream, NULL);
    }
    grpc_call_unlink(g, c);
    if (code == GRPC_OK) {
        message = TAKE_PTR(c->message);
    }
    if (grpc_result_push(g, c, &message, n, true) < 0) {
        grpc_call_free(c);
        return -ENOMEM;
    }
    (*at)->pub.code = code;
    (*at)->pub.retryable = retryable;
    snprintf((*at)->text, sizeof((*at)->text), "%s", text);
    (*at)->pub.text = (*at)->text;
    grpc_call_free(c);
    return 0;
}

int grpc_call_refuse(struct grpc *g, struct call *c, enum grpc_code code, const char *text)
{
    int32_t stream = c->stream;

    if (nghttp2_submit_rst_stream(g->session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL) ==
        NGHTTP2_ERR_NOMEM) {
        g->nomem = true;
        return -ENOMEM;
    }
    return grpc_call_end(g, c, code, false, text);
}

void grpc_cancel(struct grpc *g, uint64_t tag)
{
    struct call *c = g->first;

    while (c && c->tag != tag) {
        c = c->next;
    }
    if (!c) {
        return;
    }
    if (c->stream >= 0) {
        /* Without memory no RST_STREAM goes out, and the peer's further answer is ignored. */
        nghttp2_submit_rst_stream(g->session, NGHTTP2_FLAG_NONE, c->stream, NGHTTP2_CANCEL);
        nghttp2_session_set_stream_user_data(g->session, c->stream, NULL);
    }
    grpc_call_unlink(g, c);
    grpc_call_free(c);
}

bool grpc_next(struct grpc *g, struct grpc_result *ret)
{
    grpc_result_free(g, g->current);
    g->current = g->results;
    if (!g->current) {
        return false;
    }
    g->results = g->current->next;
    if (!g->results) {
        g->results_end = &g->results;
    }
    *ret = g->current->pub;
    return true;
}
