/* The snapshot inside: one arena with all rows, which never change once the snapshot is handed out.
 * The struct itself is calloc'ed; podpid_snapshot_free() of the last reference frees it. */
#ifndef PODPID_SNAPSHOT_SNAPSHOT_H
#define PODPID_SNAPSHOT_SNAPSHOT_H

#include <stdatomic.h>

#include "cri/base/arena.h"
#include "resolver/podpid.h"

/* What podpid_whois() needs of the look that made the snapshot: look/whois.c. */
struct whois;

struct podpid_snapshot {
    atomic_uint more_refs;                /* references beyond the first: 0 after calloc() */
    const struct podpid_snapshot *origin; /* a selection borrows its rows from that one, and holds
                                             a reference to it; NULL: all rows are its own */
    struct arena arena;
    int64_t taken_at, took;
    bool complete;
    uint64_t generation; /* of a watch's handoff document; 0: none */
    struct podpid_node node;
    const struct podpid_runtime *runtime;
    const struct podpid_pod **pods;
    size_t n_pods;
    const struct podpid_stray **strays;
    size_t n_strays;
    const struct podpid_foreign **foreign;
    size_t n_foreign;
    const char **warnings;
    size_t n_warnings;

    struct whois *whois;                     /* of a look with want_processes; else NULL */
    void (*whois_free)(struct whois *whois); /* set together with it */
    const struct node_facts *node_facts; /* what a preflight needs beyond the document: node.h */
    bool replay;                         /* made from a capture */
    bool no_label_values;                /* of a capture that was taken without them */
};

/* Whether somebody holds a reference beside the owner. */
bool snapshot_is_shared(const struct podpid_snapshot *s);

/* A container's name for messages: "prod/web/app", or "container 0123456789ab" where the pod or the
 * container has no name. Lives in a; NULL: out of memory. */
const char *container_label(struct arena *a, const struct podpid_container *c);

#endif
