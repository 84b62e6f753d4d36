/* Pods out of Docker's containers: the kubelet's labels, and how far they hold. Pure.
 *
 * dockershim and cri-dockerd write what a container is into its labels, and an image may carry the
 * same labels. What an image cannot say is HostConfig: its cgroup parent, and whose namespaces it
 * joins. A sandbox counts only if its CgroupParent is that of its pod's uid. A container is one of
 * a pod's only if its sandbox label names such a sandbox of the same namespace, name and uid, its
 * CgroupParent carries that uid too, and it joined the sandbox's network or IPC namespace (with
 * host networking the IPC namespace). */
#ifndef PODPID_CRI_DOCKER_PODS_H
#define PODPID_CRI_DOCKER_PODS_H

#include "cri/base/arena.h"
#include "cri/view.h"

/* What only this API says of a container, and all its labels. NULL where not given or empty. */
struct docker_facts {
    const char *name;          /* without the leading slash */
    const char *cgroup_parent; /* HostConfig.CgroupParent; not in lists */
    const char *network_mode, *ipc_mode;
    const char *runtime; /* HostConfig.Runtime */
    const struct view_label *labels;
    size_t n_labels;
};

/* Fill what the labels say of a row that has its facts: name, sandbox_id, attempt, labels. */
void docker_claim(struct view_container *c);

/* io.kubernetes.docker.type=podsandbox */
bool docker_claims_sandbox(const struct view_container *c);

/* The pod that a claimed sandbox is; borrows from c, which becomes its as_container. */
void docker_pod_of(const struct view_container *c, struct view_pod *ret);

/* As client_settle() says. who: as the identity said. 0 or -ENOMEM. */
int docker_settle(const struct view_runtime *who, struct view *v, struct arena *a);

/* Where the runtime makes the cgroup of a container, in the form of runtimeSpec.linux.cgroupsPath;
 * NULL where it is not known or memory is out (*ret_rc tells). */
int docker_cgroups_path(const struct view_runtime *who, const char *cgroup_parent, const char *id,
                        struct arena *a, const char **ret);

#endif
