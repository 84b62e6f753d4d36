/* -o table and -o wide: a container a line. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "resolver/cli/format.h"
#include "resolver/cli/table.h"

enum column { NAMESPACE, POD, CONTAINER, ID, PID, VERDICT, REASON };
static const struct table_column columns[] = {
    [NAMESPACE] = {"NAMESPACE", SCOLS_FL_TRUNC, 0},
    [POD] = {"POD", SCOLS_FL_TRUNC, 0},
    [CONTAINER] = {"CONTAINER", SCOLS_FL_TRUNC, 0},
    [ID] = {"ID", 0, 0},
    [PID] = {"PID", SCOLS_FL_RIGHT, 0},
    [VERDICT] = {"VERDICT", 0, 0},
    [REASON] = {"REASON", SCOLS_FL_TRUNC, 0.05},
};

enum wide_column {
    W_NAMESPACE,
    W_POD,
    W_CONTAINER,
    W_ATTEMPT,
    W_ID,
    W_STATE,
    W_AGE,
    W_PID,
    W_PROCESSES,
    W_VERDICT,
    W_CGROUP_ID,
    W_IMAGE,
    W_REASON
};
static const struct table_column wide_columns[] = {
    [W_NAMESPACE] = {"NAMESPACE", 0, 0},
    [W_POD] = {"POD", 0, 0},
    [W_CONTAINER] = {"CONTAINER", 0, 0},
    [W_ATTEMPT] = {"ATTEMPT", SCOLS_FL_RIGHT, 0},
    [W_ID] = {"ID", 0, 0},
    [W_STATE] = {"STATE", 0, 0},
    [W_AGE] = {"AGE", 0, 0},
    [W_PID] = {"PID", SCOLS_FL_RIGHT, 0},
    [W_PROCESSES] = {"PROCESSES", SCOLS_FL_RIGHT, 0},
    [W_VERDICT] = {"VERDICT", 0, 0},
    [W_CGROUP_ID] = {"CGROUP-ID", SCOLS_FL_RIGHT, 0},
    [W_IMAGE] = {"IMAGE", 0, 0},
    [W_REASON] = {"REASON", 0, 0},
};

typedef void (*row_fn)(struct table *t, const struct podpid_container *c, int64_t now);

static void add_rows(struct table *t, const struct podpid_snapshot *s, row_fn add)
{
    size_t n;
    const struct podpid_pod *const *pods = podpid_snapshot_pods(s, &n);

    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < pods[i]->n_containers; k++) {
            add(t, pods[i]->containers[k], podpid_snapshot_taken_at(s));
        }
    }
}

static void add_row(struct table *t, const struct podpid_container *c, int64_t now)
{
    struct libscols_line *row = table_row(t, NULL);

    (void)now;
    table_text(t, row, NAMESPACE, c->pod->namespace_);
    table_text(t, row, POD, c->pod->name);
    table_text(t, row, CONTAINER, c->name);
    table_id(t, row, ID, c->id);
    table_pid(t, row, PID, c);
    table_verdict(t, row, VERDICT, c->verdict);
    if (c->verdict != PODPID_VERDICT_VERIFIED) {
        table_text(t, row, REASON, c->reason);
    }
}

static void add_wide_row(struct table *t, const struct podpid_container *c, int64_t now)
{
    struct libscols_line *row = table_row(t, NULL);

    table_text(t, row, W_NAMESPACE, c->pod->namespace_);
    table_text(t, row, W_POD, c->pod->name);
    table_text(t, row, W_CONTAINER, c->name);
    table_number(t, row, W_ATTEMPT, c->attempt);
    table_id(t, row, W_ID, c->id);
    table_text(t, row, W_STATE, c->state ? podpid_state_name(c->state) : NULL);
    table_age(t, row, W_AGE, c->started_at ? c->started_at : c->created_at, now);
    table_pid(t, row, W_PID, c);
    table_number(t, row, W_PROCESSES, c->n_processes);
    table_verdict(t, row, W_VERDICT, c->verdict);
    if (c->cgroup_id) {
        table_number(t, row, W_CGROUP_ID, c->cgroup_id);
    } else {
        table_text(t, row, W_CGROUP_ID, NULL);
    }
    table_text(t, row, W_IMAGE, c->image);
    table_text(t, row, W_REASON, c->reason);
}

/* The first PIDs and their number: "9001,9002,9003,9004,... (12)". */
static void format_pids(char *text, size_t size, const struct podpid_stray *s)
{
    size_t at = 0;

    for (size_t i = 0; i < s->n_pids && i < 4; i++) {
        at += (size_t)snprintf(text + at, size - at, "%s%d", i ? "," : "", s->pids[i]);
    }
    if (s->n_pids > 4) {
        snprintf(text + at, size - at, ",... (%zu)", s->n_pids);
    }
}

/* Rows of -o table: the containers of a second runtime on the node may be hundreds of strays. */
enum { STRAYS_MOST = 10 };

static int print_strays(const struct cli *cli, const struct podpid_snapshot *s, bool after_table,
                        size_t most)
{
    static const struct table_column stray_columns[] = {
        {"STRAY", 0, 0}, {"POD-UID", 0, 0}, {"PIDS", 0, 0}, {"REASON", SCOLS_FL_TRUNC, 0.05}};
    struct table t;
    size_t n, shown;
    int status;
    const struct podpid_stray *const *strays = podpid_snapshot_strays(s, &n);

    if (n == 0) {
        return CLI_OK;
    }
    if (after_table) {
        putchar('\n');
    }
    shown = n < most ? n : most;
    table_begin(&t, cli, stray_columns, 4, true);
    for (size_t i = 0; i < shown; i++) {
        struct libscols_line *row = table_row(&t, NULL);
        char pids[80] = "";

        format_pids(pids, sizeof(pids), strays[i]);
        table_id(&t, row, 0, strays[i]->container_id);
        table_text(&t, row, 1, strays[i]->pod_uid);
        table_text(&t, row, 2, pids);
        table_text(&t, row, 3, strays[i]->reason);
    }
    status = table_print(&t);
    if (status == CLI_OK && shown < n) {
        printf("and %zu more strays: -o wide has them all\n", n - shown);
    }
    return status;
}

static size_t count_containers(const struct podpid_snapshot *s, bool *ret_all_verified)
{
    size_t n, count = 0;
    const struct podpid_pod *const *pods = podpid_snapshot_pods(s, &n);

    *ret_all_verified = true;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < pods[i]->n_containers; k++) {
            if (pods[i]->containers[k]->verdict != PODPID_VERDICT_VERIFIED) {
                *ret_all_verified = false;
            }
        }
        count += pods[i]->n_containers;
    }
    return count;
}

int out_table(const struct cli *cli, const struct podpid_snapshot *s)
{
    bool all_verified;
    size_t n = count_containers(s, &all_verified);
    struct table t;
    int status;

    if (n > 0) {
        table_begin(&t, cli, columns, all_verified ? REASON : REASON + 1, true);
        add_rows(&t, s, add_row);
        status = table_print(&t);
        if (status != CLI_OK) {
            return status;
        }
    }
    return print_strays(cli, s, n > 0, STRAYS_MOST);
}

int out_wide(const struct cli *cli, const struct podpid_snapshot *s)
{
    bool all_verified;
    size_t n = count_containers(s, &all_verified);
    struct table t;
    int status;

    if (n > 0) {
        table_begin(&t, cli, wide_columns, W_REASON + 1, false);
        add_rows(&t, s, add_wide_row);
        status = table_print(&t);
        if (status != CLI_OK) {
            return status;
        }
    }
    return print_strays(cli, s, n > 0, SIZE_MAX);
}
