/* A client and a fake CRI server over a socketpair, stepped in turn: no threads, no waiting. */
#ifndef PODPID_TEST_CRI_RIG_H
#define PODPID_TEST_CRI_RIG_H

#include "cri/client.h"
#include "fake_cri.h"

struct rig {
    struct fake_cri *fake;
    struct fake_conn *conn;
    struct client *client;
    struct arena arena;
    nsec now; /* a millisecond a round */
    int rc;   /* of client_step(), with err */
    struct err err;
    struct client_reply *replies; /* in the order in which they came */
    size_t n_replies;
};

/* The script is JSON text with ' for ". */
void rig_open(struct rig *r, const char *script);
void rig_open_runtime(struct rig *r, const char *runtime); /* test/fixtures/runtimes/<runtime> */
void rig_close(struct rig *r);

/* Step both until nothing is pending or the client failed; fails the test if that takes more rounds
 * than anything sensible. */
void rig_run(struct rig *r);
void rig_rounds(struct rig *r, unsigned n); /* so many rounds */

/* The reply to a tag; NULL: none came. */
const struct client_reply *rig_reply(const struct rig *r, uint64_t tag);

/* What came apart from tagged replies. */
unsigned rig_count(const struct rig *r, enum client_reply_kind kind);

#endif
