/* The preflight's checks: one function each, from what is known about the node to a result. Pure:
 * the same facts give the same results. To add a check: a row in resolver/targets/check_id.h, its
 * function in the file of its group (host.c, runtime.c, pods.c, targets.c), a test in
 * test/preflight/test_checks.c; man page and README are tested against the row. */
#ifndef PODPID_PREFLIGHT_CHECKS_H
#define PODPID_PREFLIGHT_CHECKS_H

#include <sys/types.h>

#include "cri/base/error.h"
#include "resolver/node/node.h"
#include "resolver/preflight/table.h"
#include "resolver/targets/targets.h"

/* What the checks are made from. Everything is borrowed. */
struct check_facts {
    bool replay;                            /* the look was at a capture, not at this node */
    bool no_runtime;                        /* --no-runtime: the look asked no runtime */
    const struct node_facts *node;          /* NULL: /proc could not be read at all */
    const struct podpid_snapshot *snapshot; /* the last look's; NULL: the look failed */
    const struct podpid_error *look_error;  /* why it failed; set when snapshot is NULL */
    const struct podpid_snapshot *before;   /* the look before the last; NULL: there was one look */

    /* The runtime's socket, tried apart from the look. */
    const char *endpoint;             /* of a failed look only; NULL: no socket was found */
    const char *chosen_by;            /* what named the endpoint, in words */
    bool connected;                   /* a process listens at the socket */
    const struct err *endpoint_error; /* why there is no socket or no listener; unless connected */
    pid_t peer;                       /* the listener's PID; 0: not visible in podpid's PID
                                         namespace; -1: not known */
    bool peer_in_proc;                /* /proc shows the listener */
    bool peer_pidns;                  /* the listener is in a PID namespace below podpid's */

    const struct targets_result *targets; /* NULL: no target was given, or snapshot is NULL */
    size_t n_targets;    /* pods that manifests name plus targets of policies and selectors */
    size_t n_other_node; /* pods of manifests, skipped: they belong to another node */
    size_t n_finished;   /* pods of manifests, skipped: they have finished */
    bool manifest;       /* a manifest was read, also one of which no pod is left */
};

/* check_host_proc() and so on: each makes the check of one row of CHECKS and sets that row. */
#define CHECK_DECLARATION(name, function, ...)                                                     \
    void check_##function(struct check_table *t, const struct check_facts *f);
CHECKS(CHECK_DECLARATION)
#undef CHECK_DECLARATION

/* Make all checks; t->arena must be set. handoff.written is left at skip: the handoff depends on
 * the other results and sets the row itself. 0 or -ENOMEM. */
int checks_evaluate(struct check_table *t, const struct check_facts *f);

#endif
