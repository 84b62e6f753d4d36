/* A node with a scripted runtime on a real socket, and a watch of it, stepped in turn: time is made
 * up, a millisecond a round, and nothing sleeps. Every call ends the test when it cannot do its
 * job. */
#ifndef PODPID_TEST_NODE_H
#define PODPID_TEST_NODE_H

#include "cri/base/clock.h"
#include "resolver/podpid.h"
#include "test/fake_cri/fake_cri.h"
#include "test/support/schema.h"

#define NODE_POD_UID "6f2f9a52-4bb7-4f0a-9f3e-0c2d1b7a8e11"
#define NODE_SANDBOX "5000000000000000000000000000000000000000000000000000000000000001"

enum { NODE_CONNS = 16, NODE_EVENTS = 512 };

struct node_container {
    unsigned number;
    int pid;   /* as the runtime reports it; 0: none */
    int state; /* as CRI counts: 0 created, 1 running, 2 exited, 3 unknown */
    char anchor[128];
};

/* What came of an event; its text was held against the schema. */
struct node_event {
    enum podpid_event_kind kind;
    uint64_t seq, generation;
    bool stale, by_pidfd;
    unsigned number; /* of the container; 0: it is about none */
    enum podpid_verdict verdict;
    pid_t pid, inferred_pid;
};

struct node {
    char *dir;
    char endpoint[256];
    char anchor[128]; /* the pod's cgroup; that of a new container is below it, named by its id */
    int listener;     /* -1: the runtime is away */
    struct fake_cri *cri;
    struct fake_conn *conns[NODE_CONNS];
    size_t n_conns;
    unsigned accepted;
    struct node_container *containers;
    size_t n_containers;

    struct podpid_options look;
    struct podpid_watch_options options;
    struct podpid_watch *watch;
    struct schema *schema;
    nsec now;
    struct podpid_error error;
    struct node_event events[NODE_EVENTS]; /* since node_forget() */
    size_t n_events;
};

/* A node whose runtime listens, with one ready pod (prod/web) and no container; no watch yet. With
 * folder /proc is a folder of files, else the real one. */
void node_open(struct node *n, bool folder);
void node_close(struct node *n);

void node_up(struct node *n); /* the runtime listens */
void node_down(struct node *n);

/* The runtime's word about container `number`, new or not. Its name is "c<number>". */
void node_says(struct node *n, unsigned number, int state, int pid);
void node_drops(struct node *n, unsigned number);
const char *node_id(unsigned number); /* static */
/* Its word about the pod's sandbox: the process, in a cgroup of its own (NODE_SANDBOX) in the
 * pod's.
 */
void node_sandbox(struct node *n, int pid);

/* In the folder: a process in the container's cgroup, its start time `start`; and its end. */
void node_process(struct node *n, int pid, unsigned container, unsigned start);
void node_process_ends(struct node *n, int pid);

/* Begin to watch, by n->options. */
void node_watch(struct node *n);
/* So many rounds of a millisecond. False: the watch failed, n->error says why. */
bool node_rounds(struct node *n, unsigned rounds);
/* The same without the runtime getting a word in. */
bool node_rounds_alone(struct node *n, unsigned rounds);
void node_forget(struct node *n); /* the events so far */

/* The only event of that kind (about that container, 0: any) since node_forget(). */
const struct node_event *node_event(const struct node *n, enum podpid_event_kind kind,
                                    unsigned number);

/* How many looks listed; two lists each. */
unsigned node_lists(const struct node *n);

#endif
