#include "resolver/preflight/try.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "cri/endpoint.h"
#include "resolver/error.h"
#include "resolver/handoff/file.h"
#include "resolver/handoff/handoff.h"
#include "resolver/handoff/pidfds.h"
#include "resolver/node/discover.h"
#include "resolver/preflight/checks.h"
#include "resolver/preflight/report.h"
#include "resolver/proc/ns.h"
#include "resolver/snapshot/snapshot.h"

/* ---- The host and the socket, apart from the look ---- */

/* Whether a process that /proc shows is in a PID namespace below podpid's: 1 or 0, 0 also where its
 * namespace cannot be read; a shortage. */
static int is_in_nested_pidns(const struct procfs *p, pid_t pid)
{
    struct proc_ns its, own;
    int rc = procfs_read_ns(p, pid, PROC_NS_PID, &its);

    if (rc == 0) {
        rc = procfs_read_ns(p, getpid(), PROC_NS_PID, &own);
    }
    if (rc < 0) {
        return rc;
    }
    return p->own_pidns && its.pid && own.pid && its.pid != own.pid;
}

/* Fill in whether /proc shows the listener and where it is. 0 or a shortage. */
static int look_at_peer(const struct procfs *p, pid_t pid, struct check_facts *f, struct err *why)
{
    char name[16];
    int rc;

    f->peer = pid;
    if (pid <= 0) {
        return 0;
    }
    snprintf(name, sizeof(name), "%d", (int)pid);
    f->peer_in_proc = faccessat(p->fd, name, F_OK, 0) == 0;
    rc = is_in_nested_pidns(p, pid);
    if (rc < 0) {
        return err_set(why, ERR_PROC, -rc, "%s/%d: %s", p->path, (int)pid, strerror(-rc));
    }
    f->peer_pidns = rc > 0;
    return 0;
}

/* Connect to the socket: which process listens there, and does this /proc show it? *why: why there
 * is no connection. 0, also without a connection, or a shortage. */
static int look_at_listener(const struct endpoint *e, const struct procfs *p, struct check_facts *f,
                            struct err *why)
{
    AUTO_CLOSE int fd = -1;
    struct ucred peer;
    int rc = endpoint_connect(e, &fd, why);

    if (rc < 0) {
        return err_is_shortage(rc) ? rc : 0;
    }
    f->connected = true;
    return endpoint_peer(fd, &peer) == 0 ? look_at_peer(p, peer.pid, f, why) : 0;
}

/* Find the socket: that of the snapshot's runtime, or after a failed look the one that the look
 * would take. 0, also where no socket is found or nobody listens (*why says it), or a shortage. */
static int try_endpoint(const struct preflight_try *t, const struct procfs *p, struct arena *a,
                        struct check_facts *f, struct err *why)
{
    const struct podpid_runtime *r = t->snapshot ? podpid_snapshot_runtime(t->snapshot) : NULL;
    struct discovered found = {0};
    char text[128];
    int rc;

    if (f->no_runtime || (t->snapshot && !r)) {
        return 0;
    }
    if (r) {
        return r->endpoint && endpoint_parse(r->endpoint, &found.endpoint, why) == 0
                   ? look_at_listener(&found.endpoint, p, f, why)
                   : 0;
    }
    rc = discover_endpoint(t->options->look, p, AT_FDCWD, a, &found, why);
    if (rc < 0) {
        return err_is_shortage(rc) ? rc : 0;
    }
    endpoint_format(&found.endpoint, text, sizeof(text));
    f->endpoint = arena_strdup(a, text);
    f->chosen_by = found.chosen_by;
    return f->endpoint ? look_at_listener(&found.endpoint, p, f, why) : err_nomem(why);
}

/* Fill in what is known of the host: the look's facts, or, after a failed look, read now into
 * *facts. 0, also where /proc cannot be opened, or a shortage, with *why. */
static int read_host(const struct preflight_try *t, struct arena *a, struct node_facts *facts,
                     struct check_facts *f, struct err *why)
{
    struct procfs p;
    struct err err = {0};
    int rc;

    f->node = t->snapshot ? t->snapshot->node_facts : NULL;
    if (f->replay) {
        return 0;
    }
    rc = procfs_open(node_proc_path(t->options->look), &p, &err);
    if (rc < 0) {
        *why = err_is_shortage(rc) ? err : *why;
        return err_is_shortage(rc) ? rc : 0;
    }
    rc = f->node ? 0 : node_read(&p, a, facts, why);
    if (rc == 0) {
        f->node = f->node ? f->node : facts;
        rc = try_endpoint(t, &p, a, f, why);
    }
    procfs_close(&p);
    return rc;
}

/* ---- Targets and handoff ---- */

/* Fill r->targets: the targets only, as they are handed over. */
static int select_targets(struct podpid_report *r, struct err *err)
{
    int rc = handoff_select(r->snapshot, &r->result, &r->targets, err);

    if (rc < 0) {
        return rc;
    }
    r->targets->complete = r->result.n_findings == 0;
    return 0;
}

static int check_targets(const struct preflight_try *t, struct podpid_report *r,
                         struct check_facts *f, struct err *err)
{
    const struct podpid_targets *targets = t->options->targets;
    struct targets_options o = {.allow_inferred = t->options->allow_inferred,
                                .follow_restarts = t->options->follow_restarts};
    int rc = 0;

    if (!targets) {
        return r->snapshot ? select_targets(r, err) : 0;
    }
    f->n_targets = podpid_targets_count(targets);
    f->n_other_node = targets->n_other_node;
    f->n_finished = targets->n_finished;
    f->manifest = targets->manifest;
    if (r->snapshot) {
        rc = targets_check(targets, r->snapshot, &o, &r->arena, &r->result, err);
        f->targets = f->n_targets ? &r->result : NULL;
        if (rc == 0) {
            rc = select_targets(r, err);
        }
    }
    return rc;
}

/* What becomes of a file that stands at the path before anything is handed over. */
static const char *old_file_text(enum handoff_found found, bool remove)
{
    switch (found) {
    case HANDOFF_FOUND_DOCUMENT:
        return remove ? "the file from before is removed" : "the file from before stays";
    case HANDOFF_FOUND_FOREIGN:
        return "what is there is not a podpid document and stays";
    case HANDOFF_FOUND_EMPTY:
        return "the empty file there stays";
    case HANDOFF_FOUND_UNKNOWN:
        return remove ? "no document from before is left" : "a file from before stays";
    default:
        return "none is there from before";
    }
}

/* Fail handoff.written, with nothing handed over. outdated: the PIDs in a file from before are
 * known to be wrong, so the file is removed if podpid wrote it; else it stays. path NULL: no file
 * was asked for. */
static void hand_nothing(struct podpid_report *r, const char *path, const char *hint,
                         const char *why, bool outdated)
{
    enum handoff_found found;
    struct err err = {0};

    if (!path) {
        check_set(&r->table, CHECK_HANDOFF_WRITTEN, PODPID_RESULT_FAIL, hint,
                  "nothing handed over: %s", why);
        return;
    }
    found = handoff_file_find(path);
    if (outdated && (found == HANDOFF_FOUND_DOCUMENT || found == HANDOFF_FOUND_UNKNOWN) &&
        handoff_file_remove(path, &err) < 0) {
        check_set(&r->table, CHECK_HANDOFF_WRITTEN, PODPID_RESULT_FAIL,
                  err.hint[0] ? err.hint : "remove the file by hand", "%s", err.text);
        return;
    }
    check_set(&r->table, CHECK_HANDOFF_WRITTEN, PODPID_RESULT_FAIL, hint, "%s: not written: %s; %s",
              path, why, old_file_text(found, outdated));
}

/* Whether a kernel without pidfds fails the check. Else it is a warning, which --strict and a
 * policy raise to a failure as they do with every warning. */
static bool needs_pidfds(const struct podpid_preflight_options *o)
{
    return o->require_pidfd || o->strict ||
           (o->targets && o->targets->levels[CHECK_HANDOFF_WRITTEN] == LEVEL_FAIL);
}

/* Open the pidfds that the options ask for. False: nothing may be handed over, and handoff.written
 * says why. True also with a warning in that row: the kernel has no pidfds. */
static bool open_pidfds(const struct preflight_try *t, struct podpid_report *r)
{
    const struct podpid_preflight_options *o = t->options;
    struct podpid_error error = PODPID_ERROR_INIT;

    if (!o->pidfds || podpid_handoff_pidfds(r->targets, node_proc_path(o->look), &r->pidfds,
                                            &r->n_pidfds, &error) == 0) {
        return true;
    }
    if (error.system_errno == ENOSYS && !needs_pidfds(o)) {
        check_set(&r->table, CHECK_HANDOFF_WRITTEN, PODPID_RESULT_WARN, error.hint, "%s",
                  error.message);
        return true;
    }
    hand_nothing(r, o->handoff_path, error.hint[0] ? error.hint : "try again, or with --wait",
                 error.message, error.code == PODPID_ERR_ANSWER);
    return false;
}

/* Write the file that the options ask for. False: it is not written, and handoff.written says why.
 */
static bool write_file(const struct preflight_try *t, struct podpid_report *r)
{
    const struct podpid_preflight_options *o = t->options;
    struct err err = {0};
    bool stays;
    int rc;

    if (!o->handoff_path) {
        return true;
    }
    rc = handoff_give(r->targets, o->handoff_path, o->handoff_mode, o->handoff_group, &err);
    if (rc < 0) {
        stays = handoff_file_find(o->handoff_path) == HANDOFF_FOUND_DOCUMENT;
        check_set(&r->table, CHECK_HANDOFF_WRITTEN, PODPID_RESULT_FAIL,
                  err.hint[0] ? err.hint : "look at the folder's owner, mode and free space",
                  "%s%s", err.text, stays ? "; the file from before stays" : "");
    }
    return rc == 0;
}

static void hand_over(const struct preflight_try *t, struct podpid_report *r)
{
    const struct podpid_preflight_options *o = t->options;
    char pidfds[48] = "";
    struct rlimit before;
    bool done;

    if (!o->handoff_path && !o->pidfds) {
        return;
    }
    if (check_table_result(&r->table) == PODPID_RESULT_FAIL) {
        /* A failed or misplaced look (status 3) does not show that the targets are wrong. */
        hand_nothing(r, o->handoff_path, "see what failed above", "a check failed",
                     r->result.n_findings && check_table_exit_status(&r->table) == 1);
        return;
    }
    /* Raised here and not only by podpid_handoff_pidfds(): writing the file needs descriptors while
     * the pidfds are open. */
    nofile_raise(o->pidfds ? r->result.n_containers : 0, &before);
    done = open_pidfds(t, r) && write_file(t, r);
    nofile_restore(&before);
    if (!done || r->table.rows[CHECK_HANDOFF_WRITTEN].public.result == PODPID_RESULT_WARN) {
        return;
    }
    if (o->pidfds) {
        snprintf(pidfds, sizeof(pidfds), ", %zu %s", r->n_pidfds,
                 plural(r->n_pidfds, "pidfd", "pidfds"));
    }
    check_set(&r->table, CHECK_HANDOFF_WRITTEN, PODPID_RESULT_PASS, NULL, "%s%s%zu %s%s",
              o->handoff_path ? o->handoff_path : "", o->handoff_path ? ": " : "",
              r->result.n_containers, plural(r->result.n_containers, "container", "containers"),
              pidfds);
}

static struct check_facts facts_of_try(const struct preflight_try *t, const struct err *why)
{
    const struct podpid_options *look = t->options->look;

    return (struct check_facts){.replay = look->replay,
                                .no_runtime = look->no_runtime,
                                .snapshot = t->snapshot,
                                .before = t->before,
                                .look_error = t->look_error,
                                .endpoint_error = why,
                                .peer = -1};
}

/* Go on as after a look that failed with this error: without descriptors the host cannot be
 * checked, and a check must not pass because it was not made. */
static void fail_look(struct podpid_report *r, struct check_facts *f,
                      const struct podpid_error *error)
{
    podpid_snapshot_free(r->snapshot);
    r->snapshot = NULL;
    f->snapshot = NULL;
    f->look_error = error;
}

static int conclude(const struct preflight_try *t, struct podpid_report *r, struct err *err)
{
    const struct podpid_preflight_options *o = t->options;
    const struct podpid_targets *targets = o->targets;
    struct podpid_error shortage = PODPID_ERROR_INIT;
    struct check_facts f;
    struct node_facts facts;
    struct err why = {0};
    int rc;

    f = facts_of_try(t, &why);
    r->table.arena = &r->arena;
    r->checks = arena_calloc(&r->arena, N_CHECKS, sizeof(*r->checks));
    if (!r->checks) {
        return err_nomem(err);
    }
    for (size_t i = 0; i < N_CHECKS; i++) {
        r->checks[i] = &r->table.rows[i].public;
    }
    rc = read_host(t, &r->arena, &facts, &f, &why);
    if (rc < 0 && rc != -ENOMEM) {
        error_publish(&why, &shortage);
        f = facts_of_try(t, &why);
        fail_look(r, &f, &shortage);
        rc = 0;
    }
    if (rc == 0) {
        rc = check_targets(t, r, &f, err);
    }
    if (rc < 0 || checks_evaluate(&r->table, &f) < 0) {
        return err_nomem(err);
    }
    check_table_apply_levels(&r->table, targets ? targets->levels : NULL, o->strict, o->ignore);
    hand_over(t, r);
    return r->table.failed ? err_nomem(err) : 0;
}

int preflight_conclude(const struct preflight_try *t, struct podpid_report **ret, struct err *err)
{
    struct podpid_report *r = calloc(1, sizeof(*r));
    int rc;

    if (!r) {
        podpid_snapshot_free(t->snapshot);
        return err_nomem(err);
    }
    r->snapshot = t->snapshot;
    rc = conclude(t, r, err);
    if (rc < 0) {
        podpid_report_free(r);
        return rc;
    }
    *ret = r;
    return 0;
}
