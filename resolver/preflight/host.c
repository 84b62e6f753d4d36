/* The checks host.*: is this /proc the node's, whole and in podpid's own PID namespace? */
#include "resolver/preflight/checks.h"

#include <stdio.h>
#include <string.h>

#include "cri/base/text.h"
#include "cri/runtimes.h"
#include "resolver/snapshot/snapshot.h"

static const char replayed[] = "a capture was read: this host was not looked at";

void check_host_proc(struct check_table *t, const struct check_facts *f)
{
    const struct node_facts *n = f->node;
    bool look_failed = !f->snapshot && f->look_error && f->look_error->code == PODPID_ERR_PROC;

    if (f->replay) {
        check_set(t, CHECK_HOST_PROC, PODPID_RESULT_SKIP, NULL, "%s", replayed);
    } else if (!n || look_failed) {
        check_set(t, CHECK_HOST_PROC, PODPID_RESULT_FAIL,
                  check_hint(f->look_error ? f->look_error->hint : NULL,
                             "run where the host's /proc is mounted, or name it with --proc"),
                  "%s", f->look_error ? f->look_error->message : "/proc cannot be read");
    } else if (n->not_procfs) {
        check_set(t, CHECK_HOST_PROC, PODPID_RESULT_FAIL,
                  "give the mount point of a procfs to --proc (HOST_PROC), or leave --proc out",
                  "the folder given as /proc is not a procfs");
    } else if (n->hidepid != HIDEPID_OFF && !n->exempt_from_hidepid) {
        check_set(t, CHECK_HOST_PROC, PODPID_RESULT_FAIL,
                  "run as root with CAP_SYS_PTRACE, in the group of the mount's gid= option, or "
                  "remount /proc without hidepid (see hidepid in /proc/self/mountinfo)",
                  "/proc is mounted with hidepid=%d: processes of other users are hidden",
                  (int)n->hidepid);
    } else if (f->peer > 0 && !f->peer_in_proc) {
        check_set(t, CHECK_HOST_PROC, PODPID_RESULT_FAIL,
                  "look at the /proc of the PID namespace in which the runtime runs",
                  "/proc does not show the runtime's daemon, process %d", (int)f->peer);
    } else if (f->peer > 0) {
        check_set(t, CHECK_HOST_PROC, PODPID_RESULT_PASS, NULL,
                  "procfs, nothing is hidden, shows the runtime's daemon (process %d)",
                  (int)f->peer);
    } else {
        check_set(t, CHECK_HOST_PROC, PODPID_RESULT_PASS, NULL, "procfs, nothing is hidden");
    }
}

void check_host_pidns(struct check_table *t, const struct check_facts *f)
{
    static const char share[] =
        "run podpid in the host's PID namespace: hostPID: true in Kubernetes, --pid=host in "
        "Docker; and not behind unshare --pid";
    const struct node_facts *n = f->node;

    if (f->replay) {
        check_set(t, CHECK_HOST_PIDNS, PODPID_RESULT_SKIP, NULL, "%s", replayed);
    } else if (!n || n->not_procfs) {
        check_set(t, CHECK_HOST_PIDNS, PODPID_RESULT_SKIP, NULL, "unknown without a procfs");
    } else if (n->other_pidns) {
        check_set(
            t, CHECK_HOST_PIDNS, PODPID_RESULT_FAIL, share,
            "/proc belongs to another PID namespace than podpid's: its PIDs mean nothing here");
    } else if (f->connected && f->peer == 0) {
        check_set(t, CHECK_HOST_PIDNS, PODPID_RESULT_FAIL, share,
                  "the runtime runs in a PID namespace that is not visible from here");
    } else if (f->peer_pidns) {
        check_set(
            t, CHECK_HOST_PIDNS, PODPID_RESULT_FAIL,
            "run podpid where the runtime runs: in the node's container, if the node is one",
            "the runtime's daemon (process %d) is in a PID namespace of its own: the PIDs that "
            "it reports mean other processes here",
            (int)f->peer);
    } else {
        check_set(t, CHECK_HOST_PIDNS, PODPID_RESULT_PASS, NULL, "%s share a PID namespace%s",
                  f->peer > 0 ? "podpid, /proc and the runtime" : "podpid and /proc",
                  n->nested_pidns ? ", not the initial one" : "");
    }
}

void check_host_cgroupns(struct check_table *t, const struct check_facts *f)
{
    if (f->replay) {
        check_set(t, CHECK_HOST_CGROUPNS, PODPID_RESULT_SKIP, NULL, "%s", replayed);
    } else if (!f->node) {
        check_set(t, CHECK_HOST_CGROUPNS, PODPID_RESULT_SKIP, NULL, "unknown without /proc");
    } else if (f->node->own_cgroupns) {
        check_set(
            t, CHECK_HOST_CGROUPNS, PODPID_RESULT_WARN,
            "run in the host's cgroup namespace (Docker: --cgroupns=host); in a pod it cannot "
            "be chosen: anchors are then compared by their visible tail",
            "podpid is in a cgroup namespace of its own: paths are relative to its root");
    } else {
        check_set(t, CHECK_HOST_CGROUPNS, PODPID_RESULT_PASS, NULL, "the host's cgroup namespace");
    }
}

/* A literal path such as /system.slice:cri-containerd:<id>: runc makes it of the kubelet's systemd
 * form (slice:prefix:id) when the runtime did not tell runc to use systemd. */
static bool is_literal_systemd(const char *path)
{
    const char *last = path ? strrchr(path, '/') : NULL;
    const char *colon = last ? strstr(last, ".slice:") : NULL;

    return colon && strchr(colon + strlen(".slice:"), ':');
}

/* Containers in a cgroup with a literal systemd path, each appended to the check's items. */
static size_t list_literal_paths(struct check_table *t, const struct podpid_snapshot *s)
{
    size_t n_pods, n = 0;
    const struct podpid_pod *const *pods = podpid_snapshot_pods(s, &n_pods);

    for (size_t i = 0; i < n_pods; i++) {
        for (size_t k = 0; k < pods[i]->n_containers; k++) {
            const struct podpid_container *c = pods[i]->containers[k];

            if (is_literal_systemd(c->cgroup_path)) {
                check_item(t, CHECK_HOST_CGROUP, "%s: %s",
                           check_text(t, container_label(t->arena, c)), c->cgroup_path);
                n++;
            }
        }
    }
    return n;
}

void check_host_cgroup(struct check_table *t, const struct check_facts *f)
{
    const char *mode = f->snapshot ? podpid_snapshot_node(f->snapshot)->cgroup_mode
                       : f->node   ? f->node->node.cgroup_mode
                                   : NULL;
    const struct podpid_runtime *r = f->snapshot ? podpid_snapshot_runtime(f->snapshot) : NULL;
    size_t literal = f->snapshot ? list_literal_paths(t, f->snapshot) : 0;
    char hint[256];

    if (literal) {
        snprintf(hint, sizeof(hint),
                 "set %s, or cgroupDriver: cgroupfs in the kubelet's configuration",
                 runtime_find(r ? r->name : NULL, r ? r->api : NULL)->cgroup_driver_setting);
        check_set(t, CHECK_HOST_CGROUP, PODPID_RESULT_WARN, hint,
                  "kubelet and runtime disagree on the cgroup driver: %zu %s a literal "
                  "slice:prefix:id path",
                  literal, plural(literal, "container has", "containers have"));
    } else if (!f->node && !f->snapshot) {
        check_set(t, CHECK_HOST_CGROUP, PODPID_RESULT_SKIP, NULL, "unknown without /proc");
    } else if (!mode) {
        check_set(t, CHECK_HOST_CGROUP, PODPID_RESULT_WARN,
                  "mount cgroup2 (or the v1 controllers) at /sys/fs/cgroup and look at "
                  "/proc/self/mountinfo",
                  "how cgroups are mounted is not known");
    } else {
        check_set(t, CHECK_HOST_CGROUP, PODPID_RESULT_PASS, NULL, "%s%s%s", mode,
                  r && r->cgroup_driver ? ", driver " : "",
                  r && r->cgroup_driver ? r->cgroup_driver : "");
    }
}
