/* CRI's replies, in their protobuf encoding -> pieces of the runtime view. No I/O.
 *
 * Everything that a result points to is copied into the arena. Each function returns 0, -ENOMEM, or
 * -EBADMSG with err filled for bytes that are no such message or contradict themselves. */
#ifndef PODPID_CRI_RPC_DECODE_H
#define PODPID_CRI_RPC_DECODE_H

#include <stdint.h>

#include "cri/base/arena.h"
#include "cri/base/error.h"
#include "cri/view.h"

enum {
    CRI_ROWS_MOST = 100000
}; /* pods or containers of one list: no node has as many, and
    more would be a way to fill podpid's memory */

struct wire {
    const uint8_t *p;
    size_t n;
};

int cri_decode_version(struct wire w, struct arena *a, struct view_runtime *ret, struct err *err);

/* Sets ret's conditions only. */
int cri_decode_status(struct wire w, struct arena *a, struct view_runtime *ret, struct err *err);

/* Sets ret's cgroup driver only; an answer without one leaves it as it is. */
int cri_decode_config(struct wire w, struct view_runtime *ret, struct err *err);

int cri_decode_pods(struct wire w, struct arena *a, struct view *ret, struct err *err);
int cri_decode_containers(struct wire w, struct arena *a, struct view *ret, struct err *err);

/* One status, with what its verbose info tells. -EBADMSG also if it is the status of another id.
 * ret's status is VIEW_STATUS_OK. */
int cri_decode_pod_status(struct wire w, const char *id, struct arena *a, struct view_pod *ret,
                          struct err *err);
int cri_decode_container_status(struct wire w, const char *id, struct arena *a,
                                struct view_container *ret, struct err *err);

#endif
