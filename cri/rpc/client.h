/* The client's CRI speaker: requests -> calls -> replies over one connection. runtime.v1 first;
 * where that service is not known, runtime.v1alpha2 for the connection's life. Internal to cri/. */
#ifndef PODPID_CRI_RPC_CLIENT_H
#define PODPID_CRI_RPC_CLIENT_H

#include "cri/endpoint.h"
#include "cri/grpc/grpc.h"
#include "cri/speaker.h"

/* fd is connected and non-blocking; it is taken, also on failure. Or -1: ep is connected to by
 * client_step(), again and again while its queue is full. ep may be NULL with an fd. */
int cri_client_open(const struct endpoint *ep, int fd, struct client **ret, struct err *err);

/* What the peer's first bytes showed. */
enum grpc_peer cri_client_peer(const struct client *c);

/* Whether it has answered as a CRI does. Until then a step fails with -EOPNOTSUPP where the peer
 * turns out to serve none. */
bool cri_client_is_served(const struct client *c);

#endif
