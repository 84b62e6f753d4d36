/* JSON -> protobuf's wire format, by a message's descriptor. Field names are the proto's; a map is
 * an object; an enum is its number or its name. What the descriptor does not know is left out. */
#ifndef PODPID_TEST_JSON_WIRE_H
#define PODPID_TEST_JSON_WIRE_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

#include "cri/base/text.h"

/* False: a value of the wrong type. */
bool json_wire(const ProtobufCMessageDescriptor *desc, const json_t *message, struct buf *out);

/* A field that no message has, n bytes long. */
void json_wire_pad(struct buf *out, size_t n);

#endif
