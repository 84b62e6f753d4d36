/* A client and a fake CRI server over a socketpair, stepped in turn: no threads, no waiting. */
#ifndef PODPID_TEST_CRI_RIG_H
#define PODPID_TEST_CRI_RIG_H

#include "cri/client.h"
#include "test/fake_cri/fake_cri.h"

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

/* Replies of a script, for rig_open(): BASE is what rig_ask() asks for. */
#define SCRIPT_VERSION "'Version': {'runtime_name': 'containerd', 'runtime_version': '2.1.9'}"
#define SCRIPT_STATUS                                                                              \
    "'Status': {'status': {'conditions': [{'type': 'RuntimeReady', 'status': true}]}}"
#define SCRIPT_BASE SCRIPT_VERSION ", " SCRIPT_STATUS ", 'ListPodSandbox': {}, 'ListContainers': {}"

/* The tags of what is asked; several pods and containers count on from the first. */
enum { TAG_IDENTITY = 1, TAG_LIST = 2, TAG_POD = 10, TAG_CONTAINER = 1000 };

/* The script is JSON text with ' for ". */
void rig_open(struct rig *r, const char *script);
void rig_open_runtime(struct rig *r, const char *runtime); /* test/fixtures/runtimes/<runtime> */
void rig_close(struct rig *r);

/* Step both until nothing is pending or the client failed; fails the test if that takes more rounds
 * than anything sensible. */
void rig_run(struct rig *r);
void rig_rounds(struct rig *r, unsigned n); /* so many rounds */

/* Requests of identity and list, not waited for. */
void rig_ask(struct rig *r);

/* Identity, list, and every status: tags TAG_POD + i and TAG_CONTAINER + i, in the order of the
 * list that is returned. Fails the test if the connection or the list does. */
const struct view *rig_ask_all(struct rig *r);

/* The reply to a tag; NULL: none came. */
const struct client_reply *rig_reply(const struct rig *r, uint64_t tag);

/* The status of the container of that name; fails the test if none came. */
const struct view_container *rig_status_named(const struct rig *r, const char *name);

/* What came apart from tagged replies. */
unsigned rig_count(const struct rig *r, enum client_reply_kind kind);

#endif
