/* Docker knows containers only. Here pods are made of them: by their labels, as far as these can be
 * proven. No I/O.
 *
 * dockershim and cri-dockerd write into a container's labels what it is, but an image may carry the
 * same labels. An image cannot choose HostConfig: the cgroup parent, and which container's
 * namespaces are joined. So a sandbox's claim holds only if its CgroupParent carries its pod's uid.
 * A container's claim holds only if its sandbox label names such a sandbox with the same namespace,
 * name and uid, its CgroupParent carries that uid too, and it joined the sandbox's network or IPC
 * namespace (a pod with host networking shares IPC only). */
#ifndef PODPID_CRI_DOCKER_PODS_H
#define PODPID_CRI_DOCKER_PODS_H

#include "cri/base/arena.h"
#include "cri/view.h"

/* What only the Docker API tells about a container, and all its labels. NULL: not given or empty.
 */
struct docker_facts {
    const char *name;          /* without the leading slash */
    const char *cgroup_parent; /* HostConfig.CgroupParent; not in lists */
    const char *network_mode, *ipc_mode;
    const char *runtime; /* HostConfig.Runtime */
    const struct view_label *labels;
    size_t n_labels;
};

/* Fill name, sandbox_id, attempt and labels of a row from c->docker, which is set. */
void docker_claim(struct view_container *c);

/* Whether the labels claim that the container is a pod's sandbox. */
bool docker_claims_sandbox(const struct view_container *c);

/* The pod row of a claimed sandbox. It points into c and keeps c as as_container. */
void docker_pod_of(const struct view_container *c, struct view_pod *ret);

/* As client_settle(). who: the runtime's name and cgroup driver. 0 or -ENOMEM. */
int docker_settle(const struct view_runtime *who, struct view *v, struct arena *a);

/* The cgroup of a container, in the form of runtimeSpec.linux.cgroupsPath, in the arena; NULL: not
 * known. cgroup_parent may be NULL: the runtime's default. 0 or -ENOMEM. */
int docker_cgroups_path(const struct view_runtime *who, const char *cgroup_parent, const char *id,
                        struct arena *a, const char **ret);

#endif
