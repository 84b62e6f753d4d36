/* GETs over a unix socket, many at once and without blocking, by libcurl. Knows HTTP and nothing of
 * what is asked. */
#ifndef PODPID_CRI_DOCKER_HTTP_H
#define PODPID_CRI_DOCKER_HTTP_H

#include <stdbool.h>

#include "cri/base/clock.h"
#include "cri/base/error.h"
#include "cri/base/text.h"
#include "cri/endpoint.h"

enum { DOCKER_HTTP_CONNECTIONS = 6 };

struct docker_http;

struct docker_http_reply {
    void *tag;       /* the request's */
    int rc;          /* 0, or negative errno with err filled: no whole reply came */
    long status;     /* of HTTP, with rc 0 */
    struct buf body; /* the taker's: buf_free() */
    struct err err;
};

/* Nothing is connected yet. ERR_RUNTIME where there is no libcurl. */
int docker_http_open(const struct endpoint *ep, struct docker_http **ret, struct err *err);
void docker_http_close(struct docker_http *h); /* NULL is fine */

int docker_http_fd(const struct docker_http *h);        /* an epoll descriptor, to be polled */
nsec docker_http_deadline(const struct docker_http *h); /* NSEC_NEVER: none */

/* Queue a GET of a path; the body may have up to max bytes. 0 or -ENOMEM. */
int docker_http_get(struct docker_http *h, const char *path, size_t max, void *tag,
                    struct err *err);

/* Drop all requests and replies that were not taken, but the stream. */
void docker_http_cancel(struct docker_http *h);

/* 0; negative errno: nobody can be reached there (any more), nothing further will come. */
int docker_http_step(struct docker_http *h, nsec now, struct err *err);

/* The next reply; false if there is none now. */
bool docker_http_next(struct docker_http *h, struct docker_http_reply *ret);

/* One GET whose body never ends: its bytes are counted, not kept. 0 or negative errno. */
int docker_http_stream(struct docker_http *h, const char *path, struct err *err);

/* Whether something came on the stream since the last call; *ret_ended (once): it is over. */
bool docker_http_stream_news(struct docker_http *h, bool *ret_ended);

#endif
