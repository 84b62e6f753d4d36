/* One connection of the fake server: nghttp2's server side, and the answers. */
#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "cri/cri.pb-c.h"
#include "cri/grpc_message.h"
#include "json_wire.h"
#include "script.h"

struct stream {
    struct stream *next;
    struct fake_conn *conn;
    int32_t id;
    char path[128];
    unsigned headers_right; /* of those that gRPC wants */
    struct buf request;
    bool asked, answered;
    nsec due;

    struct buf out;
    size_t sent;
    bool stays_open, no_trailers, closes_middle;
    char message[512]; /* grpc-message, encoded */
    unsigned code;
};

struct fake_conn {
    struct fake_cri *f;
    int fd;
    nghttp2_session *session;
    struct stream *streams;
    struct buf out;
    size_t sent;
    bool greeted, closes; /* once everything is written */
};

static const json_t *option(const struct fake_conn *c, const char *key)
{
    return json_object_get(c->f->script, key);
}

static void stream_free(struct stream *s)
{
    buf_free(&s->request);
    buf_free(&s->out);
    free(s);
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

#define NV(k, v)                                                                                   \
    (nghttp2_nv)                                                                                   \
    {                                                                                              \
        .name = (uint8_t *)(uintptr_t)(k), .value = (uint8_t *)(uintptr_t)(v),                     \
        .namelen = strlen(k), .valuelen = strlen(v)                                                \
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

static void respond(struct stream *s)
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

/* A status and no message: headers that are trailers at once. */
static void refuse(struct stream *s, unsigned code, const char *text)
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

static void put_message(struct stream *s, const struct buf *message, bool compressed)
{
    uint8_t prefix[GRPC_PREFIX];

    grpc_put_prefix(prefix, (uint32_t)message->n);
    prefix[0] = compressed ? 1 : 0;
    buf_append(&s->out, prefix, sizeof(prefix));
    if (message->n) {
        buf_append(&s->out, message->p, message->n);
    }
}

/* A fault that takes the place of the answer. */
static bool faulty(struct stream *s, const json_t *fault)
{
    struct fake_conn *c = s->conn;
    const char *close_when = json_string_value(json_object_get(fault, "close"));
    const json_t *v;
    char status[16];

    if (json_object_get(fault, "never")) {
        return true;
    }
    if ((v = json_object_get(fault, "code"))) {
        const char *text = json_string_value(json_object_get(fault, "message"));

        refuse(s, (unsigned)json_integer_value(v), text ? text : "");
        return true;
    }
    if (json_object_get(fault, "http_status") || json_object_get(fault, "content_type")) {
        const char *type = json_string_value(json_object_get(fault, "content_type"));

        v = json_object_get(fault, "http_status");
        snprintf(status, sizeof(status), "%d", v ? (int)json_integer_value(v) : 200);
        nghttp2_submit_response(c->session, s->id,
                                (const nghttp2_nv[]){NV(":status", status),
                                                     NV("content-type", type ? type : "text/html")},
                                2, NULL);
        return true;
    }
    if ((v = json_object_get(fault, "rst"))) {
        nghttp2_submit_rst_stream(c->session, NGHTTP2_FLAG_NONE, s->id,
                                  (uint32_t)json_integer_value(v));
        return true;
    }
    if (json_object_get(fault, "goaway")) {
        nghttp2_submit_goaway(c->session, NGHTTP2_FLAG_NONE, s->id > 2 ? s->id - 2 : 0,
                              NGHTTP2_NO_ERROR, (const uint8_t *)"graceful_stop", 13);
        return true;
    }
    if (json_object_get(fault, "garbage")) {
        buf_puts(&c->out, "\xff\xff\xff this is no frame");
        return true;
    }
    if (close_when && strcmp(close_when, "before") == 0) {
        c->closes = true;
        return true;
    }
    return false;
}

static void answer(struct stream *s, const char *method, const json_t *reply, const json_t *fault)
{
    CLEANUP(buf_free) struct buf message = {0};
    const char *close_when = json_string_value(json_object_get(fault, "close"));

    if (!json_wire(script_reply_type(method), reply, &message)) {
        refuse(s, 13, "the script's reply fits no message");
        return;
    }
    if (json_object_get(fault, "pad")) {
        json_wire_pad(&message, (size_t)json_integer_value(json_object_get(fault, "pad")));
    }
    put_message(s, &message, json_object_get(fault, "compressed"));
    if (json_object_get(fault, "twice")) {
        put_message(s, &message, false);
    }
    s->closes_middle = close_when && strcmp(close_when, "middle") == 0;
    if (json_object_get(fault, "half") || s->closes_middle) {
        s->out.n /= 2;
    }
    s->no_trailers = json_object_get(fault, "no_status");
    respond(s);
}

static void send_events(struct stream *s)
{
    const struct buf event = {.p = (char *)(uintptr_t) "\x0a\x02id", .n = 4};
    const json_t *n = option(s->conn, "events");

    if (!n && !option(s->conn, "events_end")) {
        refuse(s, 12, "method GetContainerEvents not implemented");
        return;
    }
    for (json_int_t i = 0; i < json_integer_value(n); i++) {
        put_message(s, &event, false);
    }
    s->stays_open = !option(s->conn, "events_end");
    respond(s);
}

/* The id of a status request; "": of another one, NULL: a request that ought not to be. */
static const char *asked_id(const struct stream *s, const char *method, char *buf, size_t size)
{
    const uint8_t *p = (const uint8_t *)s->request.p;
    size_t n = s->request.n;
    bool verbose = false;

    buf[0] = '\0';
    if (n < GRPC_PREFIX) {
        return NULL;
    }
    p += GRPC_PREFIX;
    n -= GRPC_PREFIX;
    if (strcmp(method, "ContainerStatus") == 0) {
        Cri__ContainerStatusRequest *m = cri__container_status_request__unpack(NULL, n, p);

        if (m) {
            snprintf(buf, size, "%s", m->container_id);
            verbose = m->verbose;
            cri__container_status_request__free_unpacked(m, NULL);
        }
        return verbose ? buf : NULL;
    }
    if (strcmp(method, "PodSandboxStatus") == 0) {
        Cri__PodSandboxStatusRequest *m = cri__pod_sandbox_status_request__unpack(NULL, n, p);

        if (m) {
            snprintf(buf, size, "%s", m->pod_sandbox_id);
            verbose = m->verbose;
            cri__pod_sandbox_status_request__free_unpacked(m, NULL);
        }
        return verbose ? buf : NULL;
    }
    return n == 0 ? buf : NULL;
}

static bool served(const struct fake_conn *c, const char *api)
{
    const json_t *apis = option(c, "api");
    json_t *item;
    size_t i;

    if (!apis) {
        return strcmp(api, "v1") == 0;
    }
    json_array_foreach(apis, i, item)
    {
        if (strcmp(json_string_value(item), api) == 0) {
            return true;
        }
    }
    return false;
}

static void count(struct fake_cri *f, const char *api, const char *method)
{
    char key[128];

    snprintf(key, sizeof(key), "%s/%s", api, method);
    json_object_set_new(f->calls, key, json_integer(fake_cri_calls(f, key) + 1));
    json_object_set_new(f->calls, method, json_integer(fake_cri_calls(f, method) + 1));
}

static json_t *fault_of(const struct fake_conn *c, const char *method, const char *id)
{
    char key[256];
    json_t *fault;

    snprintf(key, sizeof(key), "%s %s", method, id);
    fault = json_object_get(option(c, "faults"), key);
    return fault ? fault : json_object_get(option(c, "faults"), method);
}

/* Whether it strikes this time. */
static bool strikes(json_t *fault)
{
    json_t *times = json_object_get(fault, "times");
    json_int_t n = json_integer_value(times);

    if (times && n > 0) {
        json_integer_set(times, n - 1);
    }
    return fault && (!times || n > 0);
}

static void handle(struct stream *s, nsec now)
{
    struct fake_conn *c = s->conn;
    char api[32], method[64], id_buf[256], text[256];
    const char *id;
    const json_t *reply;
    json_t *fault;

    if (sscanf(s->path, "/runtime.%31[^.].RuntimeService/%63s", api, method) != 2) {
        refuse(s, 12, "unknown path");
        return;
    }
    if (s->due == 0) {
        count(c->f, api, method);
    }
    if (!served(c, api)) {
        snprintf(text, sizeof(text), "unknown service runtime.%s.RuntimeService", api);
        refuse(s, 12, text);
        return;
    }
    id = asked_id(s, method, id_buf, sizeof(id_buf));
    if (!id || s->headers_right != 6) {
        refuse(s, 3, "fake-cri: podpid ought not to ask like this");
        return;
    }
    if (strcmp(method, "GetContainerEvents") == 0) {
        send_events(s);
        return;
    }
    fault = fault_of(c, method, id);
    if (json_object_get(fault, "hold") && s->due == 0) {
        s->due = now + json_integer_value(json_object_get(fault, "hold")) * NSEC_PER_MSEC;
        s->answered = false;
        return;
    }
    if (!strikes(fault)) {
        fault = NULL;
    }
    if (faulty(s, fault)) {
        return;
    }
    reply = json_object_get(option(c, "replies"), method);
    if (reply && id[0]) {
        reply = json_object_get(reply, id);
        if (!reply) {
            snprintf(text, sizeof(text), "could not find \"%.100s\": not found", id);
            refuse(s, 5, text);
            return;
        }
    }
    if (!reply || !script_reply_type(method)) {
        snprintf(text, sizeof(text), "unknown method %s for service runtime.%s.RuntimeService",
                 method, api);
        refuse(s, 12, text);
        return;
    }
    answer(s, method, reply, fault);
}

static void answer_what_is_due(struct fake_conn *c, nsec now)
{
    for (struct stream *s = c->streams; s; s = s->next) {
        if (s->asked && !s->answered && s->due <= now) {
            s->answered = true;
            handle(s, now);
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
    settings.value = (uint32_t)json_integer_value(option(c, "max_streams"));
    nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, &settings,
                            option(c, "max_streams") ? 1 : 0);
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
        if (option(c, "greeting")) {
            if (!c->greeted) {
                buf_puts(&c->out, json_string_value(option(c, "greeting")));
            }
            c->greeted = true;
        } else if (!option(c, "silent") &&
                   nghttp2_session_mem_recv(c->session, in, (size_t)n) < 0) {
            return false;
        }
    }
}

static bool flush(struct fake_conn *c)
{
    const json_t *piece = option(c, "piece");

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

    if (option(c, "hang_up") && !option(c, "greeting")) {
        return false;
    }
    if (!fill(c)) {
        return false;
    }
    if (c->greeted || option(c, "silent") || option(c, "greeting")) {
        c->closes = c->greeted && option(c, "hang_up");
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
