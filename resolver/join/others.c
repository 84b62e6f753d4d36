/* Containers' cgroups that no unit owns, each with its processes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/join/member.h"

struct other_key {
    uint32_t proc;
    const struct ptable_cgroup *cgroup;
};

static bool names_a_container(const struct ptable_cgroup *g)
{
    return g->owner == MEMBER_NONE && g->facts.container_id &&
           (g->facts.kind == CGROUP_CONTAINER || g->facts.kind == CGROUP_NESTED);
}

/* By id, then pod, then PID: one group is one container's cgroup wherever its processes sit below
 * it. */
static int by_container(const void *pa, const void *pb)
{
    const struct other_key *a = pa, *b = pb;
    const struct cgroup_facts *fa = &a->cgroup->facts, *fb = &b->cgroup->facts;
    int c = strcmp(fa->container_id, fb->container_id);

    if (c == 0) {
        c = strcmp(fa->pod_uid ? fa->pod_uid : "", fb->pod_uid ? fb->pod_uid : "");
    }
    if (c == 0) {
        c = a->proc < b->proc ? -1 : a->proc > b->proc;
    }
    return c;
}

static bool same_container(const struct other_key *a, const struct other_key *b)
{
    const char *pa = a->cgroup->facts.pod_uid, *pb = b->cgroup->facts.pod_uid;

    return strcmp(a->cgroup->facts.container_id, b->cgroup->facts.container_id) == 0 &&
           strcmp(pa ? pa : "", pb ? pb : "") == 0;
}

int members_find_others(struct members *m, const struct ptable *t, struct arena *a)
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
        qsort(keys, n, sizeof(*keys), by_container);
    }
    for (size_t i = 0, end; i < n; i = end) {
        struct other_cgroup *o = &m->others[m->n_others++];
        const struct cgroup_facts *f = &keys[i].cgroup->facts;
        struct str prefix = cgroup_container_prefix(str_of(f->path));

        for (end = i + 1; end < n && same_container(&keys[i], &keys[end]); end++) {
        }
        o->facts = f;
        o->path = prefix.n ? arena_strndup(a, prefix.p, prefix.n) : f->path;
        o->impostor = members_find_id(m, f->container_id) != NULL;
        o->procs = arena_calloc(a, end - i, sizeof(*o->procs));
        if (!o->path || !o->procs) {
            return -ENOMEM;
        }
        for (size_t k = i; k < end; k++) {
            o->procs[o->n_procs++] = keys[k].proc;
        }
    }
    return 0;
}
