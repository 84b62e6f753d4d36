/* The snapshot inside: one arena, rows in it, never changed once it is handed out. The struct
 * itself is calloc'ed; podpid_snapshot_free() frees it, its arena and what release() knows of. */
#ifndef PODPID_SNAPSHOT_SNAPSHOT_H
#define PODPID_SNAPSHOT_SNAPSHOT_H

#include "cri/base/arena.h"
#include "resolver/podpid.h"
#include "resolver/proc/procfs.h"
#include "resolver/proc/ptable.h"

struct podpid_snapshot {
    struct arena arena;
    int64_t taken_at, took;
    bool complete;
    uint64_t generation; /* of a watch's handoff; 0: not from a watch */
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

    /* With want_processes, for whois: the table and the /proc it came from, owned. */
    struct ptable *table;
    struct procfs *procfs;
    struct whois_index *whois; /* whois.c's */
    /* Frees table, procfs and whois; set by who fills them. NULL: there is nothing of the kind. */
    void (*release)(struct podpid_snapshot *s);
    /* What preflight needs beyond the document, in the arena; see node.h. */
    const struct node_facts *node_facts;
    bool replay;
    bool no_label_values; /* of a capture that was taken without them */
};

/* A container's name for messages: "prod/web/app", or "container 0123456789ab" where the pod or the
 * container has no name. Lives in a; NULL: out of memory. */
const char *container_label(struct arena *a, const struct podpid_container *c);

#endif
