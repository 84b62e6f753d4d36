/* A runtime endpoint: a unix socket by path or in the abstract namespace, and the opening of it.
 * Which endpoint to take is decided elsewhere (resolver/node/discover.c); this opens what it is
 * given.
 */
#ifndef PODPID_CRI_ENDPOINT_H
#define PODPID_CRI_ENDPOINT_H

#include <stdbool.h>
#include <sys/socket.h>

#include "cri/base/error.h"

struct endpoint {
    char path[108]; /* sun_path: a path, or the abstract name without its leading NUL */
    bool abstract;
    bool discovered; /* nobody named it: its owner and its peer must be root */
};

/* "unix:///path", "/path", "unix:@abstract". Anything else (tcp://, npipe://, a relative path, a
 * name that does not fit sun_path) is ERR_USAGE with a line that says what would do. */
int endpoint_parse(const char *text, struct endpoint *ret, struct err *err);

/* "unix:///path" or "unix:@name", for reports; buf of 128 bytes is enough. */
void endpoint_format(const struct endpoint *ep, char *buf, unsigned long size);

/* A connected, non-blocking, close-on-exec socket. Failures are ERR_RUNTIME or ERR_DENIED, each
 * with its own words and hint: no such file, not a socket, nobody listens (a stale socket file, or
 * a bind mount whose inode died with the old daemon), no permission (mode, SELinux/AppArmor), owner
 * or peer not root. -EAGAIN: the listener's queue is full just now; that is no failure until the
 * caller's deadline says so: try again a little later. */
int endpoint_connect(const struct endpoint *ep, int *ret_fd, struct err *err);

/* The process that listens at the other end of a connected socket, as it was when it began to
 * listen (SO_PEERCRED, unix(7)). Its pid is 0 if it lives outside this process's PID namespace. 0
 * or negative errno. */
int endpoint_peer(int fd, struct ucred *ret);

#endif
