/* Tables and trees, drawn by libsmartcols. Text is escaped and cut before libsmartcols gets it. A
 * failed allocation is remembered and reported by table_print(). */
#ifndef PODPID_CLI_TABLE_H
#define PODPID_CLI_TABLE_H

#include <libsmartcols.h>

#include "resolver/cli/cli.h"

struct table_column {
    const char *name;
    int flags;    /* SCOLS_FL_...; SCOLS_FL_TRUNC: may be cut if the terminal is too narrow */
    double share; /* more than 0: this column is cut before the others */
};

struct table {
    const struct cli *cli;
    struct libscols_table *t; /* NULL: out of memory */
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

/* Add a row. parent: the row above it in a tree, else NULL. NULL if memory is out: the functions
 * below accept that. */
struct libscols_line *table_row(struct table *t, struct libscols_line *parent);

void table_text(struct table *t, struct libscols_line *row, size_t column, const char *text);
/* The first 12 digits of an id. */
void table_id(struct table *t, struct libscols_line *row, size_t column, const char *id);
void table_number(struct table *t, struct libscols_line *row, size_t column, uint64_t n);
/* The main PID; "6700?" if it is only inferred; "-" if there is none. */
void table_pid(struct table *t, struct libscols_line *row, size_t column,
               const struct podpid_container *c);
/* The verdict's name, in colour if the terminal shows colours. */
void table_verdict(struct table *t, struct libscols_line *row, size_t column,
                   enum podpid_verdict verdict);
/* The time between then and now (ns since the epoch): 42s, 5m10s, 3h12m, 12d. "-" if then is 0. */
void table_age(struct table *t, struct libscols_line *row, size_t column, int64_t then,
               int64_t now);

/* Print the table on standard output and free it; gives an exit status. */
int table_print(struct table *t);

#endif
