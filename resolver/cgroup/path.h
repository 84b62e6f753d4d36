/* What one path of a cgroup text says, component by component from its top. Pure. */
#ifndef PODPID_CGROUP_PATH_H
#define PODPID_CGROUP_PATH_H

#include "resolver/cgroup/facts.h"

/* Each struct str points into the path and is none where the path does not say. */
struct path_facts {
    enum cgroup_kind kind;
    struct str id;        /* of the outermost container; CGROUP_HELPER: of the container that is
                             served; CGROUP_POD: the pod's uid */
    struct str manager;   /* as in struct cgroup_facts */
    struct str pod;       /* the pod's uid as it is written: systemd's names have underscores */
    const char *qos;      /* NULL: not visible. Static */
    struct str component; /* the component that decided */
    const char *what;     /* its shape in words. Static */
    struct str inner;     /* the innermost container component below the outermost */
    struct str inner_pod; /* the pod between inner and the container around it */
    size_t n_inner;       /* how many container components are below the outermost */
    bool user_slice;      /* the path is below /user.slice */
};

void path_parse(struct str path, struct path_facts *ret);

/* The ids of the containers below the outermost one, outermost first; ret has room for n, the
 * n_inner that path_parse() gave for this path. */
void path_inner_ids(struct str path, struct str *ret, size_t n);

/* The path up to the end of its outermost container component; none for a path of a helper, and for
 * one without such a component. Points into path. */
struct str cgroup_container_prefix(struct str path);

/* The cgroup root of a node that is a container itself (kind, k3d, Proxmox): path is that of PID 1.
 * The result is its cgroup_container_prefix(), extended by the sub-cgroup in which crun
 * ("container") or Proxmox ("ns") puts the processes: the node makes its own cgroups below that. */
struct str cgroup_node_root(struct str path);

#endif
