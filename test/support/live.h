/* A node (node.h) whose processes and cgroups are real. Needs root and a v2 hierarchy that can be
 * written to. Every call fails the test when it cannot do its job. */
#ifndef PODPID_TEST_LIVE_H
#define PODPID_TEST_LIVE_H

#include <sys/types.h>

#include "test/support/node.h"

/* Rounds of a millisecond. SETTLED: after it, a change is followed up to the end (two seconds).
 * FIRST_PAUSES: after it, a look has failed and the watch knows that the runtime is away. */
enum { SECOND = 1000, SETTLED = 3 * SECOND, FIRST_PAUSES = 200 };
enum { SKIPPED = 77 }; /* exit status of a test program that cannot run here, as ctest is told */

struct live_node {
    struct node n;
    const char *mount; /* where the v2 hierarchy is mounted */
    char top[64];      /* the cgroup of this test, below the mount: "/podpid-test-<time>" */
};

/* The mount point of a v2 hierarchy that can be written to; NULL: none. */
const char *live_find_mount(void);

/* Open a node that has the cgroup of its one pod, and no watch yet. */
void live_open(struct live_node *l);
void live_close(struct live_node *l); /* its cgroups must be empty */

/* Make and remove a cgroup, by its path below the mount. */
void live_make_dir(const struct live_node *l, const char *path);
void live_remove_dir(const struct live_node *l, const char *path);

/* The cgroup paths of container `number` and of the pod's sandbox. Static: overwritten by the next
 * call. */
const char *live_path(const struct live_node *l, unsigned number);
const char *live_sandbox_path(const struct live_node *l);

/* Start a process that sleeps until it is killed, in the cgroup at path. */
pid_t live_start_at(const struct live_node *l, const char *path);
/* The same in the cgroup of container `number`, which exists. */
pid_t live_start_in(const struct live_node *l, unsigned number);
/* The same as main process of container `number`, whose cgroup is made. */
pid_t live_start(const struct live_node *l, unsigned number);
/* As live_start(), and as the first process of a new PID namespace. */
pid_t live_start_as_first(const struct live_node *l, unsigned number);

/* Kill such a process and reap it. */
void live_end(pid_t pid);

/* n rounds of node_rounds(), none of which may fail. */
void live_rounds(struct live_node *l, unsigned n);
/* Rounds until there are so many events, SETTLED at most. */
void live_rounds_until(struct live_node *l, size_t events);

/* How many descriptors this process has open. */
unsigned live_count_fds(void);
/* Whether one of them is a pidfd of that process. */
bool live_has_pidfd(pid_t pid);

#endif
