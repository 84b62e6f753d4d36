/* One unary call after the other to a CRI v1 server, blocking: all that the test tool needs. */
#ifndef PODPID_TEST_PODMAKER_RPC_H
#define PODPID_TEST_PODMAKER_RPC_H

#include <protobuf-c/protobuf-c.h>

struct rpc;

/* Connects, or prints why not and gives NULL. */
struct rpc *rpc_open(const char *socket_path);
void rpc_close(struct rpc *r);

/* Calls /runtime.v1.RuntimeService/METHOD. The reply is a message of that type, for
 * protobuf_c_message_free_unpacked(); NULL when the call failed, which has been printed then. */
ProtobufCMessage *rpc_call(struct rpc *r, const char *method, const ProtobufCMessage *request,
                           const ProtobufCMessageDescriptor *reply_type);

#endif
