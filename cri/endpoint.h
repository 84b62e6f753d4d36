/* A runtime's endpoint: a unix socket, by path or by abstract name, and how it is connected to.
 * resolver/node/discover.c decides which endpoint to use. */
#ifndef PODPID_CRI_ENDPOINT_H
#define PODPID_CRI_ENDPOINT_H

#include <stdbool.h>
#include <sys/socket.h>

#include "cri/base/error.h"

struct endpoint {
    char path[108]; /* sun_path: a path, or the abstract name without its leading NUL */
    bool abstract;
    bool discovered; /* found by podpid, not named by the user: owner and peer must be root */
};

/* Parse "unix:///path", "/path" or "unix:@abstract"; discovered is false. Anything else (tcp://, a
 * relative path, a name that does not fit sun_path) is -EINVAL, ERR_USAGE with a hint. */
int endpoint_parse(const char *text, struct endpoint *ret, struct err *err);

/* Write "unix:///path" or "unix:@name" to buf; 128 bytes are enough. */
void endpoint_format(const struct endpoint *ep, char *buf, unsigned long size);

/* Connect. *ret_fd is a non-blocking, close-on-exec socket that the caller closes. Failures are
 * ERR_RUNTIME or ERR_DENIED, each with its own text and hint: no such file, no socket, nobody
 * listens (a stale socket file, or a bind mount of an earlier daemon's socket), no permission
 * (mode, SELinux, AppArmor), owner or peer not root. -EAGAIN: the listener's queue is full; try
 * again a little later. */
int endpoint_connect(const struct endpoint *ep, int *ret_fd, struct err *err);

/* The process that listens at the other end of a connected socket, as it was when it began to
 * listen (SO_PEERCRED, unix(7)). Its pid is 0 if it lives outside this process's PID namespace. 0
 * or negative errno. */
int endpoint_peer(int fd, struct ucred *ret);

#endif
