#include "test/podmaker/rpc.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cri/base/cleanup.h"
#include "cri/base/text.h"

struct rpc {
    int fd;
    nghttp2_session *session;
    struct buf request; /* of the call under way, framed */
    size_t sent;
    struct buf reply;
    char status[16], message[512];
    bool closed; /* the stream of the call under way */
};

static ssize_t read_request(nghttp2_session *session, int32_t stream, uint8_t *to, size_t size,
                            uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct rpc *r = user;
    size_t n = r->request.n - r->sent;

    (void)session;
    (void)stream;
    (void)source;
    if (n > size) {
        n = size;
    }
    memcpy(to, r->request.p + r->sent, n);
    r->sent += n;
    if (r->sent == r->request.n) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)n;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *p,
                   size_t n, void *user)
{
    struct rpc *r = user;

    (void)session;
    (void)flags;
    (void)stream;
    buf_append(&r->reply, p, n);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_n, const uint8_t *value, size_t value_n, uint8_t flags, void *user)
{
    struct rpc *r = user;
    struct str key = {(const char *)name, name_n};

    (void)session;
    (void)frame;
    (void)flags;
    if (str_is(key, "grpc-status")) {
        snprintf(r->status, sizeof(r->status), "%.*s", (int)value_n, (const char *)value);
    } else if (str_is(key, "grpc-message")) {
        snprintf(r->message, sizeof(r->message), "%.*s", (int)value_n, (const char *)value);
    }
    return 0;
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t error, void *user)
{
    struct rpc *r = user;

    (void)session;
    (void)stream;
    (void)error;
    r->closed = true;
    return 0;
}

static int flush(struct rpc *r)
{
    const uint8_t *p;
    ssize_t n;

    while ((n = nghttp2_session_mem_send(r->session, &p)) > 0) {
        for (ssize_t done = 0; done < n;) {
            ssize_t w = send(r->fd, p + done, (size_t)(n - done), MSG_NOSIGNAL);

            if (w <= 0) {
                return -1;
            }
            done += w;
        }
    }
    return n < 0 ? -1 : 0;
}

static int run_until_closed(struct rpc *r)
{
    uint8_t in[65536];

    while (!r->closed) {
        ssize_t n;

        if (flush(r) < 0) {
            return -1;
        }
        n = recv(r->fd, in, sizeof(in), 0);
        if (n <= 0 || nghttp2_session_mem_recv(r->session, in, (size_t)n) != n) {
            return -1;
        }
    }
    return flush(r);
}

struct rpc *rpc_open(const char *socket_path)
{
    static const nghttp2_settings_entry window = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 24};
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct rpc *r = calloc(1, sizeof(*r));
    nghttp2_session_callbacks *callbacks = NULL;

    if (!r || strlen(socket_path) >= sizeof(addr.sun_path)) {
        fprintf(stderr, "podmaker: %s: path too long for a socket\n", socket_path);
        free(r);
        return NULL;
    }
    memcpy(addr.sun_path, socket_path, strlen(socket_path) + 1);
    r->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (r->fd < 0 || connect(r->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
        fprintf(stderr, "podmaker: %s: %s\n", socket_path, strerror(errno));
        rpc_close(r);
        return NULL;
    }
    if (nghttp2_session_callbacks_new(&callbacks) != 0) {
        rpc_close(r);
        return NULL;
    }
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_client_new(&r->session, callbacks, r);
    nghttp2_session_callbacks_del(callbacks);
    if (!r->session || nghttp2_submit_settings(r->session, NGHTTP2_FLAG_NONE, &window, 1) != 0) {
        rpc_close(r);
        return NULL;
    }
    return r;
}

void rpc_close(struct rpc *r)
{
    if (!r) {
        return;
    }
    nghttp2_session_del(r->session);
    cleanup_close(&r->fd);
    buf_free(&r->request);
    buf_free(&r->reply);
    free(r);
}

/* A gRPC frame: a byte "not compressed", four bytes of length, the message. */
static void frame_request(struct rpc *r, const ProtobufCMessage *request)
{
    size_t n = protobuf_c_message_get_packed_size(request);
    AUTO_FREE uint8_t *packed = malloc(n ? n : 1);
    uint8_t head[5] = {0, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};

    if (!packed) {
        abort();
    }
    protobuf_c_message_pack(request, packed);
    r->request.n = r->reply.n = r->sent = 0;
    buf_append(&r->request, head, sizeof(head));
    buf_append(&r->request, packed, n);
}

#define HEADER(k, v)                                                                               \
    {                                                                                              \
        .name = (uint8_t *)(uintptr_t)(k), .namelen = strlen(k),                                   \
        .value = (uint8_t *)(uintptr_t)(v), .valuelen = strlen(v),                                 \
    }

ProtobufCMessage *rpc_call(struct rpc *r, const char *method, const ProtobufCMessage *request,
                           const ProtobufCMessageDescriptor *reply_type)
{
    char path[128];
    nghttp2_data_provider body = {.read_callback = read_request};
    ProtobufCMessage *reply;

    snprintf(path, sizeof(path), "/runtime.v1.RuntimeService/%s", method);
    frame_request(r, request);
    r->status[0] = r->message[0] = '\0';
    r->closed = false;
    nghttp2_nv headers[] = {
        HEADER(":method", "POST"),
        HEADER(":scheme", "http"),
        HEADER(":path", path),
        HEADER(":authority", "localhost"),
        HEADER("content-type", "application/grpc"),
        HEADER("te", "trailers"),
    };
    if (nghttp2_submit_request(r->session, NULL, headers, sizeof(headers) / sizeof(*headers), &body,
                               NULL) < 0 ||
        run_until_closed(r) < 0) {
        fprintf(stderr, "podmaker: %s: the connection is lost\n", method);
        return NULL;
    }
    if (strcmp(r->status, "0") != 0 || r->reply.n < 5) {
        fprintf(stderr, "podmaker: %s: status %s %s\n", method, r->status, r->message);
        return NULL;
    }
    reply = protobuf_c_message_unpack(reply_type, NULL, r->reply.n - 5,
                                      (const uint8_t *)r->reply.p + 5);
    if (!reply) {
        fprintf(stderr, "podmaker: %s: a reply that is no %s\n", method, reply_type->name);
    }
    return reply;
}
