#include "test/podmaker/rpc.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "cri/base/cleanup.h"
#include "cri/endpoint.h"
#include "cri/grpc/grpc.h"

struct rpc {
    int fd;
    struct grpc *grpc;
};

static int complain(const char *what, const struct err *err)
{
    fprintf(stderr, "podmaker: %s: %s\n", what, err->text);
    return -1;
}

struct rpc *rpc_open(const char *socket_path)
{
    struct rpc *r = calloc(1, sizeof(*r));
    struct endpoint ep;
    struct err err;

    if (!r) {
        return NULL;
    }
    r->fd = -1;
    if (endpoint_parse(socket_path, &ep, &err) < 0 || endpoint_connect(&ep, &r->fd, &err) < 0 ||
        grpc_new("podmaker", &r->grpc, &err) < 0) {
        complain(socket_path, &err);
        rpc_close(r);
        return NULL;
    }
    return r;
}

void rpc_close(struct rpc *r)
{
    if (r) {
        grpc_free(r->grpc);
        cleanup_close(&r->fd);
        free(r);
    }
}

static int send_some(struct rpc *r, struct err *err)
{
    const uint8_t *p;
    size_t n;
    ssize_t sent;

    if (grpc_send(r->grpc, &p, &n, err) < 0) {
        return -1;
    }
    if (n == 0) {
        return 0;
    }
    sent = send(r->fd, p, n, MSG_NOSIGNAL);
    if (sent >= 0) {
        grpc_sent(r->grpc, (size_t)sent);
        return 1;
    }
    return errno == EAGAIN ? 1 : err_set(err, ERR_RUNTIME, errno, "the connection is lost");
}

static int receive_some(struct rpc *r, struct err *err)
{
    uint8_t in[65536];
    ssize_t n = recv(r->fd, in, sizeof(in), 0);

    if (n < 0) {
        return errno == EAGAIN ? 0 : err_set(err, ERR_RUNTIME, errno, "the connection is lost");
    }
    return n == 0 ? grpc_eof(r->grpc, err) : grpc_recv(r->grpc, in, (size_t)n, err);
}

/* The end of the one call under way. */
static int wait_for_result(struct rpc *r, struct grpc_result *ret, struct err *err)
{
    while (!grpc_next(r->grpc, ret)) {
        int more = send_some(r, err);
        struct pollfd p = {.fd = r->fd, .events = more > 0 ? POLLIN | POLLOUT : POLLIN};

        if (more < 0 || poll(&p, 1, -1) < 0 || receive_some(r, err) < 0) {
            return -1;
        }
    }
    return 0;
}

ProtobufCMessage *rpc_call(struct rpc *r, const char *method, const ProtobufCMessage *request,
                           const ProtobufCMessageDescriptor *reply_type)
{
    size_t n = protobuf_c_message_get_packed_size(request);
    AUTO_FREE uint8_t *packed = malloc(n ? n : 1);
    struct grpc_result result;
    ProtobufCMessage *reply;
    char path[128];
    struct err err;

    if (!packed) {
        return NULL;
    }
    protobuf_c_message_pack(request, packed);
    snprintf(path, sizeof(path), "/runtime.v1.RuntimeService/%s", method);
    if (grpc_call(r->grpc, path, packed, n, false, 1, &err) < 0 ||
        wait_for_result(r, &result, &err) < 0) {
        complain(method, &err);
        return NULL;
    }
    if (result.code != GRPC_OK) {
        fprintf(stderr, "podmaker: %s: %s: %s\n", method, grpc_code_name(result.code), result.text);
        return NULL;
    }
    reply = protobuf_c_message_unpack(reply_type, NULL, result.n, result.message);
    if (!reply) {
        fprintf(stderr, "podmaker: %s: a reply that is no %s\n", method, reply_type->name);
    }
    return reply;
}
