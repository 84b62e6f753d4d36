/* The client that asks a runtime: one interface for both APIs (CRI over gRPC, the Docker Engine API
 * over HTTP/1.1). cri/README.md follows a request through the files.
 *
 * A client never blocks: requests are queued, client_step() moves bytes, client_next() hands out
 * replies in the order in which they were completed. What a reply points to lives in the arena
 * given with the request, which the caller keeps as long as the reply. Only RPCs and documents that
 * read are asked for. */
#ifndef PODPID_CRI_CLIENT_H
#define PODPID_CRI_CLIENT_H

#include <stdbool.h>

#include "cri/base/arena.h"
#include "cri/base/clock.h"
#include "cri/base/error.h"
#include "cri/endpoint.h"
#include "cri/reply.h"

struct client;

/* Connect. Which API the peer speaks turns out in the first steps; a peer that speaks both is asked
 * in CRI. A peer that serves neither makes client_step() fail. *ret is closed by client_close(). 0
 * or negative errno, as endpoint_connect(); a full queue is no error, client_step() tries again. */
int client_open(const struct endpoint *ep, struct client **ret, struct err *err);

/* Close the connection and drop all requests; c may be NULL. */
void client_close(struct client *c);

/* A descriptor that becomes readable (POLLIN) when client_step() has something to do. It stays the
 * same until client_close() and belongs to the client. */
int client_fd(const struct client *c);

/* When to call client_step() even if the descriptor is not readable (CLOCK_MONOTONIC); NSEC_NEVER:
 * there is no such time. */
nsec client_deadline(const struct client *c);

/* Queue a request; its reply is of the kind of the same name. id is copied. 0 or -ENOMEM; -EINVAL
 * (ERR_USAGE) for an id that is longer than any runtime's. */
int client_get_identity(struct client *c, struct arena *a, struct err *err);
int client_get_list(struct client *c, struct arena *a, struct err *err);
int client_get_pod(struct client *c, const char *id, struct arena *a, struct err *err);
int client_get_container(struct client *c, const char *id, struct arena *a, struct err *err);

/* Cancel all requests that have no reply yet; none will come. An event stream goes on. */
void client_cancel(struct client *c);

/* Read and write what is possible without blocking. now: CLOCK_MONOTONIC. 0; or negative errno
 * (ERR_RUNTIME) when the connection is lost or the peer breaks the protocol: replies that were
 * completed before are still handed out, and only client_close() is left. */
int client_step(struct client *c, nsec now, struct err *err);

/* Hand out the next completed reply; false: none is complete now. */
bool client_next(struct client *c, struct client_reply *ret);

/* Whether the runtime lives outside this process's PID namespace: then its PIDs mean nothing here.
 */
bool client_is_elsewhere(const struct client *c);

/* How many requests have no complete reply yet. */
unsigned client_pending(const struct client *c);

/* Make a view final once all statuses are in it. CRI leaves it as it is. Docker has no pods: lists
 * and statuses make a pod row of each container whose labels claim to be a sandbox, and put each
 * container where its labels claim; that never changes for an id, so lists are compared before this
 * call. Here each claim is judged (cri/docker/pods.h says how): a sandbox whose claim does not hold
 * becomes a container, a container whose claim does not hold loses its pod, each with a warning,
 * and each row gets its cgroups_path. A container whose status failed stays in the pod that it
 * claims, if that pod holds.
 *
 * v's arrays and rows are replaced, not written to. Give a copy: a view may be settled once only.
 * Does no I/O. 0 or -ENOMEM. */
int client_settle(const struct client *c, struct view *v, struct arena *a);

/* Open the event stream, if another reader of it harms nobody. who: the reply to
 * client_get_identity(). True: asked for; replies of kind CLIENT_EVENT come, CLIENT_EVENTS_END at
 * its end. False: this runtime has none, a stream is open already, or memory is out. */
bool client_watch_events(struct client *c, const struct view_runtime *who);

#endif
