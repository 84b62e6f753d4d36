/* The phases of a look: made, stepped from list to list, and freed. */
#include "resolver/look/impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "resolver/arguments.h"
#include "resolver/proc/cgroupfs.h"

/* Processes that are scanned between two turns at the socket: the runtime stalls when its answers
 * are not taken. */
enum { SCAN_SLICE = 32 };

/* Where the options name none. A healthy node takes a fraction of a second. */
static const nsec default_timeout = 10 * NSEC_PER_SEC;

/* ---- Making and freeing -------------------------------------------------------------------- */

static int open_replay(struct podpid_look *k, struct err *err)
{
    int rc = capture_read(k->options->replay, &k->arena, &k->replay, err);

    if (rc < 0) {
        return rc;
    }
    k->is_replay = true;
    k->has_runtime = k->replay.has_runtime && !k->options->no_runtime;
    k->procfs = k->replay.procfs;
    k->procfs_open = true;
    k->node = k->replay.node;
    return 0;
}

static int open_node(struct podpid_look *k, struct err *err)
{
    const struct podpid_options *o = k->options;
    int rc = procfs_open(node_proc_path(o), &k->procfs, err);

    if (rc < 0) {
        return rc;
    }
    k->procfs_open = true;
    k->has_runtime = !o->no_runtime;
    rc = node_read(&k->procfs, &k->arena, &k->node, err);
    if (rc < 0) {
        return rc;
    }
    rc = cgroupfs_open(&k->procfs, &k->cgroupfs, err);
    if (rc < 0) {
        return rc;
    }
    return k->has_runtime
               ? discover_endpoint(o, &k->procfs, AT_FDCWD, &k->arena, &k->discovered, err)
               : 0;
}

DEFINE_CLEANUP(podpid_look_free, struct podpid_look *)

static int look_new(const struct podpid_options *options, struct podpid_look **ret, struct err *err)
{
    CLEANUP(cleanup_podpid_look_free) struct podpid_look *k = calloc(1, sizeof(*k));
    int rc;

    if (!k) {
        return err_nomem(err);
    }
    k->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    rc = SIZED_COPY(&k->own_options, options, err);
    if (rc < 0) {
        return rc;
    }
    k->options = &k->own_options;
    k->skip_strays = k->options->no_strays;
    k->snapshot = calloc(1, sizeof(*k->snapshot));
    k->table = calloc(1, sizeof(*k->table));
    k->next = calloc(1, sizeof(*k->next));
    if (!k->snapshot || !k->table || !k->next) {
        return err_nomem(err);
    }
    if (k->epoll_fd < 0) {
        return err_set(err, ERR_INTERNAL, errno, "no epoll descriptor can be had: %s",
                       strerror(errno));
    }
    rc = k->options->replay ? open_replay(k, err) : open_node(k, err);
    if (rc < 0) {
        return rc;
    }
    *ret = TAKE_PTR(k);
    return 0;
}

int podpid_look_new(const struct podpid_options *options, struct podpid_look **ret,
                    struct podpid_error *error)
{
    struct err err = {0};

    if (!ret) {
        return bad_argument(__func__, error);
    }
    return look_new(options, ret, &err) < 0 ? error_publish(&err, error) : PODPID_OK;
}

void podpid_look_free(struct podpid_look *k)
{
    if (!k) {
        return;
    }
    ptable_scan_free(k->scan);
    ptable_free(k->table);
    free(k->table);
    ptable_free(k->next);
    free(k->next);
    client_close(k->client);
    for (unsigned i = 0; i < k->n_others; i++) {
        client_close(k->others[i].client);
    }
    podpid_snapshot_free(k->snapshot);
    cgroupfs_close(k->cgroupfs);
    if (k->procfs_open) {
        procfs_close(&k->procfs);
    }
    if (k->epoll_fd >= 0) {
        close(k->epoll_fd);
    }
    arena_free(&k->judge_arena);
    arena_free(&k->arena);
    free(k);
}

int podpid_look_fd(const struct podpid_look *k)
{
    return k ? k->epoll_fd : -1;
}

struct podpid_snapshot *podpid_look_take(struct podpid_look *k)
{
    return k && k->phase == LOOK_DONE ? TAKE_PTR(k->snapshot) : NULL;
}

/* ---- The scan ------------------------------------------------------------------------------ */

/* What a function without a struct err returned: short of memory or descriptors. Nothing may be
 * concluded from what was read then. */
static int fail_short(const struct podpid_look *k, int rc, struct err *err)
{
    return rc == -ENOMEM
               ? err_nomem(err)
               : err_set(err, ERR_PROC, -rc, "reading %s: %s", k->procfs.path, strerror(-rc));
}

static int start_scan(struct podpid_look *k, struct err *err)
{
    ptable_scan_free(k->scan);
    k->scan = NULL;
    ptable_free(k->next);
    k->scanned = false;
    /* Later rounds judge few units: reading all that look like roots would cost more than it
     * saves. */
    k->loaded_ahead = k->client && k->rounds == 0 ? 0 : SIZE_MAX;
    return ptable_scan_new(&k->procfs, k->next, &k->scan, err);
}

static int finish_scan(struct podpid_look *k, struct err *err)
{
    k->scanned = true;
    /* Every container would be dead. A node has processes. */
    if (!k->is_replay && k->next->n_procs == 0) {
        err_set(err, ERR_PROC, ENOENT, "%s shows no process", k->procfs.path);
        err_hint(err, "--proc and HOST_PROC name the directory where the node's /proc is mounted");
        return -ENOENT;
    }
    return !k->has_runtime && members_strip_root(k->next) < 0 ? err_nomem(err) : 0;
}

static int scan_more(struct podpid_look *k, struct err *err)
{
    int rc = k->scanned ? 0 : ptable_scan_step(k->scan, SCAN_SLICE, err);

    return rc == 1 ? finish_scan(k, err) : rc;
}

/* The next table becomes the judged one. Until then the table of the last judgement stays: it is
 * what is published if the deadline passes. */
static void take_scan(struct podpid_look *k)
{
    struct ptable *judged = k->table;

    k->table = k->next;
    k->next = judged;
    ptable_free(judged);
}

/* ---- The rounds ---------------------------------------------------------------------------- */

static int start_round(struct podpid_look *k, nsec now, struct err *err)
{
    int rc = k->client ? look_ask_statuses(k, now, err) : 0;

    if (rc < 0) {
        return rc;
    }
    k->phase = LOOK_GATHER;
    return start_scan(k, err);
}

/* The list, the statuses and the scan of a round have come: judge them, and publish the judgement
 * unless another round is to follow. */
static int end_round(struct podpid_look *k, nsec now, struct err *err)
{
    int rc = look_merge_list(k);

    if (rc < 0) {
        return fail_short(k, rc, err);
    }
    rc = look_judge(k, now, &k->resume_at);
    if (rc < 0) {
        return fail_short(k, rc, err);
    }
    if (k->resume_at != NSEC_NEVER) {
        k->phase = LOOK_PAUSE;
        return 0;
    }
    rc = look_publish(k, now);
    if (rc < 0) {
        return fail_short(k, rc, err);
    }
    k->phase = LOOK_DONE;
    return 0;
}

/* Without a runtime to ask again there is one round, over what was recorded or what the scan shows.
 */
static int end_only_round(struct podpid_look *k, nsec now, struct err *err)
{
    take_scan(k);
    if (!k->has_runtime) {
        int rc = look_view_of_scan(k);

        if (rc < 0) {
            return fail_short(k, rc, err);
        }
    } else {
        k->list = k->replay.view;
        k->view = k->replay.view;
        k->runtime = k->replay.view.runtime;
    }
    return end_round(k, now, err);
}

/* Where the runtime fails before its first list, another well-known socket may serve. A shortage is
 * not the runtime's failure: the other socket would meet it, too. */
static int switch_on_failure(struct podpid_look *k, int rc, struct err *err)
{
    if (rc < 0 && k->phase == LOOK_LIST && !err_is_shortage(rc) &&
        look_switch_socket(k, "does not serve", false)) {
        return look_ask_first(k, err);
    }
    return rc;
}

static int step_clients(struct podpid_look *k, nsec now, struct err *err)
{
    int rc = look_step_runtime(k, now, err);

    look_step_others(k, now);
    return switch_on_failure(k, rc, err);
}

/* ---- The phases ---------------------------------------------------------------------------- */

static int start(struct podpid_look *k, nsec now, struct err *err)
{
    int rc;

    if (!k->has_runtime || k->is_replay) {
        return start_round(k, now, err);
    }
    k->phase = LOOK_LIST;
    rc = look_ask_others(k, err);
    if (rc < 0) {
        return rc;
    }
    rc = switch_on_failure(k, look_open_runtime(k, err), err);
    return rc < 0 ? rc : step_clients(k, now, err);
}

static int take_first_list(struct podpid_look *k, nsec now, struct err *err)
{
    int rc;

    if (!k->listed) {
        return 0;
    }
    if (k->list.n_pods == 0 && k->list.n_containers == 0) {
        if (look_others_may_answer(k, now)) {
            return 0;
        }
        if (look_switch_socket(k, "lists nothing", true)) {
            return look_ask_first(k, err);
        }
    }
    rc = look_merge_list(k);
    if (rc < 0) {
        return fail_short(k, rc, err);
    }
    rc = start_round(k, now, err);
    return rc < 0 ? rc : step_clients(k, now, err);
}

static int gather(struct podpid_look *k, nsec now, struct err *err)
{
    bool was_scanned = k->scanned;
    int rc = scan_more(k, err);

    if (rc < 0) {
        return rc;
    }
    if (was_scanned && k->asked && look_has_more_ahead(k)) {
        rc = look_load_ahead(k);
        if (rc < 0) {
            return fail_short(k, rc, err);
        }
    }
    if (k->client && now >= k->status_deadline && (k->asked || !k->identified)) {
        look_fail_unanswered(k);
    }
    if (!k->scanned || k->asked || (k->client && !k->identified)) {
        return 0;
    }
    if (!k->client) {
        return end_only_round(k, now, err);
    }
    k->phase = LOOK_RELIST;
    return look_ask_list(k, err);
}

static int relist(struct podpid_look *k, nsec now, struct err *err)
{
    int rc;

    if (k->listed) {
        take_scan(k);
        return end_round(k, now, err);
    }
    rc = look_load_ahead(k);
    return rc < 0 ? fail_short(k, rc, err) : 0;
}

static int advance(struct podpid_look *k, nsec now, struct err *err)
{
    switch (k->phase) {
    case LOOK_START:
        return start(k, now, err);
    case LOOK_LIST:
        return take_first_list(k, now, err);
    case LOOK_GATHER:
        return gather(k, now, err);
    case LOOK_RELIST:
        return relist(k, now, err);
    case LOOK_PAUSE:
        return now >= k->resume_at ? start_round(k, now, err) : 0;
    case LOOK_DONE:
        break;
    }
    return 0;
}

/* ---- The deadline -------------------------------------------------------------------------- */

/* The judgement of an earlier round is an answer: publish it. */
static int publish_what_is_known(struct podpid_look *k, nsec now, struct err *err)
{
    bool again;
    int rc = look_judge_unread(k);

    if (rc < 0) {
        return fail_short(k, rc, err);
    }
    rc = look_pin(k, true, &again);
    if (rc < 0) {
        return fail_short(k, rc, err);
    }
    rc = look_publish(k, now);
    if (rc < 0) {
        return fail_short(k, rc, err);
    }
    k->phase = LOOK_DONE;
    return 0;
}

static int out_of_time(struct podpid_look *k, nsec now, struct err *err)
{
    char where[ENDPOINT_TEXT_SIZE];

    if (k->rounds) {
        return publish_what_is_known(k, now, err);
    }
    if (!k->client) {
        return err_set(err, ERR_TIMEOUT, ETIMEDOUT, "the scan of %s was not done in time",
                       k->procfs.path);
    }
    endpoint_format(&k->discovered.endpoint, where, sizeof(where));
    err_set(err, ERR_TIMEOUT, ETIMEDOUT, "the runtime at %s did not answer within %lld ms", where,
            (long long)((k->deadline - k->started) / NSEC_PER_MSEC));
    err_hint(err,
             "is the daemon overloaded or hung? look at its log, or give it longer with --timeout");
    return -ETIMEDOUT;
}

/* ---- Stepping ------------------------------------------------------------------------------ */

static void set_deadline(struct podpid_look *k, nsec now)
{
    k->started = now;
    k->wall_started = clock_read(CLOCK_REALTIME);
    k->deadline = nsec_after(now, k->options->timeout > 0 ? k->options->timeout : default_timeout);
}

/* 1 done, 0 more to come, negative errno. */
static int step(struct podpid_look *k, nsec now, struct err *err)
{
    enum look_phase before;
    int rc;

    if (!k->started) {
        set_deadline(k, now);
    }
    rc = step_clients(k, now, err);
    if (rc < 0) {
        return rc;
    }
    do {
        before = k->phase;
        rc = advance(k, now, err);
        if (rc < 0) {
            return rc;
        }
    } while (k->phase != before);
    if (k->phase != LOOK_DONE && now >= k->deadline) {
        rc = out_of_time(k, now, err);
        if (rc < 0) {
            return rc;
        }
    }
    return k->phase == LOOK_DONE;
}

int podpid_look_step(struct podpid_look *k, int64_t now, struct podpid_error *error)
{
    struct err err = {0};
    int rc;

    if (!k) {
        return bad_argument(__func__, error);
    }
    rc = step(k, now, &err);
    return rc < 0 ? error_publish(&err, error) : rc;
}

/* Whether there is something to do that waits for nothing. */
static bool is_busy(const struct podpid_look *k)
{
    switch (k->phase) {
    case LOOK_START:
    case LOOK_DONE:
        return true;
    case LOOK_GATHER:
        return !k->scanned || look_has_more_ahead(k);
    case LOOK_RELIST:
        return look_has_more_ahead(k);
    case LOOK_LIST:
    case LOOK_PAUSE:
        break;
    }
    return false;
}

int64_t podpid_look_deadline(const struct podpid_look *k)
{
    nsec deadline = k ? k->deadline : PODPID_NO_DEADLINE;

    if (!k || is_busy(k)) {
        return k ? 0 : PODPID_NO_DEADLINE;
    }
    if (k->phase == LOOK_PAUSE) {
        deadline = nsec_min(deadline, k->resume_at);
    }
    if (k->phase == LOOK_GATHER) {
        deadline = nsec_min(deadline, k->status_deadline);
    }
    if (k->client) {
        deadline = nsec_min(deadline, client_deadline(k->client));
    }
    return nsec_min(deadline, look_others_deadline(k, k->phase == LOOK_LIST && k->listed));
}
