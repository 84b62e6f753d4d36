#include "resolver/checks.h"

#include <string.h>

static const char *const names[N_CHECKS] = {
    [CHECK_HOST_PROC] = "host.proc",
    [CHECK_HOST_PIDNS] = "host.pidns",
    [CHECK_HOST_CGROUPNS] = "host.cgroupns",
    [CHECK_HOST_CGROUP] = "host.cgroup",
    [CHECK_RUNTIME_ENDPOINT] = "runtime.endpoint",
    [CHECK_RUNTIME_API] = "runtime.api",
    [CHECK_RUNTIME_READY] = "runtime.ready",
    [CHECK_PODS_LISTED] = "pods.listed",
    [CHECK_PIDS_VERIFIED] = "pids.verified",
    [CHECK_PIDS_STABLE] = "pids.stable",
    [CHECK_PIDS_STRAYS] = "pids.strays",
    [CHECK_TARGETS_PRESENT] = "targets.present",
    [CHECK_HANDOFF_WRITTEN] = "handoff.written",
};

const char *check_name(enum check_id id)
{
    return names[id];
}

bool check_by_name(const char *name, enum check_id *ret)
{
    for (unsigned i = 0; i < N_CHECKS; i++) {
        if (strcmp(names[i], name) == 0) {
            *ret = (enum check_id)i;
            return true;
        }
    }
    return false;
}
