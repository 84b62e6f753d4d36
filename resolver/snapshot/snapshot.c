#include "resolver/snapshot/snapshot.h"

#include <stdlib.h>

/* ---- References ------------------------------------------------------------------------------ */

/* The counter is the only member that changes in a snapshot that was handed out, where it is const
 * for all who hold it. No snapshot is in read-only memory: all are calloc'ed. */
static atomic_uint *counter(const struct podpid_snapshot *s)
{
    return (atomic_uint *)(uintptr_t)&s->more_refs;
}

const struct podpid_snapshot *podpid_snapshot_ref(const struct podpid_snapshot *s)
{
    if (s) {
        atomic_fetch_add_explicit(counter(s), 1, memory_order_relaxed);
    }
    return s;
}

bool snapshot_is_shared(const struct podpid_snapshot *s)
{
    return atomic_load_explicit(counter(s), memory_order_acquire) > 0;
}

static void destroy(struct podpid_snapshot *s)
{
    if (s->whois) {
        s->whois_free(s->whois);
    }
    podpid_snapshot_free(s->origin);
    arena_free(&s->arena);
    free(s);
}

void podpid_snapshot_free(const struct podpid_snapshot *s)
{
    /* 0 before the subtraction: this was the only reference. */
    if (s && atomic_fetch_sub_explicit(counter(s), 1, memory_order_acq_rel) == 0) {
        destroy((struct podpid_snapshot *)(uintptr_t)s);
    }
}

/* ---- Members --------------------------------------------------------------------------------- */

int64_t podpid_snapshot_taken_at(const struct podpid_snapshot *s)
{
    return s ? s->taken_at : 0;
}

int64_t podpid_snapshot_took(const struct podpid_snapshot *s)
{
    return s ? s->took : 0;
}

bool podpid_snapshot_complete(const struct podpid_snapshot *s)
{
    return s && s->complete;
}

const struct podpid_node *podpid_snapshot_node(const struct podpid_snapshot *s)
{
    return s ? &s->node : NULL;
}

const struct podpid_runtime *podpid_snapshot_runtime(const struct podpid_snapshot *s)
{
    return s ? s->runtime : NULL;
}

static void set_count(size_t *ret_n, size_t n)
{
    if (ret_n) {
        *ret_n = n;
    }
}

const struct podpid_pod *const *podpid_snapshot_pods(const struct podpid_snapshot *s, size_t *ret_n)
{
    set_count(ret_n, s ? s->n_pods : 0);
    return s ? s->pods : NULL;
}

const struct podpid_stray *const *podpid_snapshot_strays(const struct podpid_snapshot *s,
                                                         size_t *ret_n)
{
    set_count(ret_n, s ? s->n_strays : 0);
    return s ? s->strays : NULL;
}

const struct podpid_foreign *const *podpid_snapshot_foreign(const struct podpid_snapshot *s,
                                                            size_t *ret_n)
{
    set_count(ret_n, s ? s->n_foreign : 0);
    return s ? s->foreign : NULL;
}

const char *const *podpid_snapshot_warnings(const struct podpid_snapshot *s, size_t *ret_n)
{
    set_count(ret_n, s ? s->n_warnings : 0);
    return s ? s->warnings : NULL;
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
