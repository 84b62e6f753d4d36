/* One call on a connection of the fake server, and what is sent for it. Internal to
 * test/fake_cri. */
#ifndef PODPID_TEST_FAKE_CRI_STREAM_H
#define PODPID_TEST_FAKE_CRI_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "cri/base/clock.h"
#include "cri/base/text.h"

struct fake_conn;

struct stream {
    struct stream *next; /* of its connection's */
    struct fake_conn *conn;
    int32_t id;
    char path[128];
    unsigned headers_right; /* of those that gRPC wants */
    struct buf request;
    bool asked, answered;
    nsec due;

    struct buf out;
    size_t sent;
    bool stays_open, no_trailers, closes_middle;
    char message[512]; /* grpc-message, encoded */
    unsigned code;
};

void stream_free(struct stream *s);

/* Puts a message behind what is in out already. */
void stream_put_message(struct stream *s, const struct buf *message, bool compressed);

/* Sends what was put, and the status. */
void stream_respond(struct stream *s);

/* A status and no message: headers that are trailers at once. */
void stream_refuse(struct stream *s, unsigned code, const char *text);

/* What a web server would say: headers alone. */
void stream_web_answer(struct stream *s, unsigned status, const char *content_type);

#endif
