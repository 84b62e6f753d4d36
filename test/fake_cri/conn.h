/* One connection of the fake server: nghttp2's server side. Internal to test/fake_cri. */
#ifndef PODPID_TEST_FAKE_CRI_CONN_H
#define PODPID_TEST_FAKE_CRI_CONN_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>

#include "test/fake_cri/script.h"
#include "test/fake_cri/stream.h"

struct fake_conn {
    struct fake_cri *f;
    int fd;
    nghttp2_session *session;
    struct stream *streams;
    struct buf out;
    size_t sent;
    bool greeted, closes; /* once everything is written */
};

/* What the script says of the whole connection; NULL: nothing. */
const json_t *conn_option(const struct fake_conn *c, const char *key);

#endif
