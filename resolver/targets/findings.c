/* Targets held against a snapshot. Pure. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/snapshot/snapshot.h"
#include "resolver/targets/targets.h"

/* A container of the snapshot and what was found about it. */
struct row {
    const struct podpid_container *c;
    bool wanted; /* some target names it */
    bool bad;    /* and a finding names it */
};

struct checker {
    const struct podpid_targets *t;
    const struct podpid_snapshot *s;
    const struct targets_options *o;
    struct arena *a;
    struct targets_result *result;
    const struct podpid_pod *const *pods;
    size_t n_pods;
    size_t *first;      /* of each pod: index in rows of its first container */
    struct row *rows;   /* in the snapshot's order */
    struct row **by_id; /* sorted */
    size_t n_rows;
    struct row **scratch; /* room for n_rows */
    struct err *err;
};

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static int find(struct checker *k, const char *text)
{
    struct targets_result *r = k->result;
    void *items = r->findings;

    if (!text || arena_grow(k->a, &items, r->n_findings, &r->cap_findings, sizeof(char *)) < 0) {
        return err_nomem(k->err);
    }
    r->findings = items;
    r->findings[r->n_findings++] = text;
    return 0;
}

static int find_row(struct checker *k, struct row *row, const char *why)
{
    const char *label;

    if (row->bad) {
        return 0;
    }
    row->bad = true;
    label = container_label(k->a, row->c);
    return find(k, label ? arena_printf(k->a, "%s: %s", label, why) : NULL);
}

static bool is_accepted(const struct checker *k, const struct podpid_container *c)
{
    return c->verdict == PODPID_VERDICT_VERIFIED ||
           (c->verdict == PODPID_VERDICT_INFERRED && k->o->allow_inferred);
}

static const char *why_not(struct checker *k, const struct podpid_container *c)
{
    if (c->verdict == PODPID_VERDICT_EXITED && c->has_exit_code) {
        return arena_printf(k->a, "exited with status %d", c->exit_code);
    }
    if (c->reason && *c->reason) {
        return arena_printf(k->a, "%s: %s", podpid_verdict_name(c->verdict), c->reason);
    }
    return podpid_verdict_name(c->verdict);
}

/* A container that must be there. exited_is_fine: unless it ended well. */
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
    why = why_not(k, c);
    return why ? find_row(k, row, why) : err_nomem(k->err);
}

/* ---- Pods by what they are called ---- */

static bool is_newer(const struct podpid_container *a, const struct podpid_container *b)
{
    if (a->created_at && b->created_at && a->created_at != b->created_at) {
        return a->created_at > b->created_at;
    }
    return a->attempt > b->attempt;
}

/* By name, the newest first. */
static int by_name(const void *x, const void *y)
{
    const struct podpid_container *a = (*(struct row *const *)x)->c;
    const struct podpid_container *b = (*(struct row *const *)y)->c;
    int cmp = strcmp(a->name ? a->name : "", b->name ? b->name : "");

    if (cmp) {
        return cmp;
    }
    return is_newer(a, b) ? -1 : is_newer(b, a) ? 1 : strcmp(a->id, b->id);
}

/* Pods of one namespace and name stand next to each other: the end of those that begin at i. */
static size_t end_of_name(const struct checker *k, size_t i)
{
    size_t end = i + 1;

    while (end < k->n_pods && k->pods[i]->name && same(k->pods[end]->name, k->pods[i]->name) &&
           same(k->pods[end]->namespace_, k->pods[i]->namespace_)) {
        end++;
    }
    return end;
}

/* Without a runtime nobody says which sandboxes are ready; plain containers have none. */
static bool is_ready(const struct checker *k, const struct podpid_pod *p)
{
    return p->ready || !p->sandbox_id || !podpid_snapshot_runtime(k->s);
}

/* The newest attempt of each container name in all sandboxes of pod `last` among [from, to).
 * *ret_n of them in scratch. */
static void newest(struct checker *k, size_t from, size_t to, const struct podpid_pod *last,
                   size_t *ret_n)
{
    size_t n = 0, kept = 0;

    for (size_t i = from; i < to; i++) {
        for (size_t c = 0; same(k->pods[i]->uid, last->uid) && c < k->pods[i]->n_containers; c++) {
            k->scratch[n++] = &k->rows[k->first[i] + c];
        }
    }
    qsort(k->scratch, n, sizeof(struct row *), by_name);
    for (size_t i = 0; i < n; i++) {
        const char *name = k->scratch[i]->c->name;

        if (kept == 0 || !name || !last->sandbox_id || !same(name, k->scratch[kept - 1]->c->name)) {
            k->scratch[kept++] = k->scratch[i];
        }
    }
    *ret_n = kept;
}

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
            int rc = find(k, arena_printf(k->a, "%s/%s/%s: no such container in the pod",
                                          pod->namespace_ ? pod->namespace_ : "?",
                                          pod->name ? pod->name : "?", target->containers[g]));

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
    size_t n;

    newest(k, from, to, pod, &n);
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

static bool is_last_ready(const struct checker *k, size_t i, size_t end)
{
    for (size_t j = i + 1; j < end; j++) {
        if (same(k->pods[j]->uid, k->pods[i]->uid) && is_ready(k, k->pods[j])) {
            return false;
        }
    }
    return true;
}

static int missing(struct checker *k, const struct target *target, unsigned ready, unsigned others,
                   size_t matched)
{
    const char *more = "";

    if (ready < target->min_pods) {
        if (!podpid_snapshot_runtime(k->s)) {
            more = ": without a runtime no pod has a name";
        } else if (others) {
            more = arena_printf(k->a, ", and %u not ready", others);
        }
        return find(k, more ? arena_printf(k->a, "%s: %u ready %s, expected at least %u%s",
                                           target->what, ready, plural(ready, "pod", "pods"),
                                           target->min_pods, more)
                            : NULL);
    }
    if (matched == 0) {
        return find(k, arena_printf(k->a, "%s: no container matches", target->what));
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
    return missing(k, target, ready, others, matched);
}

/* ---- Pods of a manifest ---- */

static int by_id(const void *x, const void *y)
{
    return strcmp((*(struct row *const *)x)->c->id, (*(struct row *const *)y)->c->id);
}

static struct row *row_of_id(const struct checker *k, const char *id)
{
    struct podpid_container c = {.id = id};
    struct row key = {.c = &c}, *p = &key;
    struct row **hit =
        k->n_rows ? bsearch(&p, k->by_id, k->n_rows, sizeof(struct row *), by_id) : NULL;

    return hit ? *hit : NULL;
}

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

/* The running container of that name in the manifest's pod; NULL: none. */
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

static const char *manifest_label(struct checker *k, const struct manifest_pod *m,
                                  const struct manifest_container *c)
{
    return arena_printf(k->a, "%s/%s/%s", m->namespace_, m->name, c->name ? c->name : "?");
}

static int check_manifest_container(struct checker *k, const struct manifest_pod *m,
                                    const struct manifest_container *c)
{
    const char *label = manifest_label(k, m, c);
    struct row *row, *now;

    if (!label) {
        return err_nomem(k->err);
    }
    if (!c->id) {
        return find(
            k, arena_printf(k->a, "%s: not started: %s has no containerID for it", label, m->file));
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
        return find(k, arena_printf(k->a, "%s: restarted as %.12s: %s names %.12s", label,
                                    now->c->id, m->file, c->id));
    }
    if (row) {
        return require(k, row, false);
    }
    return find(k, arena_printf(k->a, "%s: absent: no container %.12s here", label, c->id));
}

/* A pod without spec.nodeName, none of whose ids is known: it may be another node's. */
static bool is_strange(const struct checker *k, const struct manifest_pod *m)
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
    if (is_strange(k, m)) {
        return find(k,
                    arena_printf(k->a, "%s/%s: absent: none of its container ids is known here%s%s",
                                 m->namespace_, m->name, m->node ? ", though it should be on " : "",
                                 m->node ? m->node : ": is it a pod of another node?"));
    }
    for (size_t i = 0; i < m->n_containers; i++) {
        int rc = check_manifest_container(k, m, &m->containers[i]);

        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

/* ---- All ---- */

static int by_address(const void *x, const void *y)
{
    const void *a = *(const struct podpid_container *const *)x;
    const void *b = *(const struct podpid_container *const *)y;

    return a < b ? -1 : a > b;
}

bool targets_result_has(const struct targets_result *r, const struct podpid_container *c)
{
    return r->n_containers && bsearch(&c, r->containers, r->n_containers,
                                      sizeof(struct podpid_container *), by_address);
}

static int collect(struct checker *k)
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
    qsort(r->containers, r->n_containers, sizeof(struct podpid_container *), by_address);
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
    qsort(k->by_id, n, sizeof(struct row *), by_id);
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
    if (rc == 0) {
        rc = collect(&k);
    }
    if (rc == 0) {
        *ret = result;
    }
    return rc;
}
