/* The text of a /proc/<pid>/cgroup, explained. Pure: text in, values out; nothing here reads a
 * file.
 *
 * What a path says is decided by a table of shapes (cgroup_shapes.c). The outermost container
 * component wins: whatever is below it can be forged by the container and is only reported as the
 * inner one. */
#ifndef PODPID_CGROUP_FACTS_H
#define PODPID_CGROUP_FACTS_H

#include <stdbool.h>

#include "cri/base/arena.h"
#include "cri/base/text.h"

enum cgroup_kind { CGROUP_HOST, CGROUP_POD, CGROUP_HELPER, CGROUP_CONTAINER, CGROUP_NESTED };

/* All strings live in the arena given to cgroup_parse(); NULL where there is none. */
struct cgroup_facts {
    enum cgroup_kind kind;
    const char *container_id, *pod_uid, *qos, *manager;
    const char *inner_id,
        *inner_pod_uid; /* nested: the innermost container component, and its pod */
    const char *helper_for;
    const char *const
        *chain; /* ids of all container components below the outermost, outermost first */
    size_t n_chain;
    bool in_user_slice; /* a line of it is below /user.slice: a local user may have made it. Of a
                           host process: any line */
    /* Why: */
    size_t line;           /* from 1; 0: no line names anything */
    const char *path;      /* of that line, without a trailing " (deleted)" */
    const char *component; /* that decided */
    const char *shape;     /* the shape's description, one phrase */
    bool disagreement;     /* another line names another one of that kind */
};

/* 0 or -ENOMEM. Any bytes are fine. */
int cgroup_parse(struct str text, struct arena *a, struct cgroup_facts *ret);

/* The same on a node that is a container itself: paths below root (cgroup_node_root(); may be none)
 * are read as if root were the host's. The facts' path keeps it. */
int cgroup_parse_below(struct str text, struct str root, struct arena *a, struct cgroup_facts *ret);

const char *cgroup_kind_name(enum cgroup_kind k); /* "container" */

#endif
