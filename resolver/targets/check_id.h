/* Which checks the preflight makes: one row each. Policies name checks by their ids, so the table
 * stands below the room that makes them. */
#ifndef PODPID_TARGETS_CHECK_ID_H
#define PODPID_TARGETS_CHECK_ID_H

#include <stdbool.h>

#include "resolver/podpid.h"

/* All checks, in the order of every report. A row is
 *   name in enum check_id, without CHECK_
 *   function that makes the check, without check_: see resolver/preflight/checks.h
 *   id, stable: policies and --ignore name the check by it
 *   fixed: no policy and no option lowers a failure
 *   exit status of podpid preflight where the check fails: 3 if the failure keeps podpid from
 *     looking at the node, else 1
 *   what has to hold, and the result where it does not, for --help */
#define CHECKS(ROW)                                                                                \
    ROW(HOST_PROC, host_proc, "host.proc", true, 3,                                                \
        "/proc is a procfs, hides nothing, shows the runtime", "fail")                             \
    ROW(HOST_PIDNS, host_pidns, "host.pidns", true, 3,                                             \
        "podpid, /proc and the runtime share a PID namespace", "fail")                             \
    ROW(HOST_CGROUPNS, host_cgroupns, "host.cgroupns", false, 1,                                   \
        "podpid is in the host's cgroup namespace", "warn")                                        \
    ROW(HOST_CGROUP, host_cgroup, "host.cgroup", false, 1,                                         \
        "cgroup mounts are known; one cgroup driver is used", "warn")                              \
    ROW(RUNTIME_ENDPOINT, runtime_endpoint, "runtime.endpoint", false, 3,                          \
        "a socket is found and a process listens on it", "fail")                                   \
    ROW(RUNTIME_API, runtime_api, "runtime.api", false, 3,                                         \
        "the runtime answers every request of a look", "fail")                                     \
    ROW(RUNTIME_READY, runtime_ready, "runtime.ready", false, 1,                                   \
        "the runtime's own conditions are met", "warn")                                            \
    ROW(PODS_LISTED, pods_listed, "pods.listed", false, 1, "the runtime lists pods",               \
        "warn; wrong runtime: fail")                                                               \
    ROW(PIDS_VERIFIED, pids_verified, "pids.verified", false, 1,                                   \
        "every running container but targets is verified", "warn; wrong process: fail")            \
    ROW(PIDS_STABLE, pids_stable, "pids.stable", false, 1,                                         \
        "a second look finds the same processes", "fail")                                          \
    ROW(PIDS_STRAYS, pids_strays, "pids.strays", false, 1,                                         \
        "the runtime lists every container with processes", "warn; in a pod: fail")                \
    ROW(TARGETS_PRESENT, targets_present, "targets.present", true, 1,                              \
        "every target is present and verified", "fail; none left: warn")                           \
    ROW(HANDOFF_WRITTEN, handoff_written, "handoff.written", true, 1,                              \
        "the handoff file is written, the pidfds are open", "fail; no pidfds: warn")

#define CHECK_ENUMERATOR(name, ...) CHECK_##name,
enum check_id { CHECKS(CHECK_ENUMERATOR) N_CHECKS };
#undef CHECK_ENUMERATOR

/* What a policy makes of a check's result. LEVEL_DEFAULT: no policy names the check. */
enum check_level { LEVEL_DEFAULT, LEVEL_FAIL, LEVEL_WARN, LEVEL_IGNORE };

const struct podpid_check_info *check_info(enum check_id id);

/* The check with this id ("host.proc"). False: there is none, *ret stays as it was. */
bool check_by_name(const char *name, enum check_id *ret);

#endif
