#include "resolver/look/impl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "resolver/error.h"

/* Between two slices the socket is served: the runtime stalls when its answers are not taken. */
enum { SCAN_SLICE = 32 };

static const nsec default_timeout = 10 * NSEC_PER_SEC;

/* ---- Making and freeing -------------------------------------------------------------------- */

static int open_sources(struct podpid_look *k, struct err *err)
{
    const struct podpid_options *o = k->options;
    int rc;

    if (o->replay) {
        rc = replay_open(o->replay, &k->arena, &k->replay, err);
        if (rc < 0) {
            return rc;
        }
        k->is_replay = true;
        k->has_runtime = k->replay.has_runtime && !o->no_runtime;
        k->procfs = k->replay.procfs;
        k->procfs_open = true;
        k->node = k->replay.node;
        return 0;
    }
    k->has_runtime = !o->no_runtime;
    rc = procfs_open(node_proc_path(o), &k->procfs, err);
    if (rc < 0) {
        return rc;
    }
    k->procfs_open = true;
    rc = node_read(&k->procfs, &k->arena, &k->node, err);
    if (rc == 0) {
        rc = cgroup_ids_open(&k->procfs, &k->ids, err);
    }
    if (rc == 0 && k->has_runtime) {
        rc = discover_endpoint(o, &k->procfs, AT_FDCWD, &k->arena, &k->discovered, err);
    }
    return rc;
}

static int look_new(const struct podpid_options *options, struct podpid_look **ret, struct err *err)
{
    struct podpid_look *k = calloc(1, sizeof(*k));
    int rc;

    if (!k) {
        return err_nomem(err);
    }
    k->options = options;
    k->quick = options->no_strays;
    k->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    k->snapshot = calloc(1, sizeof(*k->snapshot));
    k->table = calloc(1, sizeof(*k->table));
    k->next = calloc(1, sizeof(*k->next));
    if (!k->snapshot || !k->table || !k->next) {
        rc = err_nomem(err);
    } else if (k->epoll_fd < 0) {
        rc = err_set(err, ERR_INTERNAL, errno, "no epoll descriptor can be had: %s",
                     strerror(errno));
    } else {
        rc = open_sources(k, err);
    }
    if (rc < 0) {
        podpid_look_free(k);
        return rc;
    }
    *ret = k;
    return 0;
}

int podpid_look_new(const struct podpid_options *options, struct podpid_look **ret,
                    struct podpid_error *error)
{
    struct err err = {0};

    if (look_new(options, ret, &err) < 0) {
        return error_publish(&err, error);
    }
    return 0;
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
    cgroup_ids_close(k->ids);
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

void look_be_quick(struct podpid_look *k)
{
    k->quick = true;
}

bool look_waits_for_strays(const struct podpid_look *k)
{
    return k->phase == LOOK_PAUSE && k->waited_for_strays;
}

int podpid_look_fd(const struct podpid_look *k)
{
    return k->epoll_fd;
}

struct podpid_snapshot *podpid_look_take(struct podpid_look *k)
{
    struct podpid_snapshot *s;

    if (k->phase != LOOK_DONE) {
        return NULL;
    }
    s = k->snapshot;
    k->snapshot = NULL;
    return s;
}

/* ---- The rounds ---------------------------------------------------------------------------- */

static int start_scan(struct podpid_look *k, struct err *err)
{
    ptable_scan_free(k->scan);
    k->scan = NULL;
    ptable_free(k->next);
    k->scanned = false;
    k->loaded_ahead = k->client && k->rounds == 0 ? 0 : SIZE_MAX;
    return ptable_scan_new(&k->procfs, k->next, &k->scan, err);
}

static int start_round(struct podpid_look *k, nsec now, struct err *err)
{
    int rc = 0;

    if (k->client) {
        look_forget_statuses(k);
        rc = look_ask_statuses(k, now, err);
    }
    if (rc == 0) {
        rc = start_scan(k, err);
    }
    k->phase = LOOK_GATHER;
    return rc;
}

static int scan_more(struct podpid_look *k, struct err *err)
{
    int rc;

    if (k->scanned) {
        return 0;
    }
    rc = ptable_scan_step(k->scan, SCAN_SLICE, err);
    if (rc == 1) {
        k->scanned = true;
        /* Every container would be dead. A node has processes. */
        if (!k->is_replay && k->next->n_procs == 0) {
            err_set(err, ERR_PROC, ENOENT, "%s shows no process", k->procfs.path);
            err_hint(err,
                     "--proc and HOST_PROC name the directory where the node's /proc is mounted");
            return -ENOENT;
        }
        if (!k->has_runtime && members_strip_root(k->next) < 0) {
            return err_nomem(err);
        }
    }
    return rc < 0 ? rc : 0;
}

/* Until here the last judgement's table stays: at the deadline that one is published. */
static void take_scan(struct podpid_look *k)
{
    struct ptable *judged = k->table;

    k->table = k->next;
    k->next = judged;
    ptable_free(judged);
}

/* Short of memory or descriptors: no verdict comes of that. */
static int short_of(const struct podpid_look *k, int rc, struct err *err)
{
    return rc == -ENOMEM
               ? err_nomem(err)
               : err_set(err, ERR_PROC, -rc, "reading %s: %s", k->procfs.path, strerror(-rc));
}

static int judge(struct podpid_look *k, nsec now, struct err *err)
{
    int rc = look_judge(k, now);

    return rc < 0 ? short_of(k, rc, err) : 0;
}

/* Without a runtime to ask again there is one round over what was recorded, or over what the scan
 * shows. */
static int judge_without_client(struct podpid_look *k, nsec now, struct err *err)
{
    take_scan(k);
    if (!k->has_runtime) {
        return look_view_of_scan(k) < 0 ? err_nomem(err) : judge(k, now, err);
    }
    k->list = k->replay.view;
    k->view = k->replay.view;
    k->runtime = k->replay.view.runtime;
    return look_merge_list(k) < 0 ? err_nomem(err) : judge(k, now, err);
}

static int gather(struct podpid_look *k, nsec now, struct err *err)
{
    bool was_scanned = k->scanned;
    int rc = scan_more(k, err);

    if (rc < 0) {
        return rc;
    }
    if (was_scanned && look_has_more_ahead(k) && k->asked && (rc = look_load_ahead(k)) < 0) {
        return short_of(k, rc, err);
    }
    if (k->client && now >= k->status_deadline && (k->asked || !k->identified)) {
        look_fail_unanswered(k);
        k->identified = true;
    }
    if (!k->scanned || k->asked || (k->client && !k->identified)) {
        return 0;
    }
    if (!k->client) {
        return judge_without_client(k, now, err);
    }
    k->phase = LOOK_RELIST;
    return look_ask_list(k, err);
}

static int advance(struct podpid_look *k, nsec now, struct err *err)
{
    int rc = 0;

    switch (k->phase) {
    case LOOK_START:
        if (k->has_runtime && !k->is_replay) {
            k->phase = LOOK_LIST;
            rc = look_open_runtime(k, err);
            rc = rc < 0 ? rc : look_step_runtime(k, now, err);
            return rc < 0 && look_fall_on(k, "does not serve", false, err) ? 0 : rc;
        }
        return start_round(k, now, err);
    case LOOK_LIST:
        if (k->listed && k->list.n_pods == 0 && k->list.n_containers == 0 &&
            (look_others_may_answer(k, now) || look_fall_on(k, "lists nothing", true, err))) {
            return 0;
        }
        if (k->listed) {
            rc = look_merge_list(k) < 0 ? err_nomem(err) : start_round(k, now, err);
            return rc < 0 ? rc : look_step_runtime(k, now, err);
        }
        return 0;
    case LOOK_GATHER:
        return gather(k, now, err);
    case LOOK_RELIST:
        if (k->listed) {
            take_scan(k);
            return look_merge_list(k) < 0 ? err_nomem(err) : judge(k, now, err);
        }
        rc = look_load_ahead(k);
        return rc < 0 ? short_of(k, rc, err) : 0;
    case LOOK_PAUSE:
        return now >= k->resume_at ? start_round(k, now, err) : 0;
    case LOOK_DONE:
        return 0;
    }
    return rc;
}

/* At the deadline: what a first whole round brought is an answer, anything less is none. */
static int out_of_time(struct podpid_look *k, nsec now, struct err *err)
{
    char where[128] = "";
    bool again;

    if (k->rounds && k->phase != LOOK_DONE) {
        int rc = look_judge_unread(k);

        rc = rc < 0 ? rc : look_pin(k, true, &again);
        rc = rc < 0 ? rc : look_publish(k, now);
        return rc < 0 ? short_of(k, rc, err) : 0;
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

static int look_step(struct podpid_look *k, nsec now, struct err *err)
{
    enum look_phase before;
    int rc;

    if (!k->started) {
        k->started = now;
        k->wall_started = clock_read(CLOCK_REALTIME);
        k->deadline =
            nsec_after(now, k->options->timeout > 0 ? k->options->timeout : default_timeout);
    }
    rc = look_step_runtime(k, now, err);
    if (rc < 0 && k->phase == LOOK_LIST && look_fall_on(k, "does not serve", false, err)) {
        rc = 0;
    }
    do {
        before = k->phase;
        rc = rc < 0 ? rc : advance(k, now, err);
    } while (rc == 0 && k->phase != before);
    if (rc == 0 && k->phase != LOOK_DONE && now >= k->deadline) {
        rc = out_of_time(k, now, err);
    }
    return rc < 0 ? rc : k->phase == LOOK_DONE;
}

int podpid_look_step(struct podpid_look *k, int64_t now, struct podpid_error *error)
{
    struct err err = {0};
    int rc = look_step(k, now, &err);

    return rc < 0 ? error_publish(&err, error) : rc;
}

int64_t podpid_look_deadline(const struct podpid_look *k)
{
    nsec deadline;

    if (k->phase == LOOK_START || k->phase == LOOK_DONE ||
        (k->phase == LOOK_GATHER && !k->scanned) ||
        ((k->phase == LOOK_GATHER || k->phase == LOOK_RELIST) && look_has_more_ahead(k))) {
        return 0;
    }
    deadline = k->deadline;
    if (k->phase == LOOK_PAUSE) {
        deadline = nsec_min(deadline, k->resume_at);
    }
    if (k->phase == LOOK_GATHER) {
        deadline = nsec_min(deadline, k->status_deadline);
    }
    if (k->client) {
        deadline = nsec_min(deadline, client_deadline(k->client));
    }
    deadline = nsec_min(deadline, look_others_deadline(k));
    return deadline;
}

/* ---- Blocking ------------------------------------------------------------------------------ */

int look_drive(struct podpid_look *k, int cancel_fd, struct podpid_error *error)
{
    int rc = 0;

    while (rc == 0) {
        struct pollfd fds[2] = {{.fd = k->epoll_fd, .events = POLLIN},
                                {.fd = cancel_fd, .events = POLLIN}};

        rc = podpid_look_step(k, clock_now(), error);
        if (rc != 0) {
            break;
        }
        poll(fds, 2, nsec_poll_timeout(clock_now(), podpid_look_deadline(k)));
        if (fds[1].revents) {
            struct err err = {0};

            err_set(&err, ERR_CANCELED, ECANCELED, "canceled");
            rc = error_publish(&err, error);
        }
    }
    return rc < 0 ? rc : 0;
}

int podpid_look_run(const struct podpid_options *options, int cancel_fd,
                    struct podpid_snapshot **ret, struct podpid_error *error)
{
    struct podpid_look *k = NULL;
    int rc = podpid_look_new(options, &k, error);

    if (rc == 0) {
        rc = look_drive(k, cancel_fd, error);
    }
    if (rc == 0) {
        *ret = podpid_look_take(k);
    }
    podpid_look_free(k);
    return rc;
}
