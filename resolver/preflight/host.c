/* The checks of the host and of the runtime's socket: host.*, runtime.*. */
#include <string.h>

#include "resolver/preflight/checks.h"
#include "resolver/snapshot/snapshot.h"
#include "resolver/targets/targets.h"

static const char replayed[] = "a capture was read: this host was not looked at";

static const char *or_unknown(const char *s)
{
    return s ? s : "unknown";
}

/* A hint of an error; NULL where it has none. */
static const char *hint_of(const char *hint, const char *otherwise)
{
    return hint && *hint ? hint : otherwise;
}

static void host_proc(struct check_table *t, const struct check_facts *f)
{
    const struct node_facts *n = f->node;
    bool look_failed = !f->snapshot && f->look_error && f->look_error->code == PODPID_ERR_PROC;

    if (f->replay) {
        check_set(t, CHECK_HOST_PROC, PODPID_RESULT_SKIP, NULL, "%s", replayed);
    } else if (!n || look_failed) {
        check_set(t, CHECK_HOST_PROC, PODPID_RESULT_FAIL,
                  hint_of(f->look_error ? f->look_error->hint : NULL,
                          "run where the host's /proc is mounted, or name it with --proc"),
                  "%s", f->look_error ? f->look_error->message : "/proc cannot be read");
    } else if (n->not_procfs) {
        check_set(t, CHECK_HOST_PROC, PODPID_RESULT_FAIL,
                  "give the mount point of a procfs to --proc (HOST_PROC), or leave it away",
                  "what was given as /proc is no procfs");
    } else if (n->hidepid != HIDEPID_OFF && !n->exempt_from_hidepid) {
        check_set(t, CHECK_HOST_PROC, PODPID_RESULT_FAIL,
                  "run as root with CAP_SYS_PTRACE, in the group of the mount's gid= option, or "
                  "remount /proc without hidepid (see hidepid in /proc/self/mountinfo)",
                  "/proc is mounted with hidepid=%d: processes of others are hidden",
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

static void host_pidns(struct check_table *t, const struct check_facts *f)
{
    static const char share[] =
        "run podpid in the host's PID namespace: hostPID: true in Kubernetes, --pid=host in "
        "Docker; and not behind unshare --pid";
    const struct node_facts *n = f->node;

    if (f->replay) {
        check_set(t, CHECK_HOST_PIDNS, PODPID_RESULT_SKIP, NULL, "%s", replayed);
    } else if (!n || n->not_procfs) {
        check_set(t, CHECK_HOST_PIDNS, PODPID_RESULT_SKIP, NULL, "without a procfs nobody can say");
    } else if (n->other_pidns) {
        check_set(t, CHECK_HOST_PIDNS, PODPID_RESULT_FAIL, share,
                  "/proc is of another PID namespace than podpid's: its PIDs mean nothing here");
    } else if (f->connected && f->peer == 0) {
        check_set(t, CHECK_HOST_PIDNS, PODPID_RESULT_FAIL, share,
                  "the runtime runs in a PID namespace that is not visible from here");
    } else if (f->peer_pidns) {
        check_set(
            t, CHECK_HOST_PIDNS, PODPID_RESULT_FAIL,
            "run podpid where the runtime runs: in the node's container, if the node is one",
            "the runtime's daemon (process %d) is in a PID namespace of its own: the PIDs that "
            "it gives mean other processes here",
            (int)f->peer);
    } else {
        check_set(t, CHECK_HOST_PIDNS, PODPID_RESULT_PASS, NULL,
                  "/proc is of podpid's PID namespace%s%s",
                  f->peer > 0 ? ", which the runtime is in" : "",
                  n->nested_pidns ? "; that is not the kernel's first one" : "");
    }
}

static void host_cgroupns(struct check_table *t, const struct check_facts *f)
{
    if (f->replay) {
        check_set(t, CHECK_HOST_CGROUPNS, PODPID_RESULT_SKIP, NULL, "%s", replayed);
    } else if (!f->node) {
        check_set(t, CHECK_HOST_CGROUPNS, PODPID_RESULT_SKIP, NULL,
                  "without a /proc nobody can say");
    } else if (f->node->own_cgroupns) {
        check_set(
            t, CHECK_HOST_CGROUPNS, PODPID_RESULT_WARN,
            "run in the host's cgroup namespace (Docker: --cgroupns=host); in a pod it cannot "
            "be chosen: anchors are then compared by their visible tail",
            "podpid is in a cgroup namespace of its own: paths are relative to it");
    } else {
        check_set(t, CHECK_HOST_CGROUPNS, PODPID_RESULT_PASS, NULL, "the host's cgroup namespace");
    }
}

/* A path such as /system.slice:cri-containerd:<id>: what runc makes of the systemd driver's form
 * when it was not told to use systemd. */
static bool is_literal_systemd(const char *path)
{
    const char *last = path ? strrchr(path, '/') : NULL;
    const char *colon = last ? strstr(last, ".slice:") : NULL;

    return colon && strchr(colon + strlen(".slice:"), ':');
}

static void host_cgroup(struct check_table *t, const struct check_facts *f)
{
    const char *mode = f->snapshot ? podpid_snapshot_node(f->snapshot)->cgroup_mode
                       : f->node   ? f->node->node.cgroup_mode
                                   : NULL;
    const struct podpid_runtime *r = f->snapshot ? podpid_snapshot_runtime(f->snapshot) : NULL;
    const struct podpid_pod *const *pods = NULL;
    size_t n_pods = 0, literal = 0;

    if (f->snapshot) {
        pods = podpid_snapshot_pods(f->snapshot, &n_pods);
    }
    for (size_t i = 0; i < n_pods; i++) {
        for (size_t k = 0; k < pods[i]->n_containers; k++) {
            const struct podpid_container *c = pods[i]->containers[k];

            if (is_literal_systemd(c->cgroup_path)) {
                const char *label = container_label(t->arena, c);

                check_item(t, CHECK_HOST_CGROUP, "%s: %s", label ? label : c->id, c->cgroup_path);
                literal++;
            }
        }
    }
    if (literal) {
        check_set(t, CHECK_HOST_CGROUP, PODPID_RESULT_WARN,
                  "set SystemdCgroup = true for runc in /etc/containerd/config.toml (CRI-O: "
                  "cgroup_manager), or cgroupDriver: cgroupfs in the kubelet's configuration",
                  "kubelet and runtime disagree on the cgroup driver: %zu %s a literal "
                  "slice:prefix:id path",
                  literal, noun(literal, "container has", "containers have"));
    } else if (!mode && !f->node && !f->snapshot) {
        check_set(t, CHECK_HOST_CGROUP, PODPID_RESULT_SKIP, NULL, "without a /proc nobody can say");
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

void checks_host(struct check_table *t, const struct check_facts *f)
{
    host_proc(t, f);
    host_pidns(t, f);
    host_cgroupns(t, f);
    host_cgroup(t, f);
}

static void runtime_ready(struct check_table *t, const struct podpid_runtime *r)
{
    size_t bad = 0;

    for (size_t i = 0; i < r->n_conditions; i++) {
        const struct podpid_condition *c = &r->conditions[i];

        if (!c->status) {
            check_item(t, CHECK_RUNTIME_READY, "%s is false: %s%s%s", or_unknown(c->type),
                       c->reason ? c->reason : "", c->message && *c->message ? ": " : "",
                       c->message ? c->message : "");
            bad++;
        }
    }
    if (r->status_error) {
        check_set(t, CHECK_RUNTIME_READY, PODPID_RESULT_WARN,
                  "look at the runtime's log, such as journalctl -u containerd",
                  "the runtime does not give its status: %s", r->status_error);
    } else if (bad) {
        check_set(t, CHECK_RUNTIME_READY, PODPID_RESULT_WARN,
                  "NetworkReady: look for the CNI plugin's configuration in /etc/cni/net.d; "
                  "RuntimeReady: look at the runtime's log",
                  "%zu of %zu %s not met", bad, r->n_conditions,
                  noun(r->n_conditions, "condition is", "conditions are"));
    } else if (r->n_conditions == 0) {
        check_set(t, CHECK_RUNTIME_READY, PODPID_RESULT_SKIP, NULL,
                  "the runtime states no conditions");
    } else {
        check_set(t, CHECK_RUNTIME_READY, PODPID_RESULT_PASS, NULL, "%zu of %zu %s met",
                  r->n_conditions, r->n_conditions,
                  noun(r->n_conditions, "condition is", "conditions are"));
    }
}

static void skip_runtime(struct check_table *t, const char *why)
{
    check_set(t, CHECK_RUNTIME_ENDPOINT, PODPID_RESULT_SKIP, NULL, "%s", why);
    check_set(t, CHECK_RUNTIME_API, PODPID_RESULT_SKIP, NULL, "%s", why);
    check_set(t, CHECK_RUNTIME_READY, PODPID_RESULT_SKIP, NULL, "%s", why);
}

/* The look failed: was it the socket, or what answers there? */
static void runtime_failed(struct check_table *t, const struct check_facts *f)
{
    static const char look_there[] =
        "is the runtime running (systemctl status containerd crio docker)? name its socket with "
        "--runtime-endpoint, as in the kubelet's --container-runtime-endpoint";
    const struct podpid_error *e = f->look_error;

    check_set(t, CHECK_RUNTIME_READY, PODPID_RESULT_SKIP, NULL, "the runtime did not answer");
    if (!f->node || e->code == PODPID_ERR_PROC) {
        skip_runtime(t, "without a /proc there was no look");
    } else if (!f->connected) {
        check_set(t, CHECK_RUNTIME_ENDPOINT, PODPID_RESULT_FAIL,
                  hint_of(f->endpoint_error->hint, look_there), "%s", f->endpoint_error->text);
        check_set(t, CHECK_RUNTIME_API, PODPID_RESULT_SKIP, NULL, "there is no connection");
    } else {
        check_set(t, CHECK_RUNTIME_ENDPOINT, PODPID_RESULT_PASS, NULL, "%s (%s)", f->endpoint,
                  f->chosen_by);
        check_set(t, CHECK_RUNTIME_API, PODPID_RESULT_FAIL, hint_of(e->hint, look_there), "%s",
                  e->message);
    }
}

void checks_runtime(struct check_table *t, const struct check_facts *f)
{
    const struct podpid_runtime *r = f->snapshot ? podpid_snapshot_runtime(f->snapshot) : NULL;

    if (f->replay) {
        skip_runtime(t, "a capture was read: no runtime was asked");
    } else if (f->no_runtime) {
        skip_runtime(t, "no runtime was asked (--no-runtime)");
    } else if (!f->snapshot) {
        runtime_failed(t, f);
    } else if (!r) {
        skip_runtime(t, "no runtime was asked");
    } else {
        check_set(t, CHECK_RUNTIME_ENDPOINT, PODPID_RESULT_PASS, NULL, "%s (%s)",
                  or_unknown(r->endpoint), or_unknown(r->chosen_by));
        check_set(t, CHECK_RUNTIME_API, PODPID_RESULT_PASS, NULL, "%s, %s %s", or_unknown(r->api),
                  or_unknown(r->name), r->version ? r->version : "");
        runtime_ready(t, r);
    }
}
