/* What a watch holds for true, and what changes in it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "resolver/handoff/handoff.h"
#include "resolver/watch/impl.h"

void document_free(struct document *d)
{
    podpid_snapshot_free(d->shown);
    podpid_snapshot_free(d->full);
    *d = (struct document){0};
}

/* ---- The queue ------------------------------------------------------------------------------- */

static int push(struct podpid_watch *w, const struct podpid_event *e)
{
    struct podpid_event *at;

    if (w->queue_n == w->queue_cap) {
        size_t cap = w->queue_cap ? w->queue_cap * 2 : 64;
        struct podpid_event *more = realloc(w->queue, cap * sizeof(*more));

        if (!more) {
            return -ENOMEM;
        }
        w->queue = more;
        w->queue_cap = cap;
    }
    at = &w->queue[w->queue_n++];
    *at = *e;
    at->seq = ++w->seq;
    at->generation = w->generation;
    at->at = clock_read(CLOCK_REALTIME);
    at->stale = w->stale;
    return 0;
}

int watch_push_runtime(struct podpid_watch *w, const char *detail)
{
    char *text = arena_strdup(&w->queue_arena, detail);

    if (!text) {
        return -ENOMEM;
    }
    w->generation++;
    return push(
        w, &(struct podpid_event){.kind = PODPID_EVENT_RUNTIME, .source = "look", .detail = text});
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

/* ---- Comparing ------------------------------------------------------------------------------- */

static int by_id(const void *pa, const void *pb)
{
    const struct live *a = *(const struct live *const *)pa, *b = *(const struct live *const *)pb;

    return strcmp(a->row->id, b->row->id);
}

static struct live *find_live(const struct podpid_watch *w, const char *id)
{
    size_t lo = 0, hi = w->n_lives;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strcmp(w->lives[mid]->row->id, id);

        if (c == 0) {
            return w->lives[mid];
        }
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return NULL;
}

/* The sandbox is part of what a container's row says. */
static bool pod_differs(const struct podpid_pod *a, const struct podpid_pod *b)
{
    return a->ready != b->ready || a->sandbox_verdict != b->sandbox_verdict ||
           a->sandbox_pid != b->sandbox_pid ||
           a->sandbox_start_time_ticks != b->sandbox_start_time_ticks;
}

static bool differs(const struct podpid_container *a, const struct podpid_container *b)
{
    return a->verdict != b->verdict || a->state != b->state || a->pid != b->pid ||
           a->inferred_pid != b->inferred_pid || a->start_time_ticks != b->start_time_ticks ||
           pod_differs(a->pod, b->pod);
}

/* What is no event but stands in the handoff file: the other processes, and their cgroups. */
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

static int push_container(struct podpid_watch *w, enum podpid_event_kind kind,
                          const struct podpid_container *c, const char *source)
{
    return push(w, &(struct podpid_event){.kind = kind, .source = source, .container = c});
}

/* ---- The end of a main process --------------------------------------------------------------- */

/* The process whose end is the container's: as far as it goes, also one that is only inferred. */
static pid_t main_process(const struct podpid_container *c)
{
    return c->pid ? c->pid : c->inferred_pid;
}

/* The row without its main process. What else was in the container may live on or not: that is for
 * the next look to say. */
static int bury(struct document *d, struct podpid_container *c)
{
    const struct podpid_process **rows =
        arena_calloc(&d->shown->arena, c->n_processes, sizeof(*rows));
    size_t n = 0;

    if (!rows) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < c->n_processes; i++) {
        if (c->processes[i]->pid != main_process(c)) {
            rows[n++] = c->processes[i];
        }
    }
    c->processes = rows;
    c->n_processes = n;
    c->reason = c->pid ? "its main process has ended; the runtime has not said so yet"
                       : "the process that was inferred to be its main process has ended";
    c->pid = c->inferred_pid = 0;
    c->start_time_ticks = 0;
    c->verdict = PODPID_VERDICT_DEAD;
    c->ns_pid = c->ns_mnt = c->ns_net = c->ns_cgroup = 0;
    return 0;
}

int watch_exited(struct podpid_watch *w, struct live *l)
{
    struct podpid_container *c = l->row;

    handle_drop(w, &l->process);
    if (main_process(c) != l->process.pid || c->start_time_ticks != l->process.start) {
        return 0;
    }
    if (bury(&w->now, c) < 0) {
        return -ENOMEM;
    }
    return push_container(w, PODPID_EVENT_CHANGED, c, "pidfd");
}

/* ---- A new truth ----------------------------------------------------------------------------- */

struct comparison {
    struct live **lives; /* of the new document */
    size_t n;
    bool changed;
};

/* A container's handle goes on into the new document. A look takes its time: the process that it
 * saw may have ended since, and may have been published as dead already. */
static int compare_row(struct podpid_watch *w, struct comparison *c, struct document *next,
                       struct podpid_container *row)
{
    struct live *l = find_live(w, row->id);
    bool is_new = !l;
    int rc = 0, followed;

    if (is_new) {
        l = calloc(1, sizeof(*l));
        if (!l) {
            return -ENOMEM;
        }
        l->process = (struct handle){.live = l, .fd = -1};
    }
    l->kept = true;
    c->lives[c->n++] = l;
    followed = handle_follow(w, &l->process, main_process(row), row->start_time_ticks);
    if (followed == -ESRCH) {
        w->look_again = true;
        rc = bury(next, row);
    } else if (followed < 0) {
        w->lost.mains = -followed;
    }
    if (rc == 0 && is_new) {
        c->changed = true;
        rc = w->first_done ? push_container(w, PODPID_EVENT_ADDED, row, "look") : 0;
    } else if (rc == 0 && differs(l->row, row)) {
        c->changed = true;
        rc = push_container(w, PODPID_EVENT_CHANGED, row, "look");
    } else if (rc == 0 && w->options.handoff_path && inside_differs(l->row, row)) {
        c->changed = true;
    }
    l->row = row;
    return rc;
}

static int compare_all(struct podpid_watch *w, struct document *d, struct comparison *c)
{
    c->lives = calloc(d->n_rows + 1, sizeof(struct live *));
    if (!c->lives) {
        return -ENOMEM;
    }
    w->lost.mains = 0;
    for (size_t i = 0; i < d->n_rows; i++) {
        if (compare_row(w, c, d, d->rows[i]) < 0) {
            return -ENOMEM;
        }
    }
    for (size_t i = 0; i < w->n_lives; i++) {
        if (w->lives[i]->kept) {
            continue;
        }
        c->changed = true;
        if (push_container(w, PODPID_EVENT_REMOVED, w->lives[i]->row, "look") < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

static void take_lives(struct podpid_watch *w, struct comparison *c)
{
    for (size_t i = 0; i < w->n_lives; i++) {
        if (!w->lives[i]->kept) {
            handle_drop(w, &w->lives[i]->process);
            free(w->lives[i]);
        }
    }
    free(w->lives);
    w->lives = TAKE_PTR(c->lives);
    w->n_lives = c->n;
    if (w->n_lives) {
        qsort(w->lives, w->n_lives, sizeof(struct live *), by_id);
    }
    for (size_t i = 0; i < w->n_lives; i++) {
        w->lives[i]->kept = false;
    }
}

void watch_number_batch(struct podpid_watch *w, size_t from)
{
    w->generation++;
    for (size_t i = from; i < w->queue_n; i++) {
        w->queue[i].generation = w->generation;
    }
}

int watch_apply(struct podpid_watch *w, struct podpid_snapshot *full)
{
    struct document next = {0};
    struct comparison c = {0};
    size_t from = w->queue_n;
    int rc = make_document(w, full, &next);

    if (rc < 0) {
        podpid_snapshot_free(full);
        return rc;
    }
    rc = compare_all(w, &next, &c);
    /* Also when memory ran out half-way: the handles point into the new document by now. */
    take_lives(w, &c);
    document_free(&w->before);
    w->before = w->now;
    w->now = next;
    if (rc == 0 && !w->first_done) {
        c.changed = true;
        rc =
            push(w, &(struct podpid_event){
                        .kind = PODPID_EVENT_SNAPSHOT, .source = "look", .snapshot = w->now.shown});
    }
    if (rc == 0 && c.changed) {
        watch_number_batch(w, from);
    }
    w->first_done = true;
    return rc;
}
