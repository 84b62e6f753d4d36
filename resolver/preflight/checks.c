#include "resolver/preflight/checks.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

/* fixed: what no level lowers. */
static const struct {
    const char *name;
    bool fixed;
} all[N_CHECKS] = {
    [CHECK_HOST_PROC] = {"host.proc", true},
    [CHECK_HOST_PIDNS] = {"host.pidns", true},
    [CHECK_HOST_CGROUPNS] = {"host.cgroupns", false},
    [CHECK_HOST_CGROUP] = {"host.cgroup", false},
    [CHECK_RUNTIME_ENDPOINT] = {"runtime.endpoint", false},
    [CHECK_RUNTIME_API] = {"runtime.api", false},
    [CHECK_RUNTIME_READY] = {"runtime.ready", false},
    [CHECK_PODS_LISTED] = {"pods.listed", false},
    [CHECK_PIDS_VERIFIED] = {"pids.verified", false},
    [CHECK_PIDS_STABLE] = {"pids.stable", false},
    [CHECK_PIDS_STRAYS] = {"pids.strays", false},
    [CHECK_TARGETS_PRESENT] = {"targets.present", true},
    [CHECK_HANDOFF_WRITTEN] = {"handoff.written", true},
};

const char *check_name(enum check_id id)
{
    return all[id].name;
}

bool check_by_name(const char *name, enum check_id *ret)
{
    for (unsigned i = 0; i < N_CHECKS; i++) {
        if (strcmp(all[i].name, name) == 0) {
            *ret = (enum check_id)i;
            return true;
        }
    }
    return false;
}

const char *podpid_result_name(enum podpid_result r)
{
    static const char *const results[] = {"pass", "warn", "fail", "skip"};

    return (unsigned)r < sizeof(results) / sizeof(results[0]) ? results[r] : "?";
}

void check_set(struct check_table *t, enum check_id id, enum podpid_result result, const char *hint,
               const char *fmt, ...)
{
    struct podpid_check *c = &t->rows[id].is;
    va_list ap;

    c->result = result;
    c->hint = arena_strdup(t->arena, hint);
    va_start(ap, fmt);
    c->detail = arena_vprintf(t->arena, fmt, ap);
    va_end(ap);
    t->failed = t->failed || !c->detail || (hint && !c->hint);
}

void check_item(struct check_table *t, enum check_id id, const char *fmt, ...)
{
    struct check *c = &t->rows[id];
    void *items = c->items;
    va_list ap;
    char *text;

    va_start(ap, fmt);
    text = arena_vprintf(t->arena, fmt, ap);
    va_end(ap);
    if (!text || arena_grow(t->arena, &items, c->is.n_items, &c->cap, sizeof(char *)) < 0) {
        t->failed = true;
        return;
    }
    c->items = items;
    c->items[c->is.n_items++] = text;
    c->is.items = c->items;
}

const char *noun(size_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}

int checks_evaluate(struct check_table *t, const struct check_facts *f)
{
    for (unsigned i = 0; i < N_CHECKS; i++) {
        t->rows[i] = (struct check){.is = {.id = all[i].name}, .fixed = all[i].fixed};
    }
    checks_host(t, f);
    checks_runtime(t, f);
    checks_pods(t, f);
    check_set(t, CHECK_HANDOFF_WRITTEN, PODPID_RESULT_SKIP, NULL, "no handoff file was asked for");
    return t->failed ? -ENOMEM : 0;
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

static enum podpid_result leveled(const struct check *c, enum check_level level, bool strict,
                                  bool ignored)
{
    enum podpid_result r = c->is.result;

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

void checks_apply_levels(struct check_table *t, const enum check_level *policy, bool strict,
                         const char *const *ignore)
{
    for (unsigned i = 0; i < N_CHECKS; i++) {
        struct check *c = &t->rows[i];
        enum check_level level = policy ? policy[i] : LEVEL_DEFAULT;
        enum podpid_result was = c->is.result;

        c->is.result = leveled(c, level, strict, is_ignored(c->is.id, ignore));
        if (c->is.result == PODPID_RESULT_SKIP && was != PODPID_RESULT_SKIP) {
            const char *detail = arena_printf(t->arena, "ignored by the policy: %s", c->is.detail);

            c->is.detail = detail ? detail : c->is.detail;
        }
    }
}

enum podpid_result checks_result(const struct check_table *t)
{
    enum podpid_result worst = PODPID_RESULT_PASS;

    for (unsigned i = 0; i < N_CHECKS; i++) {
        enum podpid_result r = t->rows[i].is.result;

        if (r == PODPID_RESULT_FAIL || (r == PODPID_RESULT_WARN && worst == PODPID_RESULT_PASS)) {
            worst = r;
        }
    }
    return worst;
}

int checks_exit_status(const struct check_table *t)
{
    static const enum check_id no_look[] = {CHECK_HOST_PROC, CHECK_HOST_PIDNS,
                                            CHECK_RUNTIME_ENDPOINT, CHECK_RUNTIME_API};

    for (size_t i = 0; i < sizeof(no_look) / sizeof(no_look[0]); i++) {
        if (t->rows[no_look[i]].is.result == PODPID_RESULT_FAIL) {
            return 3;
        }
    }
    return checks_result(t) == PODPID_RESULT_FAIL ? 1 : 0;
}
