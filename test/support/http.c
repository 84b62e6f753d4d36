#include "test/support/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cri/base/text.h"
#include "test/support/unit.h"

enum { MAX_CONNECTIONS = 64 };

struct connection {
    int fd; /* -1: none */
    struct buf in, out;
    size_t sent;
    bool close_when_sent, endless, open;
};

struct http_server {
    int fd;
    char path[108];
    struct http_answer *script;
    size_t n;
    struct connection c[MAX_CONNECTIONS];
    unsigned connections, requests;
};

struct http_server *http_server_new(const char *path, struct http_answer *script, size_t n)
{
    struct http_server *s = calloc(1, sizeof(*s));
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    assert_non_null(s);
    assert_true(strlen(path) < sizeof(addr.sun_path));
    memcpy(addr.sun_path, path, strlen(path) + 1);
    memcpy(s->path, addr.sun_path, sizeof(s->path));
    s->script = script;
    s->n = n;
    for (size_t i = 0; i < MAX_CONNECTIONS; i++) {
        s->c[i].fd = -1;
    }
    s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(s->fd >= 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(listen(s->fd, 64), 0);
    return s;
}

static void drop(struct connection *c)
{
    close(c->fd);
    buf_free(&c->in);
    buf_free(&c->out);
    *c = (struct connection){.fd = -1};
}

void http_server_free(struct http_server *s)
{
    for (size_t i = 0; i < MAX_CONNECTIONS; i++) {
        if (s->c[i].fd >= 0) {
            drop(&s->c[i]);
        }
    }
    close(s->fd);
    unlink(s->path);
    free(s);
}

static void put_chunks(struct buf *out, const char *p, size_t n, size_t size)
{
    for (size_t at = 0; at < n; at += size) {
        size_t m = n - at < size ? n - at : size;

        buf_printf(out, "%zx\r\n", m);
        buf_append(out, p + at, m);
        buf_puts(out, "\r\n");
    }
}

static void answer(struct connection *c, struct http_answer *a)
{
    const char *body = a->body ? a->body : "";
    size_t n = a->n ? a->n : strlen(body);
    enum http_how how = a->how;

    if (how == HTTP_CUT_ONCE) {
        how = a->asked == 1 ? HTTP_CUT : HTTP_LENGTH;
    }
    if (how == HTTP_SILENT) {
        return;
    }
    if (how == HTTP_RAW) {
        buf_append(&c->out, body, n);
        c->close_when_sent = true;
        return;
    }
    buf_printf(&c->out, "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n",
               a->status ? a->status : 200);
    if (how == HTTP_LENGTH || how == HTTP_CUT) {
        buf_printf(&c->out, "Content-Length: %zu\r\n\r\n", n);
        buf_append(&c->out, body, how == HTTP_CUT ? n / 2 : n);
        c->close_when_sent = how == HTTP_CUT;
    } else if (how == HTTP_CLOSE) {
        buf_puts(&c->out, "Connection: close\r\n\r\n");
        buf_append(&c->out, body, n);
        c->close_when_sent = true;
    } else {
        buf_puts(&c->out, "Transfer-Encoding: chunked\r\n\r\n");
        put_chunks(&c->out, body, n, how == HTTP_CHUNKED ? 7 : n);
        if (how == HTTP_CHUNKED) {
            buf_puts(&c->out, "0\r\n\r\n");
        }
        c->endless = how == HTTP_ENDLESS;
        c->open = how == HTTP_OPEN;
    }
}

/* One request line "METHOD PATH HTTP/1.1". */
static void request(struct http_server *s, struct connection *c, const char *line)
{
    static struct http_answer none = {.status = 404, .body = "{\"message\":\"No such container\"}"};
    static struct http_answer preface = {
        .how = HTTP_RAW,
        .body = "HTTP/1.1 301 Moved Permanently\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"};
    const char *path = strchr(line, ' ');
    size_t n;

    s->requests++;
    assert_non_null(path);
    path++;
    n = strcspn(path, " ");
    if (strncmp(line, "PRI ", 4) == 0) {
        answer(c, &preface);
        return;
    }
    assert_int_equal(strncmp(line, "GET ", 4), 0);
    for (size_t i = 0; i < s->n; i++) {
        struct http_answer *a = &s->script[i];

        if (!a->path || (strlen(a->path) == n && strncmp(a->path, path, n) == 0)) {
            a->asked++;
            answer(c, a);
            return;
        }
    }
    answer(c, &none);
}

static bool take_input(struct http_server *s, struct connection *c)
{
    char piece[4096];
    ssize_t n = read(c->fd, piece, sizeof(piece));
    char *end;

    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        drop(c);
        return true;
    }
    if (n < 0) {
        return false;
    }
    buf_append(&c->in, piece, (size_t)n);
    while (c->in.n && (end = memmem(c->in.p, c->in.n, "\r\n\r\n", 4))) {
        size_t used = (size_t)(end - c->in.p) + 4;

        request(s, c, c->in.p);
        memmove(c->in.p, c->in.p + used, c->in.n - used);
        c->in.n -= used;
        c->in.p[c->in.n] = '\0';
        if (c->close_when_sent) {
            break;
        }
    }
    return true;
}

static bool give_output(struct connection *c)
{
    ssize_t n;

    if (c->sent == c->out.n && c->endless) {
        static const char zeros[4096];

        c->out.n = c->sent = 0;
        put_chunks(&c->out, zeros, sizeof(zeros), sizeof(zeros));
    }
    if (c->sent == c->out.n) {
        if (c->close_when_sent) {
            drop(c);
            return true;
        }
        return false;
    }
    n = send(c->fd, c->out.p + c->sent, c->out.n - c->sent, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) {
        drop(c);
        return true;
    }
    c->sent += n > 0 ? (size_t)n : 0;
    return n > 0;
}

bool http_server_step(struct http_server *s)
{
    bool did = false;
    int fd;

    while ((fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        size_t i = 0;

        while (s->c[i].fd >= 0) {
            i++;
            assert_true(i < MAX_CONNECTIONS);
        }
        s->c[i].fd = fd;
        s->connections++;
        did = true;
    }
    for (size_t i = 0; i < MAX_CONNECTIONS; i++) {
        if (s->c[i].fd >= 0) {
            did |= take_input(s, &s->c[i]);
        }
        if (s->c[i].fd >= 0) {
            did |= give_output(&s->c[i]);
        }
    }
    return did;
}

void http_server_end_open(struct http_server *s)
{
    for (size_t i = 0; i < MAX_CONNECTIONS; i++) {
        if (s->c[i].open) {
            buf_puts(&s->c[i].out, "0\r\n\r\n");
            s->c[i].open = false;
        }
    }
}

unsigned http_server_connections(const struct http_server *s)
{
    return s->connections;
}

unsigned http_server_requests(const struct http_server *s)
{
    return s->requests;
}
