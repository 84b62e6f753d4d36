#include "cri/rpc/rpc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cri/cri.pb-c.h"
#include "cri/runtimes.h"

static const char *const names[CRI_RPCS] = {
    [CRI_VERSION] = "Version",
    [CRI_STATUS] = "Status",
    [CRI_RUNTIME_CONFIG] = "RuntimeConfig",
    [CRI_LIST_PODS] = "ListPodSandbox",
    [CRI_LIST_CONTAINERS] = "ListContainers",
    [CRI_POD_STATUS] = "PodSandboxStatus",
    [CRI_CONTAINER_STATUS] = "ContainerStatus",
    [CRI_EVENTS] = "GetContainerEvents",
};

void cri_rpc_path(enum cri_rpc rpc, enum cri_api api, char *buf, size_t size)
{
    snprintf(buf, size, "/runtime.%s.RuntimeService/%s", api == CRI_V1 ? "v1" : "v1alpha2",
             names[rpc]);
}

bool cri_rpc_pack(enum cri_rpc rpc, const char *id, uint8_t buf[CRI_REQUEST_MOST], size_t *ret_n)
{
    Cri__PodSandboxStatusRequest pod;
    Cri__ContainerStatusRequest container;
    char id_buf[CRI_REQUEST_MOST];
    size_t n = 0;

    if (rpc == CRI_POD_STATUS || rpc == CRI_CONTAINER_STATUS) {
        if (strlen(id) > CRI_REQUEST_MOST - 16) {
            return false;
        }
        strcpy(id_buf, id); /* the messages' strings are not const */
    }
    if (rpc == CRI_POD_STATUS) {
        cri__pod_sandbox_status_request__init(&pod);
        pod.pod_sandbox_id = id_buf;
        pod.verbose = true;
        n = cri__pod_sandbox_status_request__pack(&pod, buf);
    } else if (rpc == CRI_CONTAINER_STATUS) {
        cri__container_status_request__init(&container);
        container.container_id = id_buf;
        container.verbose = true;
        n = cri__container_status_request__pack(&container, buf);
    }
    *ret_n = n; /* the other requests are empty: no filter, not verbose */
    return true;
}

bool cri_rpc_service_missing(enum cri_rpc rpc, const char *text)
{
    /* Every version has the other methods; for these two the text decides. Some servers give none.
     */
    return (rpc != CRI_RUNTIME_CONFIG && rpc != CRI_EVENTS) || strstr(text, "unknown service");
}

static bool is_gone(enum cri_rpc rpc, enum grpc_code code, const char *text)
{
    if (rpc != CRI_POD_STATUS && rpc != CRI_CONTAINER_STATUS) {
        return false;
    }
    return code == GRPC_NOT_FOUND || (code == GRPC_UNKNOWN && runtime_text_is_gone(text));
}

int cri_rpc_error(enum cri_rpc rpc, enum grpc_code code, const char *text, bool *ret_gone,
                  struct err *err)
{
    enum err_kind kind = ERR_RUNTIME;
    int errnum = EREMOTEIO;

    *ret_gone = is_gone(rpc, code, text);
    if (*ret_gone) {
        errnum = ENOENT;
    } else if (code == GRPC_PERMISSION_DENIED || code == GRPC_UNAUTHENTICATED) {
        kind = ERR_DENIED;
        errnum = EACCES;
    } else if (code == GRPC_DEADLINE_EXCEEDED) {
        errnum = ETIMEDOUT;
    } else if (code == GRPC_UNIMPLEMENTED) {
        errnum = EOPNOTSUPP;
    }
    err_set(err, kind, errnum, "%s: %s (%s)", names[rpc], text, grpc_code_name(code));
    if (runtime_text_is_starting(text)) {
        err_hint(err, "the runtime is still starting: try again in a moment");
    }
    return -errnum;
}
