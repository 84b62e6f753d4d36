/* The client's CRI speaker: requests -> gRPC calls -> replies, over one connection. It asks the
 * service runtime.v1; where the peer does not have it, runtime.v1alpha2 for the rest of the
 * connection. Internal to cri/. */
#ifndef PODPID_CRI_RPC_CLIENT_H
#define PODPID_CRI_RPC_CLIENT_H

#include "cri/endpoint.h"
#include "cri/grpc/grpc.h"
#include "cri/speaker.h"

/* Make a CRI client, closed by its ops->close. fd: a connected, non-blocking socket, owned by the
 * client from now on, also after a failure. fd -1: ops->step connects to ep, and tries again while
 * its queue is full. ep names the peer in errors; with an fd it may be NULL. 0 or negative errno.
 */
int cri_client_open(const struct endpoint *ep, int fd, struct client **ret, struct err *err);

/* What the peer speaks, as far as its bytes tell. */
enum grpc_peer cri_client_peer(const struct client *c);

/* Whether a CRI service has answered. Until then ops->step fails with -EOPNOTSUPP if the peer
 * serves neither version of CRI. */
bool cri_client_is_served(const struct client *c);

#endif
