/* The client's Docker Engine speaker: GETs over HTTP/1.1 -> replies. Internal to cri/. */
#ifndef PODPID_CRI_DOCKER_CLIENT_H
#define PODPID_CRI_DOCKER_CLIENT_H

#include "cri/endpoint.h"
#include "cri/speaker.h"

/* A client of the Docker Engine at ep, closed by its ops->close. Nothing is connected yet. 0 or
 * negative errno: no libcurl (ERR_RUNTIME), out of memory. */
int docker_client_open(const struct endpoint *ep, struct client **ret, struct err *err);

#endif
