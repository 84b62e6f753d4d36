/* The warnings of a snapshot: those of the node, the discovery, the runtime's view and the join,
 * and what only the whole document shows. */
#include "resolver/look/impl.h"

#include <errno.h>

/* How many digits of a container's id a message shows, as docker and crictl do. */
enum { SHORT_ID = 12 };

static int add_copies(struct texts *t, struct arena *a, const char *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int rc = texts_add(t, a, arena_strdup(a, texts[i]));

        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

static int warn_of_impostors(const struct podpid_look *k, struct texts *t, struct arena *a)
{
    for (size_t i = 0; i < k->members.n_others; i++) {
        const struct other_cgroup *o = &k->members.others[i];
        int rc = 0;

        if (o->impostor) {
            rc = texts_add(t, a,
                           arena_printf(a,
                                        "cgroup %s carries the id of container %.*s but is not the "
                                        "one that the runtime made for it; its %u processes are "
                                        "not the container's",
                                        o->path, SHORT_ID, o->facts->container_id, o->n_procs));
        }
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

static int warn_of_survivors(const struct podpid_look *k, struct texts *t, struct arena *a)
{
    for (size_t i = 0; i < k->units.n; i++) {
        const struct podpid_container *c = k->units.items[i]->row;
        int rc = 0;

        if (c && c->verdict == PODPID_VERDICT_EXITED && c->n_processes) {
            rc = texts_add(
                t, a,
                arena_printf(a, "container %.*s has exited, but %zu of its processes live on",
                             SHORT_ID, c->id, c->n_processes));
        }
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

static int warn_of_wrong_socket(const struct podpid_look *k, struct texts *t, struct arena *a)
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
    return texts_add(
        t, a,
        arena_printf(a,
                     "the runtime lists no container, but %zu container cgroups of pods hold "
                     "processes: this is probably the wrong socket",
                     in_pods));
}

static int warn_of_other_runtimes(const struct podpid_look *k, struct texts *t, struct arena *a)
{
    for (unsigned i = 0; i < k->n_others; i++) {
        char where[ENDPOINT_TEXT_SIZE];
        int rc;

        if (!k->others[i].client || !k->others[i].has_pods) {
            continue;
        }
        endpoint_format(&k->discovered.others[i], where, sizeof(where));
        rc = texts_add(t, a,
                       arena_printf(a,
                                    "another runtime answers with pods at %s; name the one you "
                                    "mean with --runtime-endpoint",
                                    where));
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

static int warn_of_foreign_pids(const struct podpid_look *k, struct texts *t, struct arena *a)
{
    if (!k->runtime_elsewhere) {
        return 0;
    }
    return texts_add(t, a,
                     "the runtime is outside the PID namespace of this /proc: its PIDs mean "
                     "nothing here; run in the host's PID namespace, or give the host's /proc "
                     "with --proc");
}

int look_build_warnings(struct podpid_look *k)
{
    static int (*const warn[])(const struct podpid_look *, struct texts *, struct arena *) = {
        warn_of_impostors, warn_of_survivors, warn_of_wrong_socket, warn_of_other_runtimes,
        warn_of_foreign_pids};
    const struct {
        const char *const *texts;
        size_t n;
    } from[] = {{k->node.warnings, k->node.n_warnings},
                {k->discovered.warnings, k->discovered.n_warnings},
                {k->settled.warnings, k->settled.n_warnings},
                {k->members.warnings.items, k->members.warnings.n}};
    struct podpid_snapshot *s = k->snapshot;
    struct texts all = {0};

    for (size_t i = 0; i < N_ELEMENTS(from); i++) {
        if (add_copies(&all, &s->arena, from[i].texts, from[i].n) < 0) {
            return -ENOMEM;
        }
    }
    for (size_t i = 0; i < N_ELEMENTS(warn); i++) {
        if (warn[i](k, &all, &s->arena) < 0) {
            return -ENOMEM;
        }
    }
    s->warnings = all.items;
    s->n_warnings = all.n;
    return 0;
}
