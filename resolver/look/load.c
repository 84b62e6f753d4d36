/* Parts of the process table that the scan left out, for those rows whose verdicts need them. */
#include "resolver/look/impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "resolver/cgroup/line.h"
#include "resolver/proc/cgroupfs.h"

static bool is_open(const struct podpid_look *k, const char *id)
{
    const struct look_unit *lu = look_unit_find(&k->units, id);

    return lu && lu->open;
}

static int load_pid(struct podpid_look *k, pid_t pid, unsigned want)
{
    struct proc *row = ptable_find(k->table, pid);

    /* Started after the scan passed its number, or missed in a partial list: read it by name. */
    if (!row || (row->have & PROC_GONE)) {
        int rc = ptable_refresh(k->table, &k->procfs, pid, &row);

        if (rc < 0) {
            return rc;
        }
    }
    return row ? ptable_load(k->table, &k->procfs, row, want) : 0;
}

int look_load_reported(struct podpid_look *k)
{
    for (size_t i = 0; i < k->settled.n_containers; i++) {
        const struct view_container *c = &k->settled.containers[i];

        if (c->pid > 0 && c->state == VIEW_RUNNING && is_open(k, c->id)) {
            int rc = load_pid(k, c->pid, PROC_STAT | PROC_STATUS);

            if (rc < 0) {
                return rc;
            }
        }
    }
    for (size_t i = 0; i < k->settled.n_pods; i++) {
        const struct view_pod *p = &k->settled.pods[i];

        if (p->pid > 0 && p->ready && is_open(k, p->id)) {
            int rc = load_pid(k, p->pid, PROC_STAT);

            if (rc < 0) {
                return rc;
            }
        }
    }
    return 0;
}

int look_load_members(struct podpid_look *k)
{
    for (size_t i = 0; i < k->members.n_units; i++) {
        const struct unit *u = &k->members.units[i];

        for (uint32_t m = 0; m < u->n_members; m++) {
            int rc = ptable_load(k->table, &k->procfs, &k->table->procs[u->members[m]], PROC_STAT);

            if (rc < 0) {
                return rc;
            }
        }
    }
    return 0;
}

/* ---- Cgroup ids ---------------------------------------------------------------------------- */

static int compare_path(const void *key, const void *row)
{
    return strcmp(key, ((const struct podpid_cgroup_id *)row)->path);
}

/* The id of a cgroup in the v2 hierarchy, by its path in a cgroup text; 0: not known. */
static int read_cgroup_id(const struct podpid_look *k, struct str path, uint64_t *ret)
{
    CLEANUP(buf_free) struct buf b = {0};
    const struct podpid_cgroup_id *found;

    *ret = 0;
    buf_append(&b, path.p, path.n);
    if (b.failed) {
        return -ENOMEM;
    }
    if (!k->is_replay) {
        return cgroupfs_id(k->cgroupfs, b.p, ret);
    }
    if (k->replay.n_cgroup_ids) {
        found = bsearch(b.p, k->replay.cgroup_ids, k->replay.n_cgroup_ids, sizeof(*found),
                        compare_path);
        *ret = found ? found->id : 0;
    }
    return 0;
}

/* Of the unit's anchor, and of every cgroup below it that a member is in. */
static int load_cgroup_ids(struct podpid_look *k, struct unit *u)
{
    for (uint32_t m = 0; m < u->n_members; m++) {
        struct ptable_cgroup *g = &k->table->cgroups[k->table->procs[u->members[m]].cgroup];
        struct cgroup_line line;
        struct str anchor;
        int rc = 0;

        if (g->id || !cgroup_v2_line(g->text, &line) || line.deleted) {
            continue;
        }
        anchor = members_anchor_in(k->table, u, line.path);
        if (!anchor.n) {
            continue;
        }
        if (!u->v2_id) {
            u->v2_anchor = anchor;
            rc = read_cgroup_id(k, anchor, &u->v2_id);
        }
        if (rc < 0) {
            return rc;
        }
        if (anchor.n == line.path.n) {
            g->id = u->v2_id;
            continue;
        }
        rc = read_cgroup_id(k, line.path, &g->id);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

/* ---- Roots --------------------------------------------------------------------------------- */

/* NSpid of all roots, namespaces of those that may be the main process. */
static int load_roots_of(struct podpid_look *k, const struct unit *u)
{
    const struct proc *first;

    for (uint32_t r = 0; r < u->n_roots; r++) {
        int rc = ptable_load(k->table, &k->procfs, &k->table->procs[u->roots[r]], PROC_STATUS);

        if (rc < 0) {
            return rc;
        }
    }
    first = reduce_main(k->table, u);
    for (uint32_t r = 0; r < u->n_roots; r++) {
        struct proc *row = &k->table->procs[u->roots[r]];

        if (row == first || row->nspid == 1) {
            int rc = ptable_load(k->table, &k->procfs, row, PROC_NS);

            if (rc < 0) {
                return rc;
            }
        }
    }
    return 0;
}

/* Whether the verdict needs NSpid and namespaces of the roots. Not that of a sandbox whose PID the
 * runtime gives and that has one root only. */
static bool judges_by_namespace(const struct unit *u)
{
    return u->container || u->pod->pid <= 0 || u->n_roots > 1;
}

/* Whether the verdict needs the PID namespaces of other units. Not if the reported PID is PID 1 of
 * its namespace. */
static bool needs_neighbours(const struct podpid_look *k, const struct unit *u)
{
    const struct proc *first = reduce_main(k->table, u);

    return first && u->container && (u->container->pid <= 0 || first->nspid != 1);
}

int look_load_roots(struct podpid_look *k)
{
    bool neighbours = false;

    for (size_t i = 0; i < k->members.n_units; i++) {
        struct unit *u = &k->members.units[i];
        int rc;

        if (!is_open(k, u->id)) {
            continue;
        }
        rc = judges_by_namespace(u) ? load_roots_of(k, u) : 0;
        if (rc < 0) {
            return rc;
        }
        rc = u->container ? load_cgroup_ids(k, u) : 0;
        if (rc < 0) {
            return rc;
        }
        neighbours = neighbours || needs_neighbours(k, u);
    }
    /* Parts of a row that are loaded already are not read again. */
    for (size_t i = 0; neighbours && i < k->members.n_units; i++) {
        int rc = load_roots_of(k, &k->members.units[i]);

        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

/* ---- Ahead of the judgement ---------------------------------------------------------------- */

/* Whether the parent is in no container of the same id. That is a guess: the anchors, which decide,
 * are not known before the statuses. Sandboxes are left out: see judges_by_namespace(). */
static bool looks_like_root(const struct podpid_look *k, const struct ptable *t,
                            const struct proc *row)
{
    const char *id = t->cgroups[row->cgroup].facts.container_id;
    const struct proc *parent;
    const char *other;

    if (!id || !(row->have & PROC_STAT) || view_find_pod(&k->view, id)) {
        return false;
    }
    parent = ptable_find(t, row->ppid);
    other = parent ? t->cgroups[parent->cgroup].facts.container_id : NULL;
    return !other || strcmp(id, other) != 0;
}

bool look_has_more_ahead(const struct podpid_look *k)
{
    return k->scanned && k->loaded_ahead < k->next->n_procs;
}

int look_load_ahead(struct podpid_look *k)
{
    /* A slice: the socket is served between two of them. A root costs some ten system calls,
     * another row none. */
    enum { ROWS = 64, ROOTS = 8 };
    struct ptable *t = k->next; /* the judged table stays untouched */
    unsigned roots = 0;

    for (unsigned i = 0; i < ROWS && roots < ROOTS && look_has_more_ahead(k); i++) {
        struct proc *row = &t->procs[k->loaded_ahead++];
        int rc;

        if (!looks_like_root(k, t, row)) {
            continue;
        }
        roots++;
        rc = ptable_load(t, &k->procfs, row, PROC_STATUS | PROC_NS);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}
