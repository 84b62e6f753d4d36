#include "resolver/look/impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_open(const struct podpid_look *k, const struct unit *u)
{
    const struct track *t = look_track(k, u->id);

    return t && t->open;
}

static int load_pid(struct podpid_look *k, pid_t pid, unsigned want)
{
    struct proc *row = ptable_find(k->table, pid);
    int rc = 0;

    /* Started after the scan passed its number, or missed in a partial list: ask for it by name. */
    if (!row || (row->have & PROC_GONE)) {
        rc = ptable_refresh(k->table, &k->procfs, pid, &row);
    }
    if (rc < 0) {
        return rc;
    }
    return row ? ptable_load(k->table, &k->procfs, row, want) : 0;
}

int look_load_reported(struct podpid_look *k)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < k->settled.n_containers; i++) {
        const struct view_container *c = &k->settled.containers[i];
        const struct track *t = look_track(k, c->id);

        if (t && t->open && c->pid > 0 && c->state == VIEW_RUNNING) {
            rc = load_pid(k, c->pid, PROC_STAT | PROC_STATUS);
        }
    }
    for (size_t i = 0; rc == 0 && i < k->settled.n_pods; i++) {
        const struct view_pod *p = &k->settled.pods[i];
        const struct track *t = look_track(k, p->id);

        if (t && t->open && p->pid > 0 && p->ready) {
            rc = load_pid(k, p->pid, PROC_STAT);
        }
    }
    return rc;
}

int look_load_members(struct podpid_look *k)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < k->members.n_units; i++) {
        const struct unit *u = &k->members.units[i];

        for (uint32_t m = 0; rc == 0 && m < u->n_members; m++) {
            rc = ptable_load(k->table, &k->procfs, &k->table->procs[u->members[m]], PROC_STAT);
        }
    }
    return rc;
}

/* ---- Cgroup ids ---------------------------------------------------------------------------- */

static int by_path(const void *key, const void *row)
{
    return strcmp(key, ((const struct podpid_cgroup_id *)row)->path);
}

static uint64_t id_of(const struct podpid_look *k, struct str path)
{
    const struct podpid_cgroup_id *found;
    struct buf b = {0};
    uint64_t id = 0;

    buf_append(&b, path.p, path.n);
    if (!b.failed && k->is_replay && k->replay.n_cgroup_ids) {
        found = bsearch(b.p, k->replay.cgroup_ids, k->replay.n_cgroup_ids, sizeof(*found), by_path);
        id = found ? found->id : 0;
    } else if (!b.failed && k->ids) {
        id = cgroup_ids_get(k->ids, b.p);
    }
    buf_free(&b);
    return id;
}

static bool v2_line(struct str text, struct cgroup_line *ret)
{
    struct str raw;

    while (str_next_line(&text, &raw)) {
        if (cgroup_line_parse(raw, ret) && ret->hierarchy == 0) {
            return true;
        }
    }
    return false;
}

static void load_cgroup_ids(struct podpid_look *k, struct unit *u)
{
    for (uint32_t m = 0; m < u->n_members; m++) {
        struct ptable_cgroup *g = &k->table->cgroups[k->table->procs[u->members[m]].cgroup];
        struct cgroup_line line;
        struct str anchor;

        if (g->id || !v2_line(g->text, &line) || line.deleted) {
            continue;
        }
        anchor = members_anchor_in(k->table, u, line.path);
        if (!anchor.n) {
            continue;
        }
        if (!u->v2_id) {
            u->v2_anchor = anchor;
            u->v2_id = id_of(k, anchor);
        }
        g->id = anchor.n == line.path.n ? u->v2_id : id_of(k, line.path);
    }
}

/* ---- Roots --------------------------------------------------------------------------------- */

/* NSpid and namespaces. */
static int load_roots_of(struct podpid_look *k, const struct unit *u)
{
    const struct proc *first;

    for (uint32_t r = 0; r < u->n_roots; r++) {
        struct proc *row = &k->table->procs[u->roots[r]];
        int rc = ptable_load(k->table, &k->procfs, row, PROC_STATUS);

        if (rc < 0) {
            return rc;
        }
    }
    first = reduce_main(k->table, u);
    for (uint32_t r = 0; r < u->n_roots; r++) {
        struct proc *row = &k->table->procs[u->roots[r]];
        int rc = 0;

        if (row == first || row->nspid == 1) {
            rc = ptable_load(k->table, &k->procfs, row, PROC_NS);
        }
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

/* A sandbox whose PID the runtime gives is judged without them, if it has one root only. */
static bool judges_by_namespace(const struct unit *u)
{
    return u->container || u->pod->pid <= 0 || u->n_roots > 1;
}

/* Does its verdict ask who shares the PID namespace? Not that of a main process that the runtime
 * names and that is PID 1 there. */
static bool asks_for_neighbours(const struct podpid_look *k, const struct unit *u)
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

        if (!is_open(k, u)) {
            continue;
        }
        rc = judges_by_namespace(u) ? load_roots_of(k, u) : 0;
        if (rc < 0) {
            return rc;
        }
        if (u->container) {
            load_cgroup_ids(k, u);
        }
        neighbours = neighbours || asks_for_neighbours(k, u);
    }
    /* What is there already is not read again. */
    for (size_t i = 0; neighbours && i < k->members.n_units; i++) {
        int rc = load_roots_of(k, &k->members.units[i]);

        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

/* ---- Ahead --------------------------------------------------------------------------------- */

/* Whose parent is in no container of that id. The anchors, which decide, are not known yet. Not the
 * sandboxes' own: see judges_by_namespace(). */
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
    enum { ROWS = 64, ROOTS = 8 };
    struct ptable *t = k->next; /* the judged one is still in its place */
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
