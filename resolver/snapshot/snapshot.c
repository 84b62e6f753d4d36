#include "resolver/snapshot/snapshot.h"

#include <stdlib.h>

void podpid_snapshot_free(struct podpid_snapshot *s)
{
    if (!s) {
        return;
    }
    if (s->release) {
        s->release(s);
    }
    arena_free(&s->arena);
    free(s);
}

int64_t podpid_snapshot_taken_at(const struct podpid_snapshot *s)
{
    return s->taken_at;
}

int64_t podpid_snapshot_took(const struct podpid_snapshot *s)
{
    return s->took;
}

bool podpid_snapshot_complete(const struct podpid_snapshot *s)
{
    return s->complete;
}

const struct podpid_node *podpid_snapshot_node(const struct podpid_snapshot *s)
{
    return &s->node;
}

const struct podpid_runtime *podpid_snapshot_runtime(const struct podpid_snapshot *s)
{
    return s->runtime;
}

const struct podpid_pod *const *podpid_snapshot_pods(const struct podpid_snapshot *s, size_t *ret_n)
{
    *ret_n = s->n_pods;
    return s->pods;
}

const struct podpid_stray *const *podpid_snapshot_strays(const struct podpid_snapshot *s,
                                                         size_t *ret_n)
{
    *ret_n = s->n_strays;
    return s->strays;
}

const struct podpid_foreign *const *podpid_snapshot_foreign(const struct podpid_snapshot *s,
                                                            size_t *ret_n)
{
    *ret_n = s->n_foreign;
    return s->foreign;
}

const char *const *podpid_snapshot_warnings(const struct podpid_snapshot *s, size_t *ret_n)
{
    *ret_n = s->n_warnings;
    return s->warnings;
}

const char *container_label(struct arena *a, const struct podpid_container *c)
{
    if (c->pod->name && c->name) {
        return arena_printf(a, "%s/%s/%s", c->pod->namespace_ ? c->pod->namespace_ : "?",
                            c->pod->name, c->name);
    }
    return arena_printf(a, "container %s%s%.12s", c->name ? c->name : "", c->name ? " " : "",
                        c->id);
}
