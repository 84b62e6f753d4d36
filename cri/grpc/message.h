/* gRPC's message framing: one byte "compressed", four bytes length, the message; cut at will into
 * HTTP/2 DATA frames. Pure. */
#ifndef PODPID_CRI_GRPC_MESSAGE_H
#define PODPID_CRI_GRPC_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GRPC_PREFIX = 5,
    GRPC_MESSAGE_MOST = 64 * 1024 * 1024, /* a longer message is refused */
};

/* Collects one message after the other. Zero-initialise. */
struct grpc_deframer {
    uint8_t prefix[GRPC_PREFIX];
    size_t n_prefix;
    uint32_t size; /* of the message, once the prefix is whole */
    uint8_t *body; /* malloc'ed; grows with what arrives, not with what the prefix promises */
    size_t n, cap;
};

/* Move bytes from *p, *n until one message is whole. 1: it is, in d->body (d->size bytes; never
 * NULL); take it with grpc_deframer_reset() or by TAKE_PTR(d->body) before. 0: more bytes are
 * wanted. -EPROTO: compressed, which nobody agreed on. -EMSGSIZE: longer than GRPC_MESSAGE_MOST.
 * -ENOMEM. */
int grpc_deframer_push(struct grpc_deframer *d, const uint8_t **p, size_t *n);

/* Whether the bytes so far end in the middle of a message. */
bool grpc_deframer_partial(const struct grpc_deframer *d);

/* Ready for the next message; frees the body. */
void grpc_deframer_reset(struct grpc_deframer *d);

/* The prefix before a message of n bytes. */
void grpc_put_prefix(uint8_t prefix[GRPC_PREFIX], uint32_t n);

/* grpc-message as it is in a header: percent-decoded, cut to size, NUL-terminated. What is no valid
 * escape stays as it is. */
void grpc_percent_decode(const uint8_t *p, size_t n, char *ret, size_t size);

#endif
