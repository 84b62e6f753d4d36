#include "cri/endpoint.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "cri/base/text.h"
#include "cri/runtimes.h"

static int refuse(const char *text, const char *why, struct err *err)
{
    err_set(err, ERR_USAGE, EINVAL, "endpoint \"%s\": %s", text, why);
    err_hint(err, "give a unix socket: unix:///run/containerd/containerd.sock, "
                  "/run/containerd/containerd.sock or unix:@abstract-name");
    return -EINVAL;
}

int endpoint_parse(const char *text, struct endpoint *ret, struct err *err)
{
    const struct str unix_path = STR("unix:///"), unix_name = STR("unix:@");
    struct str s = str_of(text), name;
    struct endpoint ep = {0};

    if (str_starts(s, unix_path)) {
        name = str_of(text + unix_path.n - 1);
    } else if (s.n > 0 && text[0] == '/') {
        name = s;
    } else if (str_starts(s, unix_name)) {
        name = str_of(text + unix_name.n);
        ep.abstract = true;
    } else if (str_starts(s, STR("unix:"))) {
        return refuse(text, "the path must be absolute", err);
    } else if (strstr(text, "://")) {
        return refuse(text, "only unix sockets are spoken to", err);
    } else {
        return refuse(text, "is no unix socket's address", err);
    }
    if (name.n == 0) {
        return refuse(text, "has no name", err);
    }
    if (name.n >= sizeof(ep.path)) {
        return refuse(text, "is longer than the 107 bytes that a socket's address holds", err);
    }
    memcpy(ep.path, name.p, name.n);
    *ret = ep;
    return 0;
}

void endpoint_format(const struct endpoint *ep, char *buf, unsigned long size)
{
    snprintf(buf, size, "%s%s", ep->abstract ? "unix:@" : "unix://", ep->path);
}

static int denied(const char *name, int errnum, struct err *err)
{
    err_set(err, ERR_DENIED, errnum, "%s: %s", name, strerror(errnum));
    if (geteuid() == 0) {
        err_hint(err, "root is refused too: a security module (SELinux: ausearch -m avc; AppArmor: "
                      "dmesg), a user namespace or a missing capability is in the way");
    } else {
        err_hint(err, "run it as root, or as a user whom the socket's mode and its folders' modes "
                      "let in");
    }
    return -errnum;
}

/* Check the file at the path first: connect() answers ECONNREFUSED both for a plain file and for a
 * socket where nobody listens. */
static int check_file(const struct endpoint *ep, const char *name, struct err *err)
{
    struct stat st;

    if (stat(ep->path, &st) < 0) {
        int errnum = errno;

        if (errnum == EACCES || errnum == EPERM) {
            return denied(name, errnum, err);
        }
        if (errnum == ENOENT || errnum == ENOTDIR) {
            err_set(err, ERR_RUNTIME, errnum, "%s: no such file", name);
            err_hint(err, "is the runtime running (systemctl status " RUNTIME_USUAL_UNITS "), and "
                          "is this its socket? In a container: is the socket's folder mounted?");
            return -errnum;
        }
        return err_set(err, ERR_RUNTIME, errnum, "%s: %s", name, strerror(errnum));
    }
    if (!S_ISSOCK(st.st_mode)) {
        err_set(err, ERR_RUNTIME, ENOTSOCK, "%s: is no socket but a %s", name,
                S_ISDIR(st.st_mode) ? "directory" : "file of another kind");
        err_hint(err, S_ISDIR(st.st_mode)
                          ? "a bind mount of a socket that did not exist yet makes an empty "
                            "directory: start the runtime first, or mount the socket's folder"
                          : "name the runtime's socket");
        return -ENOTSOCK;
    }
    if (ep->discovered && st.st_uid != 0) {
        err_set(err, ERR_DENIED, EPERM, "%s: belongs to user %u, not to root", name,
                (unsigned)st.st_uid);
        err_hint(err,
                 "nobody named this socket, so only root's is trusted; if it is the runtime's, "
                 "name it with --runtime-endpoint");
        return -EPERM;
    }
    return 0;
}

int endpoint_peer(int fd, struct ucred *ret)
{
    socklen_t n = sizeof(*ret);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret, &n) < 0 ? -errno : 0;
}

static int check_peer(int fd, const char *name, struct err *err)
{
    struct ucred peer;
    int rc = endpoint_peer(fd, &peer);

    if (rc < 0) {
        return err_set(err, ERR_RUNTIME, -rc, "%s: the peer's user cannot be read: %s", name,
                       strerror(-rc));
    }
    if (peer.uid != 0) {
        err_set(err, ERR_DENIED, EPERM, "%s: user %u listens there, not root", name,
                (unsigned)peer.uid);
        err_hint(err,
                 "nobody named this socket, so only root's is trusted; if it is the runtime's, "
                 "name it with --runtime-endpoint");
        return -EPERM;
    }
    return 0;
}

static int connect_failed(const struct endpoint *ep, const char *name, int errnum, struct err *err)
{
    switch (errnum) {
    case EACCES:
    case EPERM:
        return denied(name, errnum, err);
    case ECONNREFUSED:
        err_set(err, ERR_RUNTIME, errnum, "%s: nobody listens there", name);
        if (!ep->abstract) {
            err_hint(err, "the runtime is stopped and left its socket file behind, or this is a "
                          "bind mount of the file of an earlier daemon: start the runtime, or "
                          "mount the socket's folder instead of the socket");
        } else {
            err_hint(err, "start the runtime; abstract names are seen only in the runtime's own "
                          "network namespace");
        }
        return -errnum;
    case EPROTOTYPE:
        err_set(err, ERR_RUNTIME, errnum, "%s: is a socket of another type, not a stream socket",
                name);
        err_hint(err, "name the runtime's socket");
        return -errnum;
    case EAGAIN:
        return err_set(err, ERR_RUNTIME, errnum,
                       "%s: the queue of connections that wait there is full", name);
    default:
        return err_set(err, ERR_RUNTIME, errnum, "%s: %s", name, strerror(errnum));
    }
}

int endpoint_connect(const struct endpoint *ep, int *ret_fd, struct err *err)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    size_t n = strlen(ep->path);
    AUTO_CLOSE int fd = -1;
    char name[128];
    int rc;

    endpoint_format(ep, name, sizeof(name));
    if (!ep->abstract) {
        rc = check_file(ep, name, err);
        if (rc < 0) {
            return rc;
        }
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        int errnum = errno;

        return err_set(err, ERR_RUNTIME, errnum, "no socket can be made: %s", strerror(errnum));
    }
    memcpy(addr.sun_path + (ep->abstract ? 1 : 0), ep->path, n);
    n += offsetof(struct sockaddr_un, sun_path) + 1;
    while (connect(fd, (const struct sockaddr *)&addr, (socklen_t)n) < 0) {
        if (errno != EINTR) {
            return connect_failed(ep, name, errno, err);
        }
    }
    if (ep->discovered) {
        rc = check_peer(fd, name, err);
        if (rc < 0) {
            return rc;
        }
    }
    *ret_fd = TAKE_FD(fd);
    return 0;
}
