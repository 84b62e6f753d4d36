#include "test/fake_cri/stream.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cri/grpc/message.h"
#include "test/fake_cri/conn.h"

#define NV(k, v)                                                                                   \
    (nghttp2_nv)                                                                                   \
    {                                                                                              \
        .name = (uint8_t *)(uintptr_t)(k), .value = (uint8_t *)(uintptr_t)(v),                     \
        .namelen = strlen(k), .valuelen = strlen(v)                                                \
    }

void stream_free(struct stream *s)
{
    buf_free(&s->request);
    buf_free(&s->out);
    free(s);
}

static ssize_t read_answer(nghttp2_session *session, int32_t id, uint8_t *p, size_t room,
                           uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct stream *s = source->ptr;
    struct fake_conn *c = user;
    size_t n = s->out.n - s->sent;
    char code[16];

    if (n == 0 && (s->stays_open || s->closes_middle)) {
        c->closes |= s->closes_middle;
        return NGHTTP2_ERR_DEFERRED;
    }
    n = n < room ? n : room;
    if (n) {
        memcpy(p, s->out.p + s->sent, n);
    }
    s->sent += n;
    if (s->sent == s->out.n && !s->stays_open && !s->closes_middle) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (!s->no_trailers) {
            snprintf(code, sizeof(code), "%u", s->code);
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            nghttp2_submit_trailer(
                session, id,
                (const nghttp2_nv[]){NV("grpc-status", code), NV("grpc-message", s->message)}, 2);
        }
    }
    return (ssize_t)n;
}

void stream_respond(struct stream *s)
{
    const nghttp2_nv headers[] = {NV(":status", "200"), NV("content-type", "application/grpc")};
    const nghttp2_data_provider body = {.source.ptr = s, .read_callback = read_answer};

    nghttp2_submit_response(s->conn->session, s->id, headers, 2, &body);
}

static void percent_encode(const char *text, char *out, size_t size)
{
    size_t n = 0;

    for (; *text && n + 4 < size; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < 0x20 || c > 0x7e || c == '%') {
            n += (size_t)snprintf(out + n, size - n, "%%%02X", c);
        } else {
            out[n++] = (char)c;
        }
    }
    out[n] = '\0';
}

void stream_refuse(struct stream *s, unsigned code, const char *text)
{
    char number[16];

    snprintf(number, sizeof(number), "%u", code);
    percent_encode(text, s->message, sizeof(s->message));
    nghttp2_submit_response(
        s->conn->session, s->id,
        (const nghttp2_nv[]){NV(":status", "200"), NV("content-type", "application/grpc"),
                             NV("grpc-status", number), NV("grpc-message", s->message)},
        4, NULL);
}

void stream_web_answer(struct stream *s, unsigned status, const char *content_type)
{
    char number[16];

    snprintf(number, sizeof(number), "%u", status);
    nghttp2_submit_response(
        s->conn->session, s->id,
        (const nghttp2_nv[]){NV(":status", number), NV("content-type", content_type)}, 2, NULL);
}

void stream_put_message(struct stream *s, const struct buf *message, bool compressed)
{
    uint8_t prefix[GRPC_PREFIX];

    grpc_put_prefix(prefix, (uint32_t)message->n);
    prefix[0] = compressed ? 1 : 0;
    buf_append(&s->out, prefix, sizeof(prefix));
    if (message->n) {
        buf_append(&s->out, message->p, message->n);
    }
}
