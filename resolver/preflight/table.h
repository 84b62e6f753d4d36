/* The results of a preflight's checks while they are made, and what levels do to them. Knows which
 * checks there are, but not what they look at. */
#ifndef PODPID_PREFLIGHT_TABLE_H
#define PODPID_PREFLIGHT_TABLE_H

#include "cri/base/arena.h"
#include "resolver/podpid.h"
#include "resolver/targets/check_id.h"

struct check {
    struct podpid_check public; /* what the report hands out; texts live in the table's arena */
    bool fixed;                 /* neither a policy nor --ignore lowers a failure */
    struct texts items;         /* the array behind public.items */
};

/* Functions that fill the table do not return an error: they set failed, and the one who asked for
 * the checks looks at it once, at the end. */
struct check_table {
    struct arena *arena;
    bool failed; /* memory was out: some text is missing */
    struct check rows[N_CHECKS];
};

/* Every row as check_id.h has it: no result, no detail, no items. t->arena must be set. */
void check_table_init(struct check_table *t);

/* Set result, hint (NULL: none) and detail (one line) of a check. hint is copied. */
void check_set(struct check_table *t, enum check_id id, enum podpid_result result, const char *hint,
               const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Append one line to the things that a check is about. */
void check_item(struct check_table *t, enum check_id id, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The text, for one that was just made in the arena; NULL gives "" and sets t->failed. */
const char *check_text(struct check_table *t, const char *text);

/* The error's own hint; otherwise where it is NULL or "". */
static inline const char *check_hint(const char *hint, const char *otherwise)
{
    return hint && *hint ? hint : otherwise;
}

/* Change the results by, in this order: the levels of the policies (N_CHECKS of them; NULL: none),
 * strict (warnings fail), and the ids to ignore (NULL-terminated; NULL: none). The last wins. */
void check_table_apply_levels(struct check_table *t, const enum check_level *levels, bool strict,
                              const char *const *ignore);

/* The worst result of all checks: fail, else warn, else pass. */
enum podpid_result check_table_result(const struct check_table *t);

/* 0: no check fails. 3: one fails that keeps podpid from looking at the node. 1: another fails. */
int check_table_exit_status(const struct check_table *t);

#endif
