/* The script of a fake CRI server, made ready. Internal to test/fake_cri. */
#ifndef PODPID_TEST_FAKE_CRI_SCRIPT_H
#define PODPID_TEST_FAKE_CRI_SCRIPT_H

#include <protobuf-c/protobuf-c.h>

#include "test/fake_cri/fake_cri.h"

struct fake_cri {
    json_t *script;
    json_t *calls; /* method -> count */
    unsigned in_flight, peak;
};

/* Put the recorded replies into "replies". */
bool script_expand(json_t *script, const char *dir);

/* The descriptor of a method's reply; NULL: podpid calls no such method. */
const ProtobufCMessageDescriptor *script_reply_type(const char *method);

#endif
