/* Who answers, by the first bytes: an HTTP/2 server starts with a SETTINGS frame on stream 0,
 * whatever else starts with something else. Pure; the pieces may be single bytes. */
#ifndef PODPID_CRI_GRPC_PEER_H
#define PODPID_CRI_GRPC_PEER_H

#include "cri/grpc/grpc.h"

struct grpc_sniffer {
    enum grpc_peer peer;
    uint8_t head[48]; /* the first bytes, for the verdict and for the words */
    size_t n;
};

/* Look at the next piece. GRPC_PEER_SILENT while the bytes fit more than one answer. */
enum grpc_peer grpc_sniff(struct grpc_sniffer *s, const uint8_t *p, size_t n);

/* Why this peer is none of ours (or, for GRPC_PEER_SILENT, that it closed the connection that
 * early). Negative errno. */
int grpc_sniff_error(const struct grpc_sniffer *s, struct err *err);

#endif
