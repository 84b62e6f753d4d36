/* One path of a cgroup text, walked from its top to its end. Pure. */
#ifndef PODPID_CGROUP_PATH_H
#define PODPID_CGROUP_PATH_H

#include "resolver/cgroup/facts.h"

/* What one path says. Text points into the path. */
struct path_facts {
    enum cgroup_kind kind;
    struct str id; /* of the outermost container, or whom the helper serves, or the pod's uid */
    struct str manager;
    struct str pod;  /* raw: systemd's names have underscores for dashes */
    const char *qos; /* NULL: not visible */
    struct str component;
    const char *what;
    struct str inner, inner_pod; /* the innermost container below it */
    size_t n_inner;              /* how many there are */
    bool user_slice;
};

void path_parse(struct str path, struct path_facts *ret);

/* The ids of the containers below the outermost one, n (path_facts.n_inner) of them. */
void path_inner_ids(struct str path, struct str *ret, size_t n);

/* The path's prefix through its outermost container component, none if it has no such. */
struct str cgroup_container_prefix(struct str path);

/* The node's own root, on nodes that are containers themselves: path is PID 1's. The prefix as
 * above, and crun's or Proxmox's sub-cgroup directly below it: what the node makes is below that.
 */
struct str cgroup_node_root(struct str path);

#endif
