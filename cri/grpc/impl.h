/* What the files of cri/grpc/ share. grpc.c is what others call, call.c the life of a call and its
 * results, session.c what nghttp2 calls back. Internal to cri/grpc/. */
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
    int32_t stream;   /* HTTP/2 stream id; -1: not submitted yet */
    unsigned refused; /* how often the peer has refused the stream */

    unsigned http_status;
    bool content_is_grpc, answered, has_code;
    enum grpc_code code;
    char text[GRPC_TEXT_MOST];
    struct grpc_deframer in;
    uint8_t *message; /* of a unary call: complete, its grpc-status has not come yet */
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
    size_t buffered; /* bytes of replies held, complete or not */
    struct result *results, **results_end, *current;
    struct buf out;
    size_t out_sent;
    bool nomem;        /* a callback ran out of memory; nghttp2 only tells that a callback failed */
    bool goaway;       /* the peer takes no more calls */
    uint32_t we_broke; /* error code of a GOAWAY that nghttp2 sent: the peer broke the protocol */
    char detail[GRPC_TEXT_MOST];
};

/* End a call: queue its result and free it. The stream may go on in nghttp2, without a call. 0 or
 * -ENOMEM. */
int grpc_call_end(struct grpc *g, struct call *c, enum grpc_code code, bool retryable,
                  const char *text);

/* End a call and reset its stream, so that the peer sends no more for it. 0 or -ENOMEM. */
int grpc_call_refuse(struct grpc *g, struct call *c, enum grpc_code code, const char *text);

void grpc_call_free(struct call *c); /* c may be NULL; it must be in no list */

/* Queue a result of c. *message (n bytes, malloc'ed, may be NULL) is taken and set to NULL. 0 or
 * -ENOMEM. */
int grpc_result_push(struct grpc *g, const struct call *c, uint8_t **message, size_t n, bool end);
void grpc_result_free(struct grpc *g, struct result *r);

/* Make g->session, with SETTINGS queued. 0 or -ENOMEM. */
int grpc_session_new(struct grpc *g);

/* Submit waiting calls to nghttp2, as many as both sides' limits allow. 0 or -ENOMEM. */
int grpc_submit_queued(struct grpc *g);

#endif
