/* client_open(): a client of a peer whose API is not known yet. CRI is tried first. If the peer
 * answers HTTP/1.x, the Docker speaker takes over; CRI-O, which answers both, is asked in CRI.
 * Docker Engine 29 answers gRPC too but serves no CRI: a peer like that is asked over HTTP/1.1 as
 * well. The caller has one client all the time: its descriptor is an epoll descriptor around the
 * present speaker's, and requests made before the API is known are kept and given to the next
 * speaker. */
#include "cri/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "cri/docker/client.h"
#include "cri/grpc/peer.h"
#include "cri/rpc/client.h"

struct probe {
    struct client base;
    struct client *speaker;
    bool known; /* the peer speaks the speaker's API */
    struct endpoint ep;
    int epoll_fd;
    struct client_request *asked; /* all requests, until known */
    size_t n_asked, cap_asked;
    /* While a peer without CRI is asked in HTTP/1.1; there is no speaker then: */
    int http1_fd; /* -1: no such try is under way */
    struct grpc_sniffer http1;
    struct err no_cri; /* the error to report if the peer does not answer HTTP/1.x either */
};

static struct probe *probe(struct client *c)
{
    return (struct probe *)(void *)c;
}

static const struct probe *probe_const(const struct client *c)
{
    return (const struct probe *)(const void *)c;
}

static int epoll_failed(struct err *err)
{
    int errnum = errno;

    return err_set(err, ERR_RUNTIME, errnum, "epoll: %s", strerror(errnum));
}

static int adopt(struct probe *p, struct client *speaker, struct err *err)
{
    struct epoll_event ev = {.events = EPOLLIN};

    p->speaker = speaker;
    return epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, client_fd(speaker), &ev) < 0 ? epoll_failed(err)
                                                                              : 0;
}

static void peer_known(struct probe *p)
{
    p->known = true;
    free(TAKE_PTR(p->asked));
    p->n_asked = p->cap_asked = 0;
}

static void drop_speaker(struct probe *p)
{
    epoll_ctl(p->epoll_fd, EPOLL_CTL_DEL, client_fd(p->speaker), NULL);
    client_close(TAKE_PTR(p->speaker));
}

/* The peer speaks HTTP/1.x: give the requests to the Docker speaker. */
static int hand_over(struct probe *p, struct err *err)
{
    struct client *docker;
    int rc = docker_client_open(&p->ep, &docker, err);

    if (rc == 0) {
        rc = adopt(p, docker, err);
    }
    for (size_t i = 0; rc == 0 && i < p->n_asked; i++) {
        rc = docker->ops->get(docker, &p->asked[i], err);
    }
    peer_known(p);
    return rc;
}

static void hang_up_http1(struct probe *p)
{
    if (p->http1_fd >= 0) {
        close(TAKE_FD(p->http1_fd));
    }
}

static int serves_nothing(struct probe *p, struct err *err)
{
    hang_up_http1(p);
    if (err) {
        *err = p->no_cri;
    }
    return -p->no_cri.errnum;
}

/* Read the start of the answer to /_ping. */
static int hear_http1(struct probe *p, nsec now, struct err *err)
{
    uint8_t head[16];
    ssize_t n = recv(p->http1_fd, head, sizeof(head), 0);
    int rc;

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return 0;
    }
    if (n <= 0) {
        return serves_nothing(p, err);
    }
    switch (grpc_sniff(&p->http1, head, (size_t)n)) {
    case GRPC_PEER_SILENT:
        return 0;
    case GRPC_PEER_HTTP1:
        hang_up_http1(p);
        rc = hand_over(p, err);
        return rc < 0 ? rc : client_step(p->speaker, now, err);
    case GRPC_PEER_HTTP2:
    case GRPC_PEER_ALIEN:
        break;
    }
    return serves_nothing(p, err);
}

static int ask_http1(struct probe *p, const struct err *no_cri, struct err *err)
{
    static const char ping[] =
        "GET /_ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    struct epoll_event ev = {.events = EPOLLIN};
    struct err ignored;

    drop_speaker(p);
    p->no_cri = *no_cri;
    if (endpoint_connect(&p->ep, &p->http1_fd, &ignored) < 0 ||
        send(p->http1_fd, ping, sizeof(ping) - 1, MSG_NOSIGNAL) != sizeof(ping) - 1 ||
        epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, p->http1_fd, &ev) < 0) {
        return serves_nothing(p, err);
    }
    return 0;
}

static int probe_step(struct client *c, nsec now, struct err *err)
{
    struct probe *p = probe(c);
    struct err why = {0};
    int rc;

    if (p->http1_fd >= 0) {
        return hear_http1(p, now, err);
    }
    if (!p->speaker) {
        return err_set(err, ERR_INTERNAL, EINVAL, "stepped after the connection was lost");
    }
    if (p->known) {
        return client_step(p->speaker, now, err);
    }
    rc = client_step(p->speaker, now, &why);
    if (cri_client_peer(p->speaker) == GRPC_PEER_HTTP1) {
        drop_speaker(p);
        rc = hand_over(p, err);
        return rc < 0 ? rc : client_step(p->speaker, now, err);
    }
    if (rc == -EOPNOTSUPP) {
        return ask_http1(p, &why, err);
    }
    if (cri_client_is_served(p->speaker)) {
        peer_known(p);
    }
    if (rc < 0 && err) {
        *err = why;
    }
    return rc;
}

static int probe_get(struct client *c, const struct client_request *req, struct err *err)
{
    struct probe *p = probe(c);
    int rc;

    if (!p->known && p->n_asked == p->cap_asked) {
        size_t cap = p->cap_asked ? p->cap_asked * 2 : 8;
        struct client_request *asked = realloc(p->asked, cap * sizeof(*asked));

        if (!asked) {
            return err_nomem(err);
        }
        p->asked = asked;
        p->cap_asked = cap;
    }
    rc = p->speaker ? p->speaker->ops->get(p->speaker, req, err) : 0;
    if (rc == 0 && !p->known) {
        p->asked[p->n_asked++] = *req;
    }
    return rc;
}

static void probe_cancel(struct client *c)
{
    struct probe *p = probe(c);

    p->n_asked = 0;
    if (p->speaker) {
        client_cancel(p->speaker);
    }
}

static void probe_close(struct client *c)
{
    struct probe *p = probe(c);

    client_close(p->speaker);
    hang_up_http1(p);
    if (p->epoll_fd >= 0) {
        close(p->epoll_fd);
    }
    free(p->asked);
    free(p);
}

static int probe_fd(const struct client *c)
{
    return probe_const(c)->epoll_fd;
}

static nsec probe_deadline(const struct client *c)
{
    const struct probe *p = probe_const(c);

    return p->speaker ? client_deadline(p->speaker) : NSEC_NEVER;
}

static bool probe_next(struct client *c, struct client_reply *ret)
{
    struct probe *p = probe(c);

    return p->speaker && client_next(p->speaker, ret);
}

static unsigned probe_pending(const struct client *c)
{
    const struct probe *p = probe_const(c);

    if (p->http1_fd >= 0) {
        return (unsigned)p->n_asked;
    }
    return p->speaker ? client_pending(p->speaker) : 0;
}

static int probe_settle(const struct client *c, struct view *v, struct arena *a)
{
    const struct probe *p = probe_const(c);

    return p->speaker ? client_settle(p->speaker, v, a) : 0;
}

static bool probe_watch_events(struct client *c, const struct view_runtime *who)
{
    struct probe *p = probe(c);

    return p->speaker && client_watch_events(p->speaker, who);
}

static const struct client_ops probe_ops = {
    .close = probe_close,
    .fd = probe_fd,
    .deadline = probe_deadline,
    .get = probe_get,
    .cancel = probe_cancel,
    .step = probe_step,
    .next = probe_next,
    .pending = probe_pending,
    .settle = probe_settle,
    .watch_events = probe_watch_events,
};

static void cleanup_probe(struct probe **p)
{
    if (*p) {
        probe_close(&(*p)->base);
    }
}

int client_open(const struct endpoint *ep, struct client **ret, struct err *err)
{
    CLEANUP(cleanup_probe) struct probe *p = calloc(1, sizeof(*p));
    struct client *cri;
    struct ucred peer;
    AUTO_CLOSE int fd = -1;
    int rc;

    if (!p) {
        return err_nomem(err);
    }
    p->base.ops = &probe_ops;
    p->ep = *ep;
    p->http1_fd = -1;
    p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (p->epoll_fd < 0) {
        return epoll_failed(err);
    }
    rc = endpoint_connect(ep, &fd, err);
    if (rc < 0 && rc != -EAGAIN) {
        return rc;
    }
    p->base.peer_elsewhere = fd >= 0 && endpoint_peer(fd, &peer) == 0 && peer.pid == 0;
    rc = cri_client_open(ep, TAKE_FD(fd), &cri, err);
    if (rc == 0) {
        rc = adopt(p, cri, err);
    }
    if (rc < 0) {
        return rc;
    }
    *ret = &TAKE_PTR(p)->base;
    return 0;
}
