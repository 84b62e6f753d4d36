/* What CRI wants to know of a pod and of a container, from the tool's options. */
#ifndef PODPID_TEST_PODMAKER_CONFIG_H
#define PODPID_TEST_PODMAKER_CONFIG_H

#include "cri/base/arena.h"
#include "podmaker.pb-c.h"
#include "test/podmaker/options.h"

/* p, or the end of the program when memory is out. */
void *must(void *p);

/* Everything in them lives in the arena, or is the options' own. */
Podmaker__SandboxConfig *sandbox_config(struct arena *a, const struct options *o);
Podmaker__ContainerConfig *container_config(struct arena *a, const struct options *o,
                                            const Podmaker__SandboxConfig *pod);

#endif
