/* A part of a snapshot: the containers that a caller keeps, with their pods. */
#include <errno.h>
#include <stdlib.h>

#include "resolver/arguments.h"
#include "resolver/snapshot/snapshot.h"

struct selection {
    unsigned flags;
    bool (*keep)(void *context, const struct podpid_container *c);
    bool (*keep_pod)(void *context, const struct podpid_pod *p);
    void *context;
};

static bool is_kept(const struct selection *sel, const struct podpid_container *c)
{
    bool not_running = c->state == PODPID_STATE_CREATED || c->state == PODPID_STATE_EXITED;

    if (not_running && !(sel->flags & PODPID_SELECT_ALL_STATES)) {
        return false;
    }
    return !sel->keep || sel->keep(sel->context, c);
}

/* *ret: a copy of the pod with the containers that are kept; NULL: the pod is left out. 0 or
 * -ENOMEM. */
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
    /* Errors of rows that were left out do not make the result incomplete. */
    to->complete = s->complete || (count_errors(s) > 0 && count_errors(to) == 0);
    return 0;
}

/* An empty snapshot with the same head; it borrows everything from s. */
static struct podpid_snapshot *new_selection(const struct podpid_snapshot *s, bool with_findings)
{
    struct podpid_snapshot *to = calloc(1, sizeof(*to));

    if (!to) {
        return NULL;
    }
    to->origin = podpid_snapshot_ref(s);
    to->taken_at = s->taken_at;
    to->took = s->took;
    to->node = s->node;
    to->runtime = s->runtime;
    to->warnings = s->warnings;
    to->n_warnings = s->n_warnings;
    to->node_facts = s->node_facts;
    to->replay = s->replay;
    to->no_label_values = s->no_label_values;
    if (with_findings) {
        to->strays = s->strays;
        to->n_strays = s->n_strays;
        to->foreign = s->foreign;
        to->n_foreign = s->n_foreign;
    }
    return to;
}

int podpid_snapshot_select(const struct podpid_snapshot *s, unsigned flags,
                           bool (*keep)(void *context, const struct podpid_container *c),
                           bool (*keep_pod)(void *context, const struct podpid_pod *p),
                           void *context, struct podpid_snapshot **ret, struct podpid_error *error)
{
    const unsigned known = PODPID_SELECT_ALL_STATES | PODPID_SELECT_NO_FINDINGS;
    const struct selection sel = {flags, keep, keep_pod, context};
    struct podpid_snapshot *to;
    struct err err = {0};

    if (!s || !ret || flags & ~known) {
        return bad_argument(__func__, error);
    }
    to = new_selection(s, !(flags & PODPID_SELECT_NO_FINDINGS));
    if (!to || select_rows(s, &sel, to) < 0) {
        podpid_snapshot_free(to);
        err_nomem(&err);
        return error_publish(&err, error);
    }
    *ret = to;
    return PODPID_OK;
}
