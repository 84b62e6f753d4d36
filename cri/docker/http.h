/* HTTP/1.1 GETs over a unix socket, many at once and without blocking, by libcurl. It knows nothing
 * about the documents. Internal to cri/docker. */
#ifndef PODPID_CRI_DOCKER_HTTP_H
#define PODPID_CRI_DOCKER_HTTP_H

#include <stdbool.h>

#include "cri/base/clock.h"
#include "cri/base/error.h"
#include "cri/base/text.h"
#include "cri/endpoint.h"

enum { DOCKER_HTTP_CONNECTIONS = 6 }; /* at most, beside the event stream */

struct docker_http;

struct docker_http_reply {
    void *tag;       /* as given to docker_http_get() */
    int rc;          /* 0, or negative errno with err filled: no complete reply came */
    long status;     /* HTTP status, with rc 0 */
    struct buf body; /* owned by the caller of docker_http_next(), who calls buf_free() */
    struct err err;
};

/* Make a client of ep; it connects with the first GET. 0 or negative errno: no libcurl
 * (ERR_RUNTIME), -ENOMEM. */
int docker_http_open(const struct endpoint *ep, struct docker_http **ret, struct err *err);
void docker_http_close(struct docker_http *h); /* h may be NULL */

int docker_http_fd(const struct docker_http *h);        /* readable: step has work */
nsec docker_http_deadline(const struct docker_http *h); /* NSEC_NEVER: none */

/* Queue a GET of a path, which is copied. A body of more than max bytes fails with -EFBIG. tag
 * comes back in the reply. 0 or -ENOMEM. */
int docker_http_get(struct docker_http *h, const char *path, size_t max, void *tag,
                    struct err *err);

/* Drop all requests and all replies that were not taken; the stream goes on. */
void docker_http_cancel(struct docker_http *h);

/* Read and write what is possible without blocking. 0; negative errno: nobody answers at the socket
 * any more, and no further reply comes. */
int docker_http_step(struct docker_http *h, nsec now, struct err *err);

/* The next complete reply; false: none now. */
bool docker_http_next(struct docker_http *h, struct docker_http_reply *ret);

/* GET a document that does not end (/events). Its bytes are only noticed, not kept. A second call
 * replaces the stream. 0 or negative errno. */
int docker_http_stream(struct docker_http *h, const char *path, struct err *err);

/* Whether bytes came on the stream since the last call. *ret_ended: the stream has ended since
 * then. */
bool docker_http_stream_news(struct docker_http *h, bool *ret_ended);

#endif
