#include "resolver/join/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/cgroup/line.h"

static const enum podpid_state states[] = {
    [VIEW_CREATED] = PODPID_STATE_CREATED,
    [VIEW_RUNNING] = PODPID_STATE_RUNNING,
    [VIEW_EXITED] = PODPID_STATE_EXITED,
    [VIEW_UNKNOWN] = PODPID_STATE_UNKNOWN,
};

static int copy_text(struct arena *a, const char *from, const char **ret)
{
    *ret = arena_strdup(a, from);
    return from && !*ret ? -ENOMEM : 0;
}

static int copy_labels(struct arena *a, const struct view_label *from, size_t n,
                       const struct podpid_label **ret)
{
    struct podpid_label *labels = arena_calloc(a, n, sizeof(*labels));

    if (!labels) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        if (copy_text(a, from[i].key, &labels[i].key) < 0 ||
            copy_text(a, from[i].value, &labels[i].value) < 0) {
            return -ENOMEM;
        }
    }
    *ret = labels;
    return 0;
}

/* ---- Processes ------------------------------------------------------------------------------- */

/* The chain of a process: the IDs of the containers inside this one in which it runs, outermost
 * first. In the list of all IDs of its cgroup path they follow the unit's own ID, which is mostly
 * the first (a podman pod's ID may stand before it). Where the anchor has no known shape the unit's
 * ID is not in the list: then all of the list is below the anchor. */
static int copy_chain(struct arena *a, const struct unit *u, const struct cgroup_facts *f,
                      struct podpid_process *p)
{
    const char **ids = arena_calloc(a, f->n_chain + 1, sizeof(*ids));
    size_t n = 0;
    bool found = false;

    if (!ids) {
        return -ENOMEM;
    }
    for (size_t i = f->container_id ? 0 : 1; i <= f->n_chain; i++) {
        const char *id = i == 0 ? f->container_id : f->chain[i - 1];

        if (!found && strcmp(id, u->id) == 0) {
            found = true;
            n = 0;
        } else if (copy_text(a, id, &ids[n++]) < 0) {
            return -ENOMEM;
        }
    }
    p->chain = ids;
    p->n_chain = n;
    return 0;
}

static int compare_starts(const void *pa, const void *pb)
{
    const struct podpid_process *a = *(const struct podpid_process *const *)pa;
    const struct podpid_process *b = *(const struct podpid_process *const *)pb;

    if (a->start_time_ticks != b->start_time_ticks) {
        return a->start_time_ticks < b->start_time_ticks ? -1 : 1;
    }
    return a->pid < b->pid ? -1 : a->pid > b->pid;
}

static int copy_processes(const struct verdict_input *in, const struct unit *u,
                          const struct proc *main_process, struct arena *a,
                          struct podpid_container *c)
{
    struct podpid_process *all = arena_calloc(a, u->n_members, sizeof(*all));
    const struct podpid_process **rows = arena_calloc(a, u->n_members, sizeof(*rows));
    pid_t *roots = arena_calloc(a, u->n_roots, sizeof(*roots));

    if (!all || !rows || !roots) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < u->n_members; i++) {
        const struct proc *row = &in->table->procs[u->members[i]];

        all[i] = (struct podpid_process){.pid = row->pid,
                                         .ppid = row->ppid,
                                         .start_time_ticks = row->start,
                                         .role = role_of(in, u, row, main_process)};
        if (copy_text(a, row->comm, &all[i].comm) < 0 ||
            copy_chain(a, u, &in->table->cgroups[row->cgroup].facts, &all[i]) < 0) {
            return -ENOMEM;
        }
        rows[i] = &all[i];
    }
    if (u->n_members) {
        qsort(rows, u->n_members, sizeof(*rows), compare_starts);
    }
    for (uint32_t i = 0; i < u->n_roots; i++) {
        roots[i] = in->table->procs[u->roots[i]].pid;
    }
    c->processes = rows;
    c->n_processes = u->n_members;
    c->roots = roots;
    c->n_roots = u->n_roots;
    return 0;
}

/* ---- Cgroups --------------------------------------------------------------------------------- */

/* The unit's anchor as a member's cgroup text shows it; *ret stays NULL where none does. */
static int copy_anchor(const struct verdict_input *in, const struct unit *u, struct arena *a,
                       const char **ret)
{
    for (uint32_t i = 0; i < u->n_members; i++) {
        struct str text = in->table->cgroups[in->table->procs[u->members[i]].cgroup].text;
        struct cgroup_line line;

        while (cgroup_next_line(&text, &line)) {
            struct str shown = members_anchor_in(in->table, u, line.path);

            if (shown.n) {
                *ret = arena_strndup(a, shown.p, shown.n);
                return *ret ? 0 : -ENOMEM;
            }
        }
    }
    *ret = NULL;
    return 0;
}

/* The depth of a cgroup below the root of its hierarchy, as bpf_get_current_ancestor_cgroup_id()
 * counts it: "/" is 0, "/a" is 1. */
static int cgroup_level(struct str path)
{
    int level = 0;

    for (size_t i = 0; i < path.n; i++) {
        level += path.p[i] == '/' && i + 1 < path.n;
    }
    return level;
}

static int compare_paths(const void *pa, const void *pb)
{
    const struct podpid_cgroup_id *a = pa, *b = pb;

    return strcmp(a->path, b->path);
}

/* The IDs of the anchor and of every cgroup below it that holds a member, by path, each once. */
static int copy_cgroup_ids(const struct verdict_input *in, const struct unit *u, struct arena *a,
                           struct podpid_container *c)
{
    struct podpid_cgroup_id *ids;
    size_t n = 0, kept = 0;

    c->cgroup_level = -1;
    if (!u->v2_id || !u->v2_anchor.n) {
        return 0;
    }
    ids = arena_calloc(a, (size_t)u->n_members + 1, sizeof(*ids));
    if (!ids) {
        return -ENOMEM;
    }
    c->cgroup_id = u->v2_id;
    c->cgroup_level = cgroup_level(u->v2_anchor);
    ids[n].id = u->v2_id;
    ids[n].path = arena_strndup(a, u->v2_anchor.p, u->v2_anchor.n);
    if (!ids[n++].path) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < u->n_members; i++) {
        const struct ptable_cgroup *g = &in->table->cgroups[in->table->procs[u->members[i]].cgroup];
        struct cgroup_line line;

        if (!g->id || g->id == u->v2_id || !cgroup_v2_line(g->text, &line)) {
            continue;
        }
        ids[n].id = g->id;
        ids[n].path = arena_strndup(a, line.path.p, line.path.n);
        if (!ids[n++].path) {
            return -ENOMEM;
        }
    }
    qsort(ids, n, sizeof(*ids), compare_paths);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || ids[i].id != ids[kept - 1].id) {
            ids[kept++] = ids[i];
        }
    }
    c->cgroup_ids = ids;
    c->n_cgroup_ids = kept;
    return 0;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

int row_container(const struct verdict_input *in, const struct unit *u, const struct verdict *v,
                  struct arena *a, struct podpid_container **ret)
{
    const struct view_container *from = u->container;
    struct podpid_container *c = arena_alloc(a, sizeof(*c));
    const struct proc *shown = v->main;

    if (!c) {
        return -ENOMEM;
    }
    c->attempt = from->attempt;
    c->state = states[from->state];
    c->verdict = v->verdict;
    c->pid = v->pid;
    c->inferred_pid = v->inferred_pid;
    c->created_at = from->created_at;
    c->started_at = from->started_at;
    c->finished_at = from->finished_at;
    c->has_exit_code = from->state == VIEW_EXITED;
    c->exit_code = from->exit_code;
    c->reported_pid = from->pid > 0 ? from->pid : 0;
    if ((v->pid || v->inferred_pid) && shown) {
        c->start_time_ticks = shown->start;
        if (shown->ns) {
            c->ns_pid = shown->ns->pid;
            c->ns_mnt = shown->ns->mnt;
            c->ns_net = shown->ns->net;
            c->ns_cgroup = shown->ns->cgroup;
        }
    }
    if (copy_text(a, from->name, &c->name) < 0 || copy_text(a, from->id, &c->id) < 0 ||
        copy_text(a, from->image, &c->image) < 0 || copy_text(a, v->reason, &c->reason) < 0 ||
        copy_labels(a, from->labels, from->n_labels, &c->labels) < 0 ||
        copy_processes(in, u, verdict_main_row(v), a, c) < 0 ||
        copy_anchor(in, u, a, &c->cgroup_path) < 0 || copy_cgroup_ids(in, u, a, c) < 0) {
        return -ENOMEM;
    }
    c->n_labels = from->n_labels;
    *ret = c;
    return 0;
}

int row_pod(const struct view_pod *from, const struct verdict *v, struct arena *a,
            struct podpid_pod **ret)
{
    struct podpid_pod *p = arena_alloc(a, sizeof(*p));

    if (!p) {
        return -ENOMEM;
    }
    p->attempt = from->attempt;
    p->ready = from->ready;
    p->created_at = from->created_at;
    p->sandbox_verdict = v->verdict;
    p->sandbox_pid = v->pid;
    p->sandbox_start_time_ticks = v->pid ? v->main->start : 0;
    if (copy_text(a, from->namespace_, &p->namespace_) < 0 ||
        copy_text(a, from->name, &p->name) < 0 || copy_text(a, from->uid, &p->uid) < 0 ||
        copy_text(a, from->id, &p->sandbox_id) < 0 ||
        copy_text(a, from->runtime_handler, &p->runtime_handler) < 0 ||
        copy_text(a, from->config_hash, &p->config_hash) < 0 ||
        copy_text(a, v->reason, &p->sandbox_reason) < 0 ||
        copy_labels(a, from->labels, from->n_labels, &p->labels) < 0) {
        return -ENOMEM;
    }
    p->n_labels = from->n_labels;
    *ret = p;
    return 0;
}

int row_runtime(const struct view_runtime *from, const char *endpoint, const char *chosen_by,
                struct arena *a, struct podpid_runtime **ret)
{
    struct podpid_runtime *r = arena_alloc(a, sizeof(*r));
    struct podpid_condition *conditions = arena_calloc(a, from->n_conditions, sizeof(*conditions));

    if (!r || !conditions) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < from->n_conditions; i++) {
        conditions[i].status = from->conditions[i].status;
        if (copy_text(a, from->conditions[i].type, &conditions[i].type) < 0 ||
            copy_text(a, from->conditions[i].reason, &conditions[i].reason) < 0 ||
            copy_text(a, from->conditions[i].message, &conditions[i].message) < 0) {
            return -ENOMEM;
        }
    }
    r->conditions = conditions;
    r->n_conditions = from->n_conditions;
    if (copy_text(a, from->name, &r->name) < 0 || copy_text(a, from->version, &r->version) < 0 ||
        copy_text(a, from->api, &r->api) < 0 || copy_text(a, endpoint, &r->endpoint) < 0 ||
        copy_text(a, chosen_by, &r->chosen_by) < 0 ||
        copy_text(a, from->cgroup_driver, &r->cgroup_driver) < 0 ||
        copy_text(a, from->status_error, &r->status_error) < 0) {
        return -ENOMEM;
    }
    *ret = r;
    return 0;
}

int row_stray(const struct verdict_input *in, const struct other_cgroup *o, const char *reason,
              struct arena *a, struct podpid_stray **ret)
{
    struct podpid_stray *s = arena_alloc(a, sizeof(*s));
    pid_t *pids = arena_calloc(a, o->n_procs, sizeof(*pids));

    if (!s || !pids) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < o->n_procs; i++) {
        pids[i] = in->table->procs[o->procs[i]].pid;
    }
    s->pids = pids;
    s->n_pids = o->n_procs;
    if (copy_text(a, o->facts->container_id, &s->container_id) < 0 ||
        copy_text(a, o->facts->pod_uid, &s->pod_uid) < 0 ||
        copy_text(a, o->path, &s->cgroup_path) < 0 || copy_text(a, reason, &s->reason) < 0) {
        return -ENOMEM;
    }
    *ret = s;
    return 0;
}

int row_foreign(const struct other_cgroup *o, struct arena *a, struct podpid_foreign **ret)
{
    struct podpid_foreign *f = arena_alloc(a, sizeof(*f));

    if (!f || copy_text(a, o->facts->container_id, &f->container_id) < 0 ||
        copy_text(a, o->facts->manager, &f->manager) < 0) {
        return -ENOMEM;
    }
    f->n_processes = o->n_procs;
    *ret = f;
    return 0;
}
