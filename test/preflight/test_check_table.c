/* The table of checks: what levels do to a result, exit statuses, and the list for the public. */
#include "resolver/preflight/table.h"

#include "cri/base/text.h"
#include "test/support/unit.h"

#define P PODPID_RESULT_PASS
#define W PODPID_RESULT_WARN
#define F PODPID_RESULT_FAIL
#define S PODPID_RESULT_SKIP

/* A table in which every check passes. */
static void begin(struct check_table *t, struct arena *a)
{
    *t = (struct check_table){.arena = a};
    check_table_init(t);
    for (unsigned i = 0; i < N_CHECKS; i++) {
        check_set(t, (enum check_id)i, P, NULL, "well");
    }
}

static void the_public_list_has_the_checks_of_a_report(void **state)
{
    size_t n;
    const struct podpid_check_info *const *list = podpid_check_list(&n);
    struct arena arena = {0};
    struct check_table t;

    (void)state;
    begin(&t, &arena);
    assert_int_equal(n, N_CHECKS);
    for (size_t i = 0; i < n; i++) {
        enum check_id id;

        assert_string_equal(list[i]->id, t.rows[i].public.id);
        assert_int_equal(list[i]->fixed, t.rows[i].fixed);
        assert_true(check_by_name(list[i]->id, &id));
        assert_int_equal(id, i);
        /* Only this check fails. */
        check_set(&t, id, F, NULL, "made to fail");
        assert_int_equal(check_table_exit_status(&t), list[i]->exit_status);
        check_set(&t, id, P, NULL, "well");
    }
    assert_int_equal(check_table_exit_status(&t), 0);
    arena_free(&arena);
}

static void levels_apply_in_their_order(void **state)
{
    static const char *const ignore[] = {"pids.verified", "host.pidns", NULL};
    static const struct {
        enum podpid_result before;
        enum check_level policy;
        bool strict, ignored;
        enum podpid_result result;
    } cases[] = {
        {W, LEVEL_DEFAULT, false, false, W}, {W, LEVEL_FAIL, false, false, F},
        {W, LEVEL_IGNORE, false, false, S},  {W, LEVEL_IGNORE, true, false, S},
        {W, LEVEL_DEFAULT, true, false, F},  {W, LEVEL_DEFAULT, true, true, W},
        {F, LEVEL_DEFAULT, false, false, F}, {F, LEVEL_WARN, false, false, W},
        {F, LEVEL_WARN, true, false, F},     {F, LEVEL_WARN, true, true, W},
        {F, LEVEL_DEFAULT, false, true, W},  {P, LEVEL_FAIL, true, false, P},
    };

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        enum check_level levels[N_CHECKS] = {[CHECK_PIDS_VERIFIED] = cases[i].policy,
                                             [CHECK_HOST_PIDNS] = LEVEL_IGNORE,
                                             [CHECK_HOST_PROC] = LEVEL_WARN};
        struct arena arena = {0};
        struct check_table t;

        begin(&t, &arena);
        check_set(&t, CHECK_PIDS_VERIFIED, cases[i].before, NULL, "as the case says");
        check_set(&t, CHECK_HOST_PROC, F, NULL, "fixed");
        check_set(&t, CHECK_HOST_PIDNS, F, NULL, "fixed");
        check_table_apply_levels(&t, levels, cases[i].strict, cases[i].ignored ? ignore : NULL);
        assert_int_equal(t.rows[CHECK_PIDS_VERIFIED].public.result, cases[i].result);
        /* No level lowers these. */
        assert_int_equal(t.rows[CHECK_HOST_PROC].public.result, F);
        assert_int_equal(t.rows[CHECK_HOST_PIDNS].public.result, F);
        arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_public_list_has_the_checks_of_a_report),
        cmocka_unit_test(levels_apply_in_their_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
