/* What the text of a /proc/<pid>/cgroup says: the container, its pod, the manager. Pure.
 *
 * The table of shapes (shapes.c) decides which components of a path name a container. The outermost
 * of them wins: a container can make any cgroup below its own, so what stands there is reported as
 * the inner container and never believed. */
#ifndef PODPID_CGROUP_FACTS_H
#define PODPID_CGROUP_FACTS_H

#include <stdbool.h>

#include "cri/base/arena.h"
#include "cri/base/text.h"

enum cgroup_kind {
    CGROUP_HOST,      /* no line names a container, a helper or a pod */
    CGROUP_POD,       /* in a pod's cgroup, but in no container of it */
    CGROUP_HELPER,    /* a process outside of a container that serves it, such as conmon */
    CGROUP_CONTAINER, /* in the container's own cgroup */
    CGROUP_NESTED     /* in a cgroup below the container's own */
};

/* Strings are NULL where the text does not say. qos and shape are static, the others live in the
 * arena that cgroup_parse() was given. */
struct cgroup_facts {
    enum cgroup_kind kind;
    const char *container_id;  /* of the outermost container */
    const char *pod_uid;       /* with dashes, also where the cgroup's name has underscores */
    const char *qos;           /* "guaranteed", "burstable", "besteffort" */
    const char *manager;       /* the engine or runtime that named the cgroup: "docker" */
    const char *inner_id;      /* CGROUP_NESTED: the innermost container component */
    const char *inner_pod_uid; /* the pod between inner_id and the container around it */
    const char *helper_for;    /* CGROUP_HELPER: id of the container that is served */
    const char *const *chain;  /* ids of all containers below the outermost, outermost first */
    size_t n_chain;
    bool in_user_slice; /* a line that names the container is below /user.slice, where a local user
                           can make any cgroup. CGROUP_HOST: any line is */

    /* What decided: */
    size_t line;           /* number of the line, from 1; 0: CGROUP_HOST */
    const char *path;      /* the path of that line, without " (deleted)" at its end */
    const char *component; /* the component of that path */
    const char *shape;     /* its shape in words: "a Docker container" */
    bool disagreement;     /* another line names another container (helper, pod) */
};

/* Parse a cgroup text; any bytes are fine. 0 or -ENOMEM. */
int cgroup_parse(struct str text, struct arena *a, struct cgroup_facts *ret);

/* The same for a node that is a container itself: root (cgroup_node_root(); may be none) is cut off
 * the start of each path that is below it. ret->path still has it. 0 or -ENOMEM. */
int cgroup_parse_below(struct str text, struct str root, struct arena *a, struct cgroup_facts *ret);

/* "host", "pod", "helper", "container", "nested"; a static string. */
const char *cgroup_kind_name(enum cgroup_kind k);

#endif
