/* The preflight's checks: stable ids, always the same ones in the same order, and how bad each
 * finding is. Pure: the same facts give the same results. */
#ifndef PODPID_PREFLIGHT_CHECKS_H
#define PODPID_PREFLIGHT_CHECKS_H

#include <stdbool.h>
#include <stddef.h>

#include "cri/base/arena.h"
#include "resolver/node/node.h"
#include "resolver/podpid.h"

enum check_id {
    CHECK_HOST_PROC,
    CHECK_HOST_PIDNS,
    CHECK_HOST_CGROUPNS,
    CHECK_HOST_CGROUP,
    CHECK_RUNTIME_ENDPOINT,
    CHECK_RUNTIME_API,
    CHECK_RUNTIME_READY,
    CHECK_PODS_LISTED,
    CHECK_PIDS_VERIFIED,
    CHECK_PIDS_STABLE,
    CHECK_PIDS_STRAYS,
    CHECK_TARGETS_PRESENT,
    CHECK_HANDOFF_WRITTEN,
    N_CHECKS
};

/* What a policy says of a check; DEFAULT: nothing. */
enum check_level { LEVEL_DEFAULT, LEVEL_FAIL, LEVEL_WARN, LEVEL_IGNORE };

const char *check_name(enum check_id id); /* "host.proc" */
bool check_by_name(const char *name, enum check_id *ret);

struct targets_result;

/* What the checks are made from. */
struct check_facts {
    bool replay, no_runtime;
    const struct node_facts *node;          /* NULL: /proc could not be read at all */
    const struct podpid_snapshot *snapshot; /* NULL: the look failed */
    const struct podpid_error *look_error;  /* with snapshot NULL */
    const struct podpid_snapshot *before;   /* the look before; NULL: there was none */

    /* The runtime's socket, tried apart from the look. */
    const char *endpoint, *chosen_by; /* NULL: none could be found, endpoint_error says why */
    bool connected;
    const struct err *endpoint_error; /* with !connected */
    pid_t peer;                       /* who listens there; 0: not visible in our PID namespace */
    bool peer_in_proc;                /* and /proc shows it */
    bool peer_pidns;                  /* but as one of a PID namespace below ours */

    const struct targets_result *targets; /* NULL: no target was given, or no snapshot */
    size_t n_targets;                     /* pods that manifests name, targets of policies */
    size_t n_other_node, n_finished;      /* of manifests, skipped */
    bool manifest;                        /* one was given, whatever is left of it */
};

/* One check in the making. Its items live in the arena. */
struct check {
    struct podpid_check is;
    bool fixed; /* nothing lowers it */
    const char **items;
    size_t cap;
};

struct check_table {
    struct arena *arena;
    bool failed; /* memory was out */
    struct check rows[N_CHECKS];
};

/* All but handoff.written, which comes last of all; -ENOMEM. */
int checks_evaluate(struct check_table *t, const struct check_facts *f);

/* The levels, in order: default, the policy's (NULL: none), strict, ignored ids (NULL-terminated;
 * NULL: none). */
void checks_apply_levels(struct check_table *t, const enum check_level *policy, bool strict,
                         const char *const *ignore);

/* The worst of all, and the exit status it means. */
enum podpid_result checks_result(const struct check_table *t);
int checks_exit_status(const struct check_table *t);

/* For those who fill the table. Text and hint live in the table's arena. */
void check_set(struct check_table *t, enum check_id id, enum podpid_result result, const char *hint,
               const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void check_item(struct check_table *t, enum check_id id, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* What n of them are called, for "%zu %s". */
const char *noun(size_t n, const char *one, const char *many);

/* Parts of checks_evaluate(). */
void checks_host(struct check_table *t, const struct check_facts *f);
void checks_runtime(struct check_table *t, const struct check_facts *f);
void checks_pods(struct check_table *t, const struct check_facts *f);

#endif
