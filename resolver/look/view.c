#include "resolver/look/impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Tracks, sorted by id ------------------------------------------------------------------ */

static size_t track_place(const struct podpid_look *k, const char *id, bool *ret_found)
{
    size_t lo = 0, hi = k->n_tracks;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strcmp(k->tracks[mid]->id, id);

        if (c == 0) {
            *ret_found = true;
            return mid;
        }
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    *ret_found = false;
    return lo;
}

struct track *look_track(const struct podpid_look *k, const char *id)
{
    bool found;
    size_t i = track_place(k, id, &found);

    return found ? k->tracks[i] : NULL;
}

struct track *look_track_add(struct podpid_look *k, const char *id, bool sandbox)
{
    bool found;
    size_t at = track_place(k, id, &found);
    struct track *t;

    if (found) {
        k->tracks[at]->sandbox = sandbox;
        return k->tracks[at];
    }
    t = arena_alloc(&k->arena, sizeof(*t));
    if (!t || arena_grow(&k->arena, (void **)&k->tracks, k->n_tracks, &k->cap_tracks,
                         sizeof(*k->tracks)) < 0) {
        return NULL;
    }
    *t = (struct track){.id = id, .sandbox = sandbox, .open = true};
    memmove(&k->tracks[at + 1], &k->tracks[at], (k->n_tracks - at) * sizeof(*k->tracks));
    k->tracks[at] = t;
    k->n_tracks++;
    return t;
}

/* ---- Lists --------------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool look_is_listed(const struct podpid_look *k, const char *id)
{
    return view_find_container(&k->list, id) || view_find_pod(&k->list, id) ||
           (k->n_gone && bsearch(&id, k->gone, k->n_gone, sizeof(*k->gone), by_id));
}

static int note_gone(struct podpid_look *k, const char *id)
{
    if (arena_grow(&k->arena, (void **)&k->gone, k->n_gone, &k->cap_gone, sizeof(*k->gone)) < 0) {
        return -ENOMEM;
    }
    k->gone[k->n_gone++] = id;
    return 0;
}

/* The list that closes the first round may bring newcomers, and so may the one after the wait for
 * strays, a second later; what another one brings came after the look. Else a node where something
 * always starts would never be done. */
static bool is_welcome(const struct podpid_look *k, const char *id)
{
    return k->rounds == 0 || k->late_welcome || look_track(k, id);
}

/* A status that contradicts the list that came after it is asked for again. */
static void contradict(struct track *t)
{
    t->contradicted = true;
    t->open = t->open || t->tries < LOOK_TRIES;
}

static int merge_containers(struct podpid_look *k, struct view *merged)
{
    const struct view *list = &k->list;

    merged->containers = arena_calloc(&k->arena, list->n_containers, sizeof(*merged->containers));
    if (!merged->containers) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < list->n_containers; i++) {
        const struct view_container *now = &list->containers[i];
        const struct view_container *before = view_find_container(&k->view, now->id);
        struct track *t;

        if (!is_welcome(k, now->id)) {
            continue;
        }
        t = look_track_add(k, now->id, false);
        if (!t) {
            return -ENOMEM;
        }
        t->seen = true;
        merged->containers[merged->n_containers++] =
            before && before->status != VIEW_STATUS_NONE ? *before : *now;
        if (before && before->status == VIEW_STATUS_OK && before->state != now->state) {
            contradict(t);
        }
    }
    return 0;
}

static int merge_pods(struct podpid_look *k, struct view *merged)
{
    const struct view *list = &k->list;

    merged->pods = arena_calloc(&k->arena, list->n_pods, sizeof(*merged->pods));
    if (!merged->pods) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < list->n_pods; i++) {
        const struct view_pod *now = &list->pods[i];
        const struct view_pod *before = view_find_pod(&k->view, now->id);
        struct view_pod *row = &merged->pods[merged->n_pods];
        struct track *t;

        if (!is_welcome(k, now->id)) {
            continue;
        }
        t = look_track_add(k, now->id, true);
        if (!t) {
            return -ENOMEM;
        }
        t->seen = true;
        *row = before && before->status != VIEW_STATUS_NONE ? *before : *now;
        merged->n_pods++;
        if (before && before->ready != now->ready) {
            row->ready = now->ready;
            contradict(t);
        }
    }
    return 0;
}

int look_merge_list(struct podpid_look *k)
{
    struct view merged = {.warnings = k->list.warnings, .n_warnings = k->list.n_warnings};
    size_t kept = 0;

    for (size_t i = 0; i < k->n_tracks; i++) {
        k->tracks[i]->seen = false;
        k->tracks[i]->contradicted = false;
    }
    if (merge_containers(k, &merged) < 0 || merge_pods(k, &merged) < 0) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < k->n_tracks; i++) {
        if (k->tracks[i]->seen) {
            k->tracks[kept++] = k->tracks[i];
        } else if (note_gone(k, k->tracks[i]->id) < 0) {
            return -ENOMEM;
        }
    }
    k->n_tracks = kept;
    if (k->n_gone) {
        qsort(k->gone, k->n_gone, sizeof(*k->gone), by_id);
    }
    view_sort(&merged);
    k->view = merged;
    k->late_welcome = false;
    return 0;
}

/* ---- Statuses ------------------------------------------------------------------------------ */

int look_take_container(struct podpid_look *k, const struct client_reply *r)
{
    struct view_container *row = view_find_container(&k->view, r->container.id);
    const struct view_container *from = &r->container;

    if (!row) {
        return 0;
    }
    row->status = from->status;
    row->error = from->error;
    if (from->status == VIEW_STATUS_OK) {
        row->state = from->state;
        row->created_at = from->created_at ? from->created_at : row->created_at;
        row->started_at = from->started_at;
        row->finished_at = from->finished_at;
        row->exit_code = from->exit_code;
        row->pid = from->pid;
        row->image = from->image ? from->image : row->image;
        row->cgroups_path = from->cgroups_path;
        row->runtime_type = from->runtime_type;
        row->docker = from->docker;
    }
    return 0;
}

int look_take_pod(struct podpid_look *k, const struct client_reply *r)
{
    struct view_pod *row = view_find_pod(&k->view, r->pod.id);
    const struct view_pod *from = &r->pod;

    if (!row) {
        return 0;
    }
    row->status = from->status;
    row->error = from->error;
    if (from->status == VIEW_STATUS_OK) {
        row->ready = from->ready;
        row->created_at = from->created_at ? from->created_at : row->created_at;
        row->pid = from->pid;
        row->cgroup_parent = from->cgroup_parent;
        row->cgroups_path = from->cgroups_path;
        row->runtime_type = from->runtime_type;
        row->as_container = from->as_container;
        row->config_hash = from->config_hash ? from->config_hash : row->config_hash;
        row->runtime_handler = from->runtime_handler ? from->runtime_handler : row->runtime_handler;
    }
    return 0;
}

/* ---- Without a runtime --------------------------------------------------------------------- */

struct pair {
    const char *container, *pod;
};

static int by_pair(const void *pa, const void *pb)
{
    const struct pair *a = pa, *b = pb;
    int c = strcmp(a->container, b->container);

    return c ? c : strcmp(a->pod ? a->pod : "", b->pod ? b->pod : "");
}

int look_view_of_scan(struct podpid_look *k)
{
    const struct ptable *t = k->table;
    struct pair *pairs = arena_calloc(&k->arena, t->n_cgroups, sizeof(*pairs));
    struct view list = {0};
    size_t n = 0;

    list.containers = arena_calloc(&k->arena, t->n_cgroups, sizeof(*list.containers));
    list.pods = arena_calloc(&k->arena, t->n_cgroups, sizeof(*list.pods));
    if (!pairs || !list.containers || !list.pods) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < t->n_cgroups; i++) {
        const struct cgroup_facts *f = &t->cgroups[i].facts;

        if (f->container_id && !f->in_user_slice &&
            (f->kind == CGROUP_CONTAINER || f->kind == CGROUP_NESTED)) {
            pairs[n++] = (struct pair){f->container_id, f->pod_uid};
        }
    }
    if (n) {
        qsort(pairs, n, sizeof(*pairs), by_pair);
    }
    for (size_t i = 0; i < n; i++) {
        struct view_container *c = &list.containers[list.n_containers];

        /* One id at several places: all but one of them are forged, and nothing tells which. */
        if (list.n_containers && strcmp(c[-1].id, pairs[i].container) == 0) {
            if (strcmp(c[-1].sandbox_id ? c[-1].sandbox_id : "",
                       pairs[i].pod ? pairs[i].pod : "") != 0) {
                c[-1].status = VIEW_STATUS_FAILED;
                c[-1].error = "cgroups of this id are in several pods, and without the runtime "
                              "nothing tells which one is it";
            }
            continue;
        }
        *c = (struct view_container){.id = arena_strdup(&k->arena, pairs[i].container),
                                     .sandbox_id = arena_strdup(&k->arena, pairs[i].pod),
                                     .state = VIEW_RUNNING,
                                     .status = VIEW_STATUS_OK};
        if (!c->id || (pairs[i].pod && !c->sandbox_id)) {
            return -ENOMEM;
        }
        list.n_containers++;
    }
    for (size_t i = 0; i < list.n_containers; i++) {
        const char *uid = list.containers[i].sandbox_id;

        if (uid) {
            list.pods[list.n_pods++] =
                (struct view_pod){.id = uid, .uid = uid, .ready = true, .status = VIEW_STATUS_OK};
        }
    }
    view_sort(&list);
    n = 0;
    for (size_t i = 0; i < list.n_pods; i++) {
        if (n == 0 || strcmp(list.pods[n - 1].id, list.pods[i].id) != 0) {
            list.pods[n++] = list.pods[i];
        }
    }
    list.n_pods = n;
    k->list = list;
    k->view = list;
    return look_merge_list(k);
}
