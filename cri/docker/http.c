#include "cri/docker/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "cri/docker/curl.h"

/* Rounds of one step and events of one round: a peer that never stops must not keep the caller from
 * its deadline. */
enum { ROUNDS = 16, EVENTS = 16 };

/* A GET; its reply is filled when it is done. */
struct transfer {
    struct transfer *next;
    size_t max;
    bool tried; /* it is the second try: the first connection broke */
    struct docker_http_reply reply;
    char url[]; /* "http://localhost/..." */
};

struct queue {
    struct transfer *first, **end;
};

/* One easy handle, used for one transfer after another: it keeps its connection. */
struct slot {
    CURL *easy;
    struct transfer *transfer; /* NULL: idle */
    bool too_large;
};

struct docker_http {
    struct curl_table curl;
    struct endpoint ep;
    char name[128]; /* of ep, for messages */
    CURLM *multi;
    int epoll_fd;
    nsec now;      /* time of the present step */
    nsec deadline; /* when libcurl's timer runs out */
    struct slot slots[DOCKER_HTTP_CONNECTIONS];
    struct queue waiting, done;
    CURL *stream; /* NULL: none */
    bool stream_news, stream_ended;
    int rc; /* negative errno once nobody answers at the socket; err says why */
    struct err err;
};

static void push(struct queue *q, struct transfer *t)
{
    t->next = NULL;
    *q->end = t;
    q->end = &t->next;
}

static struct transfer *pop(struct queue *q)
{
    struct transfer *t = q->first;

    if (t) {
        q->first = t->next;
        if (!q->first) {
            q->end = &q->first;
        }
    }
    return t;
}

static void transfer_free(struct transfer *t)
{
    buf_free(&t->reply.body);
    free(t);
}

static void drop_all(struct queue *q)
{
    struct transfer *t;

    while ((t = pop(q))) {
        transfer_free(t);
    }
}

/* What libcurl calls ------------------------------------------------------------------------- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *per_socket)
{
    struct docker_http *h = context;
    struct epoll_event ev = {.data.fd = fd};

    (void)easy;
    (void)per_socket;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(h->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    ev.events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
    if (epoll_ctl(h->epoll_fd, EPOLL_CTL_MOD, fd, &ev) < 0 &&
        epoll_ctl(h->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0) {
        h->rc = err_set(&h->err, ERR_RUNTIME, errno, "epoll: %s", strerror(errno));
    }
    return 0;
}

static int on_timer(CURLM *multi, long ms, void *context)
{
    struct docker_http *h = context;

    (void)multi;
    h->deadline = ms < 0 ? NSEC_NEVER : nsec_after(h->now, (nsec)ms * NSEC_PER_MSEC);
    return 0;
}

/* endpoint_connect() checks whose socket it is and has a text for each failure, so it connects once
 * before each of libcurl's connections. (libcurl 7.88 cannot be given a connected unix socket: it
 * connects it again.) */
static curl_socket_t on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct docker_http *h = context;
    int fd;
    int rc = endpoint_connect(&h->ep, &fd, &h->err);

    (void)purpose;
    if (rc < 0) {
        h->rc = rc;
        return CURL_SOCKET_BAD;
    }
    close(fd);
    fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static size_t on_body(char *p, size_t size, size_t n, void *context)
{
    struct slot *slot = context;
    struct docker_http_reply *reply = &slot->transfer->reply;

    if (n * size > slot->transfer->max - reply->body.n) {
        slot->too_large = true;
        return 0;
    }
    buf_append(&reply->body, p, n * size);
    return reply->body.failed ? 0 : n * size;
}

static size_t on_stream(char *p, size_t size, size_t n, void *context)
{
    struct docker_http *h = context;

    (void)p;
    h->stream_news = true;
    return n * size;
}

/* Setting up ----------------------------------------------------------------------------------- */

static CURL *new_easy(struct docker_http *h, curl_write_callback on_data, void *context)
{
    const struct curl_table *c = &h->curl;
    CURL *easy = c->easy_init();

    if (!easy ||
        c->easy_setopt(easy,
                       h->ep.abstract ? CURLOPT_ABSTRACT_UNIX_SOCKET : CURLOPT_UNIX_SOCKET_PATH,
                       h->ep.path) ||
        c->easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open) ||
        c->easy_setopt(easy, CURLOPT_OPENSOCKETDATA, h) ||
        c->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data) ||
        c->easy_setopt(easy, CURLOPT_WRITEDATA, context) ||
        c->easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) ||
        c->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http") ||
        c->easy_setopt(easy, CURLOPT_PROXY, "") || /* whatever the environment says */
        c->easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) ||
        c->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L)) {
        c->easy_cleanup(easy);
        return NULL;
    }
    return easy;
}

static int set_up(struct docker_http *h, struct err *err)
{
    const struct curl_table *c = &h->curl;

    h->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (h->epoll_fd < 0) {
        return err_set(err, ERR_RUNTIME, errno, "epoll: %s", strerror(errno));
    }
    h->multi = c->multi_init();
    if (!h->multi || c->multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket) ||
        c->multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h) ||
        c->multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timer) ||
        c->multi_setopt(h->multi, CURLMOPT_TIMERDATA, h) ||
        c->multi_setopt(h->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING)) {
        return err_nomem(err);
    }
    for (size_t i = 0; i < DOCKER_HTTP_CONNECTIONS; i++) {
        h->slots[i].easy = new_easy(h, on_body, &h->slots[i]);
        if (!h->slots[i].easy) {
            return err_nomem(err);
        }
    }
    return 0;
}

int docker_http_open(const struct endpoint *ep, struct docker_http **ret, struct err *err)
{
    struct docker_http *h = calloc(1, sizeof(*h));
    int rc;

    if (!h) {
        return err_nomem(err);
    }
    h->ep = *ep;
    endpoint_format(ep, h->name, sizeof(h->name));
    h->epoll_fd = -1;
    h->deadline = NSEC_NEVER;
    h->waiting.end = &h->waiting.first;
    h->done.end = &h->done.first;
    rc = curl_load(&h->curl, err);
    if (rc < 0) {
        free(h);
        return rc;
    }
    rc = set_up(h, err);
    if (rc < 0) {
        docker_http_close(h);
        return rc;
    }
    *ret = h;
    return 0;
}

static void end_slot(struct docker_http *h, struct slot *s)
{
    h->curl.multi_remove_handle(h->multi, s->easy);
    s->transfer = NULL;
    s->too_large = false;
}

void docker_http_cancel(struct docker_http *h)
{
    for (size_t i = 0; i < DOCKER_HTTP_CONNECTIONS; i++) {
        struct slot *s = &h->slots[i];

        if (s->transfer) {
            struct transfer *t = s->transfer;

            end_slot(h, s);
            transfer_free(t);
        }
    }
    drop_all(&h->waiting);
    drop_all(&h->done);
}

static void end_stream(struct docker_http *h)
{
    if (h->stream) {
        h->curl.multi_remove_handle(h->multi, h->stream);
        h->curl.easy_cleanup(TAKE_PTR(h->stream));
    }
}

void docker_http_close(struct docker_http *h)
{
    if (!h) {
        return;
    }
    docker_http_cancel(h);
    end_stream(h);
    for (size_t i = 0; i < DOCKER_HTTP_CONNECTIONS; i++) {
        h->curl.easy_cleanup(h->slots[i].easy);
    }
    if (h->multi) {
        h->curl.multi_cleanup(h->multi);
    }
    curl_unload(&h->curl);
    cleanup_close(&h->epoll_fd);
    free(h);
}

int docker_http_fd(const struct docker_http *h)
{
    return h->epoll_fd;
}

/* The index of a slot without a transfer; DOCKER_HTTP_CONNECTIONS: all are busy. */
static size_t idle_slot(const struct docker_http *h)
{
    size_t i = 0;

    while (i < DOCKER_HTTP_CONNECTIONS && h->slots[i].transfer) {
        i++;
    }
    return i;
}

nsec docker_http_deadline(const struct docker_http *h)
{
    return h->done.first || h->rc < 0 ||
                   (h->waiting.first && idle_slot(h) < DOCKER_HTTP_CONNECTIONS)
               ? 0
               : h->deadline;
}

/* Going on ---------------------------------------------------------------------------------------
 */

int docker_http_get(struct docker_http *h, const char *path, size_t max, void *tag, struct err *err)
{
    static const char base[] = "http://localhost";
    size_t n = sizeof(base) + strlen(path);
    struct transfer *t = calloc(1, sizeof(*t) + n);

    if (!t) {
        return err_nomem(err);
    }
    t->max = max;
    t->reply.tag = tag;
    snprintf(t->url, n, "%s%s", base, path);
    push(&h->waiting, t);
    return 0;
}

static int start_waiting(struct docker_http *h)
{
    size_t i;

    while (h->waiting.first && (i = idle_slot(h)) < DOCKER_HTTP_CONNECTIONS) {
        struct slot *s = &h->slots[i];

        s->transfer = pop(&h->waiting);
        if (h->curl.easy_setopt(s->easy, CURLOPT_URL, s->transfer->url) ||
            h->curl.multi_add_handle(h->multi, s->easy)) {
            return h->rc = err_nomem(&h->err);
        }
    }
    return 0;
}

/* Whether the connection broke in the middle of a transfer, which is then tried once more. */
static bool is_broken(CURLcode code)
{
    return code == CURLE_PARTIAL_FILE || code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR ||
           code == CURLE_SEND_ERROR;
}

static void fill_reply(const struct docker_http *h, const struct slot *s, CURLcode code,
                       struct docker_http_reply *reply)
{
    const char *path = s->transfer->url + strlen("http://localhost");

    if (code == CURLE_OK) {
        h->curl.easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &reply->status);
    } else if (s->too_large) {
        reply->rc = err_set(&reply->err, ERR_RUNTIME, EFBIG, "%s: %s: more than %zu bytes came",
                            h->name, path, s->transfer->max);
    } else {
        reply->rc = err_set(&reply->err, ERR_RUNTIME, is_broken(code) ? ECONNRESET : EPROTO,
                            "%s: %s: %s", h->name, path, h->curl.easy_strerror(code));
        err_hint(&reply->err, is_broken(code) ? "the engine stopped, was restarted or crashed: "
                                                "look at its log"
                                              : "this may be another program's socket");
    }
}

static void finish(struct docker_http *h, struct slot *s, CURLcode code)
{
    struct transfer *t = s->transfer;

    if (t->reply.body.failed) {
        h->rc = err_nomem(&h->err);
    }
    if (code == CURLE_COULDNT_CONNECT && h->rc == 0) {
        h->rc = err_set(&h->err, ERR_RUNTIME, ECONNREFUSED, "%s: the connection was lost", h->name);
    }
    if (is_broken(code) && !t->tried) {
        t->tried = true;
        buf_free(&t->reply.body);
        end_slot(h, s);
        push(&h->waiting, t);
        return;
    }
    fill_reply(h, s, code, &t->reply);
    end_slot(h, s);
    push(&h->done, t);
}

static void take_finished(struct docker_http *h)
{
    CURLMsg *m;
    int left;

    while ((m = h->curl.multi_info_read(h->multi, &left))) {
        CURL *easy = m->easy_handle;
        CURLcode code = m->data.result;

        if (m->msg != CURLMSG_DONE) {
            continue;
        }
        if (easy == h->stream) {
            end_stream(h);
            h->stream_ended = true;
            continue;
        }
        for (size_t i = 0; i < DOCKER_HTTP_CONNECTIONS; i++) {
            if (h->slots[i].easy == easy && h->slots[i].transfer) {
                finish(h, &h->slots[i], code);
            }
        }
    }
}

static unsigned poll_sockets(struct docker_http *h)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(h->epoll_fd, events, EVENTS, 0), running;

    for (int i = 0; i < n; i++) {
        unsigned e = events[i].events;
        int what = (e & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
                   (e & EPOLLOUT ? CURL_CSELECT_OUT : 0) | (e & EPOLLERR ? CURL_CSELECT_ERR : 0);

        h->curl.multi_socket_action(h->multi, events[i].data.fd, what, &running);
    }
    return n > 0 ? (unsigned)n : 0;
}

int docker_http_step(struct docker_http *h, nsec now, struct err *err)
{
    h->now = now;
    for (unsigned round = 0; round < ROUNDS && h->rc == 0; round++) {
        bool due;
        int running;

        if (start_waiting(h) < 0) {
            break;
        }
        due = h->deadline <= now;
        if (due) {
            h->deadline = NSEC_NEVER;
            h->curl.multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        }
        if (poll_sockets(h) == 0 && !due) {
            break;
        }
        take_finished(h);
    }
    if (h->rc < 0 && err) {
        *err = h->err;
    }
    return h->rc;
}

bool docker_http_next(struct docker_http *h, struct docker_http_reply *ret)
{
    struct transfer *t = pop(&h->done);

    if (!t) {
        return false;
    }
    *ret = t->reply;
    t->reply.body = (struct buf){0};
    transfer_free(t);
    return true;
}

int docker_http_stream(struct docker_http *h, const char *path, struct err *err)
{
    char url[512];

    end_stream(h);
    h->stream_ended = false;
    h->stream = new_easy(h, on_stream, h);
    if (!h->stream) {
        return err_nomem(err);
    }
    snprintf(url, sizeof(url), "http://localhost%s", path);
    if (h->curl.easy_setopt(h->stream, CURLOPT_URL, url) ||
        h->curl.multi_add_handle(h->multi, h->stream)) {
        h->curl.easy_cleanup(TAKE_PTR(h->stream));
        return err_nomem(err);
    }
    return 0;
}

bool docker_http_stream_news(struct docker_http *h, bool *ret_ended)
{
    bool news = h->stream_news;

    *ret_ended = h->stream_ended;
    h->stream_news = h->stream_ended = false;
    return news;
}
