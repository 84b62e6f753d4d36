/* The judgement of a round: join, reduce and cross-check of the open units, and whether another
 * round follows. */
#include "resolver/look/impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "resolver/join/rows.h"
#include "resolver/proc/cgroupfs.h"

/* No try begins later than this after a unit's first one, unless a list contradicts its status.
 * containerd 1.6 and 2.1 report a dead PID as running for 50 to 350 ms after a kill. */
static const nsec tries_time = NSEC_PER_SEC / 2;

/* Before the next try of a unit that was judged 0, 1, ... times: short at first, for most
 * disagreements are over within milliseconds; 280 ms in all, so that the last try falls within
 * tries_time though the rounds themselves take their time. */
static const int pauses_ms[LOOK_TRIES] = {0, 10, 40, 90, 140};

/* ---- What the round brought ---------------------------------------------------------------- */

/* A copy of the view in which Docker's claims are settled. */
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
        if (!look_unit_add(&k->units, &k->arena, s->containers[i].id)) {
            return -ENOMEM;
        }
    }
    return 0;
}

/* Why a process may exist that this /proc does not show; NULL: it shows every process that the
 * runtime speaks of. */
static const char *why_blind(const struct podpid_look *k)
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

/* Start ticks plus this is the wall clock, in ns since the epoch. 0: not known. */
static int read_boot_time(const struct podpid_look *k, nsec *ret)
{
    uint64_t seconds = 0;
    int rc;

    /* The present clocks rather than btime, which is cut to a second. */
    if (k->procfs.is_procfs) {
        *ret = clock_read(CLOCK_REALTIME) - clock_read(CLOCK_BOOTTIME);
        return 0;
    }
    rc = procfs_read_btime(&k->procfs, &seconds);
    if (err_is_shortage(rc)) {
        return rc;
    }
    *ret = seconds < (uint64_t)(NSEC_NEVER / NSEC_PER_SEC) ? (nsec)seconds * NSEC_PER_SEC : 0;
    return 0;
}

static int join(struct podpid_look *k)
{
    nsec boot_time = 0;
    int rc = look_load_reported(k);

    if (rc < 0) {
        return rc;
    }
    rc = members_strip_root(k->table); /* also of texts that look_load_reported() has added */
    if (rc < 0) {
        return rc;
    }
    rc = members_assign(&k->settled, k->table, &k->judge_arena, &k->members);
    if (rc < 0) {
        return rc;
    }
    rc = look_load_members(k);
    if (rc < 0) {
        return rc;
    }
    rc = members_find_roots(&k->members, k->table, &k->judge_arena);
    if (rc < 0) {
        return rc;
    }
    rc = look_load_roots(k);
    if (rc < 0) {
        return rc;
    }
    rc = read_boot_time(k, &boot_time);
    if (rc < 0) {
        return rc;
    }
    k->input = (struct verdict_input){
        .view = &k->settled,
        .table = k->table,
        .members = &k->members,
        .vm_handlers = k->options->vm_handlers,
        .boot_time = boot_time,
        .ticks_per_second = sysconf(_SC_CLK_TCK),
        .blind = why_blind(k),
    };
    return 0;
}

/* ---- One unit ------------------------------------------------------------------------------ */

/* Whether another try may bring another verdict: runtime and kernel were read at different times.
 */
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

/* Before `no-process` is published: processes that fork and exit in a loop are in nearly no scan,
 * but the kernel's own list of their cgroup, cgroup.procs, is never empty. */
static int recheck_empty(const struct podpid_look *k, const struct unit *u, struct verdict *v)
{
    AUTO_FREE pid_t *pids = NULL;
    size_t n = 0;
    int rc = 0;

    for (unsigned i = 0; k->cgroupfs && i < u->anchor.n_paths && n == 0 && !err_is_shortage(rc);
         i++) {
        rc = cgroupfs_procs(k->cgroupfs, u->anchor.paths[i], &pids, &n);
    }
    if (err_is_shortage(rc)) {
        return rc;
    }
    if (n) {
        v->verdict = PODPID_VERDICT_UNPROVEN;
        snprintf(v->reason, sizeof(v->reason),
                 "the runtime gives no PID; the processes of its cgroup come and go too fast to be "
                 "read");
    }
    return 0;
}

/* What look_pin() compares with. */
static int remember_identity(struct podpid_look *k, const struct verdict *v, struct look_unit *lu)
{
    lu->pid = v->pid ? v->pid : v->inferred_pid;
    lu->cgroup = NULL;
    if (lu->pid) {
        struct str text = k->table->cgroups[v->main->cgroup].text;

        lu->start = v->main->start;
        lu->cgroup = arena_strndup(&k->arena, text.p, text.n);
    }
    return lu->pid && !lu->cgroup ? -ENOMEM : 0;
}

/* Whether the status has come, or is not asked for. A unit that the closing list added has none
 * yet: the next round asks. */
static bool is_answered(const struct unit *u)
{
    return u->container ? u->container->status != VIEW_STATUS_NONE
                        : u->pod->status != VIEW_STATUS_NONE || !u->pod->ready;
}

/* With a slow runtime each further try could replace an answer by a timeout: hence tries_time. */
static bool may_try_again(const struct look_unit *lu, nsec now)
{
    return lu->tries < LOOK_TRIES && (lu->contradicted || now - lu->first_try < tries_time);
}

/* The runtime lists the unit and says that it does not exist: it is being removed, or just being
 * made. */
static bool is_between(const struct unit *u)
{
    return (u->container ? u->container->status : u->pod->status) == VIEW_STATUS_GONE;
}

static bool is_listed_running(const struct unit *u)
{
    return u->container ? u->container->state == VIEW_RUNNING : u->pod->ready;
}

static int judge_unit(struct podpid_look *k, const struct unit *u, struct look_unit *lu, nsec now)
{
    struct verdict v;
    int rc = 0;

    if (lu->tries++ == 0) {
        lu->first_try = now;
    }
    lu->row = NULL;
    lu->pod_row = NULL;
    lu->pid = 0;
    if (is_between(u)) {
        lu->open = may_try_again(lu, now);
        /* One that stays listed as running must not be missing: verdict_of() makes it an error. */
        if (lu->open || !is_listed_running(u)) {
            return 0;
        }
    }
    verdict_of(&k->input, u, &v);
    lu->open =
        !k->is_replay && (lu->contradicted || is_disagreement(v.verdict)) && may_try_again(lu, now);
    if (v.verdict == PODPID_VERDICT_NO_PROCESS && !lu->open) {
        rc = recheck_empty(k, u, &v);
    }
    if (rc < 0) {
        return rc;
    }
    rc = u->container ? row_container(&k->input, u, &v, &k->snapshot->arena, &lu->row)
                      : row_pod(u->pod, &v, &k->snapshot->arena, &lu->pod_row);
    return rc < 0 ? rc : remember_identity(k, &v, lu);
}

int look_judge_unread(struct podpid_look *k)
{
    for (size_t i = 0; i < k->members.n_units; i++) {
        struct unit *u = &k->members.units[i];
        struct look_unit *lu = look_unit_find(&k->units, u->id);
        int rc;

        if (!lu || !lu->open || lu->row || lu->pod_row) {
            continue;
        }
        look_fail_status(&k->settled, u->id, "no time was left to read it");
        lu->tries = LOOK_TRIES;
        rc = judge_unit(k, u, lu, k->deadline);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

/* ---- The round ----------------------------------------------------------------------------- */

static int judge_open_units(struct podpid_look *k, nsec now)
{
    for (size_t i = 0; i < k->members.n_units; i++) {
        const struct unit *u = &k->members.units[i];
        struct look_unit *lu = look_unit_find(&k->units, u->id);
        int rc = lu && lu->open && is_answered(u) ? judge_unit(k, u, lu, now) : 0;

        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

/* When the open units are to be tried again; NSEC_NEVER: none is open. */
static nsec next_try(const struct podpid_look *k, nsec now)
{
    unsigned fewest = LOOK_TRIES;

    for (size_t i = 0; i < k->units.n; i++) {
        const struct look_unit *lu = k->units.items[i];

        if (lu->open && lu->tries < fewest) {
            fewest = lu->tries;
        }
    }
    return fewest < LOOK_TRIES ? nsec_after(now, pauses_ms[fewest] * NSEC_PER_MSEC) : NSEC_NEVER;
}

/* What follows a judgement: further tries, then the wait for strays, then the last reading, which
 * may open units again. */
static int plan_next_round(struct podpid_look *k, nsec now, nsec *ret_resume_at)
{
    bool again;
    nsec due;
    int rc;

    *ret_resume_at = next_try(k, now);
    if (*ret_resume_at != NSEC_NEVER || k->is_replay) {
        return 0;
    }
    due = look_strays_due(k, now);
    if (due > now && due < k->deadline) {
        k->waited_for_strays = true;
        k->late_welcome = true;
        *ret_resume_at = due;
        return 0;
    }
    rc = look_pin(k, false, &again);
    if (rc < 0) {
        return rc;
    }
    if (again) {
        *ret_resume_at = nsec_after(now, pauses_ms[1] * NSEC_PER_MSEC);
    }
    return 0;
}

int look_judge(struct podpid_look *k, nsec now, nsec *ret_resume_at)
{
    int rc;

    arena_free(&k->judge_arena);
    rc = settle(k);
    if (rc < 0) {
        return rc;
    }
    rc = join(k);
    if (rc < 0) {
        return rc;
    }
    rc = judge_open_units(k, now);
    if (rc < 0) {
        return rc;
    }
    rc = k->has_runtime ? look_note_strays(k, now) : 0;
    if (rc < 0) {
        return rc;
    }
    k->rounds++;
    return plan_next_round(k, now, ret_resume_at);
}
