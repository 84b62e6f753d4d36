/* The verbose info of a status. It is no part of the CRI contract, but nothing else has the PID.
 * info["info"] is the text of one JSON object whose shape is each runtime's own:
 *
 *   containerd    pid, runtimeType, runtimeHandler, runtimeSpec.linux.cgroupsPath,
 *                 of sandboxes config.linux.cgroup_parent too
 *   CRI-O         pid and runtimeSpec.linux.cgroupsPath; no pid of a sandbox without a process;
 *                 the pod's cgroup parent as an annotation of the sandbox's runtimeSpec
 *   cri-dockerd   pid only; sandboxes have no info
 *
 * Versions and sources: cri/README.md. No I/O. */
#ifndef PODPID_CRI_RPC_INFO_H
#define PODPID_CRI_RPC_INFO_H

#include "cri/base/arena.h"
#include "cri/base/error.h"
#include "cri/base/text.h"

struct info {
    int32_t pid; /* 0 = not given */
    const char *runtime_type, *runtime_handler;
    const char *cgroups_path, *cgroup_parent; /* strings: NULL where not given; in the arena */
};

/* Read the text of info["info"]. Text that is no JSON object gives an empty result and no error.
 * -EBADMSG for a broken object, or a pid that is none (negative, a fraction, too large, a string):
 * then nothing else in it can be trusted. -ENOMEM. */
int info_parse(struct str text, struct arena *a, struct info *ret, struct err *err);

#endif
