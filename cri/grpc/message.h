/* gRPC's framing of messages: a byte "compressed", four bytes of length, the message. HTTP/2 DATA
 * frames cut that anywhere. No I/O. */
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
    uint32_t size; /* bytes of the message; known once the prefix is complete */
    uint8_t *body; /* malloc'ed; grows with the bytes that arrive, since the prefix may lie */
    size_t n, cap;
};

/* Consume bytes from *p, *n until one message is complete. 1: it is, in d->body (d->size bytes,
 * never NULL); TAKE_PTR(d->body) keeps it, and grpc_deframer_reset() must come before the next
 * push. 0: more bytes are needed. -EPROTO: the message is compressed, which podpid never offers.
 * -EMSGSIZE: longer than GRPC_MESSAGE_MOST. -ENOMEM. */
int grpc_deframer_push(struct grpc_deframer *d, const uint8_t **p, size_t *n);

/* Whether bytes of an incomplete message have come. */
bool grpc_deframer_partial(const struct grpc_deframer *d);

/* Free the body and be ready for the next message. */
void grpc_deframer_reset(struct grpc_deframer *d);

/* Write the prefix of a message of n bytes. */
void grpc_put_prefix(uint8_t prefix[GRPC_PREFIX], uint32_t n);

/* Percent-decode the value of a grpc-message header into ret, cut to size and NUL-terminated. What
 * is no valid escape is copied. */
void grpc_percent_decode(const uint8_t *p, size_t n, char *ret, size_t size);

#endif
