/* The view that a scan alone gives: ids of containers and uids of pods, from the cgroups that hold
 * processes. Every container counts as running, without a reported PID. */
#include "resolver/look/impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A container cgroup: the id, and the uid of the pod that it is below ("": none). */
struct pair {
    const char *container, *pod;
};

static int compare_pairs(const void *pa, const void *pb)
{
    const struct pair *a = pa, *b = pb;
    int c = strcmp(a->container, b->container);

    return c ? c : strcmp(a->pod, b->pod);
}

/* A user can make cgroups of any name below user.slice: those are no containers of the node. */
static bool is_container_cgroup(const struct cgroup_facts *f)
{
    return f->container_id && !f->in_user_slice &&
           (f->kind == CGROUP_CONTAINER || f->kind == CGROUP_NESTED);
}

static int add_container(struct view *list, const struct pair *pair, struct arena *a)
{
    struct view_container *c = &list->containers[list->n_containers];
    const char *pod = *pair->pod ? pair->pod : NULL;

    *c = (struct view_container){.id = arena_strdup(a, pair->container),
                                 .sandbox_id = arena_strdup(a, pod),
                                 .state = VIEW_RUNNING,
                                 .status = VIEW_STATUS_OK};
    if (!c->id || (pod && !c->sandbox_id)) {
        return -ENOMEM;
    }
    list->n_containers++;
    return 0;
}

/* One id below several pods: all but one of these cgroups are forged. */
static void refuse_to_choose(struct view_container *c)
{
    c->status = VIEW_STATUS_FAILED;
    c->error = "cgroups of this id are in several pods, and without the runtime nothing tells "
               "which one is it";
}

static int add_containers(struct view *list, const struct pair *pairs, size_t n, struct arena *a)
{
    for (size_t i = 0; i < n; i++) {
        if (i && strcmp(pairs[i - 1].container, pairs[i].container) == 0) {
            if (strcmp(pairs[i - 1].pod, pairs[i].pod) != 0) {
                refuse_to_choose(&list->containers[list->n_containers - 1]);
            }
        } else if (add_container(list, &pairs[i], a) < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

/* One pod for each uid that a container has. */
static void add_pods(struct view *list)
{
    size_t n = 0;

    for (size_t i = 0; i < list->n_containers; i++) {
        const char *uid = list->containers[i].sandbox_id;

        if (uid) {
            list->pods[list->n_pods++] =
                (struct view_pod){.id = uid, .uid = uid, .ready = true, .status = VIEW_STATUS_OK};
        }
    }
    view_sort(list);
    for (size_t i = 0; i < list->n_pods; i++) {
        if (n == 0 || strcmp(list->pods[n - 1].id, list->pods[i].id) != 0) {
            list->pods[n++] = list->pods[i];
        }
    }
    list->n_pods = n;
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

        if (is_container_cgroup(f)) {
            pairs[n++] = (struct pair){f->container_id, f->pod_uid ? f->pod_uid : ""};
        }
    }
    if (n) {
        qsort(pairs, n, sizeof(*pairs), compare_pairs);
    }
    if (add_containers(&list, pairs, n, &k->arena) < 0) {
        return -ENOMEM;
    }
    add_pods(&list);
    k->list = list;
    k->view = list;
    return 0;
}
