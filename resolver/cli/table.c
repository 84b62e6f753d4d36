#include "resolver/cli/table.h"

#include <inttypes.h>
#include <stdio.h>

/* The longest name in Kubernetes; what is longer is not meant to be read. */
enum { CELL_BYTES = 253, ID_DIGITS = 12 };

void table_begin(struct table *t, const struct cli *cli, const struct table_column *columns,
                 size_t n, bool fit)
{
    *t = (struct table){.cli = cli, .t = scols_new_table()};
    if (!t->t) {
        t->failed = true;
        return;
    }
    scols_table_set_stream(t->t, stdout);
    scols_table_enable_noencoding(t->t, 1); /* cli_text() has done that */
    scols_table_enable_colors(t->t, cli->color);
    if (fit && cli->termwidth) {
        scols_table_set_termforce(t->t, SCOLS_TERMFORCE_ALWAYS);
        scols_table_set_termwidth(t->t, cli->termwidth);
    } else {
        scols_table_set_termforce(t->t, SCOLS_TERMFORCE_NEVER);
    }
    for (size_t i = 0; i < n; i++) {
        if (!scols_table_new_column(t->t, columns[i].name, columns[i].share, columns[i].flags)) {
            t->failed = true;
        }
    }
}

struct libscols_line *table_row(struct table *t, struct libscols_line *parent)
{
    struct libscols_line *row = t->failed ? NULL : scols_table_new_line(t->t, parent);

    t->failed = t->failed || !row;
    return row;
}

static void set(struct table *t, struct libscols_line *row, size_t column, const char *safe)
{
    if (row && (!safe || scols_line_set_data(row, column, safe) < 0)) {
        t->failed = true;
    }
}

void table_text(struct table *t, struct libscols_line *row, size_t column, const char *text)
{
    CLI_AUTO(cli_free) char *safe = cli_text(t->cli, text, CELL_BYTES);

    set(t, row, column, safe);
}

void table_id(struct table *t, struct libscols_line *row, size_t column, const char *id)
{
    char digits[ID_DIGITS + 1];

    snprintf(digits, sizeof(digits), "%s", id);
    table_text(t, row, column, digits);
}

void table_number(struct table *t, struct libscols_line *row, size_t column, uint64_t n)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, n);
    set(t, row, column, text);
}

void table_pid(struct table *t, struct libscols_line *row, size_t column,
               const struct podpid_container *c)
{
    char text[24] = "-";

    if (c->verdict == PODPID_VERIFIED && c->pid > 0) {
        snprintf(text, sizeof(text), "%d", c->pid);
    } else if (c->inferred_pid > 0) {
        snprintf(text, sizeof(text), "%d?", c->inferred_pid);
    }
    set(t, row, column, text);
}

static const char *color_of(enum podpid_verdict verdict)
{
    switch (verdict) {
    case PODPID_VERIFIED:
        return "\033[32m"; /* green */
    case PODPID_CREATED:
    case PODPID_EXITED:
    case PODPID_ABSENT:
        return "\033[2m"; /* dim */
    case PODPID_UNKNOWN:
    case PODPID_VM:
    case PODPID_INFERRED:
    case PODPID_UNPROVEN:
        return "\033[33m"; /* yellow */
    default:
        return "\033[31m"; /* red */
    }
}

void table_verdict(struct table *t, struct libscols_line *row, size_t column,
                   enum podpid_verdict verdict)
{
    struct libscols_cell *cell = row ? scols_line_get_cell(row, column) : NULL;

    set(t, row, column, podpid_verdict_name(verdict));
    if (t->cli->color && cell && scols_cell_set_color(cell, color_of(verdict)) < 0) {
        t->failed = true;
    }
}

void table_age(struct table *t, struct libscols_line *row, size_t column, int64_t then, int64_t now)
{
    int64_t s = (now - then) / INT64_C(1000000000);
    char text[32] = "-";

    if (then <= 0 || now < then) {
        /* not known, or clocks that disagree */
    } else if (s < 60) {
        snprintf(text, sizeof(text), "%" PRId64 "s", s);
    } else if (s < 3600) {
        snprintf(text, sizeof(text), "%" PRId64 "m%" PRId64 "s", s / 60, s % 60);
    } else if (s < 48 * 3600) {
        snprintf(text, sizeof(text), "%" PRId64 "h%" PRId64 "m", s / 3600, s / 60 % 60);
    } else {
        snprintf(text, sizeof(text), "%" PRId64 "d", s / 86400);
    }
    set(t, row, column, text);
}

int table_print(struct table *t)
{
    bool failed = t->failed || scols_print_table(t->t) < 0;

    scols_unref_table(t->t);
    t->t = NULL;
    /* What was wrong with standard output is said at the end; all else is memory. */
    return failed && !ferror(stdout) ? cli_nomem() : CLI_OK;
}
