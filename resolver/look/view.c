/* One view out of lists and statuses: which units are looked at, and what the runtime says of each.
 */
#include "resolver/look/impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Lists --------------------------------------------------------------------------------- */

static int compare_ids(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool look_is_listed(const struct podpid_look *k, const char *id)
{
    return view_find_container(&k->list, id) || view_find_pod(&k->list, id) ||
           (k->n_gone && bsearch(&id, k->gone, k->n_gone, sizeof(*k->gone), compare_ids));
}

/* The list that closes the first round may add units, and so may the one after the wait for strays,
 * a second later. Units that any other list adds came after the look: on a node where something
 * always starts, a look that took them all would never end. */
static bool is_welcome(const struct podpid_look *k, const char *id)
{
    return k->rounds == 0 || k->late_welcome || look_unit_find(&k->units, id);
}

/* The unit of a row of the newest list, marked as seen there. NULL: memory is out. */
static struct look_unit *seen_unit(struct podpid_look *k, const char *id)
{
    struct look_unit *lu = look_unit_add(&k->units, &k->arena, id);

    if (lu) {
        lu->seen = true;
    }
    return lu;
}

/* The newest list contradicts the status that came before it: ask for the status again. */
static void contradict(struct look_unit *lu)
{
    lu->contradicted = true;
    lu->open = lu->open || lu->tries < LOOK_TRIES;
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
        struct look_unit *lu;

        if (!is_welcome(k, now->id)) {
            continue;
        }
        lu = seen_unit(k, now->id);
        if (!lu) {
            return -ENOMEM;
        }
        merged->containers[merged->n_containers++] =
            before && before->status != VIEW_STATUS_NONE ? *before : *now;
        if (before && before->status == VIEW_STATUS_OK && before->state != now->state) {
            contradict(lu);
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
        struct look_unit *lu;

        if (!is_welcome(k, now->id)) {
            continue;
        }
        lu = seen_unit(k, now->id);
        if (!lu) {
            return -ENOMEM;
        }
        *row = before && before->status != VIEW_STATUS_NONE ? *before : *now;
        merged->n_pods++;
        if (before && before->ready != now->ready) {
            row->ready = now->ready;
            contradict(lu);
        }
    }
    return 0;
}

/* Units that the newest list does not have. */
static int drop_unseen(struct podpid_look *k)
{
    size_t kept = 0;

    for (size_t i = 0; i < k->units.n; i++) {
        struct look_unit *lu = k->units.items[i];

        if (lu->seen) {
            k->units.items[kept++] = lu;
        } else if (ARENA_APPEND(&k->arena, k->gone, k->n_gone, k->cap_gone, lu->id) < 0) {
            return -ENOMEM;
        }
    }
    k->units.n = kept;
    if (k->n_gone) {
        qsort(k->gone, k->n_gone, sizeof(*k->gone), compare_ids);
    }
    return 0;
}

int look_merge_list(struct podpid_look *k)
{
    struct view merged = {.warnings = k->list.warnings, .n_warnings = k->list.n_warnings};
    int rc;

    for (size_t i = 0; i < k->units.n; i++) {
        k->units.items[i]->seen = false;
        k->units.items[i]->contradicted = false;
    }
    rc = merge_containers(k, &merged);
    if (rc < 0) {
        return rc;
    }
    rc = merge_pods(k, &merged);
    if (rc < 0) {
        return rc;
    }
    rc = drop_unseen(k);
    if (rc < 0) {
        return rc;
    }
    view_sort(&merged);
    k->view = merged;
    k->late_welcome = false;
    return 0;
}

/* ---- Statuses ------------------------------------------------------------------------------ */

/* A sandbox that is not ready has no process to ask for. Docker's is asked all the same
 * (as_container): whether its containers belong to a pod depends on whether its own claim holds. */
bool look_is_asked(const struct view_pod *pod)
{
    return pod->ready || pod->as_container;
}

void look_take_container(struct podpid_look *k, const struct client_reply *r)
{
    struct view_container *row = view_find_container(&k->view, r->container.id);
    const struct view_container *from = &r->container;

    if (!row) {
        return;
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
}

void look_take_pod(struct podpid_look *k, const struct client_reply *r)
{
    struct view_pod *row = view_find_pod(&k->view, r->pod.id);
    const struct view_pod *from = &r->pod;

    if (!row) {
        return;
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
}

void look_fail_status(const struct view *v, const char *id, const char *why)
{
    struct view_container *c = view_find_container(v, id);
    struct view_pod *p = view_find_pod(v, id);

    if (c && c->status == VIEW_STATUS_NONE) {
        c->status = VIEW_STATUS_FAILED;
        c->error = why;
    }
    if (p && p->status == VIEW_STATUS_NONE && look_is_asked(p)) {
        p->status = VIEW_STATUS_FAILED;
        p->error = why;
    }
}
