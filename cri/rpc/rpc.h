/* The RPCs that podpid calls, all of which only read: their paths, requests and errors. No I/O. */
#ifndef PODPID_CRI_RPC_RPC_H
#define PODPID_CRI_RPC_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cri/base/error.h"
#include "cri/grpc/grpc.h"

enum cri_api { CRI_V1, CRI_V1ALPHA2 };

enum cri_rpc {
    CRI_VERSION,
    CRI_STATUS,
    CRI_RUNTIME_CONFIG,
    CRI_LIST_PODS,
    CRI_LIST_CONTAINERS,
    CRI_POD_STATUS,
    CRI_CONTAINER_STATUS,
    CRI_EVENTS,
    CRI_RPCS /* how many there are */
};

enum {
    CRI_REQUEST_MOST = 512
}; /* bytes of a request: an id (64 hex digits everywhere) and a flag */

/* Write the path, such as "/runtime.v1.RuntimeService/Version"; 64 bytes are enough. */
void cri_rpc_path(enum cri_rpc rpc, enum cri_api api, char *buf, size_t size);

/* Write the request's bytes and their number. id: of the two status calls, which ask for verbose
 * answers; else unused. False: the id is longer than any runtime's. */
bool cri_rpc_pack(enum cri_rpc rpc, const char *id, uint8_t buf[CRI_REQUEST_MOST], size_t *ret_n);

/* Whether the answer Unimplemented to rpc means that the peer does not have this version of the
 * service, and not just that it lacks this method. */
bool cri_rpc_service_missing(enum cri_rpc rpc, const char *text);

/* Fill err from a failed call and give the negative errno. *ret_gone: the container or sandbox no
 * longer exists. */
int cri_rpc_error(enum cri_rpc rpc, enum grpc_code code, const char *text, bool *ret_gone,
                  struct err *err);

#endif
