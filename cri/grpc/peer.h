/* What a peer speaks, told by its first bytes: an HTTP/2 server begins with a SETTINGS frame on
 * stream 0 (RFC 9113, 3.4), an HTTP/1.x server with "HTTP/1.". The bytes may come one by one. No
 * I/O. */
#ifndef PODPID_CRI_GRPC_PEER_H
#define PODPID_CRI_GRPC_PEER_H

#include "cri/grpc/grpc.h"

struct grpc_sniffer {
    enum grpc_peer peer;
    uint8_t head[48]; /* the first bytes, to decide by and to quote in errors */
    size_t n;
};

/* Take the next n bytes. GRPC_PEER_SILENT while they may still be the start of either. */
enum grpc_peer grpc_sniff(struct grpc_sniffer *s, const uint8_t *p, size_t n);

/* Fill err with why this peer cannot be used; for GRPC_PEER_SILENT and _HTTP2: that it closed the
 * connection. Returns a negative errno. */
int grpc_sniff_error(const struct grpc_sniffer *s, struct err *err);

#endif
