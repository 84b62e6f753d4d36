/* CRI's replies as they are on the wire -> pieces of the runtime view. Pure.
 *
 * Everything that is kept is copied into the arena. 0; -ENOMEM; or -EBADMSG, with err filled, for
 * bytes that are no such message or hold nonsense. */
#ifndef PODPID_CRI_RPC_DECODE_H
#define PODPID_CRI_RPC_DECODE_H

#include <stdint.h>

#include "cri/base/arena.h"
#include "cri/base/error.h"
#include "cri/view.h"

enum { CRI_ROWS_MOST = 100000 }; /* pods or containers of one list */

struct wire {
    const uint8_t *p;
    size_t n;
};

int cri_decode_version(struct wire w, struct arena *a, struct view_runtime *ret, struct err *err);

/* Sets the conditions. */
int cri_decode_status(struct wire w, struct arena *a, struct view_runtime *ret, struct err *err);

/* Sets the cgroup driver; an answer that does not say leaves it NULL. */
int cri_decode_config(struct wire w, struct view_runtime *ret, struct err *err);

int cri_decode_pods(struct wire w, struct arena *a, struct view *ret, struct err *err);
int cri_decode_containers(struct wire w, struct arena *a, struct view *ret, struct err *err);

/* The status must be that of id; its verbose info is read too. Sets status to OK. */
int cri_decode_pod_status(struct wire w, const char *id, struct arena *a, struct view_pod *ret,
                          struct err *err);
int cri_decode_container_status(struct wire w, const char *id, struct arena *a,
                                struct view_container *ret, struct err *err);

#endif
