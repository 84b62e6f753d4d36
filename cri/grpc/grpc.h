/* The client's side of gRPC over HTTP/2, without I/O: bytes in, bytes out. The caller owns socket
 * and clock.
 *
 *     grpc_call()   queue calls          grpc_send(), grpc_sent()   what is to be written
 *     grpc_recv()   what was read        grpc_next()                the calls' results
 *
 * Received bytes are not trusted: sizes are bounded, and a peer that breaks HTTP/2 or speaks
 * something else is an error that says so. The preface, SETTINGS and the first calls go out
 * together, without waiting for the peer's SETTINGS. */
#ifndef PODPID_CRI_GRPC_GRPC_H
#define PODPID_CRI_GRPC_GRPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cri/base/error.h"

enum {
    GRPC_STREAMS_MOST = 100,                /* calls in flight; further ones wait */
    GRPC_BUFFERED_MOST = 192 * 1024 * 1024, /* bytes of replies held at one time: three of 64 MiB */
};

enum grpc_code {
    GRPC_OK = 0,
    GRPC_CANCELLED = 1,
    GRPC_UNKNOWN = 2,
    GRPC_INVALID_ARGUMENT = 3,
    GRPC_DEADLINE_EXCEEDED = 4,
    GRPC_NOT_FOUND = 5,
    GRPC_PERMISSION_DENIED = 7,
    GRPC_RESOURCE_EXHAUSTED = 8,
    GRPC_UNIMPLEMENTED = 12,
    GRPC_INTERNAL = 13,
    GRPC_UNAVAILABLE = 14,
    GRPC_UNAUTHENTICATED = 16,
};

/* What the peer speaks, by its first bytes. */
enum grpc_peer {
    GRPC_PEER_SILENT, /* too few bytes to tell */
    GRPC_PEER_HTTP2,
    GRPC_PEER_HTTP1, /* answered HTTP/1.x: a Docker Engine, a web server */
    GRPC_PEER_ALIEN, /* something else */
};

struct grpc_result {
    uint64_t tag;
    bool end;               /* false: a message of a stream that goes on */
    enum grpc_code code;    /* with end; may be a number that the enum does not have */
    bool retryable;         /* with end: the peer never took this call (GOAWAY) */
    const char *text;       /* with end and a code other than GRPC_OK: one line, else NULL or "" */
    const uint8_t *message; /* NULL: none */
    size_t n;
};

struct grpc;

/* A client without a connection; user_agent is copied. Freed by grpc_free(). 0 or -ENOMEM. */
int grpc_new(const char *user_agent, struct grpc **ret, struct err *err);
void grpc_free(struct grpc *g); /* g may be NULL */

/* Queue a call of path ("/package.Service/Method") with one request message; both are copied. tag
 * comes back in the results. A unary call has one result with message and end; a streaming one has
 * a result for each message, then one with its end. 0 or -ENOMEM. */
int grpc_call(struct grpc *g, const char *path, const void *message, size_t n, bool streaming,
              uint64_t tag, struct err *err);

/* Drop the call with this tag, if it has not ended: no further result comes for it. */
void grpc_cancel(struct grpc *g, uint64_t tag);

/* Take n bytes that were read. 0; or negative errno (ERR_RUNTIME): the connection cannot be used
 * any more, but results that came before can still be taken. */
int grpc_recv(struct grpc *g, const uint8_t *p, size_t n, struct err *err);

/* The peer closed the connection. Always returns a negative errno; err says in the middle of what.
 */
int grpc_eof(const struct grpc *g, struct err *err);

/* The bytes to write next, valid until the next grpc_send(); *ret_n == 0: none now. grpc_sent()
 * drops the first n of them, once they are written. 0, or negative errno as grpc_recv(). */
int grpc_send(struct grpc *g, const uint8_t **ret_p, size_t *ret_n, struct err *err);
void grpc_sent(struct grpc *g, size_t n);

/* The next result, in the order of arrival; what it points to is valid until the next grpc_next()
 * or grpc_free(). False: none now. */
bool grpc_next(struct grpc *g, struct grpc_result *ret);

enum grpc_peer grpc_peer_seen(const struct grpc *g);

const char *grpc_code_name(enum grpc_code code); /* "NotFound"; "?" for an unknown number */

#endif
