/* The checks of what was seen: pods.*, pids.*, targets.*. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/preflight/checks.h"
#include "resolver/snapshot/snapshot.h"
#include "resolver/targets/targets.h"

struct tally {
    size_t pods, containers, running, verified, fails, warns;
};

/* What an unverified container that is no target means. */
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

static void one_container(struct check_table *t, const struct check_facts *f,
                          const struct podpid_container *c, struct tally *sum)
{
    enum podpid_result r = severity(c->verdict);
    const char *label;

    sum->containers++;
    sum->running += c->state == PODPID_STATE_RUNNING ? 1 : 0;
    sum->verified += c->verdict == PODPID_VERDICT_VERIFIED ? 1 : 0;
    /* A target is named by targets.present. */
    if (r == PODPID_RESULT_PASS || (f->targets && targets_result_has(f->targets, c))) {
        return;
    }
    sum->fails += r == PODPID_RESULT_FAIL ? 1 : 0;
    sum->warns += r == PODPID_RESULT_WARN ? 1 : 0;
    label = container_label(t->arena, c);
    check_item(t, CHECK_PIDS_VERIFIED, "%s: %s%s%s", label ? label : c->id,
               podpid_verdict_name(c->verdict), c->reason && *c->reason ? ": " : "",
               c->reason ? c->reason : "");
}

/* A sandbox never fails a check. */
static void one_sandbox(struct check_table *t, const struct podpid_pod *p, struct tally *sum)
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
static const char *share_verified(struct check_table *t, const struct tally *sum)
{
    const char *text =
        sum->running == 0
            ? "no container is running"
            : arena_printf(t->arena, "%zu of %zu %s verified", sum->verified, sum->running,
                           noun(sum->running, "running container is", "running containers are"));

    t->failed = t->failed || !text;
    return text ? text : "";
}

static void pids_verified(struct check_table *t, const struct check_facts *f, struct tally *sum)
{
    size_t n;
    const struct podpid_pod *const *pods = podpid_snapshot_pods(f->snapshot, &n);

    for (size_t i = 0; i < n; i++) {
        sum->pods += pods[i]->sandbox_id ? 1 : 0;
        one_sandbox(t, pods[i], sum);
        for (size_t k = 0; k < pods[i]->n_containers; k++) {
            one_container(t, f, pods[i]->containers[k], sum);
        }
    }
    if (sum->fails || sum->warns) {
        check_set(t, CHECK_PIDS_VERIFIED, sum->fails ? PODPID_RESULT_FAIL : PODPID_RESULT_WARN,
                  "podpid list -o json has the evidence; what just started or stopped is settled "
                  "in a moment (--wait); virtual machines are named by --vm-handlers",
                  "%s; to look at: %zu", share_verified(t, sum), sum->fails + sum->warns);
    } else {
        check_set(t, CHECK_PIDS_VERIFIED, PODPID_RESULT_PASS, NULL, "%s", share_verified(t, sum));
    }
}

/* Strays below a pod; ret_others gets those that are not. */
static size_t stray_count(const struct podpid_snapshot *s, size_t *ret_others)
{
    size_t n, in_pods = 0;
    const struct podpid_stray *const *strays = podpid_snapshot_strays(s, &n);

    for (size_t i = 0; i < n; i++) {
        in_pods += strays[i]->pod_uid ? 1 : 0;
    }
    *ret_others = n - in_pods;
    return in_pods;
}

static void pods_listed(struct check_table *t, const struct check_facts *f, const struct tally *sum)
{
    size_t others, in_pods = stray_count(f->snapshot, &others);

    if (sum->containers == 0 && in_pods && !f->no_runtime) {
        check_set(t, CHECK_PODS_LISTED, PODPID_RESULT_FAIL,
                  "name the socket of the runtime that the kubelet uses (ps -o args -C kubelet; "
                  "/var/lib/kubelet/config.yaml) with --runtime-endpoint",
                  "the runtime lists no container, while the cgroups of pods hold %zu: it is the "
                  "wrong runtime",
                  in_pods);
    } else if (sum->pods == 0) {
        check_set(t, CHECK_PODS_LISTED, PODPID_RESULT_WARN,
                  f->no_runtime ? "is the kubelet running, and is this the node's /proc (--proc)?"
                                : "is the kubelet running, and does it use this runtime?",
                  "there is no pod here%s", sum->containers ? ", only plain containers" : "");
    } else {
        check_set(t, CHECK_PODS_LISTED, PODPID_RESULT_PASS, NULL, "%zu %s, %zu %s", sum->pods,
                  noun(sum->pods, "pod", "pods"), sum->containers,
                  noun(sum->containers, "container", "containers"));
    }
}

static void pids_strays(struct check_table *t, const struct check_facts *f)
{
    size_t n, others, in_pods = stray_count(f->snapshot, &others);
    const struct podpid_stray *const *strays = podpid_snapshot_strays(f->snapshot, &n);

    for (size_t i = 0; i < n; i++) {
        check_item(t, CHECK_PIDS_STRAYS, "%.12s: %zu %s in %s%s%s", strays[i]->container_id,
                   strays[i]->n_pids, noun(strays[i]->n_pids, "process", "processes"),
                   strays[i]->cgroup_path ? strays[i]->cgroup_path : "?",
                   strays[i]->reason ? ": " : "", strays[i]->reason ? strays[i]->reason : "");
    }
    if (n) {
        check_set(t, CHECK_PIDS_STRAYS, in_pods ? PODPID_RESULT_FAIL : PODPID_RESULT_WARN,
                  "look at /proc/<pid>/cmdline of its processes; a restart of the runtime that "
                  "lost a container leaves them, and so does a second runtime",
                  "%zu %s, but the runtime does not list %s", n,
                  noun(n, "container cgroup holds processes", "container cgroups hold processes"),
                  noun(n, "it", "them"));
    } else {
        check_set(t, CHECK_PIDS_STRAYS, PODPID_RESULT_PASS, NULL, "none");
    }
}

/* ---- pids.stable: the look before ---- */

struct by_id {
    const struct podpid_container **rows;
    size_t n;
};

static int id_order(const void *x, const void *y)
{
    return strcmp((*(const struct podpid_container *const *)x)->id,
                  (*(const struct podpid_container *const *)y)->id);
}

static bool verified_before(struct check_table *t, const struct podpid_snapshot *s,
                            struct by_id *ret)
{
    size_t n_pods, most = 0;
    const struct podpid_pod *const *pods = podpid_snapshot_pods(s, &n_pods);

    for (size_t i = 0; i < n_pods; i++) {
        most += pods[i]->n_containers;
    }
    *ret = (struct by_id){.rows = arena_calloc(t->arena, most, sizeof(*ret->rows))};
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
    qsort(ret->rows, ret->n, sizeof(*ret->rows), id_order);
    return true;
}

/* Was verified, still runs, and is not verified as the same process any more. */
static bool is_unstable(const struct check_facts *f, const struct by_id *before,
                        const struct podpid_container *now)
{
    const struct podpid_container *const *was =
        before->n ? bsearch(&now, before->rows, before->n, sizeof(*before->rows), id_order) : NULL;

    if (!was || now->state != PODPID_STATE_RUNNING) {
        return false;
    }
    if (now->verdict == PODPID_VERDICT_VERIFIED) {
        return now->pid != (*was)->pid || now->start_time_ticks != (*was)->start_time_ticks;
    }
    /* Named by targets.present already. */
    return !(f->targets && targets_result_has(f->targets, now));
}

static void pids_stable(struct check_table *t, const struct check_facts *f)
{
    size_t n_pods, unstable = 0;
    const struct podpid_pod *const *pods = podpid_snapshot_pods(f->snapshot, &n_pods);
    struct by_id before;

    if (f->replay || !f->before) {
        check_set(t, CHECK_PIDS_STABLE, PODPID_RESULT_SKIP, NULL,
                  f->replay ? "a capture is one look" : "there was one look only");
        return;
    }
    if (!verified_before(t, f->before, &before)) {
        return;
    }
    for (size_t i = 0; i < n_pods; i++) {
        for (size_t k = 0; k < pods[i]->n_containers; k++) {
            const struct podpid_container *c = pods[i]->containers[k];

            if (is_unstable(f, &before, c)) {
                const char *label = container_label(t->arena, c);

                check_item(t, CHECK_PIDS_STABLE, "%s: verified, then %s", label ? label : c->id,
                           c->verdict == PODPID_VERDICT_VERIFIED ? "another process"
                                                                 : podpid_verdict_name(c->verdict));
                unstable++;
                t->rows[CHECK_PIDS_STABLE].fixed |= f->targets && targets_result_has(f->targets, c);
            }
        }
    }
    if (unstable) {
        check_set(t, CHECK_PIDS_STABLE, PODPID_RESULT_FAIL,
                  "containers are coming and going: try again, or with --wait",
                  "a second look does not agree on %zu of %zu verified %s", unstable, before.n,
                  noun(before.n, "container", "containers"));
    } else if (before.n == 0) {
        check_set(t, CHECK_PIDS_STABLE, PODPID_RESULT_PASS, NULL,
                  "nothing is verified, so nothing to compare");
    } else {
        check_set(t, CHECK_PIDS_STABLE, PODPID_RESULT_PASS, NULL,
                  "a second look agrees on %s %zu %s", noun(before.n, "the", "all"), before.n,
                  noun(before.n, "verified container", "verified containers that still run"));
    }
}

/* What of the targets is wrong, and what is not there at all: that has a finding, but no container.
 */
static const char *share_present(struct check_table *t, const struct targets_result *r)
{
    size_t missing = r->n_findings - (r->n_containers - r->n_accepted);
    const char *are = noun(missing, "target is", "targets are"), *text;

    if (r->n_containers == 0) {
        text = arena_printf(t->arena, "%zu %s missing", missing, are);
    } else {
        text = arena_printf(t->arena, "%zu of %zu %s as %s must be", r->n_accepted, r->n_containers,
                            noun(r->n_containers, "target container is", "target containers are"),
                            noun(r->n_containers, "it", "they"));
        text = text && missing
                   ? arena_printf(t->arena, "%s; %zu more %s missing", text, missing, are)
                   : text;
    }
    t->failed = t->failed || !text;
    return text ? text : "";
}

/* Somebody wanted pods to be there, and none was looked for: no pass for a unit that waits for it.
 */
static void no_target_left(struct check_table *t, const struct check_facts *f)
{
    if (f->n_other_node || f->n_finished) {
        check_set(t, CHECK_TARGETS_PRESENT, PODPID_RESULT_WARN,
                  f->n_other_node
                      ? "is this node's name right? it is --node-name, else NODE_NAME, else the "
                        "hostname, and must be the spec.nodeName of the manifest's pods"
                      : "print the manifest again when its pods run",
                  "no target is left: %zu %s of other nodes, %zu finished skipped", f->n_other_node,
                  noun(f->n_other_node, "pod", "pods"), f->n_finished);
    } else {
        check_set(t, CHECK_TARGETS_PRESENT, PODPID_RESULT_WARN,
                  "does what printed the manifest name the right namespace and labels?",
                  "no target is left: the manifest holds no pod");
    }
}

static void targets_present(struct check_table *t, const struct check_facts *f)
{
    const struct targets_result *r = f->targets;
    char skipped[128] = "";

    if (f->n_other_node || f->n_finished) {
        snprintf(skipped, sizeof(skipped), "; skipped: %zu %s of other nodes, %zu finished",
                 f->n_other_node, noun(f->n_other_node, "pod", "pods"), f->n_finished);
    }
    if (f->n_targets == 0 && f->manifest) {
        no_target_left(t, f);
    } else if (f->n_targets == 0) {
        check_set(t, CHECK_TARGETS_PRESENT, PODPID_RESULT_SKIP, NULL, "no target was given");
    } else if (!r) {
        check_set(t, CHECK_TARGETS_PRESENT, PODPID_RESULT_FAIL, "see what failed above",
                  "without a look no target can be found");
    } else if (r->n_findings) {
        for (size_t i = 0; i < r->n_findings; i++) {
            check_item(t, CHECK_TARGETS_PRESENT, "%s", r->findings[i]);
        }
        check_set(t, CHECK_TARGETS_PRESENT, PODPID_RESULT_FAIL,
                  "crictl ps -a shows what became of a container, podpid list -a -o json the "
                  "evidence; a manifest printed before a restart is out of date (print it again, "
                  "or --follow-restarts); --wait waits for what is starting",
                  "%s%s", share_present(t, r), skipped);
    } else {
        check_set(t, CHECK_TARGETS_PRESENT, PODPID_RESULT_PASS, NULL, "%zu %s%s", r->n_containers,
                  noun(r->n_containers, "target container", "target containers"), skipped);
    }
}

void checks_pods(struct check_table *t, const struct check_facts *f)
{
    static const enum check_id seen[] = {CHECK_PODS_LISTED, CHECK_PIDS_VERIFIED, CHECK_PIDS_STABLE,
                                         CHECK_PIDS_STRAYS};
    struct tally sum = {0};

    if (f->snapshot) {
        pids_verified(t, f, &sum);
        pods_listed(t, f, &sum);
        pids_stable(t, f);
        pids_strays(t, f);
    }
    for (size_t i = 0; !f->snapshot && i < sizeof(seen) / sizeof(seen[0]); i++) {
        check_set(t, seen[i], PODPID_RESULT_SKIP, NULL, "there was no look");
    }
    targets_present(t, f);
}
