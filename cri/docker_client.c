#include <errno.h>

#include "cri/client_impl.h"

int docker_client_open(const struct endpoint *ep, struct client **ret, struct err *err)
{
    (void)ret;
    err_set(err, ERR_RUNTIME, EPROTONOSUPPORT, "unix://%s: a Docker Engine answers there",
            ep->path);
    err_hint(err, "name the socket of cri-dockerd, containerd or CRI-O");
    return -EPROTONOSUPPORT;
}
