#include "resolver/join/rows.h"
#include "resolver/look/impl.h"
#include "resolver/look/whois.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The document -------------------------------------------------------------------------- */

static int compare_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

static int by_time(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int by_name(const void *pa, const void *pb)
{
    const struct podpid_pod *a = *(const struct podpid_pod *const *)pa;
    const struct podpid_pod *b = *(const struct podpid_pod *const *)pb;
    int c = compare_text(a->namespace_, b->namespace_);

    c = c ? c : compare_text(a->name, b->name);
    c = c ? c : by_time(a->created_at, b->created_at);
    c = c ? c : compare_text(a->uid, b->uid);
    return c ? c : compare_text(a->sandbox_id, b->sandbox_id);
}

static int by_creation(const void *pa, const void *pb)
{
    const struct podpid_container *a = *(const struct podpid_container *const *)pa;
    const struct podpid_container *b = *(const struct podpid_container *const *)pb;
    int c = by_time(a->created_at, b->created_at);

    return c ? c : strcmp(a->id, b->id);
}

/* A container of the pod with that sandbox, by pod, for the filling of the pods' arrays. */
struct placed {
    const char *sandbox; /* "" for the pod-less group */
    struct podpid_container *row;
};

static int by_sandbox(const void *pa, const void *pb)
{
    const struct placed *a = pa, *b = pb;
    int c = strcmp(a->sandbox, b->sandbox);

    if (c == 0) {
        c = by_creation(&a->row, &b->row);
    }
    return c;
}

static size_t place_containers(const struct podpid_look *k, struct placed *placed)
{
    size_t n = 0;

    for (size_t i = 0; i < k->settled.n_containers; i++) {
        const struct view_container *c = &k->settled.containers[i];
        const struct track *t = look_track(k, c->id);
        const struct track *pod = c->sandbox_id ? look_track(k, c->sandbox_id) : NULL;

        if (t && t->row) {
            placed[n++] = (struct placed){pod && pod->pod_row ? c->sandbox_id : "", t->row};
        }
    }
    if (n) {
        qsort(placed, n, sizeof(*placed), by_sandbox);
    }
    return n;
}

static int give_containers(struct podpid_pod *pod, const struct placed *placed, size_t n,
                           struct arena *a)
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

static int build_pods(struct podpid_look *k)
{
    struct podpid_snapshot *s = k->snapshot;
    struct placed *placed = arena_calloc(&k->judge_arena, k->settled.n_containers, sizeof(*placed));
    size_t n, end, i = 0, named;

    s->pods = arena_calloc(&s->arena, k->settled.n_pods + 1, sizeof(*s->pods));
    if (!placed || !s->pods) {
        return -ENOMEM;
    }
    n = place_containers(k, placed);
    for (end = 0; end < n && !*placed[end].sandbox; end++) {
    }
    /* The sandboxes ascend by id, and so do the placed containers behind the pod-less ones. */
    for (size_t p = 0, at = end; p < k->settled.n_pods; p++) {
        const struct track *t = look_track(k, k->settled.pods[p].id);
        size_t from = at;

        while (at < n && strcmp(placed[at].sandbox, k->settled.pods[p].id) == 0) {
            at++;
        }
        if (!t || !t->pod_row) {
            continue;
        }
        if (give_containers(t->pod_row, placed + from, at - from, &s->arena) < 0) {
            return -ENOMEM;
        }
        if (!k->has_runtime) {
            t->pod_row->sandbox_id = NULL;
            t->pod_row->sandbox_verdict = 0;
            t->pod_row->sandbox_reason = NULL;
        }
        s->pods[i++] = t->pod_row;
    }
    named = i;
    if (named) {
        qsort(s->pods, named, sizeof(*s->pods), by_name);
    }
    if (end) {
        struct podpid_pod *loose = arena_alloc(&s->arena, sizeof(*loose));

        if (!loose || give_containers(loose, placed, end, &s->arena) < 0) {
            return -ENOMEM;
        }
        loose->ready = true;
        s->pods[i++] = loose;
    }
    s->n_pods = i;
    return 0;
}

static bool is_confirmed(const struct podpid_look *k, const struct other_cgroup *o)
{
    const char *uid = o->facts->pod_uid ? o->facts->pod_uid : "";

    for (size_t i = 0; i < k->n_candidates; i++) {
        if (look_is_old_stray(k, &k->candidates[i]) &&
            strcmp(k->candidates[i].container_id, o->facts->container_id) == 0 &&
            strcmp(k->candidates[i].pod_uid, uid) == 0) {
            return true;
        }
    }
    return false;
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
        struct podpid_stray *stray = NULL;
        struct podpid_foreign *foreign = NULL;

        if (k->has_runtime && other_is_stray(o, &k->runtime)) {
            if (!is_confirmed(k, o)) {
                continue;
            }
            if (row_stray(
                    &k->input, o,
                    o->facts->pod_uid
                        ? "a pod's container cgroup with live processes that the runtime does not "
                          "list"
                        : "a container cgroup by the runtime's own name that it does not list",
                    &s->arena, &stray) < 0) {
                return -ENOMEM;
            }
            s->strays[s->n_strays++] = stray;
        } else if (row_foreign(o, &s->arena, &foreign) < 0) {
            return -ENOMEM;
        } else {
            s->foreign[s->n_foreign++] = foreign;
        }
    }
    return 0;
}

/* ---- Warnings ------------------------------------------------------------------------------ */

static int add_warning(struct podpid_snapshot *s, size_t *cap, char *text)
{
    if (!text || arena_grow(&s->arena, (void **)&s->warnings, s->n_warnings, cap,
                            sizeof(*s->warnings)) < 0) {
        return -ENOMEM;
    }
    s->warnings[s->n_warnings++] = text;
    return 0;
}

static int add_warnings(struct podpid_snapshot *s, size_t *cap, const char *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (add_warning(s, cap, arena_strdup(&s->arena, texts[i])) < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

static int warn_of_impostors(struct podpid_look *k, size_t *cap)
{
    for (size_t i = 0; i < k->members.n_others; i++) {
        const struct other_cgroup *o = &k->members.others[i];

        if (o->impostor &&
            add_warning(
                k->snapshot, cap,
                arena_printf(
                    &k->snapshot->arena,
                    "cgroup %s carries the id of container %.12s but is not the one that the "
                    "runtime made for it; its %u processes are not the container's",
                    o->path, o->facts->container_id, o->n_procs)) < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

static int warn_of_survivors(struct podpid_look *k, size_t *cap)
{
    for (size_t i = 0; i < k->n_tracks; i++) {
        const struct podpid_container *c = k->tracks[i]->row;

        if (c && c->verdict == PODPID_VERDICT_EXITED && c->n_processes &&
            add_warning(k->snapshot, cap,
                        arena_printf(&k->snapshot->arena,
                                     "container %.12s has exited, but %zu of its processes live on",
                                     c->id, c->n_processes)) < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

static int warn_of_wrong_socket(struct podpid_look *k, size_t *cap)
{
    size_t in_pods = 0;

    if (!k->has_runtime || k->view.n_containers) {
        return 0;
    }
    for (size_t i = 0; i < k->snapshot->n_strays; i++) {
        in_pods += k->snapshot->strays[i]->pod_uid != NULL;
    }
    if (!in_pods) {
        return 0;
    }
    return add_warning(
        k->snapshot, cap,
        arena_printf(&k->snapshot->arena,
                     "the runtime lists no container, but %zu container cgroups of pods hold "
                     "processes: this is probably the wrong socket",
                     in_pods));
}

static int warn_of_others(struct podpid_look *k, size_t *cap)
{
    for (unsigned i = 0; i < k->n_others; i++) {
        char where[128];

        if (!k->others[i].client || !k->others[i].has_pods) {
            continue;
        }
        endpoint_format(&k->discovered.others[i], where, sizeof(where));
        if (add_warning(
                k->snapshot, cap,
                arena_printf(&k->snapshot->arena,
                             "another runtime answers with pods at %s; name the one you mean with "
                             "--runtime-endpoint",
                             where)) < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

static int build_warnings(struct podpid_look *k)
{
    struct podpid_snapshot *s = k->snapshot;
    size_t cap = 0;

    if (add_warnings(s, &cap, k->node.warnings, k->node.n_warnings) < 0 ||
        add_warnings(s, &cap, k->discovered.warnings, k->discovered.n_warnings) < 0 ||
        add_warnings(s, &cap, k->settled.warnings, k->settled.n_warnings) < 0 ||
        add_warnings(s, &cap, k->members.warnings.items, k->members.warnings.n) < 0 ||
        warn_of_impostors(k, &cap) < 0 || warn_of_survivors(k, &cap) < 0 ||
        warn_of_wrong_socket(k, &cap) < 0 || warn_of_others(k, &cap) < 0) {
        return -ENOMEM;
    }
    if (k->runtime_elsewhere) {
        return add_warning(
            s, &cap,
            arena_strdup(&s->arena,
                         "the runtime is outside the PID namespace of this /proc: its PIDs mean "
                         "nothing here; run in the host's PID namespace, or give the host's /proc "
                         "with --proc"));
    }
    return 0;
}

/* ---- All of it ----------------------------------------------------------------------------- */

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
    char where[128];
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
    for (size_t i = 0; i < k->n_tracks; i++) {
        const struct track *t = k->tracks[i];

        if ((t->row && t->row->verdict == PODPID_VERDICT_ERROR) ||
            (t->pod_row && t->pod_row->sandbox_verdict == PODPID_VERDICT_ERROR)) {
            return false;
        }
    }
    return true;
}

int look_publish(struct podpid_look *k, nsec now)
{
    struct podpid_snapshot *s = k->snapshot;

    s->replay = k->is_replay;
    s->no_label_values = k->is_replay && !k->replay.has_label_values;
    s->taken_at = k->is_replay ? k->replay.taken_at : k->wall_started;
    s->took = now - k->started;
    s->complete = is_complete(k);
    if (build_node(k) < 0 || build_runtime(k) < 0 || build_pods(k) < 0 || build_findings(k) < 0 ||
        build_warnings(k) < 0) {
        return -ENOMEM;
    }
    if (k->options->want_processes && whois_keep(k) < 0) {
        return -ENOMEM;
    }
    k->phase = LOOK_DONE;
    return 0;
}
