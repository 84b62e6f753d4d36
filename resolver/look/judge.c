#include "resolver/join/rows.h"
#include "resolver/look/impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const nsec stray_age = NSEC_PER_SEC; /* seen again after this long: a stray */
static const nsec tries_time = NSEC_PER_SEC / 2;

/* ---- What the round brought ---------------------------------------------------------------- */

static int settle(struct podpid_look *k)
{
    struct view *s = &k->settled;

    *s = k->view;
    s->runtime = k->runtime;
    s->pods = arena_calloc(&k->judge_arena, k->view.n_pods, sizeof(*s->pods));
    s->containers = arena_calloc(&k->judge_arena, k->view.n_containers, sizeof(*s->containers));
    if (!s->pods || !s->containers) {
        return -ENOMEM;
    }
    if (k->view.n_pods) {
        memcpy(s->pods, k->view.pods, k->view.n_pods * sizeof(*s->pods));
    }
    if (k->view.n_containers) {
        memcpy(s->containers, k->view.containers, k->view.n_containers * sizeof(*s->containers));
    }
    if (k->client && client_settle(k->client, s, &k->judge_arena) < 0) {
        return -ENOMEM;
    }
    /* Settling may turn what claimed to be a sandbox into a plain container. */
    for (size_t i = 0; i < s->n_containers; i++) {
        if (!look_track_add(k, s->containers[i].id, false)) {
            return -ENOMEM;
        }
    }
    return 0;
}

const char *look_blind(const struct podpid_look *k)
{
    const struct node_facts *n = &k->node;

    if (k->is_replay) {
        return NULL;
    }
    if (n->hidepid != HIDEPID_OFF && !n->exempt_from_hidepid) {
        return "/proc hides processes from us (hidepid)";
    }
    if (k->runtime_elsewhere) {
        return "the runtime lives outside the PID namespace of this /proc";
    }
    if (k->table->denied) {
        return "some processes of /proc may not be read";
    }
    return NULL;
}

static nsec boot_time(const struct podpid_look *k)
{
    struct buf b = {0};
    struct str text, line;
    uint64_t seconds = 0;

    /* The clocks of now, not btime: that one is cut to a second. */
    if (k->procfs.is_procfs) {
        return clock_read(CLOCK_REALTIME) - clock_read(CLOCK_BOOTTIME);
    }
    if (procfs_read_file(k->procfs.fd, "stat", 16 * 1024 * 1024, &b) == 0) {
        text = (struct str){b.p, b.n};
        while (str_next_line(&text, &line)) {
            if (str_starts(line, STR("btime "))) {
                str_to_u64((struct str){line.p + 6, line.n - 6}, &seconds);
            }
        }
    }
    buf_free(&b);
    return seconds < (uint64_t)(NSEC_NEVER / NSEC_PER_SEC) ? (nsec)seconds * NSEC_PER_SEC : 0;
}

static int join(struct podpid_look *k)
{
    int rc = look_load_reported(k);

    if (rc == 0) {
        rc = members_strip_root(k->table); /* of what was read just now */
    }
    if (rc == 0) {
        rc = members_assign(&k->settled, k->table, &k->judge_arena, &k->members);
    }
    if (rc == 0) {
        rc = look_load_members(k);
    }
    if (rc == 0) {
        rc = members_find_roots(&k->members, k->table, &k->judge_arena);
    }
    if (rc == 0) {
        rc = look_load_roots(k);
    }
    k->input = (struct verdict_input){
        .view = &k->settled,
        .table = k->table,
        .members = &k->members,
        .vm_handlers = k->options->vm_handlers,
        .boot_time = boot_time(k),
        .ticks_per_second = sysconf(_SC_CLK_TCK),
        .blind = look_blind(k),
    };
    return rc;
}

/* ---- One unit ------------------------------------------------------------------------------ */

static bool is_disagreement(enum podpid_verdict v)
{
    switch (v) {
    case PODPID_VERDICT_DEAD:
    case PODPID_VERDICT_ZOMBIE:
    case PODPID_VERDICT_MOVED:
    case PODPID_VERDICT_RECYCLED:
    case PODPID_VERDICT_MISMATCH:
    case PODPID_VERDICT_CHANGED:
    case PODPID_VERDICT_NO_PROCESS:
        return true;
    default:
        return false;
    }
}

/* A process that forks and exits in a loop is in nearly no scan, but its cgroup is never empty. */
static void doubt_emptiness(struct podpid_look *k, const struct unit *u, struct verdict *v)
{
    pid_t *pids = NULL;
    size_t n = 0;

    for (unsigned i = 0; k->ids && i < u->anchor.n_paths && n == 0; i++) {
        cgroup_ids_procs(k->ids, u->anchor.paths[i], &pids, &n);
    }
    if (n) {
        v->verdict = PODPID_VERDICT_UNPROVEN;
        snprintf(v->reason, sizeof(v->reason),
                 "the runtime gives no PID; the processes of its cgroup come and go too fast to be "
                 "read");
    }
    free(pids);
}

static int remember_identity(struct podpid_look *k, struct track *t)
{
    const struct proc *main_process = t->verdict.main;

    t->pid = t->verdict.pid ? t->verdict.pid : t->verdict.inferred_pid;
    t->cgroup = NULL;
    if (t->pid) {
        struct str text = k->table->cgroups[main_process->cgroup].text;

        t->start = main_process->start;
        t->cgroup = arena_strndup(&k->arena, text.p, text.n);
    }
    return t->pid && !t->cgroup ? -ENOMEM : 0;
}

/* What came with the newest list has no status yet: the next round asks. Sandboxes that are not
 * ready are not asked. */
static bool is_answered(const struct unit *u)
{
    return u->container ? u->container->status != VIEW_STATUS_NONE
                        : u->pod->status != VIEW_STATUS_NONE || !u->pod->ready;
}

/* A runtime that is slow would have each try replace an answer by a worse one. */
static bool may_try_again(const struct track *t, nsec now)
{
    return t->tries < LOOK_TRIES && (t->contradicted || now - t->first_try < tries_time);
}

static int judge_unit(struct podpid_look *k, const struct unit *u, struct track *t, nsec now)
{
    enum view_status status = u->container ? u->container->status : u->pod->status;
    int rc;

    if (t->tries++ == 0) {
        t->first_try = now;
    }
    t->row = NULL;
    t->pod_row = NULL;
    t->pid = 0;
    if (status == VIEW_STATUS_GONE) {
        /* Still listed, though: on its way out, or on its way in. One that keeps being listed as
         * running is an error: it must not be missing. */
        t->open = may_try_again(t, now);
        if (t->open || (u->container ? u->container->state != VIEW_RUNNING : !u->pod->ready)) {
            return 0;
        }
    }
    verdict_of(&k->input, u, &t->verdict);
    t->open = !k->is_replay && (t->contradicted || is_disagreement(t->verdict.verdict)) &&
              may_try_again(t, now);
    if (t->verdict.verdict == PODPID_VERDICT_NO_PROCESS && !t->open) {
        doubt_emptiness(k, u, &t->verdict);
    }
    rc = u->container ? row_container(&k->input, u, &t->verdict, &k->snapshot->arena, &t->row)
                      : row_pod(u->pod, &t->verdict, &k->snapshot->arena, &t->pod_row);
    return rc < 0 ? rc : remember_identity(k, t);
}

int look_judge_unread(struct podpid_look *k)
{
    for (size_t i = 0; i < k->members.n_units; i++) {
        struct unit *u = &k->members.units[i];
        struct track *t = look_track(k, u->id);
        struct view_container *c;
        struct view_pod *p;

        if (!t || !t->open || t->row || t->pod_row) {
            continue;
        }
        if ((c = view_find_container(&k->settled, u->id)) && c->status == VIEW_STATUS_NONE) {
            c->status = VIEW_STATUS_FAILED;
            c->error = "no time was left to read it";
        }
        if ((p = view_find_pod(&k->settled, u->id)) && p->status == VIEW_STATUS_NONE && p->ready) {
            p->status = VIEW_STATUS_FAILED;
            p->error = "no time was left to read it";
        }
        t->tries = LOOK_TRIES;
        if (judge_unit(k, u, t, k->deadline) < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

/* ---- Strays -------------------------------------------------------------------------------- */

static bool has_live_process(const struct podpid_look *k, const struct other_cgroup *o)
{
    for (uint32_t i = 0; i < o->n_procs; i++) {
        const struct proc *row = &k->table->procs[o->procs[i]];

        if (!(row->have & PROC_GONE) &&
            ((row->state != 'Z' && row->state != 'X') || row->threads > 1)) {
            return true;
        }
    }
    return false;
}

static int note_candidate(struct podpid_look *k, const struct other_cgroup *o, nsec now)
{
    struct stray_candidate *c;

    for (size_t i = 0; i < k->n_candidates; i++) {
        c = &k->candidates[i];
        if (strcmp(c->container_id, o->facts->container_id) == 0 &&
            strcmp(c->pod_uid, o->facts->pod_uid ? o->facts->pod_uid : "") == 0) {
            c->last_seen = now;
            return 0;
        }
    }
    if (arena_grow(&k->arena, (void **)&k->candidates, k->n_candidates, &k->cap_candidates,
                   sizeof(*k->candidates)) < 0) {
        return -ENOMEM;
    }
    c = &k->candidates[k->n_candidates];
    c->container_id = arena_strdup(&k->arena, o->facts->container_id);
    c->pod_uid = arena_strdup(&k->arena, o->facts->pod_uid ? o->facts->pod_uid : "");
    c->first_seen = c->last_seen = now;
    k->n_candidates++;
    return c->container_id && c->pod_uid ? 0 : -ENOMEM;
}

static int look_for_strays(struct podpid_look *k, nsec now)
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

bool look_is_old_stray(const struct podpid_look *k, const struct stray_candidate *c)
{
    return k->is_replay || (!k->quick && c->last_seen - c->first_seen >= stray_age);
}

/* When the strays that were seen have been seen for long enough; now if there are none. */
static nsec strays_due(const struct podpid_look *k, nsec now)
{
    nsec due = now;

    for (size_t i = 0; !k->quick && !k->waited_for_strays && i < k->n_candidates; i++) {
        nsec at = nsec_after(k->candidates[i].first_seen, stray_age);

        due = at > due ? at : due;
    }
    return due;
}

/* ---- The round's end ----------------------------------------------------------------------- */

static nsec pause_before(unsigned tries)
{
    static const int ms[LOOK_TRIES + 1] = {0, 10, 40, 90, 140, 180};

    return ms[tries <= LOOK_TRIES ? tries : LOOK_TRIES] * NSEC_PER_MSEC;
}

int look_judge(struct podpid_look *k, nsec now)
{
    unsigned fewest = LOOK_TRIES;
    bool again = false;
    nsec due;
    int rc;

    arena_free(&k->judge_arena);
    rc = settle(k);
    if (rc == 0) {
        rc = join(k);
    }
    for (size_t i = 0; rc == 0 && i < k->members.n_units; i++) {
        const struct unit *u = &k->members.units[i];
        struct track *t = look_track(k, u->id);

        if (t && t->open && is_answered(u)) {
            rc = judge_unit(k, u, t, now);
        }
    }
    if (rc == 0 && k->has_runtime) {
        rc = look_for_strays(k, now);
    }
    if (rc < 0) {
        return rc;
    }
    k->rounds++;
    for (size_t i = 0; i < k->n_tracks; i++) {
        if (k->tracks[i]->open) {
            again = true;
            fewest = k->tracks[i]->tries < fewest ? k->tracks[i]->tries : fewest;
        }
    }
    if (!again && !k->is_replay) {
        due = strays_due(k, now);
        if (due > now && due < k->deadline) {
            k->waited_for_strays = true;
            k->late_welcome = true;
            k->phase = LOOK_PAUSE;
            k->resume_at = due;
            return 0;
        }
        rc = look_pin(k, false, &again);
        if (rc < 0) {
            return rc;
        }
        fewest = 1;
    }
    if (again) {
        k->phase = LOOK_PAUSE;
        k->resume_at = nsec_after(now, pause_before(fewest));
        return 0;
    }
    return look_publish(k, now);
}
