/* A part of a snapshot: the containers that a caller keeps, with their pods. */
#include <errno.h>
#include <stdlib.h>

#include "cri/base/cleanup.h"
#include "resolver/error.h"
#include "resolver/snapshot/snapshot.h"

struct selection {
    unsigned flags;
    bool (*keep)(void *context, const struct podpid_container *c);
    bool (*keep_pod)(void *context, const struct podpid_pod *p);
    void *context;
};

static bool is_kept(const struct selection *sel, const struct podpid_container *c)
{
    bool over = c->state == PODPID_STATE_CREATED || c->state == PODPID_STATE_EXITED;

    if (over && !(sel->flags & PODPID_SELECT_ALL_STATES)) {
        return false;
    }
    return !sel->keep || sel->keep(sel->context, c);
}

/* The pod with its kept containers; *ret NULL where it is left out. */
static int select_pod(const struct selection *sel, struct arena *a, const struct podpid_pod *pod,
                      const struct podpid_pod **ret)
{
    const struct podpid_container **kept =
        arena_calloc(a, pod->n_containers, sizeof(struct podpid_container *));
    struct podpid_pod *copy;
    size_t n = 0;

    *ret = NULL;
    if (!kept) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < pod->n_containers; i++) {
        if (is_kept(sel, pod->containers[i])) {
            kept[n++] = pod->containers[i];
        }
    }
    if (n == 0 && !(sel->keep_pod && sel->keep_pod(sel->context, pod))) {
        return 0;
    }
    copy = arena_alloc(a, sizeof(*copy));
    if (!copy) {
        return -ENOMEM;
    }
    *copy = *pod;
    copy->containers = kept;
    copy->n_containers = n;
    *ret = copy;
    return 0;
}

static size_t count_errors(const struct podpid_snapshot *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_pods; i++) {
        n += s->pods[i]->sandbox_verdict == PODPID_VERDICT_ERROR;
        for (size_t k = 0; k < s->pods[i]->n_containers; k++) {
            n += s->pods[i]->containers[k]->verdict == PODPID_VERDICT_ERROR;
        }
    }
    return n;
}

static int select_rows(const struct podpid_snapshot *s, const struct selection *sel,
                       struct podpid_snapshot *to)
{
    to->pods = arena_calloc(&to->arena, s->n_pods, sizeof(struct podpid_pod *));
    if (!to->pods) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < s->n_pods; i++) {
        const struct podpid_pod *pod;
        int rc = select_pod(sel, &to->arena, s->pods[i], &pod);

        if (rc < 0) {
            return rc;
        }
        if (pod) {
            to->pods[to->n_pods++] = pod;
        }
    }
    /* What is missing of rows that are left out is nobody's concern here. */
    to->complete = s->complete || (count_errors(s) > 0 && count_errors(to) == 0);
    return 0;
}

static struct podpid_snapshot *like(const struct podpid_snapshot *s, bool findings)
{
    struct podpid_snapshot *to = calloc(1, sizeof(*to));

    if (!to) {
        return NULL;
    }
    to->taken_at = s->taken_at;
    to->took = s->took;
    to->node = s->node;
    to->runtime = s->runtime;
    to->warnings = s->warnings;
    to->n_warnings = s->n_warnings;
    to->node_facts = s->node_facts;
    to->replay = s->replay;
    if (findings) {
        to->strays = s->strays;
        to->n_strays = s->n_strays;
        to->foreign = s->foreign;
        to->n_foreign = s->n_foreign;
    }
    return to;
}

static void free_snapshot(struct podpid_snapshot **s)
{
    podpid_snapshot_free(*s);
}

int podpid_snapshot_select(const struct podpid_snapshot *s, unsigned flags,
                           bool (*keep)(void *context, const struct podpid_container *c),
                           bool (*keep_pod)(void *context, const struct podpid_pod *p),
                           void *context, struct podpid_snapshot **ret, struct podpid_error *error)
{
    const struct selection sel = {flags, keep, keep_pod, context};
    CLEANUP(free_snapshot)
    struct podpid_snapshot *to = like(s, !(flags & PODPID_SELECT_NO_FINDINGS));
    struct err err = {0};

    if (!to || select_rows(s, &sel, to) < 0) {
        err_nomem(&err);
        return error_publish(&err, error);
    }
    *ret = TAKE_PTR(to);
    return PODPID_OK;
}
