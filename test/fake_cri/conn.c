#include "test/fake_cri/conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/fake_cri/answer.h"

const json_t *conn_option(const struct fake_conn *c, const char *key)
{
    return json_object_get(c->f->script, key);
}

static struct stream *stream_of(nghttp2_session *session, const nghttp2_frame *frame)
{
    return nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct fake_conn *c = user;
    struct stream *s = calloc(1, sizeof(*s));

    if (!s) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    s->conn = c;
    s->id = frame->hd.stream_id;
    s->next = c->streams;
    c->streams = s;
    return nghttp2_session_set_stream_user_data(session, s->id, s);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t n_name, const uint8_t *value, size_t n_value, uint8_t flags, void *user)
{
    static const struct {
        const char *name, *value;
    } wanted[] = {{":method", "POST"},
                  {":scheme", "http"},
                  {":authority", "localhost"},
                  {"te", "trailers"},
                  {"content-type", "application/grpc"}};
    struct stream *s = stream_of(session, frame);
    struct str k = {(const char *)name, n_name}, v = {(const char *)value, n_value};

    (void)flags;
    (void)user;
    if (str_is(k, ":path")) {
        snprintf(s->path, sizeof(s->path), "%.*s", (int)n_value, (const char *)value);
    }
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        s->headers_right += str_is(k, wanted[i].name) && str_is(v, wanted[i].value) ? 1 : 0;
    }
    s->headers_right += str_is(k, "user-agent") && str_starts(v, STR("podpid/")) ? 1 : 0;
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *p, size_t n,
                   void *user)
{
    struct stream *s = nghttp2_session_get_stream_user_data(session, id);

    (void)flags;
    (void)user;
    if (s) {
        buf_append(&s->request, p, n);
    }
    return 0;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct fake_conn *c = user;
    struct stream *s = stream_of(session, frame);

    if (s && !s->asked && frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
        s->asked = true;
        c->f->in_flight++;
        if (c->f->in_flight > c->f->peak) {
            c->f->peak = c->f->in_flight;
        }
    }
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *user)
{
    struct fake_conn *c = user;

    (void)session;
    (void)error;
    for (struct stream **at = &c->streams; *at; at = &(*at)->next) {
        if ((*at)->id == id) {
            struct stream *s = *at;

            *at = s->next;
            c->f->in_flight -= s->asked && !s->answered ? 1 : 0;
            stream_free(s);
            return 0;
        }
    }
    return 0;
}

static void answer_what_is_due(struct fake_conn *c, nsec now)
{
    for (struct stream *s = c->streams; s; s = s->next) {
        if (s->asked && !s->answered && s->due <= now) {
            s->answered = true;
            answer(s, now);
            c->f->in_flight -= s->answered ? 1 : 0;
        }
    }
}

struct fake_conn *fake_conn_new(struct fake_cri *f, int fd)
{
    struct fake_conn *c = calloc(1, sizeof(*c));
    nghttp2_session_callbacks *cb = NULL;
    nghttp2_settings_entry settings = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0};

    if (!c || nghttp2_session_callbacks_new(&cb) != 0) {
        abort();
    }
    c->f = f;
    c->fd = fd;
    nghttp2_session_callbacks_set_on_begin_headers_callback(cb, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame_recv);
    nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
    if (nghttp2_session_server_new(&c->session, cb, c) != 0) {
        abort();
    }
    nghttp2_session_callbacks_del(cb);
    settings.value = (uint32_t)json_integer_value(conn_option(c, "max_streams"));
    nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, &settings,
                            conn_option(c, "max_streams") ? 1 : 0);
    return c;
}

void fake_conn_free(struct fake_conn *c)
{
    if (!c) {
        return;
    }
    nghttp2_session_del(c->session);
    while (c->streams) {
        struct stream *s = c->streams;

        c->streams = s->next;
        stream_free(s);
    }
    buf_free(&c->out);
    close(c->fd);
    free(c);
}

int fake_conn_fd(const struct fake_conn *c)
{
    return c->fd;
}

static bool fill(struct fake_conn *c)
{
    uint8_t in[16384];

    for (;;) {
        ssize_t n = recv(c->fd, in, sizeof(in), MSG_DONTWAIT);

        if (n < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        if (n == 0) {
            return false;
        }
        if (conn_option(c, "greeting")) {
            if (!c->greeted) {
                buf_puts(&c->out, json_string_value(conn_option(c, "greeting")));
            }
            c->greeted = true;
        } else if (!conn_option(c, "silent") &&
                   nghttp2_session_mem_recv(c->session, in, (size_t)n) < 0) {
            return false;
        }
    }
}

static bool flush(struct fake_conn *c)
{
    const json_t *piece = conn_option(c, "piece");

    while (c->sent < c->out.n) {
        size_t n = c->out.n - c->sent;
        ssize_t sent;

        if (piece && n > (size_t)json_integer_value(piece)) {
            n = (size_t)json_integer_value(piece);
        }
        sent = send(c->fd, c->out.p + c->sent, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        c->sent += (size_t)sent;
        if (piece) {
            return true; /* one piece a step: the reader sees each alone */
        }
    }
    c->out.n = c->sent = 0;
    return !c->closes;
}

bool fake_conn_step(struct fake_conn *c, nsec now)
{
    const uint8_t *p;
    ssize_t n;

    if (conn_option(c, "hang_up") && !conn_option(c, "greeting")) {
        return false;
    }
    if (!fill(c)) {
        return false;
    }
    if (c->greeted || conn_option(c, "silent") || conn_option(c, "greeting")) {
        c->closes = c->greeted && conn_option(c, "hang_up");
        return flush(c);
    }
    answer_what_is_due(c, now);
    while (c->out.n < 256 * 1024 && (n = nghttp2_session_mem_send(c->session, &p)) > 0) {
        buf_append(&c->out, p, (size_t)n);
    }
    return flush(c);
}

nsec fake_conn_deadline(const struct fake_conn *c)
{
    nsec due = NSEC_NEVER;

    for (const struct stream *s = c->streams; s; s = s->next) {
        if (s->asked && !s->answered) {
            due = nsec_min(due, s->due);
        }
    }
    return c->out.n > c->sent ? 0 : due;
}

bool fake_conn_writes(const struct fake_conn *c)
{
    return c->out.n > c->sent || nghttp2_session_want_write(c->session);
}
