#include "cri/grpc/impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cri/base/cleanup.h"

enum {
    STREAM_WINDOW = GRPC_MESSAGE_MOST +
                    1024 * 1024, /* the largest message fits: no reply waits for a WINDOW_UPDATE */
    CONNECTION_WINDOW = 4 * GRPC_MESSAGE_MOST,
    REFUSED_MOST = 3, /* how often one call is sent again after REFUSED_STREAM */
};

static enum grpc_code code_of_http(unsigned status)
{
    switch (status) {
    case 401:
        return GRPC_UNAUTHENTICATED;
    case 403:
        return GRPC_PERMISSION_DENIED;
    case 404:
        return GRPC_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
        return GRPC_UNAVAILABLE;
    default:
        return GRPC_UNKNOWN;
    }
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct call *c = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

    (void)user;
    if (c && frame->hd.type == NGHTTP2_HEADERS && !c->answered) {
        c->http_status = 0;
        c->content_is_grpc = false;
    }
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t n_name, const uint8_t *value, size_t n_value, uint8_t flags, void *user)
{
    struct call *c = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    struct str k = {(const char *)name, n_name}, v = {(const char *)value, n_value};
    uint64_t number;

    (void)flags;
    (void)user;
    if (!c || frame->hd.type != NGHTTP2_HEADERS) {
        return 0;
    }
    if (str_is(k, ":status")) {
        c->http_status = str_to_u64(v, &number) && number < 1000 ? (unsigned)number : 0;
    } else if (str_is(k, "content-type")) {
        const struct str grpc = STR("application/grpc");

        c->content_is_grpc =
            str_starts(v, grpc) && (v.n == grpc.n || v.p[grpc.n] == '+' || v.p[grpc.n] == ';');
    } else if (str_is(k, "grpc-status")) {
        c->has_code = true;
        c->code = str_to_u64(v, &number) && number < 1000 ? (enum grpc_code)number : GRPC_UNKNOWN;
    } else if (str_is(k, "grpc-message")) {
        grpc_percent_decode(value, n_value, c->text, sizeof(c->text));
    }
    return 0;
}

/* A call's response headers are complete: refuse it unless they are gRPC's. */
static int headers_done(struct grpc *g, struct call *c)
{
    char text[128];

    if (c->answered || c->http_status / 100 == 1) {
        return 0;
    }
    c->answered = true;
    if (c->http_status != 200) {
        snprintf(text, sizeof(text), "answered HTTP status %u, which is not gRPC", c->http_status);
        return grpc_call_refuse(g, c, code_of_http(c->http_status), text);
    }
    if (!c->content_is_grpc) {
        return grpc_call_refuse(g, c, GRPC_UNKNOWN,
                                "answered with another content type than application/grpc");
    }
    return 0;
}

static int on_goaway(struct grpc *g, const nghttp2_goaway *f)
{
    g->goaway = true;
    if (f->opaque_data_len) {
        size_t n = f->opaque_data_len < 200 ? f->opaque_data_len : 200;

        snprintf(g->detail, sizeof(g->detail), "%s: %.*s", nghttp2_http2_strerror(f->error_code),
                 (int)n, (const char *)f->opaque_data);
    } else {
        snprintf(g->detail, sizeof(g->detail), "%s", nghttp2_http2_strerror(f->error_code));
    }
    return 0;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct grpc *g = user;
    struct call *c;

    if (frame->hd.type == NGHTTP2_GOAWAY) {
        return on_goaway(g, &frame->goaway);
    }
    c = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (c && frame->hd.type == NGHTTP2_HEADERS && headers_done(g, c) < 0) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    return 0;
}

/* c->in has a complete message: take it. */
static int message_done(struct grpc *g, struct call *c)
{
    size_t n = c->in.size, cap = c->in.cap;
    AUTO_FREE uint8_t *message = TAKE_PTR(c->in.body);

    grpc_deframer_reset(&c->in);
    g->buffered -= cap;
    if (c->streaming) {
        return grpc_result_push(g, c, &message, n, false);
    }
    c->message = TAKE_PTR(message);
    c->n_message = n;
    g->buffered += n;
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *p,
                   size_t n, void *user)
{
    struct call *c = nghttp2_session_get_stream_user_data(session, stream);
    struct grpc *g = user;

    (void)flags;
    while (c && n > 0) {
        size_t before = c->in.cap;
        int rc;

        if (c->message) {
            rc = grpc_call_refuse(g, c, GRPC_INTERNAL, "answered with more than one message");
            return rc < 0 ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
        }
        rc = grpc_deframer_push(&c->in, &p, &n);
        g->buffered += c->in.cap - before;
        if (rc == -ENOMEM) {
            g->nomem = true;
        } else if (rc == -EPROTO) {
            rc = grpc_call_refuse(g, c, GRPC_INTERNAL, "answered with a compressed message");
            c = NULL;
        } else if (rc == -EMSGSIZE) {
            rc = grpc_call_refuse(g, c, GRPC_RESOURCE_EXHAUSTED,
                                  "answered with a message of more than 64 MiB");
            c = NULL;
        } else if (g->buffered > GRPC_BUFFERED_MOST) {
            rc = grpc_call_refuse(g, c, GRPC_RESOURCE_EXHAUSTED,
                                  "answers of more than 192 MiB in all are held already");
            c = NULL;
        } else if (rc == 1) {
            rc = message_done(g, c);
        }
        if (rc < 0) {
            return NGHTTP2_ERR_CALLBACK_FAILURE;
        }
    }
    return 0;
}

/* The stream ended without an HTTP/2 error: make the call's result. */
static int call_answered(struct grpc *g, struct call *c)
{
    if (!c->has_code) {
        return grpc_call_end(g, c, GRPC_UNKNOWN, false,
                             c->answered ? "the answer ended without a status"
                                         : "the call ended without an answer");
    }
    if (c->code != GRPC_OK) {
        char text[GRPC_TEXT_MOST];

        snprintf(text, sizeof(text), "%s", c->text[0] ? c->text : "no reason given");
        return grpc_call_end(g, c, c->code, false, text);
    }
    if (grpc_deframer_partial(&c->in)) {
        return grpc_call_end(g, c, GRPC_INTERNAL, false,
                             "the answer ended in the middle of a message");
    }
    if (!c->streaming && !c->message) {
        return grpc_call_end(g, c, GRPC_INTERNAL, false, "the answer has no message");
    }
    return grpc_call_end(g, c, GRPC_OK, false, "");
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t error, void *user)
{
    struct call *c = nghttp2_session_get_stream_user_data(session, stream);
    struct grpc *g = user;
    char text[GRPC_TEXT_MOST];
    int rc;

    if (!c) {
        return 0;
    }
    if (error == NGHTTP2_NO_ERROR || c->has_code) {
        rc = call_answered(g, c);
    } else if (error == NGHTTP2_REFUSED_STREAM && g->goaway) {
        snprintf(text, sizeof(text), "the connection is being shut down (%.400s)", g->detail);
        rc = grpc_call_end(g, c, GRPC_UNAVAILABLE, true, text);
    } else if (error == NGHTTP2_REFUSED_STREAM && !c->answered && c->refused < REFUSED_MOST) {
        /* The call went out before the peer's SETTINGS told how many it allows: send it again. */
        c->refused++;
        c->stream = -1;
        c->n_sent = 0;
        g->n_active--;
        rc = 0;
    } else {
        snprintf(text, sizeof(text), "the call was reset (%s)", nghttp2_http2_strerror(error));
        rc = grpc_call_end(g, c, error == NGHTTP2_CANCEL ? GRPC_CANCELLED : GRPC_INTERNAL, false,
                           text);
    }
    return rc < 0 ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct grpc *g = user;

    (void)session;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        g->we_broke = frame->goaway.error_code;
    }
    return 0;
}

static int on_library_error(nghttp2_session *session, int code, const char *msg, size_t n,
                            void *user)
{
    struct grpc *g = user;

    (void)session;
    (void)code;
    snprintf(g->detail, sizeof(g->detail), "%.*s", (int)(n < 400 ? n : 400), msg);
    return 0;
}

static ssize_t read_request(nghttp2_session *session, int32_t stream, uint8_t *p, size_t room,
                            uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct call *c = nghttp2_session_get_stream_user_data(session, stream);
    size_t n;

    (void)source;
    (void)user;
    if (!c) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* the call has ended: reset the stream */
    }
    n = c->n_request - c->n_sent;
    if (n > room) {
        n = room;
    }
    memcpy(p, c->request + c->n_sent, n);
    c->n_sent += n;
    if (c->n_sent == c->n_request) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)n;
}

int grpc_session_new(struct grpc *g)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
    };
    nghttp2_session_callbacks *cb;
    int rc;

    if (nghttp2_session_callbacks_new(&cb) != 0) {
        return -ENOMEM;
    }
    nghttp2_session_callbacks_set_on_begin_headers_callback(cb, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_frame_sent);
    nghttp2_session_callbacks_set_error_callback2(cb, on_library_error);
    rc = nghttp2_session_client_new(&g->session, cb, g);
    nghttp2_session_callbacks_del(cb);
    if (rc != 0 ||
        nghttp2_submit_settings(g->session, NGHTTP2_FLAG_NONE, settings, N_ELEMENTS(settings)) !=
            0 ||
        nghttp2_session_set_local_window_size(g->session, NGHTTP2_FLAG_NONE, 0,
                                              CONNECTION_WINDOW) != 0) {
        return -ENOMEM;
    }
    return 0;
}

static int submit(struct grpc *g, struct call *c)
{
#define NV(k, v)                                                                                   \
    {                                                                                              \
        .name = (uint8_t *)(uintptr_t)(k), .value = (uint8_t *)(uintptr_t)(v),                     \
        .namelen = strlen(k), .valuelen = strlen(v), .flags = NGHTTP2_NV_FLAG_NONE                 \
    }
    const nghttp2_nv headers[] = {
        NV(":method", "POST"),
        NV(":scheme", "http"),
        NV(":path", c->path),
        NV(":authority", "localhost"),
        NV("te", "trailers"),
        NV("content-type", "application/grpc"),
        NV("user-agent", g->user_agent),
    };
#undef NV
    const nghttp2_data_provider body = {.read_callback = read_request};
    int32_t stream =
        nghttp2_submit_request(g->session, NULL, headers, N_ELEMENTS(headers), &body, c);

    if (stream == NGHTTP2_ERR_NOMEM) {
        return -ENOMEM;
    }
    if (stream < 0) {
        /* Stream ids are used up after 2^30 calls; the connection takes no more. */
        g->goaway = true;
        snprintf(g->detail, sizeof(g->detail), "%s", nghttp2_strerror(stream));
        return grpc_call_end(g, c, GRPC_UNAVAILABLE, true, g->detail);
    }
    c->stream = stream;
    g->n_active++;
    return 0;
}

int grpc_submit_queued(struct grpc *g)
{
    uint32_t limit =
        nghttp2_session_get_remote_settings(g->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    struct call *next;

    if (limit > GRPC_STREAMS_MOST) {
        limit = GRPC_STREAMS_MOST;
    }
    for (struct call *c = g->first; c && (g->goaway || g->n_active < limit); c = next) {
        int rc = 0;

        next = c->next;
        if (c->stream >= 0) {
            continue;
        }
        if (g->goaway) {
            rc = grpc_call_end(g, c, GRPC_UNAVAILABLE, true, "the connection is being shut down");
        } else {
            rc = submit(g, c);
        }
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}
