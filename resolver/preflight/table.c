#include "resolver/preflight/table.h"

#include <stdarg.h>
#include <string.h>

void check_table_init(struct check_table *t)
{
    for (unsigned i = 0; i < N_CHECKS; i++) {
        const struct podpid_check_info *info = check_info((enum check_id)i);

        t->rows[i] = (struct check){.public = {.id = info->id}, .fixed = info->fixed};
    }
}

const char *check_text(struct check_table *t, const char *text)
{
    t->failed = t->failed || !text;
    return text ? text : "";
}

void check_set(struct check_table *t, enum check_id id, enum podpid_result result, const char *hint,
               const char *fmt, ...)
{
    struct podpid_check *c = &t->rows[id].public;
    va_list ap;

    c->result = result;
    c->hint = hint ? check_text(t, arena_strdup(t->arena, hint)) : NULL;
    va_start(ap, fmt);
    c->detail = check_text(t, arena_vprintf(t->arena, fmt, ap));
    va_end(ap);
}

void check_item(struct check_table *t, enum check_id id, const char *fmt, ...)
{
    struct check *c = &t->rows[id];
    va_list ap;

    va_start(ap, fmt);
    if (texts_add(&c->items, t->arena, arena_vprintf(t->arena, fmt, ap)) < 0) {
        t->failed = true;
    }
    va_end(ap);
    c->public.items = c->items.items;
    c->public.n_items = c->items.n;
}

static bool is_ignored(const char *id, const char *const *ignore)
{
    for (; ignore && *ignore; ignore++) {
        if (strcmp(*ignore, id) == 0) {
            return true;
        }
    }
    return false;
}

static enum podpid_result apply_level(const struct check *c, enum check_level level, bool strict,
                                      bool ignored)
{
    enum podpid_result r = c->public.result;

    if (level == LEVEL_IGNORE && !c->fixed) {
        return PODPID_RESULT_SKIP;
    }
    if (level == LEVEL_FAIL && r == PODPID_RESULT_WARN) {
        r = PODPID_RESULT_FAIL;
    }
    if (level == LEVEL_WARN && r == PODPID_RESULT_FAIL && !c->fixed) {
        r = PODPID_RESULT_WARN;
    }
    if (strict && r == PODPID_RESULT_WARN) {
        r = PODPID_RESULT_FAIL;
    }
    return ignored && r == PODPID_RESULT_FAIL && !c->fixed ? PODPID_RESULT_WARN : r;
}

void check_table_apply_levels(struct check_table *t, const enum check_level *levels, bool strict,
                              const char *const *ignore)
{
    for (unsigned i = 0; i < N_CHECKS; i++) {
        struct podpid_check *c = &t->rows[i].public;
        enum podpid_result before = c->result;

        c->result = apply_level(&t->rows[i], levels ? levels[i] : LEVEL_DEFAULT, strict,
                                is_ignored(c->id, ignore));
        if (c->result == PODPID_RESULT_SKIP && before != PODPID_RESULT_SKIP) {
            c->detail =
                check_text(t, arena_printf(t->arena, "ignored by the policy: %s", c->detail));
        }
    }
}

enum podpid_result check_table_result(const struct check_table *t)
{
    enum podpid_result worst = PODPID_RESULT_PASS;

    for (unsigned i = 0; i < N_CHECKS; i++) {
        enum podpid_result r = t->rows[i].public.result;

        if (r == PODPID_RESULT_FAIL || (r == PODPID_RESULT_WARN && worst == PODPID_RESULT_PASS)) {
            worst = r;
        }
    }
    return worst;
}

int check_table_exit_status(const struct check_table *t)
{
    int status = 0;

    for (unsigned i = 0; i < N_CHECKS; i++) {
        int failed = check_info((enum check_id)i)->exit_status;

        if (t->rows[i].public.result == PODPID_RESULT_FAIL && failed > status) {
            status = failed;
        }
    }
    return status;
}
