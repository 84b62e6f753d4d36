/* What the parts of the gRPC client share. Internal to cri/grpc*.c: grpc.c is the face, grpc_call.c
 * the life of a call and its results, grpc_session.c what nghttp2 calls back. */
#ifndef PODPID_CRI_GRPC_IMPL_H
#define PODPID_CRI_GRPC_IMPL_H

#include <nghttp2/nghttp2.h>

#include "cri/base/text.h"
#include "cri/grpc/grpc.h"
#include "cri/grpc/message.h"
#include "cri/grpc/peer.h"

enum { GRPC_TEXT_MOST = 512 };

struct call {
    struct call *prev, *next; /* all calls without an end, in the order of grpc_call() */
    uint64_t tag;
    char *path;
    uint8_t *request; /* prefix and message */
    size_t n_request, n_sent;
    bool streaming;
    int32_t stream; /* -1: waits for its turn */
    unsigned refused;

    unsigned http_status;
    bool content_is_grpc, answered, has_code;
    enum grpc_code code;
    char text[GRPC_TEXT_MOST];
    struct grpc_deframer in;
    uint8_t *message; /* of a unary call: whole, waits for the status */
    size_t n_message;
};

struct result {
    struct result *next;
    struct grpc_result pub;
    uint8_t *message;
    char text[GRPC_TEXT_MOST];
};

struct grpc {
    nghttp2_session *session;
    char *user_agent;
    struct grpc_sniffer sniffer;
    struct call *first, *last;
    size_t n_active;
    size_t buffered; /* bytes of replies, whole or not */
    struct result *results, **results_end, *current;
    struct buf out;
    size_t out_sent;
    bool nomem;        /* inside a callback: mem_recv only knows that one failed */
    bool goaway;       /* the peer takes no more calls */
    uint32_t we_broke; /* HTTP/2 error code of a GOAWAY of ours: the peer broke the protocol */
    char detail[GRPC_TEXT_MOST];
};

/* The call is over: turn it into its result and forget it. nghttp2 may still know the stream, then
 * without us. 0 or -ENOMEM. */
int grpc_call_end(struct grpc *g, struct call *c, enum grpc_code code, bool retryable,
                  const char *text);

/* The same, and the peer is told that we want no more of it. */
int grpc_call_refuse(struct grpc *g, struct call *c, enum grpc_code code, const char *text);

void grpc_call_free(struct call *c); /* NULL is fine; it must be in no list */

/* A result of c with a message of n bytes, which is taken. 0 or -ENOMEM. */
int grpc_result_push(struct grpc *g, const struct call *c, uint8_t **message, size_t n, bool end);
void grpc_result_free(struct grpc *g, struct result *r);

/* Fill g->session. 0 or -ENOMEM. */
int grpc_session_new(struct grpc *g);

/* Hand queued calls to nghttp2 as far as both sides' limits allow. 0 or -ENOMEM. */
int grpc_submit_queued(struct grpc *g);

#endif
