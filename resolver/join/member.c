#include "resolver/join/member.h"

#include <errno.h>

#include "cri/base/cleanup.h"
#include "resolver/join/impl.h"

/* ---- The node's own root --------------------------------------------------------------------- */

/* The facts of a text without the node's root in front of each path. */
static int strip_root(struct ptable *t, struct ptable_cgroup *g)
{
    CLEANUP(buf_free) struct buf b = {0};
    struct str text = g->text;
    struct cgroup_line line;

    while (cgroup_next_line(&text, &line)) {
        struct str rest = cgroup_strip_root(line.path, t->root);

        buf_append(&b, line.text.p, (size_t)(line.path.p - line.text.p));
        buf_append(&b, rest.n ? rest.p : "/", rest.n ? rest.n : 1);
        buf_puts(&b, "\n");
    }
    if (b.failed) {
        return -ENOMEM;
    }
    return cgroup_parse((struct str){b.p ? b.p : "", b.n}, &t->arena, &g->facts);
}

int members_strip_root(struct ptable *t)
{
    for (size_t i = 0; t->root.n && i < t->n_cgroups; i++) {
        int rc = strip_root(t, &t->cgroups[i]);

        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

/* ---- Owners ---------------------------------------------------------------------------------- */

int members_own_text(struct members *m, struct ptable *t, size_t cgroup)
{
    struct ptable_cgroup *g = &t->cgroups[cgroup];
    struct members quiet = {.units = m->units, .n_units = m->n_units, .indexes = m->indexes};
    int rc = t->root.n ? strip_root(t, g) : 0;

    if (rc < 0) {
        return rc;
    }
    return owner_find(&quiet, t, g, &t->arena);
}

struct unit *members_owner(const struct members *m, const struct ptable *t, const struct proc *row)
{
    const struct ptable_cgroup *g;

    if (row->have & (PROC_GONE | PROC_DENIED)) {
        return NULL;
    }
    g = &t->cgroups[row->cgroup];
    if (g->owner == MEMBER_NONE) {
        return NULL;
    }
    /* A cgroup with living processes cannot be removed: around a living process
     * "<anchor> (deleted)" is the real name of a cgroup that stands beside the anchor. */
    if (g->owner_deleted && (row->have & PROC_STAT) && is_alive(row)) {
        return NULL;
    }
    return &m->units[g->owner];
}

/* Rows by owner, in two passes: count, then fill. Rows of the table ascend by PID, so members do.
 */
static int fill_members(struct members *m, const struct ptable *t, struct arena *a)
{
    for (size_t i = 0; i < t->n_procs; i++) {
        struct unit *u = members_owner(m, t, &t->procs[i]);

        if (u) {
            u->n_members++;
        }
    }
    for (size_t i = 0; i < m->n_units; i++) {
        struct unit *u = &m->units[i];

        u->members = arena_calloc(a, u->n_members, sizeof(*u->members));
        if (!u->members) {
            return -ENOMEM;
        }
        u->n_members = 0;
    }
    for (size_t i = 0; i < t->n_procs; i++) {
        struct unit *u = members_owner(m, t, &t->procs[i]);

        if (u) {
            u->members[u->n_members++] = (uint32_t)i;
        }
    }
    return 0;
}

int members_assign(const struct view *v, struct ptable *t, struct arena *a, struct members *ret)
{
    struct members m = {0};

    if (units_build(v, a, &m) < 0) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < t->n_cgroups; i++) {
        if (owner_find(&m, t, &t->cgroups[i], a) < 0) {
            return -ENOMEM;
        }
    }
    if (fill_members(&m, t, a) < 0 || others_find(&m, t, a) < 0) {
        return -ENOMEM;
    }
    *ret = m;
    return 0;
}

/* ---- Roots ----------------------------------------------------------------------------------- */

/* Whether the unit's anchor holds a living process. Then it was not removed, and
 * "<anchor> (deleted)" is the name of another cgroup beside it, whatever process ended there. */
static bool anchor_is_alive(const struct ptable *t, const struct unit *u)
{
    for (uint32_t k = 0; k < u->n_members; k++) {
        const struct proc *row = &t->procs[u->members[k]];

        if ((row->have & PROC_STAT) && !(row->have & PROC_GONE) && is_alive(row) &&
            !t->cgroups[row->cgroup].owner_deleted) {
            return true;
        }
    }
    return false;
}

static void drop_members(const struct members *m, const struct ptable *t, struct unit *u)
{
    bool alive = anchor_is_alive(t, u);
    uint32_t kept = 0;

    for (uint32_t k = 0; k < u->n_members; k++) {
        const struct proc *row = &t->procs[u->members[k]];

        if ((row->have & PROC_STAT) && members_owner(m, t, row) == u &&
            !(alive && t->cgroups[row->cgroup].owner_deleted)) {
            u->members[kept++] = u->members[k];
        }
    }
    u->n_members = kept;
}

static int find_roots(const struct members *m, const struct ptable *t, struct unit *u,
                      struct arena *a)
{
    u->n_roots = 0;
    u->roots = arena_calloc(a, u->n_members, sizeof(*u->roots));
    if (!u->roots) {
        return -ENOMEM;
    }
    for (uint32_t k = 0; k < u->n_members; k++) {
        const struct proc *row = &t->procs[u->members[k]];
        const struct proc *parent = ptable_find(t, row->ppid);

        if (!parent || parent == row || members_owner(m, t, parent) != u) {
            u->roots[u->n_roots++] = u->members[k];
        }
    }
    return 0;
}

int members_find_roots(struct members *m, const struct ptable *t, struct arena *a)
{
    for (size_t i = 0; i < m->n_units; i++) {
        drop_members(m, t, &m->units[i]);
        if (find_roots(m, t, &m->units[i], a) < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}
