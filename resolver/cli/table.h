/* Tables and trees: libsmartcols with our habits. Text is escaped and cut before it gets there, a
 * failed allocation is remembered until the table is printed. */
#ifndef PODPID_CLI_TABLE_H
#define PODPID_CLI_TABLE_H

#include <libsmartcols.h>

#include "resolver/cli/cli.h"

struct table_column {
    const char *name;
    int flags;    /* SCOLS_FL_...; SCOLS_FL_TRUNC: may be cut where the terminal is too narrow */
    double share; /* more than 0: cut before others */
};

struct table {
    const struct cli *cli;
    struct libscols_table *t; /* NULL: memory was out */
    const struct table_column *columns;
    size_t n_columns;
    bool fit;
    bool failed;
};

/* fit: not wider than the terminal, as far as cutting can help; what is cut ends with an ellipsis,
 * so that no name is taken for another. The columns are those of the array, in its order; it has to
 * outlive the table. */
void table_begin(struct table *t, const struct cli *cli, const struct table_column *columns,
                 size_t n, bool fit);

/* NULL where memory is out; the setters take that. parent: for trees, else NULL. */
struct libscols_line *table_row(struct table *t, struct libscols_line *parent);

void table_text(struct table *t, struct libscols_line *row, size_t column, const char *text);
/* The first 12 digits. */
void table_id(struct table *t, struct libscols_line *row, size_t column, const char *id);
void table_number(struct table *t, struct libscols_line *row, size_t column, uint64_t n);
/* The PID; "6700?" where it is only inferred; "-" where there is none. */
void table_pid(struct table *t, struct libscols_line *row, size_t column,
               const struct podpid_container *c);
/* Green, yellow, red or dim. */
void table_verdict(struct table *t, struct libscols_line *row, size_t column,
                   enum podpid_verdict verdict);
/* How long ago then was, seen from now: 42s, 5m10s, 3h12m, 12d. */
void table_age(struct table *t, struct libscols_line *row, size_t column, int64_t then,
               int64_t now);

/* Print it on standard output and free it; an exit status. */
int table_print(struct table *t);

#endif
