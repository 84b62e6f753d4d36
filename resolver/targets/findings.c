/* Targets compared with a snapshot: which of its containers they name, and what is not as it must
 * be. Pure. */
#include "resolver/targets/targets.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/text.h"
#include "resolver/snapshot/snapshot.h"

/* A container of the snapshot. */
struct row {
    const struct podpid_container *c;
    bool wanted; /* some target names the container */
    bool bad;    /* some finding names the container, which is wanted */
};

struct checker {
    const struct podpid_targets *t;
    const struct podpid_snapshot *s;
    const struct targets_options *o;
    struct arena *a;
    struct targets_result *result;
    const struct podpid_pod *const *pods;
    size_t n_pods;
    size_t *first;        /* of each pod: index in rows of its first container */
    struct row *rows;     /* in the snapshot's order */
    struct row **by_id;   /* all rows, sorted by container id */
    size_t n_rows;        /* of rows, by_id and scratch */
    struct row **scratch; /* the containers that count of the pod that is being checked */
    struct err *err;
};

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

__attribute__((format(printf, 2, 3))) static int add_finding(struct checker *k, const char *fmt,
                                                             ...)
{
    struct targets_result *r = k->result;
    const char *text;
    va_list ap;

    va_start(ap, fmt);
    text = arena_vprintf(k->a, fmt, ap);
    va_end(ap);
    return !text || ARENA_APPEND(k->a, r->findings, r->n_findings, r->cap_findings, text) < 0
               ? err_nomem(k->err)
               : 0;
}

/* A finding about a container, unless there is one already. */
static int add_row_finding(struct checker *k, struct row *row, const char *why)
{
    const char *label;

    if (row->bad) {
        return 0;
    }
    row->bad = true;
    label = container_label(k->a, row->c);
    return label ? add_finding(k, "%s: %s", label, why) : err_nomem(k->err);
}

static bool is_accepted(const struct checker *k, const struct podpid_container *c)
{
    return c->verdict == PODPID_VERDICT_VERIFIED ||
           (c->verdict == PODPID_VERDICT_INFERRED && k->o->allow_inferred);
}

/* Why a container is not accepted; NULL: out of memory. */
static const char *why_not_accepted(struct checker *k, const struct podpid_container *c)
{
    if (c->verdict == PODPID_VERDICT_EXITED && c->has_exit_code) {
        return arena_printf(k->a, "exited with status %d", c->exit_code);
    }
    if (c->reason && *c->reason) {
        return arena_printf(k->a, "%s: %s", podpid_verdict_name(c->verdict), c->reason);
    }
    return podpid_verdict_name(c->verdict);
}

/* Note that a target names the container, and add a finding unless the container is accepted.
 * exited_is_fine: a container that exited with status 0 is no target at all, such as a finished
 * init container. */
static int require(struct checker *k, struct row *row, bool exited_is_fine)
{
    const struct podpid_container *c = row->c;
    const char *why;

    if (is_accepted(k, c)) {
        row->wanted = true;
        return 0;
    }
    if (exited_is_fine && c->verdict == PODPID_VERDICT_EXITED && c->has_exit_code &&
        c->exit_code == 0) {
        return 0;
    }
    row->wanted = true;
    why = why_not_accepted(k, c);
    return why ? add_row_finding(k, row, why) : err_nomem(k->err);
}

/* ---- Pods of policies and selectors ---- */

static bool is_newer(const struct podpid_container *a, const struct podpid_container *b)
{
    if (a->created_at && b->created_at && a->created_at != b->created_at) {
        return a->created_at > b->created_at;
    }
    return a->attempt > b->attempt;
}

/* By name, the newest attempt first. */
static int compare_names(const void *x, const void *y)
{
    const struct podpid_container *a = (*(struct row *const *)x)->c;
    const struct podpid_container *b = (*(struct row *const *)y)->c;
    int cmp = strcmp(a->name ? a->name : "", b->name ? b->name : "");

    if (cmp) {
        return cmp;
    }
    return is_newer(a, b) ? -1 : is_newer(b, a) ? 1 : strcmp(a->id, b->id);
}

/* A snapshot sorts its pods by namespace and name: the index after the last one that has the
 * namespace and name of pod i. */
static size_t end_of_name(const struct checker *k, size_t i)
{
    size_t end = i + 1;

    while (end < k->n_pods && k->pods[i]->name && same(k->pods[end]->name, k->pods[i]->name) &&
           same(k->pods[end]->namespace_, k->pods[i]->namespace_)) {
        end++;
    }
    return end;
}

/* Only a runtime knows whether a sandbox is ready: without one, and for plain containers, which
 * have no sandbox, every pod counts as ready. */
static bool is_ready(const struct checker *k, const struct podpid_pod *p)
{
    return p->ready || !p->sandbox_id || !podpid_snapshot_runtime(k->s);
}

/* Put the newest attempt of each container name into k->scratch: of the pods from `from` to before
 * `to` that have the uid of pod last, which are its sandboxes. Gives their number. */
static size_t collect_newest(struct checker *k, size_t from, size_t to,
                             const struct podpid_pod *last)
{
    size_t n = 0, kept = 0;

    for (size_t i = from; i < to; i++) {
        for (size_t c = 0; same(k->pods[i]->uid, last->uid) && c < k->pods[i]->n_containers; c++) {
            k->scratch[n++] = &k->rows[k->first[i] + c];
        }
    }
    qsort(k->scratch, n, sizeof(struct row *), compare_names);
    for (size_t i = 0; i < n; i++) {
        const char *name = k->scratch[i]->c->name;

        if (kept == 0 || !name || !last->sandbox_id || !same(name, k->scratch[kept - 1]->c->name)) {
            k->scratch[kept++] = k->scratch[i];
        }
    }
    return kept;
}

/* Require the containers that the target's globs name among the first n of k->scratch; *matched
 * grows by them. A glob without a container is a finding, unless the target names no pod: then
 * another pod may have the container. */
static int check_named(struct checker *k, const struct target *target, const struct podpid_pod *pod,
                       size_t n, bool by_container_only, size_t *matched)
{
    for (size_t g = 0; g < target->n_containers; g++) {
        size_t hits = 0;

        for (size_t i = 0; i < n; i++) {
            int rc;

            if (!target_names(target, g, k->scratch[i]->c)) {
                continue;
            }
            hits++;
            rc = require(k, k->scratch[i], false);
            if (rc < 0) {
                return rc;
            }
        }
        *matched += hits;
        if (hits == 0 && !by_container_only) {
            int rc = add_finding(k, "%s/%s/%s: no such container in the pod",
                                 pod->namespace_ ? pod->namespace_ : "?",
                                 pod->name ? pod->name : "?", target->containers[g]);

            if (rc < 0) {
                return rc;
            }
        }
    }
    return 0;
}

static int check_pod(struct checker *k, const struct target *target, size_t from, size_t to,
                     const struct podpid_pod *pod, size_t *matched)
{
    const struct podpid_selector *sel = &target->selector;
    bool by_container_only = !sel->namespace_ && !sel->pod && !sel->labels && !sel->uid;
    size_t n = collect_newest(k, from, to, pod);

    if (target->n_containers) {
        return check_named(k, target, pod, n, by_container_only, matched);
    }
    for (size_t i = 0; i < n; i++) {
        int rc = require(k, k->scratch[i], true);

        if (rc < 0) {
            return rc;
        }
    }
    *matched += n;
    return 0;
}

/* Whether no ready sandbox of the same pod follows before end: a pod is checked once. */
static bool is_last_ready(const struct checker *k, size_t i, size_t end)
{
    for (size_t j = i + 1; j < end; j++) {
        if (same(k->pods[j]->uid, k->pods[i]->uid) && is_ready(k, k->pods[j])) {
            return false;
        }
    }
    return true;
}

/* Findings about the target as a whole, once all pods were compared with it. */
static int check_counts(struct checker *k, const struct target *target, unsigned ready,
                        unsigned others, size_t matched)
{
    const char *more = "";

    if (ready < target->min_pods) {
        if (!podpid_snapshot_runtime(k->s)) {
            more = ": without a runtime no pod has a name";
        } else if (others) {
            more = arena_printf(k->a, ", and %u not ready", others);
        }
        return more ? add_finding(k, "%s: %u ready %s, expected at least %u%s", target->what, ready,
                                  plural(ready, "pod", "pods"), target->min_pods, more)
                    : err_nomem(k->err);
    }
    if (matched == 0) {
        return add_finding(k, "%s: no container matches", target->what);
    }
    return 0;
}

static int check_target(struct checker *k, const struct target *target)
{
    unsigned ready = 0, others = 0;
    size_t matched = 0;

    for (size_t i = 0; i < k->n_pods;) {
        size_t end = end_of_name(k, i), from = i;

        for (; i < end; i++) {
            int rc;

            if (!podpid_selector_matches_pod(&target->selector, k->pods[i])) {
                continue;
            }
            if (!is_ready(k, k->pods[i])) {
                others++;
                continue;
            }
            ready++;
            rc = is_last_ready(k, i, end) ? check_pod(k, target, from, end, k->pods[i], &matched)
                                          : 0;
            if (rc < 0) {
                return rc;
            }
        }
    }
    return check_counts(k, target, ready, others, matched);
}

/* ---- Pods of a manifest ---- */

static int compare_ids(const void *x, const void *y)
{
    return strcmp((*(struct row *const *)x)->c->id, (*(struct row *const *)y)->c->id);
}

/* NULL: the snapshot has no such container. */
static struct row *row_of_id(const struct checker *k, const char *id)
{
    struct podpid_container c = {.id = id};
    struct row key = {.c = &c}, *p = &key;
    struct row **hit =
        k->n_rows ? bsearch(&p, k->by_id, k->n_rows, sizeof(struct row *), compare_ids) : NULL;

    return hit ? *hit : NULL;
}

/* Whether the manifest's pod is this one, by the best of what both have: config hash, uid, name. */
static bool is_pod(const struct manifest_pod *m, const struct podpid_pod *p)
{
    if (m->config_hash) {
        return same(p->uid, m->config_hash) ||
               (p->config_hash && same(p->config_hash, m->config_hash));
    }
    if (m->uid && p->uid) {
        return same(p->uid, m->uid);
    }
    return p->name && same(p->name, m->name) && same(p->namespace_, m->namespace_);
}

/* The newest running container of that name in the manifest's pod; NULL: none. */
static struct row *running_now(const struct checker *k, const struct manifest_pod *m,
                               const char *name)
{
    struct row *best = NULL;

    for (size_t i = 0; name && i < k->n_pods; i++) {
        if (!is_pod(m, k->pods[i])) {
            continue;
        }
        for (size_t c = 0; c < k->pods[i]->n_containers; c++) {
            struct row *row = &k->rows[k->first[i] + c];

            if (row->c->state == PODPID_STATE_RUNNING && same(row->c->name, name) &&
                (!best || is_newer(row->c, best->c))) {
                best = row;
            }
        }
    }
    return best;
}

static int check_manifest_container(struct checker *k, const struct manifest_pod *m,
                                    const struct manifest_container *c)
{
    const char *label =
        arena_printf(k->a, "%s/%s/%s", m->namespace_, m->name, c->name ? c->name : "?");
    struct row *row; /* of the id that the manifest gives */
    struct row *now; /* that runs under the same name */

    if (!label) {
        return err_nomem(k->err);
    }
    if (!c->id) {
        return add_finding(k, "%s: not started: %s has no containerID for it", label, m->file);
    }
    row = row_of_id(k, c->id);
    if (row && row->c->state == PODPID_STATE_RUNNING) {
        return require(k, row, false);
    }
    now = running_now(k, m, c->name);
    if (now && k->o->follow_restarts) {
        return require(k, now, false);
    }
    if (now) {
        now->wanted = true;
        now->bad = true;
        return add_finding(k, "%s: restarted as %.12s: %s names %.12s", label, now->c->id, m->file,
                           c->id);
    }
    if (row) {
        return require(k, row, false);
    }
    return add_finding(k, "%s: absent: no container %.12s here", label, c->id);
}

/* Whether the snapshot has neither the pod nor any of its container ids: it may be another node's.
 * False for a pod of which the manifest has no id, which has not started. */
static bool is_absent(const struct checker *k, const struct manifest_pod *m)
{
    size_t with_id = 0;

    for (size_t i = 0; i < m->n_containers; i++) {
        with_id += m->containers[i].id ? 1 : 0;
        if (m->containers[i].id && row_of_id(k, m->containers[i].id)) {
            return false;
        }
    }
    for (size_t i = 0; i < k->n_pods; i++) {
        if (is_pod(m, k->pods[i])) {
            return false;
        }
    }
    return with_id > 0;
}

static int check_manifest_pod(struct checker *k, const struct manifest_pod *m)
{
    if (is_absent(k, m)) {
        return add_finding(k, "%s/%s: absent: none of its container ids is known here%s%s",
                           m->namespace_, m->name, m->node ? ", though it should be on " : "",
                           m->node ? m->node : ": is it a pod of another node?");
    }
    for (size_t i = 0; i < m->n_containers; i++) {
        int rc = check_manifest_container(k, m, &m->containers[i]);

        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

/* ---- The whole ---- */

static int compare_addresses(const void *x, const void *y)
{
    const void *a = *(const struct podpid_container *const *)x;
    const void *b = *(const struct podpid_container *const *)y;

    return a < b ? -1 : a > b;
}

bool targets_result_has(const struct targets_result *r, const struct podpid_container *c)
{
    return r->n_containers && bsearch(&c, r->containers, r->n_containers,
                                      sizeof(struct podpid_container *), compare_addresses);
}

static int collect_wanted(struct checker *k)
{
    struct targets_result *r = k->result;

    r->containers = arena_calloc(k->a, k->n_rows, sizeof(struct podpid_container *));
    if (!r->containers) {
        return err_nomem(k->err);
    }
    for (size_t i = 0; i < k->n_rows; i++) {
        if (k->rows[i].wanted) {
            r->containers[r->n_containers++] = k->rows[i].c;
            r->n_accepted += k->rows[i].bad ? 0 : 1;
        }
    }
    qsort(r->containers, r->n_containers, sizeof(struct podpid_container *), compare_addresses);
    return 0;
}

static int index_rows(struct checker *k)
{
    size_t n = 0;

    for (size_t i = 0; i < k->n_pods; i++) {
        n += k->pods[i]->n_containers;
    }
    k->n_rows = n;
    k->first = arena_calloc(k->a, k->n_pods, sizeof(size_t));
    k->rows = arena_calloc(k->a, n, sizeof(struct row));
    k->by_id = arena_calloc(k->a, n, sizeof(struct row *));
    k->scratch = arena_calloc(k->a, n, sizeof(struct row *));
    if (!k->first || !k->rows || !k->by_id || !k->scratch) {
        return err_nomem(k->err);
    }
    n = 0;
    for (size_t i = 0; i < k->n_pods; i++) {
        k->first[i] = n;
        for (size_t c = 0; c < k->pods[i]->n_containers; c++, n++) {
            k->rows[n].c = k->pods[i]->containers[c];
            k->by_id[n] = &k->rows[n];
        }
    }
    qsort(k->by_id, n, sizeof(struct row *), compare_ids);
    return 0;
}

int targets_check(const struct podpid_targets *t, const struct podpid_snapshot *s,
                  const struct targets_options *o, struct arena *a, struct targets_result *ret,
                  struct err *err)
{
    struct targets_result result = {0};
    struct checker k = {.t = t, .s = s, .o = o, .a = a, .result = &result, .err = err};
    int rc;

    k.pods = podpid_snapshot_pods(s, &k.n_pods);
    rc = index_rows(&k);
    for (size_t i = 0; rc == 0 && i < t->n_targets; i++) {
        rc = check_target(&k, &t->targets[i]);
    }
    for (size_t i = 0; rc == 0 && i < t->n_pods; i++) {
        rc = check_manifest_pod(&k, &t->pods[i]);
    }
    if (rc < 0) {
        return rc;
    }
    rc = collect_wanted(&k);
    if (rc == 0) {
        *ret = result;
    }
    return rc;
}
