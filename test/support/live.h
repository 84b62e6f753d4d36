/* A node (node.h) whose processes and cgroups are real. Needs root and a v2 hierarchy that can be
 * written to. Every call ends the test when it cannot do its job. */
#ifndef PODPID_TEST_LIVE_H
#define PODPID_TEST_LIVE_H

#include <sys/types.h>

#include "test/support/node.h"

/* SKIPPED is the exit status of a test that cannot run here; the others are rounds. */
enum { SECOND = 1000, SETTLED = 3 * SECOND, FIRST_PAUSES = 200, SKIPPED = 77 };

struct live_node {
    struct node n;
    const char *mount; /* of the v2 hierarchy */
    char top[64];      /* "/podpid-test-..." */
};

/* Of a v2 hierarchy that can be written to; NULL: none. */
const char *live_find_mount(void);

/* A node with the cgroup of its one pod; no watch yet. */
void live_open(struct live_node *l);
void live_close(struct live_node *l); /* its cgroups must be empty */

/* Cgroups, by their paths below the mount. */
void live_make_dir(const struct live_node *l, const char *path);
void live_remove_dir(const struct live_node *l, const char *path);
const char *live_path(const struct live_node *l, unsigned number); /* of a container; static */

const char *live_sandbox_path(const struct live_node *l); /* static */

/* A process in that cgroup; in that of container `number`. */
pid_t live_start_at(const struct live_node *l, const char *path);
pid_t live_start_in(const struct live_node *l, unsigned number);
/* A process in a cgroup of its own, as the main process of container `number`. */
pid_t live_start(const struct live_node *l, unsigned number);
/* Likewise, and the first process of a PID namespace. */
pid_t live_start_as_first(const struct live_node *l, unsigned number);
void live_end(pid_t pid); /* dead and reaped */

/* node_rounds() that must not fail; until so many events have come, or it has settled. */
void live_rounds(struct live_node *l, unsigned n);
void live_rounds_until(struct live_node *l, size_t events);

/* Our own descriptors; has one of them a pidfd of that process? */
unsigned live_count_fds(void);
bool live_follows(pid_t pid);

#endif
