/* The formats of whois: a table, and json with an object a line. */
#include <stdio.h>
#include <string.h>

#include "resolver/cli/format.h"
#include "resolver/cli/table.h"

enum column { PID, HOST_PID, ROLE, NAMESPACE, POD, CONTAINER, ID, VERDICT, CHAIN };
static const struct table_column columns[] = {
    [PID] = {"PID", SCOLS_FL_RIGHT, 0},
    [HOST_PID] = {"HOST-PID", SCOLS_FL_RIGHT, 0},
    [ROLE] = {"ROLE", 0, 0},
    [NAMESPACE] = {"NAMESPACE", SCOLS_FL_TRUNC, 0},
    [POD] = {"POD", SCOLS_FL_TRUNC, 0},
    [CONTAINER] = {"CONTAINER", SCOLS_FL_TRUNC, 0},
    [ID] = {"ID", 0, 0},
    [VERDICT] = {"VERDICT", 0, 0},
    [CHAIN] = {"INSIDE", SCOLS_FL_TRUNC, 0},
};

static void add_row(struct table *t, const struct podpid_answer *a)
{
    struct libscols_line *row = table_row(t, NULL);

    table_number(t, row, PID, (uint64_t)a->pid);
    if (a->found) {
        table_number(t, row, HOST_PID, (uint64_t)a->process);
    } else {
        table_text(t, row, HOST_PID, NULL);
    }
    table_text(t, row, ROLE, a->found ? podpid_role_name(a->role) : NULL);
    table_text(t, row, NAMESPACE, a->pod ? a->pod->namespace_ : NULL);
    table_text(t, row, POD, a->pod ? a->pod->name : NULL);
    table_text(t, row, CONTAINER, a->container ? a->container->name : NULL);
    if (a->container_id) {
        table_id(t, row, ID, a->container_id);
    } else {
        table_text(t, row, ID, NULL);
    }
    if (a->container) {
        table_verdict(t, row, VERDICT, a->container->verdict);
    } else {
        table_text(t, row, VERDICT, NULL);
    }
    if (a->n_chain) {
        table_id(t, row, CHAIN, a->chain[a->n_chain - 1]);
    }
}

int out_answers_table(const struct cli *cli, struct podpid_answer *const *answers, size_t n,
                      bool with_host_pids)
{
    struct table_column shown[sizeof(columns) / sizeof(columns[0])];
    size_t n_columns = CHAIN;
    struct table t;

    memcpy(shown, columns, sizeof(columns));
    shown[HOST_PID].flags |= with_host_pids ? 0 : SCOLS_FL_HIDDEN;
    for (size_t i = 0; i < n; i++) {
        if (answers[i]->n_chain) {
            n_columns = CHAIN + 1;
        }
    }
    if (n == 0) {
        return CLI_OK;
    }
    table_begin(&t, cli, shown, n_columns, true);
    for (size_t i = 0; i < n; i++) {
        add_row(&t, answers[i]);
    }
    return table_print(&t);
}

int out_answers_json(const struct cli *cli, struct podpid_answer *const *answers, size_t n,
                     bool with_host_pids)
{
    (void)cli;
    (void)with_host_pids; /* each object has both PIDs */
    for (size_t i = 0; i < n; i++) {
        struct podpid_error error = PODPID_ERROR_INIT;

        if (podpid_answer_to_json(answers[i], cli_write, NULL, &error) < 0) {
            return ferror(stdout) ? CLI_OK : cli_fail(&error);
        }
    }
    return CLI_OK;
}
