/* Containers' cgroups that no unit owns, each with its processes. */
#include "resolver/join/impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cri/runtimes.h"

struct other_key {
    uint32_t proc;
    const struct ptable_cgroup *cgroup;
};

static bool names_a_container(const struct ptable_cgroup *g)
{
    return g->owner == MEMBER_NONE && g->facts.container_id &&
           (g->facts.kind == CGROUP_CONTAINER || g->facts.kind == CGROUP_NESTED);
}

static int compare_containers(const struct other_key *a, const struct other_key *b)
{
    const struct cgroup_facts *fa = &a->cgroup->facts, *fb = &b->cgroup->facts;
    int c = strcmp(fa->container_id, fb->container_id);

    return c ? c : strcmp(fa->pod_uid ? fa->pod_uid : "", fb->pod_uid ? fb->pod_uid : "");
}

/* Rows of one container stand together, wherever below its cgroup the processes are. */
static int compare_keys(const void *pa, const void *pb)
{
    const struct other_key *a = pa, *b = pb;
    int c = compare_containers(a, b);

    return c ? c : a->proc < b->proc ? -1 : a->proc > b->proc;
}

/* One container's cgroup, from its n keys. */
static int fill_other(const struct members *m, const struct other_key *keys, size_t n,
                      struct arena *a, struct other_cgroup *ret)
{
    const struct cgroup_facts *f = &keys[0].cgroup->facts;
    struct str prefix = cgroup_container_prefix(str_of(f->path));

    ret->facts = f;
    ret->path = prefix.n ? arena_strndup(a, prefix.p, prefix.n) : f->path;
    ret->impostor = units_by_id(m, str_of(f->container_id)) != MEMBER_NONE;
    ret->procs = arena_calloc(a, n, sizeof(*ret->procs));
    if (!ret->path || !ret->procs) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        ret->procs[ret->n_procs++] = keys[i].proc;
    }
    return 0;
}

int others_find(struct members *m, const struct ptable *t, struct arena *a)
{
    struct other_key *keys;
    size_t n = 0;

    for (size_t i = 0; i < t->n_procs; i++) {
        n += names_a_container(&t->cgroups[t->procs[i].cgroup]);
    }
    keys = arena_calloc(a, n, sizeof(*keys));
    m->others = arena_calloc(a, n, sizeof(*m->others));
    if (!keys || !m->others) {
        return -ENOMEM;
    }
    n = 0;
    for (size_t i = 0; i < t->n_procs; i++) {
        const struct ptable_cgroup *g = &t->cgroups[t->procs[i].cgroup];

        if (names_a_container(g)) {
            keys[n++] = (struct other_key){(uint32_t)i, g};
        }
    }
    if (n) {
        qsort(keys, n, sizeof(*keys), compare_keys);
    }
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && compare_containers(&keys[i], &keys[end]) == 0; end++) {
        }
        if (fill_other(m, &keys[i], end - i, a, &m->others[m->n_others++]) < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

bool other_is_stray(const struct other_cgroup *o, const struct view_runtime *r)
{
    const char *own = runtime_find(r->name, r->api)->cgroup_prefix;

    if (o->impostor || o->facts->in_user_slice) {
        return false;
    }
    if (o->facts->pod_uid) {
        return true;
    }
    return own && o->facts->manager && strcmp(own, o->facts->manager) == 0;
}
