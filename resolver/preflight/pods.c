/* The checks pods.* and pids.*: what the look found. */
#include "resolver/preflight/checks.h"

#include <stdlib.h>
#include <string.h>

#include "cri/base/text.h"
#include "resolver/snapshot/snapshot.h"

/* Set the check to skip where the look failed. False: the check can be made. */
static bool skip_unseen(struct check_table *t, enum check_id id, const struct check_facts *f)
{
    if (!f->snapshot) {
        check_set(t, id, PODPID_RESULT_SKIP, NULL, "there was no look");
    }
    return !f->snapshot;
}

static bool is_target(const struct check_facts *f, const struct podpid_container *c)
{
    return f->targets && targets_result_has(f->targets, c);
}

/* ---- pods.listed, pids.strays ---- */

/* Cgroups below a pod that hold processes of a container that the runtime does not list. */
static size_t strays_in_pods(const struct podpid_snapshot *s)
{
    size_t n, in_pods = 0;
    const struct podpid_stray *const *strays = podpid_snapshot_strays(s, &n);

    for (size_t i = 0; i < n; i++) {
        in_pods += strays[i]->pod_uid ? 1 : 0;
    }
    return in_pods;
}

void check_pods_listed(struct check_table *t, const struct check_facts *f)
{
    size_t n, listed_pods = 0, containers = 0, in_pods;
    const struct podpid_pod *const *pods;

    if (skip_unseen(t, CHECK_PODS_LISTED, f)) {
        return;
    }
    in_pods = strays_in_pods(f->snapshot);
    pods = podpid_snapshot_pods(f->snapshot, &n);
    for (size_t i = 0; i < n; i++) {
        listed_pods += pods[i]->sandbox_id ? 1 : 0;
        containers += pods[i]->n_containers;
    }
    if (containers == 0 && in_pods && !f->no_runtime) {
        check_set(t, CHECK_PODS_LISTED, PODPID_RESULT_FAIL,
                  "name the socket of the runtime that the kubelet uses (ps -o args -C kubelet; "
                  "/var/lib/kubelet/config.yaml) with --runtime-endpoint",
                  "the runtime lists no container, while %zu %s of pods %s processes: it is the "
                  "wrong runtime",
                  in_pods, plural(in_pods, "cgroup", "cgroups"), plural(in_pods, "holds", "hold"));
    } else if (listed_pods == 0) {
        check_set(t, CHECK_PODS_LISTED, PODPID_RESULT_WARN,
                  f->no_runtime ? "is the kubelet running, and is this the node's /proc (--proc)?"
                                : "is the kubelet running, and does it use this runtime?",
                  "there is no pod here%s", containers ? ", only plain containers" : "");
    } else {
        check_set(t, CHECK_PODS_LISTED, PODPID_RESULT_PASS, NULL, "%zu %s, %zu %s", listed_pods,
                  plural(listed_pods, "pod", "pods"), containers,
                  plural(containers, "container", "containers"));
    }
}

void check_pids_strays(struct check_table *t, const struct check_facts *f)
{
    const struct podpid_stray *const *strays;
    size_t n;

    if (skip_unseen(t, CHECK_PIDS_STRAYS, f)) {
        return;
    }
    strays = podpid_snapshot_strays(f->snapshot, &n);
    for (size_t i = 0; i < n; i++) {
        check_item(t, CHECK_PIDS_STRAYS, "%.12s: %zu %s in %s%s%s", strays[i]->container_id,
                   strays[i]->n_pids, plural(strays[i]->n_pids, "process", "processes"),
                   strays[i]->cgroup_path ? strays[i]->cgroup_path : "?",
                   strays[i]->reason ? ": " : "", strays[i]->reason ? strays[i]->reason : "");
    }
    if (n == 0) {
        check_set(t, CHECK_PIDS_STRAYS, PODPID_RESULT_PASS, NULL, "none");
        return;
    }
    check_set(t, CHECK_PIDS_STRAYS,
              strays_in_pods(f->snapshot) ? PODPID_RESULT_FAIL : PODPID_RESULT_WARN,
              "look at /proc/<pid>/cmdline of the processes; a runtime that lost a container in a "
              "restart leaves them behind, and so does a second runtime",
              "%zu %s, but the runtime does not list %s", n,
              plural(n, "container cgroup holds processes", "container cgroups hold processes"),
              plural(n, "it", "them"));
}

/* ---- pids.verified ---- */

struct tally {
    size_t running, verified; /* containers, targets included */
    size_t fails, warns;      /* items of the check that fail it, that make it a warning */
};

/* The result for a container with this verdict that is no target. */
static enum podpid_result severity(enum podpid_verdict v)
{
    switch (v) {
    case PODPID_VERDICT_VERIFIED:
    case PODPID_VERDICT_CREATED:
    case PODPID_VERDICT_EXITED:
    case PODPID_VERDICT_ABSENT:
        return PODPID_RESULT_PASS;
    case PODPID_VERDICT_MISMATCH:
    case PODPID_VERDICT_MOVED:
    case PODPID_VERDICT_RECYCLED:
        return PODPID_RESULT_FAIL;
    default:
        return PODPID_RESULT_WARN;
    }
}

static void tally_container(struct check_table *t, const struct check_facts *f,
                            const struct podpid_container *c, struct tally *sum)
{
    enum podpid_result r = severity(c->verdict);

    sum->running += c->state == PODPID_STATE_RUNNING ? 1 : 0;
    sum->verified += c->verdict == PODPID_VERDICT_VERIFIED ? 1 : 0;
    /* targets.present reports the targets. */
    if (r == PODPID_RESULT_PASS || is_target(f, c)) {
        return;
    }
    sum->fails += r == PODPID_RESULT_FAIL ? 1 : 0;
    sum->warns += r == PODPID_RESULT_WARN ? 1 : 0;
    check_item(t, CHECK_PIDS_VERIFIED, "%s: %s%s%s", check_text(t, container_label(t->arena, c)),
               podpid_verdict_name(c->verdict), c->reason && *c->reason ? ": " : "",
               c->reason ? c->reason : "");
}

/* A sandbox's process is never handed over, so a wrong one is a warning at most. */
static void tally_sandbox(struct check_table *t, const struct podpid_pod *p, struct tally *sum)
{
    if (p->sandbox_id && severity(p->sandbox_verdict) == PODPID_RESULT_FAIL) {
        sum->warns++;
        check_item(t, CHECK_PIDS_VERIFIED, "%s/%s, its sandbox: %s%s%s",
                   p->namespace_ ? p->namespace_ : "?", p->name ? p->name : "?",
                   podpid_verdict_name(p->sandbox_verdict), p->sandbox_reason ? ": " : "",
                   p->sandbox_reason ? p->sandbox_reason : "");
    }
}

/* "3 of 4 running containers are verified" */
static const char *verified_of_running(struct check_table *t, const struct tally *sum)
{
    if (sum->running == 0) {
        return "no container is running";
    }
    return check_text(
        t, arena_printf(t->arena, "%zu of %zu %s verified", sum->verified, sum->running,
                        plural(sum->running, "running container is", "running containers are")));
}

void check_pids_verified(struct check_table *t, const struct check_facts *f)
{
    const struct podpid_pod *const *pods;
    struct tally sum = {0};
    size_t n;

    if (skip_unseen(t, CHECK_PIDS_VERIFIED, f)) {
        return;
    }
    pods = podpid_snapshot_pods(f->snapshot, &n);
    for (size_t i = 0; i < n; i++) {
        tally_sandbox(t, pods[i], &sum);
        for (size_t k = 0; k < pods[i]->n_containers; k++) {
            tally_container(t, f, pods[i]->containers[k], &sum);
        }
    }
    if (sum.fails || sum.warns) {
        check_set(t, CHECK_PIDS_VERIFIED, sum.fails ? PODPID_RESULT_FAIL : PODPID_RESULT_WARN,
                  "podpid list -o json has the evidence; a container that just started or stopped "
                  "is settled in a moment (--wait); --vm-handlers names the handlers of virtual "
                  "machines",
                  "%s; to look at: %zu", verified_of_running(t, &sum), sum.fails + sum.warns);
    } else {
        check_set(t, CHECK_PIDS_VERIFIED, PODPID_RESULT_PASS, NULL, "%s",
                  verified_of_running(t, &sum));
    }
}

/* ---- pids.stable ---- */

/* Containers that were verified in the look before, sorted by id. */
struct verified {
    const struct podpid_container **rows;
    size_t n;
};

static int compare_ids(const void *x, const void *y)
{
    return strcmp((*(const struct podpid_container *const *)x)->id,
                  (*(const struct podpid_container *const *)y)->id);
}

/* False: memory was out, t->failed is set. */
static bool collect_verified(struct check_table *t, const struct podpid_snapshot *s,
                             struct verified *ret)
{
    size_t n_pods, most = 0;
    const struct podpid_pod *const *pods = podpid_snapshot_pods(s, &n_pods);

    for (size_t i = 0; i < n_pods; i++) {
        most += pods[i]->n_containers;
    }
    *ret = (struct verified){.rows = arena_calloc(t->arena, most, sizeof(*ret->rows))};
    if (!ret->rows) {
        t->failed = true;
        return false;
    }
    for (size_t i = 0; i < n_pods; i++) {
        for (size_t k = 0; k < pods[i]->n_containers; k++) {
            if (pods[i]->containers[k]->verdict == PODPID_VERDICT_VERIFIED) {
                ret->rows[ret->n++] = pods[i]->containers[k];
            }
        }
    }
    qsort(ret->rows, ret->n, sizeof(*ret->rows), compare_ids);
    return true;
}

/* Whether a container was verified before, still runs, and is now another process or not verified.
 * A PID alone does not tell: the kernel may have given it to another process between the looks. */
static bool is_unstable(const struct check_facts *f, const struct verified *before,
                        const struct podpid_container *now)
{
    const struct podpid_container *const *was =
        before->n ? bsearch(&now, before->rows, before->n, sizeof(*before->rows), compare_ids)
                  : NULL;

    if (!was || now->state != PODPID_STATE_RUNNING) {
        return false;
    }
    if (now->verdict == PODPID_VERDICT_VERIFIED) {
        return now->pid != (*was)->pid || now->start_time_ticks != (*was)->start_time_ticks;
    }
    /* targets.present reports a target that is not verified. */
    return !is_target(f, now);
}

/* Containers that are unstable, each appended to the check's items. No level lowers the check where
 * a target is among them. */
static size_t list_unstable(struct check_table *t, const struct check_facts *f,
                            const struct verified *before)
{
    size_t n_pods, n = 0;
    const struct podpid_pod *const *pods = podpid_snapshot_pods(f->snapshot, &n_pods);

    for (size_t i = 0; i < n_pods; i++) {
        for (size_t k = 0; k < pods[i]->n_containers; k++) {
            const struct podpid_container *c = pods[i]->containers[k];

            if (is_unstable(f, before, c)) {
                check_item(t, CHECK_PIDS_STABLE, "%s: verified, then %s",
                           check_text(t, container_label(t->arena, c)),
                           c->verdict == PODPID_VERDICT_VERIFIED ? "another process"
                                                                 : podpid_verdict_name(c->verdict));
                t->rows[CHECK_PIDS_STABLE].fixed |= is_target(f, c);
                n++;
            }
        }
    }
    return n;
}

void check_pids_stable(struct check_table *t, const struct check_facts *f)
{
    struct verified before;
    size_t unstable;

    if (skip_unseen(t, CHECK_PIDS_STABLE, f)) {
        return;
    }
    if (f->replay || !f->before) {
        check_set(t, CHECK_PIDS_STABLE, PODPID_RESULT_SKIP, NULL,
                  f->replay ? "a capture is one look" : "there was one look only");
        return;
    }
    if (!collect_verified(t, f->before, &before)) {
        return;
    }
    unstable = list_unstable(t, f, &before);
    if (unstable) {
        check_set(t, CHECK_PIDS_STABLE, PODPID_RESULT_FAIL,
                  "containers are coming and going: try again, or with --wait",
                  "a second look does not agree on %zu of %zu verified %s", unstable, before.n,
                  plural(before.n, "container", "containers"));
    } else if (before.n == 0) {
        check_set(t, CHECK_PIDS_STABLE, PODPID_RESULT_PASS, NULL,
                  "no container was verified: nothing to compare");
    } else {
        check_set(t, CHECK_PIDS_STABLE, PODPID_RESULT_PASS, NULL,
                  "a second look agrees on %s %zu %s", plural(before.n, "the", "all"), before.n,
                  plural(before.n, "verified container", "verified containers that still run"));
    }
}
