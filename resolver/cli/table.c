#include "resolver/cli/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

/* CELL_BYTES: the longest name in Kubernetes. ID_DIGITS: as crictl and docker shorten ids. */
enum { CELL_BYTES = 253, ID_DIGITS = 12 };

enum { COLUMNS_MOST = 16 };
enum {
    LEAST_WIDTH = 12
}; /* columns are not cut below that: shorter names could not be told apart */

static bool is_tree(const struct table *t)
{
    return t->n_columns > 0 && t->columns[0].flags & SCOLS_FL_TREE;
}

void table_begin(struct table *t, const struct cli *cli, const struct table_column *columns,
                 size_t n, bool fit)
{
    *t = (struct table){
        .cli = cli, .t = scols_new_table(), .columns = columns, .n_columns = n, .fit = fit};
    if (!t->t) {
        t->failed = true;
        return;
    }
    scols_table_set_stream(t->t, stdout);
    scols_table_enable_noencoding(t->t, 1); /* the text was escaped by cli_text() */
    scols_table_enable_colors(t->t, cli->color);
    /* libsmartcols draws the lines of a tree, so it must also cut it; it puts no ellipsis there. */
    if (fit && cli->termwidth && is_tree(t)) {
        scols_table_set_termforce(t->t, SCOLS_TERMFORCE_ALWAYS);
        scols_table_set_termwidth(t->t, cli->termwidth);
    } else {
        scols_table_set_termforce(t->t, SCOLS_TERMFORCE_NEVER);
    }
    for (size_t i = 0; i < n; i++) {
        int flags = is_tree(t) ? columns[i].flags : columns[i].flags & ~SCOLS_FL_TRUNC;

        if (!scols_table_new_column(t->t, columns[i].name, columns[i].share, flags)) {
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

    if (c->verdict == PODPID_VERDICT_VERIFIED && c->pid > 0) {
        snprintf(text, sizeof(text), "%d", c->pid);
    } else if (c->inferred_pid > 0) {
        snprintf(text, sizeof(text), "%d?", c->inferred_pid);
    }
    set(t, row, column, text);
}

static const char *color_of(enum podpid_verdict verdict)
{
    switch (verdict) {
    case PODPID_VERDICT_VERIFIED:
        return "\033[32m"; /* green */
    case PODPID_VERDICT_CREATED:
    case PODPID_VERDICT_EXITED:
    case PODPID_VERDICT_ABSENT:
        return "\033[2m"; /* dim */
    case PODPID_VERDICT_UNKNOWN:
    case PODPID_VERDICT_VM:
    case PODPID_VERDICT_INFERRED:
    case PODPID_VERDICT_UNPROVEN:
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
        /* the time is not known, or lies in the future */
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

/* ---- Fitting ----------------------------------------------------------------------------------
 */

/* The number of bytes of the first character of s, which is valid UTF-8; *ret_width: its columns.
 */
static size_t character(const char *s, size_t *ret_width)
{
    static const unsigned char masks[] = {0x7f, 0x1f, 0x0f, 0x07};
    const unsigned char *p = (const unsigned char *)s;
    size_t n = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
    wchar_t c = *p & masks[n - 1];
    int width;

    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            n = i;
            break;
        }
        c = c << 6 | (p[i] & 0x3f);
    }
    width = wcwidth(c);
    *ret_width = width < 0 ? 1 : (size_t)width;
    return n;
}

static size_t width_of(const char *s)
{
    size_t all = 0, width;

    for (; s && *s; all += width) {
        s += character(s, &width);
    }
    return all;
}

static const char *cell_text(struct libscols_line *line, size_t column)
{
    struct libscols_cell *cell = scols_line_get_cell(line, column);

    return cell ? scols_cell_get_data(cell) : NULL;
}

/* Put the width that each column needs into widths. */
static void measure(const struct table *t, struct libscols_iter *lines, size_t *widths)
{
    struct libscols_line *line;

    for (size_t i = 0; i < t->n_columns; i++) {
        widths[i] = width_of(t->columns[i].name);
    }
    scols_reset_iter(lines, SCOLS_ITER_FORWARD);
    while (scols_table_next_line(t->t, lines, &line) == 0) {
        for (size_t i = 0; i < t->n_columns; i++) {
            size_t width = width_of(cell_text(line, i));

            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
}

/* The column to make narrower: the widest of those with a share, then the widest of the others;
 * t->n_columns if none can be. */
static size_t next_to_narrow(const struct table *t, const size_t *widths)
{
    size_t best = t->n_columns;

    for (size_t i = 0; i < t->n_columns; i++) {
        bool first = t->columns[i].share > 0;
        bool best_first = best < t->n_columns && t->columns[best].share > 0;

        if (t->columns[i].flags & SCOLS_FL_TRUNC && widths[i] > LEAST_WIDTH &&
            (best == t->n_columns || first > best_first ||
             (first == best_first && widths[i] > widths[best]))) {
            best = i;
        }
    }
    return best;
}

static void cut_cell(struct table *t, struct libscols_line *line, size_t column, size_t room)
{
    const char *mark = t->cli->utf8 ? "\u2026" : "...";
    const char *text = cell_text(line, column), *p = text;
    size_t at = 0, width, left = room - width_of(mark);
    char cut[4 * CELL_BYTES + 8];

    if (width_of(text) <= room) {
        return;
    }
    for (;;) {
        size_t n = character(p, &width);

        if (width > left) {
            break;
        }
        memcpy(cut + at, p, n);
        at += n;
        p += n;
        left -= width;
    }
    strcpy(cut + at, mark);
    set(t, line, column, cut);
}

static void fit(struct table *t)
{
    size_t widths[COLUMNS_MOST], total, column;
    struct libscols_iter *lines = scols_new_iter(SCOLS_ITER_FORWARD);
    struct libscols_line *line;

    if (!lines) {
        t->failed = true;
        return;
    }
    measure(t, lines, widths);
    total = 0;
    for (size_t i = 0; i < t->n_columns; i++) {
        total += t->columns[i].flags & SCOLS_FL_HIDDEN ? 0 : widths[i] + 1; /* and a blank */
    }
    total -= 1;
    for (; total > t->cli->termwidth && (column = next_to_narrow(t, widths)) < t->n_columns;
         total--) {
        widths[column]--;
    }
    scols_reset_iter(lines, SCOLS_ITER_FORWARD);
    while (scols_table_next_line(t->t, lines, &line) == 0) {
        for (size_t i = 0; i < t->n_columns; i++) {
            if (t->columns[i].flags & SCOLS_FL_TRUNC) {
                cut_cell(t, line, i, widths[i]);
            }
        }
    }
    scols_free_iter(lines);
}

int table_print(struct table *t)
{
    bool failed;

    if (t->fit && t->cli->termwidth && !t->failed && !is_tree(t)) {
        fit(t);
    }
    failed = t->failed || scols_print_table(t->t) < 0;

    scols_unref_table(t->t);
    t->t = NULL;
    /* cli_close_stdout() reports a failed write; other failures are of memory. */
    return failed && !ferror(stdout) ? cli_nomem() : CLI_OK;
}
