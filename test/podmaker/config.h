/* What CRI wants to know of a pod and of a container, from the tool's options. */
#ifndef PODPID_TEST_PODMAKER_CONFIG_H
#define PODPID_TEST_PODMAKER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cri/base/arena.h"
#include "podmaker.pb-c.h"

enum { MAX_LABELS = 16, MAX_MOUNTS = 8 };

struct options {
    const char *folder; /* logs go below it */
    const char *namespace_, *name, *uid, *image, *cgroup_parent;
    uint32_t attempt;
    char *labels[MAX_LABELS], *mounts[MAX_MOUNTS];
    size_t n_labels, n_mounts;
    bool privileged, create_only;
    Podmaker__NamespaceMode pid;
    long first, pods, containers, processes, jobs, timeout;
    char **command;
    size_t n_command;
};

/* p, or the end of the program when memory is out. */
void *must(void *p);

/* Everything in them lives in the arena, or is the options' own. */
Podmaker__SandboxConfig *sandbox_config(struct arena *a, const struct options *o);
Podmaker__ContainerConfig *container_config(struct arena *a, const struct options *o,
                                            const Podmaker__SandboxConfig *pod);

#endif
