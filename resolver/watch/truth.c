/* The document that a watch has published, and how the next one differs from it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "resolver/watch/impl.h"

void document_free(struct document *d)
{
    podpid_snapshot_free(d->shown);
    podpid_snapshot_free(d->full);
    *d = (struct document){0};
}

/* ---- The part that was asked for ------------------------------------------------------------- */

static bool is_asked_for(void *context, const struct podpid_container *c)
{
    const struct podpid_watch *w = context;
    const struct podpid_targets *targets = w->options.targets;

    return !targets || podpid_targets_count(targets) == 0 || podpid_targets_match(targets, c);
}

static int copy_pod(struct document *d, const struct podpid_pod **pod)
{
    struct arena *a = &d->shown->arena;
    struct podpid_pod *copy = arena_alloc(a, sizeof(*copy));
    const struct podpid_container **rows = arena_calloc(a, (*pod)->n_containers, sizeof(*rows));

    if (!copy || !rows) {
        return -ENOMEM;
    }
    *copy = **pod;
    for (size_t i = 0; i < copy->n_containers; i++) {
        struct podpid_container *c = arena_alloc(a, sizeof(*c));

        if (!c) {
            return -ENOMEM;
        }
        *c = *copy->containers[i];
        c->pod = copy;
        rows[i] = c;
        d->rows[d->n_rows++] = c;
    }
    copy->containers = rows;
    *pod = copy;
    return 0;
}

static int copy_rows(struct document *d)
{
    size_t total = 0;

    for (size_t i = 0; i < d->shown->n_pods; i++) {
        total += d->shown->pods[i]->n_containers;
    }
    d->rows = arena_calloc(&d->shown->arena, total, sizeof(*d->rows));
    if (!d->rows) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < d->shown->n_pods; i++) {
        if (copy_pod(d, &d->shown->pods[i]) < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

static int make_document(struct podpid_watch *w, struct podpid_snapshot *full, struct document *ret)
{
    struct document d = {.full = full};

    if (podpid_snapshot_select(full, PODPID_SELECT_ALL_STATES, is_asked_for, NULL, w, &d.shown,
                               NULL) < 0) {
        return -ENOMEM;
    }
    if (copy_rows(&d) < 0) {
        podpid_snapshot_free(d.shown);
        return -ENOMEM;
    }
    *ret = d;
    return 0;
}

/* ---- Comparing rows -------------------------------------------------------------------------- */

/* A container's row says these things of its pod. */
static bool pod_differs(const struct podpid_pod *a, const struct podpid_pod *b)
{
    return a->ready != b->ready || a->sandbox_verdict != b->sandbox_verdict ||
           a->sandbox_pid != b->sandbox_pid ||
           a->sandbox_start_time_ticks != b->sandbox_start_time_ticks;
}

/* Whether an event has to tell of it. */
static bool row_differs(const struct podpid_container *a, const struct podpid_container *b)
{
    return a->verdict != b->verdict || a->state != b->state || a->pid != b->pid ||
           a->inferred_pid != b->inferred_pid || a->start_time_ticks != b->start_time_ticks ||
           pod_differs(a->pod, b->pod);
}

/* What no event tells of but the handoff file has: the container's other processes and its
 * cgroups. */
static bool inside_differs(const struct podpid_container *a, const struct podpid_container *b)
{
    if (a->n_processes != b->n_processes || a->n_cgroup_ids != b->n_cgroup_ids ||
        a->cgroup_id != b->cgroup_id) {
        return true;
    }
    for (size_t i = 0; i < a->n_processes; i++) {
        const struct podpid_process *p = a->processes[i], *q = b->processes[i];

        if (p->pid != q->pid || p->start_time_ticks != q->start_time_ticks || p->role != q->role) {
            return true;
        }
    }
    for (size_t i = 0; i < a->n_cgroup_ids; i++) {
        if (a->cgroup_ids[i].id != b->cgroup_ids[i].id) {
            return true;
        }
    }
    return false;
}

static int queue_container(struct podpid_watch *w, enum podpid_event_kind kind,
                           const struct podpid_container *c, const char *source)
{
    return watch_queue_push(w,
                            &(struct podpid_event){.kind = kind, .source = source, .container = c});
}

/* ---- The end of a main process --------------------------------------------------------------- */

/* The main PID, verified or inferred; 0: none. */
static pid_t main_pid(const struct podpid_container *c)
{
    return c->pid ? c->pid : c->inferred_pid;
}

/* Take the main process out of the row. The other processes stay in it: whether they live is for
 * the next look to find out. */
static int mark_dead(struct document *d, struct podpid_container *c)
{
    const struct podpid_process **others =
        arena_calloc(&d->shown->arena, c->n_processes, sizeof(*others));
    size_t n = 0;

    if (!others) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < c->n_processes; i++) {
        if (c->processes[i]->pid != main_pid(c)) {
            others[n++] = c->processes[i];
        }
    }
    c->processes = others;
    c->n_processes = n;
    c->reason = c->pid ? "its main process has ended; the runtime has not said so yet"
                       : "the process that was inferred to be its main process has ended";
    c->pid = c->inferred_pid = 0;
    c->start_time_ticks = 0;
    c->verdict = PODPID_VERDICT_DEAD;
    c->ns_pid = c->ns_mnt = c->ns_net = c->ns_cgroup = 0;
    return 0;
}

static int by_id(const void *pa, const void *pb)
{
    const struct watched *a = *(const struct watched *const *)pa;
    const struct watched *b = *(const struct watched *const *)pb;

    return strcmp(a->row->id, b->row->id);
}

static struct watched *find_watched(const struct podpid_watch *w, struct podpid_container *row)
{
    const struct watched key = {.row = row}, *at = &key;
    struct watched **found =
        w->n_watched ? bsearch(&at, w->watched, w->n_watched, sizeof(struct watched *), by_id)
                     : NULL;

    return found ? *found : NULL;
}

/* Replace the present document by a copy if the caller has kept it: a snapshot that was handed out
 * does not change. 0 or -ENOMEM. */
static int unshare_document(struct podpid_watch *w)
{
    struct document copy = {0};
    int rc;

    if (!snapshot_is_shared(w->now.shown)) {
        return 0;
    }
    rc = make_document(w, w->now.shown, &copy);
    if (rc < 0) {
        return rc;
    }
    for (size_t i = 0; i < copy.n_rows; i++) {
        struct watched *c = find_watched(w, copy.rows[i]);

        if (c) {
            c->row = copy.rows[i];
        }
    }
    copy.full = w->now.full;
    copy.n_lost = w->now.n_lost;
    podpid_snapshot_free(w->now.shown);
    w->now = copy;
    return 0;
}

int watch_main_ended(struct podpid_watch *w, struct watched *c)
{
    handle_close(w, &c->main);
    if (main_pid(c->row) != c->main.pid || c->row->start_time_ticks != c->main.start) {
        return 0;
    }
    if (unshare_document(w) < 0 || mark_dead(&w->now, c->row) < 0) {
        return -ENOMEM;
    }
    w->revision++;
    return queue_container(w, PODPID_EVENT_CHANGED, c->row, "pidfd");
}

/* ---- The next document ----------------------------------------------------------------------- */

struct comparison {
    struct watched **watched; /* the containers of the next document; owned */
    size_t n;
    bool changed; /* the next document differs: it is a new generation */
};

static struct watched *new_watched(void)
{
    struct watched *c = calloc(1, sizeof(*c));

    if (c) {
        c->main = (struct handle){.of = c, .fd = -1};
    }
    return c;
}

/* Follow the main process that the container's new row names. A main process matters more than a
 * sandbox's: where there is no room, sandboxes give their descriptors up. As handle_follow(). */
static int follow_main(struct podpid_watch *w, struct watched *c)
{
    int rc;

    do {
        rc = handle_follow(w, &c->main, main_pid(c->row), c->row->start_time_ticks);
    } while (handle_has_no_room(rc) && watch_sandboxes_yield(w));
    return rc;
}

/* Queue what differs between a container's old row (NULL: it is new) and its row in next. */
static int queue_difference(struct podpid_watch *w, struct comparison *next,
                            const struct podpid_container *old, const struct podpid_container *row)
{
    if (!old) {
        next->changed = true;
        return w->first_done ? queue_container(w, PODPID_EVENT_ADDED, row, "look") : 0;
    }
    if (row_differs(old, row)) {
        next->changed = true;
        return queue_container(w, PODPID_EVENT_CHANGED, row, "look");
    }
    if (w->options.handoff_path && inside_differs(old, row)) {
        next->changed = true;
    }
    return 0;
}

/* A container goes on into the next document with its pidfd. A look takes its time: the process
 * that it saw may have ended since, and that may have been published. */
static int compare_row(struct podpid_watch *w, struct comparison *next, struct document *d,
                       struct podpid_container *row)
{
    struct watched *c = find_watched(w, row);
    const struct podpid_container *old = c ? c->row : NULL;
    int rc;

    c = c ? c : new_watched();
    if (!c) {
        return -ENOMEM;
    }
    c->kept = true;
    c->row = row;
    next->watched[next->n++] = c;
    rc = follow_main(w, c);
    if (rc == -ESRCH) {
        w->look_again = true;
        rc = mark_dead(d, row);
        if (rc < 0) {
            return rc;
        }
    } else if (rc < 0) {
        w->lost.mains = -rc;
    }
    return queue_difference(w, next, old, row);
}

static int compare_all(struct podpid_watch *w, struct document *d, struct comparison *next)
{
    next->watched = calloc(d->n_rows + 1, sizeof(struct watched *));
    if (!next->watched) {
        return -ENOMEM;
    }
    w->lost.mains = 0;
    for (size_t i = 0; i < d->n_rows; i++) {
        if (compare_row(w, next, d, d->rows[i]) < 0) {
            return -ENOMEM;
        }
    }
    for (size_t i = 0; i < w->n_watched; i++) {
        if (w->watched[i]->kept) {
            continue;
        }
        next->changed = true;
        if (queue_container(w, PODPID_EVENT_REMOVED, w->watched[i]->row, "look") < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

static void free_watched(struct podpid_watch *w, struct watched *c)
{
    handle_close(w, &c->main);
    free(c);
}

static void take_watched(struct podpid_watch *w, struct comparison *next)
{
    for (size_t i = 0; i < w->n_watched; i++) {
        if (!w->watched[i]->kept) {
            free_watched(w, w->watched[i]);
        }
    }
    free(w->watched);
    w->watched = TAKE_PTR(next->watched);
    w->n_watched = next->n;
    if (w->n_watched) {
        qsort(w->watched, w->n_watched, sizeof(struct watched *), by_id);
    }
    for (size_t i = 0; i < w->n_watched; i++) {
        w->watched[i]->kept = false;
    }
}

int watch_apply(struct podpid_watch *w, struct podpid_snapshot *full)
{
    struct document d = {0};
    struct comparison next = {0};
    size_t from = w->queue_n;
    int rc = make_document(w, full, &d);

    if (rc < 0) {
        podpid_snapshot_free(full);
        return rc;
    }
    rc = compare_all(w, &d, &next);
    /* Also when memory ran out half-way: containers point to rows of d by now. */
    take_watched(w, &next);
    document_free(&w->before);
    w->before = w->now;
    w->now = d;
    w->revision++;
    if (rc == 0 && !w->first_done) {
        next.changed = true;
        rc = watch_queue_push(w, &(struct podpid_event){.kind = PODPID_EVENT_SNAPSHOT,
                                                        .source = "look",
                                                        .snapshot = w->now.shown});
    }
    w->first_done = true;
    if (rc == 0 && next.changed) {
        watch_queue_number(w, from);
    }
    return rc;
}

void watch_truth_free(struct podpid_watch *w)
{
    for (size_t i = 0; i < w->n_watched; i++) {
        free_watched(w, w->watched[i]);
    }
    free(w->watched);
    document_free(&w->before);
    document_free(&w->now);
}
