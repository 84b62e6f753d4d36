#include "test/fake_cri/answer.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "cri/cri.pb-c.h"
#include "cri/grpc/message.h"
#include "test/fake_cri/conn.h"
#include "test/fake_cri/json_wire.h"
#include "test/fake_cri/script.h"

/* A fault that takes the place of the answer. */
static bool faulty(struct stream *s, const json_t *fault)
{
    struct fake_conn *c = s->conn;
    const char *close_when = json_string_value(json_object_get(fault, "close"));
    const json_t *v;

    if (json_object_get(fault, "never")) {
        return true;
    }
    if ((v = json_object_get(fault, "code"))) {
        const char *text = json_string_value(json_object_get(fault, "message"));

        stream_refuse(s, (unsigned)json_integer_value(v), text ? text : "");
        return true;
    }
    if (json_object_get(fault, "http_status") || json_object_get(fault, "content_type")) {
        const char *type = json_string_value(json_object_get(fault, "content_type"));

        v = json_object_get(fault, "http_status");
        stream_web_answer(s, v ? (unsigned)json_integer_value(v) : 200, type ? type : "text/html");
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

static void send_reply(struct stream *s, const char *method, const json_t *reply,
                       const json_t *fault)
{
    CLEANUP(buf_free) struct buf message = {0};
    const char *close_when = json_string_value(json_object_get(fault, "close"));

    if (!json_wire(script_reply_type(method), reply, &message)) {
        stream_refuse(s, 13, "the script's reply fits no message");
        return;
    }
    if (json_object_get(fault, "pad")) {
        json_wire_pad(&message, (size_t)json_integer_value(json_object_get(fault, "pad")));
    }
    stream_put_message(s, &message, json_object_get(fault, "compressed"));
    if (json_object_get(fault, "twice")) {
        stream_put_message(s, &message, false);
    }
    s->closes_middle = close_when && strcmp(close_when, "middle") == 0;
    if (json_object_get(fault, "half") || s->closes_middle) {
        s->out.n /= 2;
    }
    s->no_trailers = json_object_get(fault, "no_status");
    stream_respond(s);
}

static void send_events(struct stream *s)
{
    const struct buf event = {.p = (char *)(uintptr_t) "\x0a\x02id", .n = 4};
    const json_t *n = conn_option(s->conn, "events");

    if (!n && !conn_option(s->conn, "events_end")) {
        stream_refuse(s, 12, "method GetContainerEvents not implemented");
        return;
    }
    for (json_int_t i = 0; i < json_integer_value(n); i++) {
        stream_put_message(s, &event, false);
    }
    s->stays_open = !conn_option(s->conn, "events_end");
    stream_respond(s);
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
    const json_t *apis = conn_option(c, "api");
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
    fault = json_object_get(conn_option(c, "faults"), key);
    return fault ? fault : json_object_get(conn_option(c, "faults"), method);
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

void answer(struct stream *s, nsec now)
{
    struct fake_conn *c = s->conn;
    char api[32], method[64], id_buf[256], text[256];
    const char *id;
    const json_t *reply;
    json_t *fault;

    if (sscanf(s->path, "/runtime.%31[^.].RuntimeService/%63s", api, method) != 2) {
        stream_refuse(s, 12, "unknown path");
        return;
    }
    if (s->due == 0) {
        count(c->f, api, method);
    }
    if (!served(c, api)) {
        snprintf(text, sizeof(text), "unknown service runtime.%s.RuntimeService", api);
        stream_refuse(s, 12, text);
        return;
    }
    id = asked_id(s, method, id_buf, sizeof(id_buf));
    if (!id || s->headers_right != 6) {
        stream_refuse(s, 3, "fake-cri: podpid ought not to ask like this");
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
    reply = json_object_get(conn_option(c, "replies"), method);
    if (reply && id[0]) {
        reply = json_object_get(reply, id);
        if (!reply) {
            snprintf(text, sizeof(text), "could not find \"%.100s\": not found", id);
            stream_refuse(s, 5, text);
            return;
        }
    }
    if (!reply || !script_reply_type(method)) {
        snprintf(text, sizeof(text), "unknown method %s for service runtime.%s.RuntimeService",
                 method, api);
        stream_refuse(s, 12, text);
        return;
    }
    send_reply(s, method, reply, fault);
}
