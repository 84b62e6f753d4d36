/* The runtime's client: one interface, two speakers (CRI over gRPC, the Docker Engine API over
 * HTTP/1.1).
 *
 * A client never blocks: requests are queued, client_step() moves bytes, client_next() hands out
 * replies in the order in which they were completed. Strings in a reply live in the arena given
 * with the request, which must outlive the reply's use. Only RPCs and endpoints that read are ever
 * called. */
#ifndef PODPID_CRI_CLIENT_H
#define PODPID_CRI_CLIENT_H

#include <stdbool.h>

#include "cri/base/arena.h"
#include "cri/base/clock.h"
#include "cri/base/error.h"
#include "cri/endpoint.h"
#include "cri/reply.h"

struct client;

/* Connect and find out which API is spoken there: a CRI socket, a Docker socket, or both (CRI-O
 * answers HTTP/1.1 as well: CRI wins). On containerd with the CRI plugin disabled and the like the
 * first step fails with ERR_RUNTIME and says so. 0 or negative errno. */
int client_open(const struct endpoint *ep, struct client **ret, struct err *err);

void client_close(struct client *c); /* NULL is fine; requests under way are dropped */

/* Readable (POLLIN) when client_step() has something to do. The same descriptor for the client's
 * life. */
int client_fd(const struct client *c);

/* When client_step() wants to run even if the descriptor stays silent; NSEC_NEVER: no such time. */
nsec client_deadline(const struct client *c);

/* Queue a request. 0 or -ENOMEM. */
int client_get_identity(struct client *c, struct arena *a, struct err *err);
int client_get_list(struct client *c, struct arena *a, struct err *err);
int client_get_pod(struct client *c, const char *id, struct arena *a, struct err *err);
int client_get_container(struct client *c, const char *id, struct arena *a, struct err *err);

/* Cancel every request that is under way (RST_STREAM, or the transfer removed); no replies come for
 * it. An event stream goes on. */
void client_cancel(struct client *c);

/* Do what can be done without blocking. 0; or negative errno when the connection is lost or the
 * peer speaks nonsense (ERR_RUNTIME): then nothing more will come and only client_close() is left.
 */
int client_step(struct client *c, nsec now, struct err *err);

/* The next completed reply; false if there is none now. */
bool client_next(struct client *c, struct client_reply *ret);

/* Does the runtime live outside our PID namespace? Then its PIDs are none of ours. */
bool client_is_elsewhere(const struct client *c);

/* How many requests have no reply yet. */
unsigned client_pending(const struct client *c);

/* Once all statuses of a view are in: CRI leaves it as it is; Docker puts pods together from the
 * kubelet's labels as far as they hold, and sets each row's cgroups_path. Pure; v's arrays and rows
 * are replaced, not written through. 0 or -ENOMEM.
 *
 * Docker's rule: an image may carry any label, so labels only claim. Lists and statuses take the
 * claim as it is: who claims to be a sandbox is a pod row (client_get_pod()), everything else a
 * container row; that never changes for an id, so lists are compared before they are settled.
 * Settling moves each sandbox whose claim does not hold to the containers, and leaves a container
 * in a pod only if its claim holds; each refusal is a warning. A container whose status failed
 * stays where its labels put it, if that pod holds: an error must not vanish from the pod that it
 * may belong to. Settle a copy: what is settled already is not settled again. */
int client_settle(const struct client *c, struct view *v, struct arena *a);

/* Events where reading them harms nobody (not on containerd 1.7, whose one channel is the
 * kubelet's): true if a stream was asked for. The identity must have been answered before. */
bool client_watch_events(struct client *c, const struct view_runtime *who);

#endif
