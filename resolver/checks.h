/* The preflight's checks: stable ids, always the same ones in the same order, and how bad each
 * finding is. Pure: the same facts give the same results. */
#ifndef PODPID_CHECKS_H
#define PODPID_CHECKS_H

#include <stdbool.h>
#include <stddef.h>

enum check_id {
    CHECK_HOST_PROC,
    CHECK_HOST_PIDNS,
    CHECK_HOST_CGROUPNS,
    CHECK_HOST_CGROUP,
    CHECK_RUNTIME_ENDPOINT,
    CHECK_RUNTIME_API,
    CHECK_RUNTIME_READY,
    CHECK_PODS_LISTED,
    CHECK_PIDS_VERIFIED,
    CHECK_PIDS_STABLE,
    CHECK_PIDS_STRAYS,
    CHECK_TARGETS_PRESENT,
    CHECK_HANDOFF_WRITTEN,
    N_CHECKS
};

/* What a policy says of a check; DEFAULT: nothing. */
enum check_level { LEVEL_DEFAULT, LEVEL_FAIL, LEVEL_WARN, LEVEL_IGNORE };

const char *check_name(enum check_id id); /* "host.proc" */
bool check_by_name(const char *name, enum check_id *ret);

#endif
