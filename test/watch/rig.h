/* What the tests of a watch share: a node (node.h) whose /proc is a folder and whose runtime
 * follows a script. Time is made up. */
#ifndef PODPID_TEST_WATCH_RIG_H
#define PODPID_TEST_WATCH_RIG_H

#include <string.h>

#include "test/support/node.h"
#include "test/support/unit.h"

/* Rounds: a millisecond each. After SETTLED rounds a look that was due is done. */
enum { SECOND = 1000, SETTLED = 100 };

/* A node with the containers 1 to count, whose processes are 101 to 100 + count, and its watch. */
static inline void rig_open(struct node *n, unsigned count)
{
    node_open(n, true);
    for (unsigned i = 1; i <= count; i++) {
        node_process(n, 100 + (int)i, i, 1000 + i);
        node_says(n, i, 1, 100 + (int)i);
    }
    node_watch(n);
}

static inline void rig_settle(struct node *n)
{
    if (!node_rounds(n, SETTLED)) {
        fail_msg("%s", n->error.message);
    }
}

/* How many containers the watch's document has in its first pod. */
static inline size_t rig_containers(const struct node *n)
{
    size_t n_pods;
    const struct podpid_pod *const *pods =
        podpid_snapshot_pods(podpid_watch_snapshot(n->watch), &n_pods);

    return n_pods ? pods[0]->n_containers : 0;
}

#endif
