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

/* Ask for identity, list and the status of every row, and step until all are answered. Returns the
 * list, which lives as long as the rig. Fails the test if the connection or the list fails. */
const struct view *rig_ask_all(struct rig *r);

/* The first reply of a kind; NULL: none came. */
const struct client_reply *rig_reply(const struct rig *r, enum client_reply_kind kind);

/* The first status, of a sandbox or a container, with this id; fails the test if none came. */
const struct client_reply *rig_reply_of(const struct rig *r, const char *id);

/* The status of the container of that name; fails the test if none came. */
const struct view_container *rig_status_named(const struct rig *r, const char *name);

/* How many replies of a kind came. */
unsigned rig_count(const struct rig *r, enum client_reply_kind kind);

#endif
