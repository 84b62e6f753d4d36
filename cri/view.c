#include "cri/view.h"

#include <stdlib.h>
#include <string.h>

#include "cri/base/text.h"

static const char *const state_names[] = {
    [VIEW_CREATED] = "created",
    [VIEW_RUNNING] = "running",
    [VIEW_EXITED] = "exited",
    [VIEW_UNKNOWN] = "unknown",
};

/* For pods and containers: the first member of both is the id. */
static int by_id(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int id_is(const void *key, const void *row)
{
    return strcmp(key, *(const char *const *)row);
}

_Static_assert(offsetof(struct view_pod, id) == 0, "by_id reads the first member");
_Static_assert(offsetof(struct view_container, id) == 0, "by_id reads the first member");

void view_sort(struct view *v)
{
    if (v->n_pods) {
        qsort(v->pods, v->n_pods, sizeof(*v->pods), by_id);
    }
    if (v->n_containers) {
        qsort(v->containers, v->n_containers, sizeof(*v->containers), by_id);
    }
}

struct view_pod *view_find_pod(const struct view *v, const char *id)
{
    if (!v->n_pods || !id) {
        return NULL;
    }
    return bsearch(id, v->pods, v->n_pods, sizeof(*v->pods), id_is);
}

struct view_container *view_find_container(const struct view *v, const char *id)
{
    if (!v->n_containers || !id) {
        return NULL;
    }
    return bsearch(id, v->containers, v->n_containers, sizeof(*v->containers), id_is);
}

const char *view_state_name(enum view_state s)
{
    return state_names[s];
}

bool view_state_parse(const char *name, enum view_state *ret)
{
    for (size_t i = 0; i < N_ELEMENTS(state_names); i++) {
        if (strcmp(name, state_names[i]) == 0) {
            *ret = (enum view_state)i;
            return true;
        }
    }
    return false;
}

const char *view_label(const struct view_label *labels, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(labels[i].key, key) == 0) {
            return labels[i].value;
        }
    }
    return NULL;
}
