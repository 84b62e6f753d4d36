/* Strays: container cgroups with live processes that no list has. A runtime starts a container's
 * processes shortly before it lists the container, and drops it from the list shortly before the
 * last process has gone, so a stray has to be seen twice. */
#include "resolver/look/impl.h"

#include <errno.h>
#include <string.h>

/* Between the two sights: far longer than a runtime takes to list what it starts. */
static const nsec stray_age = NSEC_PER_SEC;

void look_skip_strays(struct podpid_look *k)
{
    k->skip_strays = true;
}

bool look_waits_for_strays(const struct podpid_look *k)
{
    return k->phase == LOOK_PAUSE && k->waited_for_strays;
}

static const char *pod_of(const struct other_cgroup *o)
{
    return o->facts->pod_uid ? o->facts->pod_uid : "";
}

static struct stray_candidate *find_candidate(const struct podpid_look *k,
                                              const struct other_cgroup *o)
{
    for (size_t i = 0; i < k->n_candidates; i++) {
        struct stray_candidate *c = &k->candidates[i];

        if (strcmp(c->container_id, o->facts->container_id) == 0 &&
            strcmp(c->pod_uid, pod_of(o)) == 0) {
            return c;
        }
    }
    return NULL;
}

static bool has_live_process(const struct podpid_look *k, const struct other_cgroup *o)
{
    for (uint32_t i = 0; i < o->n_procs; i++) {
        const struct proc *row = &k->table->procs[o->procs[i]];

        if (!(row->have & PROC_GONE) && proc_is_alive(row->state, row->threads)) {
            return true;
        }
    }
    return false;
}

static int note_candidate(struct podpid_look *k, const struct other_cgroup *o, nsec now)
{
    struct stray_candidate *seen = find_candidate(k, o);
    struct stray_candidate new = {.first_seen = now, .last_seen = now};

    if (seen) {
        seen->last_seen = now;
        return 0;
    }
    new.container_id = arena_strdup(&k->arena, o->facts->container_id);
    new.pod_uid = arena_strdup(&k->arena, pod_of(o));
    if (!new.container_id || !new.pod_uid) {
        return -ENOMEM;
    }
    return ARENA_APPEND(&k->arena, k->candidates, k->n_candidates, k->cap_candidates, new);
}

int look_note_strays(struct podpid_look *k, nsec now)
{
    size_t kept = 0;

    for (size_t i = 0; i < k->members.n_others; i++) {
        const struct other_cgroup *o = &k->members.others[i];

        if (other_is_stray(o, &k->runtime) && !look_is_listed(k, o->facts->container_id) &&
            has_live_process(k, o) && note_candidate(k, o, now) < 0) {
            return -ENOMEM;
        }
    }
    for (size_t i = 0; i < k->n_candidates; i++) {
        if (k->candidates[i].last_seen == now) {
            k->candidates[kept++] = k->candidates[i];
        }
    }
    k->n_candidates = kept;
    return 0;
}

nsec look_strays_due(const struct podpid_look *k, nsec now)
{
    nsec due = now;

    for (size_t i = 0; !k->skip_strays && !k->waited_for_strays && i < k->n_candidates; i++) {
        nsec at = nsec_after(k->candidates[i].first_seen, stray_age);

        due = at > due ? at : due;
    }
    return due;
}

bool look_is_confirmed_stray(const struct podpid_look *k, const struct other_cgroup *o)
{
    const struct stray_candidate *c = find_candidate(k, o);

    return c && (k->is_replay || (!k->skip_strays && c->last_seen - c->first_seen >= stray_age));
}
