/* The snapshot: the rows of the last judgement, put together. */
#include "resolver/look/impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/join/rows.h"
#include "resolver/look/whois.h"

/* ---- Pods and containers ------------------------------------------------------------------- */

static int compare_texts(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

static int compare_times(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

/* The order of pods in the document: by name, then oldest first. */
static int compare_pods(const void *pa, const void *pb)
{
    const struct podpid_pod *a = *(const struct podpid_pod *const *)pa;
    const struct podpid_pod *b = *(const struct podpid_pod *const *)pb;
    int c = compare_texts(a->namespace_, b->namespace_);

    c = c ? c : compare_texts(a->name, b->name);
    c = c ? c : compare_times(a->created_at, b->created_at);
    c = c ? c : compare_texts(a->uid, b->uid);
    return c ? c : compare_texts(a->sandbox_id, b->sandbox_id);
}

/* A container's row and the sandbox whose pod it goes into ("": the group without a pod). */
struct placed {
    const char *sandbox;
    struct podpid_container *row;
};

/* By sandbox, and within a pod oldest first. */
static int compare_placed(const void *pa, const void *pb)
{
    const struct placed *a = pa, *b = pb;
    int c = strcmp(a->sandbox, b->sandbox);

    c = c ? c : compare_times(a->row->created_at, b->row->created_at);
    return c ? c : strcmp(a->row->id, b->row->id);
}

static struct podpid_pod *pod_row_of(const struct podpid_look *k, const char *sandbox_id)
{
    const struct look_unit *lu = sandbox_id ? look_unit_find(&k->units, sandbox_id) : NULL;

    return lu ? lu->pod_row : NULL;
}

/* All containers that have a row, in order; placed has room for all of the view's. */
static size_t place_containers(const struct podpid_look *k, struct placed *placed)
{
    size_t n = 0;

    for (size_t i = 0; i < k->settled.n_containers; i++) {
        const struct view_container *c = &k->settled.containers[i];
        const struct look_unit *lu = look_unit_find(&k->units, c->id);

        if (lu && lu->row) {
            placed[n++] =
                (struct placed){pod_row_of(k, c->sandbox_id) ? c->sandbox_id : "", lu->row};
        }
    }
    if (n) {
        qsort(placed, n, sizeof(*placed), compare_placed);
    }
    return n;
}

static int fill_pod(struct podpid_pod *pod, const struct placed *placed, size_t n, struct arena *a)
{
    const struct podpid_container **rows = arena_calloc(a, n, sizeof(*rows));

    if (!rows) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        placed[i].row->pod = pod;
        rows[i] = placed[i].row;
    }
    pod->containers = rows;
    pod->n_containers = n;
    return 0;
}

/* Containers without a pod sit in one group behind the pods. */
static int add_podless_group(struct podpid_snapshot *s, const struct placed *placed, size_t n)
{
    struct podpid_pod *group = arena_alloc(&s->arena, sizeof(*group));

    if (!group || fill_pod(group, placed, n, &s->arena) < 0) {
        return -ENOMEM;
    }
    group->ready = true;
    s->pods[s->n_pods++] = group;
    return 0;
}

/* Without a runtime a pod is known by its uid alone. */
static void forget_sandbox(struct podpid_pod *pod)
{
    pod->sandbox_id = NULL;
    pod->sandbox_verdict = 0;
    pod->sandbox_reason = NULL;
}

static int build_pods(struct podpid_look *k)
{
    struct podpid_snapshot *s = k->snapshot;
    struct placed *placed = arena_calloc(&k->judge_arena, k->settled.n_containers, sizeof(*placed));
    size_t n, podless = 0, at;

    s->pods = arena_calloc(&s->arena, k->settled.n_pods + 1, sizeof(*s->pods));
    if (!placed || !s->pods) {
        return -ENOMEM;
    }
    n = place_containers(k, placed);
    while (podless < n && !*placed[podless].sandbox) {
        podless++;
    }
    /* The view's pods ascend by id, and so do the placed containers behind the pod-less ones. */
    at = podless;
    for (size_t i = 0; i < k->settled.n_pods; i++) {
        const char *id = k->settled.pods[i].id;
        struct podpid_pod *pod = pod_row_of(k, id);
        size_t from = at;

        while (at < n && strcmp(placed[at].sandbox, id) == 0) {
            at++;
        }
        if (!pod) {
            continue;
        }
        if (fill_pod(pod, placed + from, at - from, &s->arena) < 0) {
            return -ENOMEM;
        }
        if (!k->has_runtime) {
            forget_sandbox(pod);
        }
        s->pods[s->n_pods++] = pod;
    }
    if (s->n_pods) {
        qsort(s->pods, s->n_pods, sizeof(*s->pods), compare_pods);
    }
    return podless ? add_podless_group(s, placed, podless) : 0;
}

/* ---- Strays and foreign containers --------------------------------------------------------- */

static int add_stray(struct podpid_snapshot *s, const struct verdict_input *in,
                     const struct other_cgroup *o)
{
    const char *reason =
        o->facts->pod_uid
            ? "a pod's container cgroup with live processes that the runtime does not list"
            : "a container cgroup by the runtime's own name that it does not list";
    struct podpid_stray *row;
    int rc = row_stray(in, o, reason, &s->arena, &row);

    if (rc < 0) {
        return rc;
    }
    s->strays[s->n_strays++] = row;
    return 0;
}

static int add_foreign(struct podpid_snapshot *s, const struct other_cgroup *o)
{
    struct podpid_foreign *row;
    int rc = row_foreign(o, &s->arena, &row);

    if (rc < 0) {
        return rc;
    }
    s->foreign[s->n_foreign++] = row;
    return 0;
}

static int build_findings(struct podpid_look *k)
{
    struct podpid_snapshot *s = k->snapshot;
    size_t n = k->members.n_others;

    s->strays = arena_calloc(&s->arena, n, sizeof(*s->strays));
    s->foreign = arena_calloc(&s->arena, n, sizeof(*s->foreign));
    if (!s->strays || !s->foreign) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        const struct other_cgroup *o = &k->members.others[i];
        int rc = 0;

        if (!k->has_runtime || !other_is_stray(o, &k->runtime)) {
            rc = add_foreign(s, o);
        } else if (look_is_confirmed_stray(k, o)) {
            rc = add_stray(s, &k->input, o);
        }
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

/* ---- The document ---------------------------------------------------------------------------- */

static int build_node(struct podpid_look *k)
{
    struct podpid_snapshot *s = k->snapshot;
    const struct podpid_node *n = &k->node.node;
    struct node_facts *facts = arena_alloc(&s->arena, sizeof(*facts));

    if (!facts) {
        return -ENOMEM;
    }
    s->node = *n;
    s->node.hostname = arena_strdup(&s->arena, n->hostname);
    s->node.boot_id = arena_strdup(&s->arena, n->boot_id);
    s->node.kernel = arena_strdup(&s->arena, n->kernel);
    s->node.cgroup_mode = arena_strdup(&s->arena, n->cgroup_mode);
    *facts = k->node;
    facts->node = s->node;
    facts->warnings = NULL;
    facts->n_warnings = 0;
    s->node_facts = facts;
    return 0;
}

static int build_runtime(struct podpid_look *k)
{
    struct podpid_runtime *runtime = NULL;
    char where[ENDPOINT_TEXT_SIZE];
    const char *endpoint = k->replay.endpoint;

    if (!k->has_runtime) {
        return 0;
    }
    if (!k->is_replay) {
        endpoint_format(&k->discovered.endpoint, where, sizeof(where));
        endpoint = where;
    }
    if (row_runtime(&k->runtime, endpoint, k->is_replay ? "capture" : k->discovered.chosen_by,
                    &k->snapshot->arena, &runtime) < 0) {
        return -ENOMEM;
    }
    k->snapshot->runtime = runtime;
    return 0;
}

static bool is_complete(const struct podpid_look *k)
{
    for (size_t i = 0; i < k->units.n; i++) {
        const struct look_unit *lu = k->units.items[i];

        if ((lu->row && lu->row->verdict == PODPID_VERDICT_ERROR) ||
            (lu->pod_row && lu->pod_row->sandbox_verdict == PODPID_VERDICT_ERROR)) {
            return false;
        }
    }
    return true;
}

int look_publish(struct podpid_look *k, nsec now)
{
    struct podpid_snapshot *s = k->snapshot;
    int rc;

    s->replay = k->is_replay;
    s->no_label_values = k->is_replay && !k->replay.has_label_values;
    s->taken_at = k->is_replay ? k->replay.taken_at : k->wall_started;
    s->took = now - k->started;
    s->complete = is_complete(k);
    rc = build_node(k);
    if (rc < 0) {
        return rc;
    }
    rc = build_runtime(k);
    if (rc < 0) {
        return rc;
    }
    rc = build_pods(k);
    if (rc < 0) {
        return rc;
    }
    rc = build_findings(k);
    if (rc < 0) {
        return rc;
    }
    rc = look_build_warnings(k);
    if (rc < 0) {
        return rc;
    }
    return k->options->want_processes ? whois_keep(k) : 0;
}
