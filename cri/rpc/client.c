#include "cri/rpc/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "cri/rpc/requests.h"

/* Pause before connecting again while the listener's queue is full: a daemon that is only busy
 * accepts within milliseconds. */
#define CONNECT_AGAIN (10 * NSEC_PER_MSEC)

enum {
    READ_SIZE = 64 * 1024,
    READS_A_STEP = 32, /* 2 MiB a step: a peer that never stops must not keep the caller from its
                          deadline */
};

struct cri_client {
    struct client base;
    struct endpoint ep;
    char name[128]; /* the endpoint as text, for errors */
    int fd, epoll_fd;
    uint32_t interest; /* the events of fd that epoll_fd waits for */
    nsec connect_at;   /* NSEC_NEVER: connected */
    struct grpc *grpc;
    struct cri_requests requests;
    uint8_t in[READ_SIZE];
};

static struct cri_client *cri(struct client *c)
{
    return (struct cri_client *)(void *)c;
}

static const struct cri_client *cri_const(const struct client *c)
{
    return (const struct cri_client *)(const void *)c;
}

static int fail(const struct cri_client *c, const struct err *why, struct err *err)
{
    err_set(err, why->kind, why->errnum, "%s: %s", c->name, why->text);
    if (why->hint[0]) {
        err_hint(err, "%s", why->hint);
    }
    return -why->errnum;
}

static int failed(const struct cri_client *c, const char *what, struct err *err)
{
    int errnum = errno;

    return err_set(err, ERR_RUNTIME, errnum, "%s: %s: %s", c->name, what, strerror(errnum));
}

/* Make client_fd() readable for these events of the connection. */
static int set_interest(struct cri_client *c, uint32_t events, struct err *err)
{
    struct epoll_event ev = {.events = events};

    if (c->fd < 0 || c->interest == events) {
        return 0;
    }
    if (epoll_ctl(c->epoll_fd, c->interest ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &ev) < 0) {
        return failed(c, "epoll", err);
    }
    c->interest = events;
    return 0;
}

/* Write what is queued, as far as the socket takes it. */
static int flush(struct cri_client *c, struct err *err)
{
    for (;;) {
        struct err why;
        const uint8_t *p;
        size_t n;
        ssize_t sent;
        int rc = grpc_send(c->grpc, &p, &n, &why);

        if (rc < 0) {
            return fail(c, &why, err);
        }
        if (n == 0) {
            return set_interest(c, EPOLLIN, err);
        }
        sent = send(c->fd, p, n, MSG_NOSIGNAL);
        if (sent >= 0) {
            grpc_sent(c->grpc, (size_t)sent);
        } else if (errno == EAGAIN) {
            return set_interest(c, EPOLLIN | EPOLLOUT, err);
        } else if (errno == EPIPE || errno == ECONNRESET) {
            return 0; /* the peer closed: reading what it sent before gives the better error */
        } else if (errno != EINTR) {
            return failed(c, "writing", err);
        }
    }
}

/* Read what has come and take the finished calls. */
static int fill(struct cri_client *c, struct err *err)
{
    for (unsigned i = 0; i < READS_A_STEP; i++) {
        ssize_t n = recv(c->fd, c->in, sizeof(c->in), 0);
        struct err why = {0}, nonsense = {0};
        int rc;

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            return 0;
        }
        if (n < 0 && errno != ECONNRESET) {
            return failed(c, "reading", err);
        }
        rc = n > 0 ? grpc_recv(c->grpc, c->in, (size_t)n, &why) : grpc_eof(c->grpc, &why);
        if (cri_requests_take(&c->requests, &nonsense) < 0) {
            return fail(c, &nonsense, err);
        }
        if (rc < 0) {
            return fail(c, &why, err);
        }
        if ((size_t)n < sizeof(c->in)) {
            return 0; /* the socket was empty; later bytes make the descriptor readable again */
        }
    }
    return 0;
}

static int connect_now(struct cri_client *c, nsec now, struct err *err)
{
    int rc = endpoint_connect(&c->ep, &c->fd, err);

    if (rc == -EAGAIN) {
        c->connect_at = nsec_after(now, CONNECT_AGAIN);
        return 0;
    }
    c->connect_at = NSEC_NEVER;
    return rc;
}

static int cri_step(struct client *base, nsec now, struct err *err)
{
    struct cri_client *c = cri(base);
    int rc;

    if (c->fd < 0) {
        rc = now >= c->connect_at ? connect_now(c, now, err) : 0;
        if (rc < 0 || c->fd < 0) {
            return rc;
        }
    }
    rc = flush(c, err);
    if (rc == 0) {
        rc = fill(c, err);
    }
    return rc == 0 ? flush(c, err) : rc;
}

static void cri_close(struct client *base)
{
    struct cri_client *c = cri(base);

    cri_requests_free(&c->requests);
    grpc_free(c->grpc);
    if (c->epoll_fd >= 0) {
        close(c->epoll_fd);
    }
    if (c->fd >= 0) {
        close(c->fd);
    }
    free(c);
}

static int cri_fd(const struct client *c)
{
    return cri_const(c)->epoll_fd;
}

static nsec cri_deadline(const struct client *c)
{
    return cri_const(c)->connect_at;
}

static int cri_get(struct client *base, const struct client_request *req, struct err *err)
{
    struct cri_client *c = cri(base);
    int rc = cri_requests_get(&c->requests, req, err);

    return rc < 0 ? rc : set_interest(c, EPOLLIN | EPOLLOUT, err);
}

static void cri_cancel(struct client *base)
{
    cri_requests_cancel(&cri(base)->requests);
}

static bool cri_next(struct client *base, struct client_reply *ret)
{
    return cri_requests_next(&cri(base)->requests, ret);
}

static unsigned cri_pending(const struct client *c)
{
    return cri_const(c)->requests.n_under_way;
}

static int cri_settle(const struct client *c, struct view *v, struct arena *a)
{
    (void)c;
    (void)v;
    (void)a;
    return 0;
}

static bool cri_watch_events(struct client *base, const struct view_runtime *who)
{
    struct cri_client *c = cri(base);

    return cri_requests_watch(&c->requests, who) && set_interest(c, EPOLLIN | EPOLLOUT, NULL) == 0;
}

static const struct client_ops cri_ops = {
    .close = cri_close,
    .fd = cri_fd,
    .deadline = cri_deadline,
    .get = cri_get,
    .cancel = cri_cancel,
    .step = cri_step,
    .next = cri_next,
    .pending = cri_pending,
    .settle = cri_settle,
    .watch_events = cri_watch_events,
};

static void cleanup_client(struct cri_client **c)
{
    if (*c) {
        cri_close(&(*c)->base);
    }
}

int cri_client_open(const struct endpoint *ep, int fd, struct client **ret, struct err *err)
{
    AUTO_CLOSE int taken = fd;
    CLEANUP(cleanup_client) struct cri_client *c = calloc(1, sizeof(*c));
    int rc;

    if (!c) {
        return err_nomem(err);
    }
    c->base.ops = &cri_ops;
    c->fd = TAKE_FD(taken);
    c->connect_at = c->fd < 0 ? 0 : NSEC_NEVER;
    snprintf(c->name, sizeof(c->name), "the runtime");
    if (ep) {
        c->ep = *ep;
        endpoint_format(ep, c->name, sizeof(c->name));
    }
    c->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (c->epoll_fd < 0) {
        return failed(c, "epoll", err);
    }
    rc = grpc_new("podpid/" PODPID_VERSION, &c->grpc, err);
    if (rc < 0) {
        return rc;
    }
    c->requests.grpc = c->grpc;
    rc = set_interest(c, EPOLLIN | EPOLLOUT, err);
    if (rc < 0) {
        return rc;
    }
    *ret = &TAKE_PTR(c)->base;
    return 0;
}

enum grpc_peer cri_client_peer(const struct client *c)
{
    return grpc_peer_seen(cri_const(c)->grpc);
}

bool cri_client_is_served(const struct client *c)
{
    return cri_const(c)->requests.served;
}
