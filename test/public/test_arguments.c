/* Every public function with NULL in place of each pointer, and with values that its enums do not
 * have: an error or nothing, never a crash. A function of exports.txt without a row here fails. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/support/snap.h"
#include "test/support/unit.h"

enum { NO_ENUMERATOR = 4711 };

/* One valid object of each kind. */
static struct podpid_snapshot *snapshot;
static struct podpid_index *idx;
static struct podpid_cgroup *cgroup;
static struct podpid_targets *targets;
static struct podpid_options options = PODPID_OPTIONS_INIT;
static struct podpid_selector selector = PODPID_SELECTOR_INIT;
static struct podpid_error error;

static int drop(void *context, const char *data, size_t n)
{
    (void)context;
    (void)data;
    (void)n;
    return 0;
}

/* The error to pass to the next call, emptied. */
static struct podpid_error *fresh(void)
{
    error = (struct podpid_error)PODPID_ERROR_INIT;
    return &error;
}

#define E fresh()
#define REFUSED(call)                                                                              \
    do {                                                                                           \
        assert_int_equal(call, PODPID_ERR_USAGE);                                                  \
        assert_int_equal(error.code, PODPID_ERR_USAGE);                                            \
        assert_string_not_equal(error.message, "");                                                \
    } while (0)

/* CHECK(function, statements) is what is expected of one function. */
#define CHECK(function, ...)                                                                       \
    static void check_##function(void)                                                             \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

CHECK(podpid_answer_free, podpid_answer_free(NULL);)
CHECK(podpid_answer_to_json, {
    const struct podpid_answer a = {.pid = 1};

    REFUSED(podpid_answer_to_json(NULL, drop, NULL, E));
    REFUSED(podpid_answer_to_json(&a, NULL, NULL, E));
    assert_int_equal(podpid_answer_to_json(&a, drop, NULL, NULL), 0);
})
CHECK(podpid_capture, {
    REFUSED(podpid_capture(NULL, "/nowhere", false, -1, E));
    REFUSED(podpid_capture(&options, NULL, false, -1, E));
    assert_int_equal(podpid_capture(NULL, NULL, false, -1, NULL), PODPID_ERR_USAGE);
})
CHECK(podpid_cgroup_facts, assert_null(podpid_cgroup_facts(NULL));)
CHECK(podpid_cgroup_free, podpid_cgroup_free(NULL);)
CHECK(podpid_cgroup_parse, {
    struct podpid_cgroup *c = NULL;

    REFUSED(podpid_cgroup_parse(NULL, 4, &c, E));
    REFUSED(podpid_cgroup_parse("0::/", 4, NULL, E));
    assert_null(c);
})
CHECK(podpid_cgroup_to_json, {
    REFUSED(podpid_cgroup_to_json(NULL, drop, NULL, E));
    REFUSED(podpid_cgroup_to_json(cgroup, NULL, NULL, E));
})
CHECK(podpid_check_list, assert_non_null(podpid_check_list(NULL));)
CHECK(podpid_code_name, assert_string_equal(podpid_code_name(NO_ENUMERATOR), "?");)
CHECK(podpid_escape, assert_null(podpid_escape(NULL));)
CHECK(podpid_event_name,
      assert_string_equal(podpid_event_name((enum podpid_event_kind)NO_ENUMERATOR), "?");)
CHECK(podpid_event_to_json, {
    struct podpid_event e = {.kind = PODPID_EVENT_RUNTIME};

    REFUSED(podpid_event_to_json(NULL, drop, NULL, E));
    REFUSED(podpid_event_to_json(&e, NULL, NULL, E));
    e.kind = (enum podpid_event_kind)NO_ENUMERATOR;
    REFUSED(podpid_event_to_json(&e, drop, NULL, E));
    e.kind = (enum podpid_event_kind)0;
    REFUSED(podpid_event_to_json(&e, drop, NULL, E));
})
CHECK(podpid_exit_status, assert_int_equal(podpid_exit_status(-NO_ENUMERATOR), 3);)
CHECK(podpid_handoff_memfd, {
    int fd = -1;

    REFUSED(podpid_handoff_memfd(NULL, &fd, E));
    REFUSED(podpid_handoff_memfd(snapshot, NULL, E));
    assert_int_equal(fd, -1);
})
CHECK(podpid_handoff_pidfds, {
    struct podpid_pidfd *fds = NULL;
    size_t n = 0;

    REFUSED(podpid_handoff_pidfds(NULL, "/nowhere", &fds, &n, E));
    REFUSED(podpid_handoff_pidfds(snapshot, "/nowhere", NULL, &n, E));
    REFUSED(podpid_handoff_pidfds(snapshot, "/nowhere", &fds, NULL, E));
})
CHECK(podpid_handoff_remove, REFUSED(podpid_handoff_remove(NULL, E));)
CHECK(podpid_index_by_cgroup, assert_null(podpid_index_by_cgroup(NULL, 1));)
CHECK(podpid_index_by_id, {
    assert_null(podpid_index_by_id(NULL, "0123"));
    assert_null(podpid_index_by_id(idx, NULL));
})
CHECK(podpid_index_by_process, {
    assert_null(podpid_index_by_process(NULL, 1, 1, NULL));
    assert_null(podpid_index_by_process(idx, -1, 0, NULL));
})
CHECK(podpid_index_free, podpid_index_free(NULL);)
CHECK(podpid_index_new, {
    struct podpid_index *x = NULL;

    REFUSED(podpid_index_new(NULL, &x, E));
    REFUSED(podpid_index_new(snapshot, NULL, E));
})
CHECK(podpid_index_probe, {
    const struct podpid_container *c = NULL;

    REFUSED(podpid_index_probe(NULL, 0, 1, &c, NULL, E));
    REFUSED(podpid_index_probe(idx, 0, 1, NULL, NULL, E));
    REFUSED(podpid_index_probe(idx, -1, 1, &c, NULL, E));
})
CHECK(podpid_json_style_name,
      assert_string_equal(podpid_json_style_name((enum podpid_json_style)NO_ENUMERATOR), "?");)
CHECK(podpid_look_deadline, assert_true(podpid_look_deadline(NULL) == PODPID_NO_DEADLINE);)
CHECK(podpid_look_fd, assert_int_equal(podpid_look_fd(NULL), -1);)
CHECK(podpid_look_free, podpid_look_free(NULL);)
CHECK(podpid_look_new, {
    struct podpid_look *k = NULL;

    REFUSED(podpid_look_new(NULL, &k, E));
    REFUSED(podpid_look_new(&options, NULL, E));
})
CHECK(podpid_look_run, {
    struct podpid_snapshot *s = NULL;

    REFUSED(podpid_look_run(NULL, -1, &s, E));
    REFUSED(podpid_look_run(&options, -1, NULL, E));
})
CHECK(podpid_look_step, REFUSED(podpid_look_step(NULL, 0, E));)
CHECK(podpid_look_take, assert_null(podpid_look_take(NULL));)
CHECK(podpid_parse_duration, {
    int64_t ns = 0;

    REFUSED(podpid_parse_duration(NULL, &ns, E));
    REFUSED(podpid_parse_duration("1s", NULL, E));
})
CHECK(podpid_pidfds_free, podpid_pidfds_free(NULL, 4);)
CHECK(podpid_preflight_deadline,
      assert_true(podpid_preflight_deadline(NULL) == PODPID_NO_DEADLINE);)
CHECK(podpid_preflight_fd, assert_int_equal(podpid_preflight_fd(NULL), -1);)
CHECK(podpid_preflight_free, podpid_preflight_free(NULL);)
CHECK(podpid_preflight_new, {
    struct podpid_preflight_options o = PODPID_PREFLIGHT_OPTIONS_INIT;
    struct podpid_preflight *p = NULL;

    REFUSED(podpid_preflight_new(NULL, &p, E));
    REFUSED(podpid_preflight_new(&o, &p, E));
    o.look = &options;
    REFUSED(podpid_preflight_new(&o, NULL, E));
})
CHECK(podpid_preflight_progress, assert_string_equal(podpid_preflight_progress(NULL), "");)
CHECK(podpid_preflight_step, REFUSED(podpid_preflight_step(NULL, 0, E));)
CHECK(podpid_preflight_take, assert_null(podpid_preflight_take(NULL));)
/* Nothing that is asked of no report may look as if all were well. */
CHECK(podpid_report_result, assert_int_equal(podpid_report_result(NULL), PODPID_RESULT_FAIL);)
CHECK(podpid_report_exit_status, assert_int_equal(podpid_report_exit_status(NULL), 3);)
CHECK(podpid_report_checks, {
    size_t n = 1;

    assert_null(podpid_report_checks(NULL, &n));
    assert_int_equal(n, 0);
    assert_null(podpid_report_checks(NULL, NULL));
})
CHECK(podpid_report_free, podpid_report_free(NULL);)
CHECK(podpid_report_pidfds, {
    size_t n = 1;

    assert_null(podpid_report_pidfds(NULL, &n));
    assert_int_equal(n, 0);
    assert_null(podpid_report_pidfds(NULL, NULL));
})
CHECK(podpid_report_snapshot, assert_null(podpid_report_snapshot(NULL));)
CHECK(podpid_report_targets, assert_null(podpid_report_targets(NULL));)
CHECK(podpid_report_to_json, REFUSED(podpid_report_to_json(NULL, drop, NULL, E));)
CHECK(podpid_result_name,
      assert_string_equal(podpid_result_name((enum podpid_result)NO_ENUMERATOR), "?");)
CHECK(podpid_role_name,
      assert_string_equal(podpid_role_name((enum podpid_role)NO_ENUMERATOR), "?");)
CHECK(podpid_selector_answerable, {
    REFUSED(podpid_selector_answerable(NULL, snapshot, E));
    REFUSED(podpid_selector_answerable(&selector, NULL, E));
})
CHECK(podpid_selector_check, REFUSED(podpid_selector_check(NULL, E));)
CHECK(podpid_selector_matches, {
    assert_false(podpid_selector_matches(NULL, snapshot->pods[0]->containers[0]));
    assert_false(podpid_selector_matches(&selector, NULL));
})
CHECK(podpid_selector_matches_pod, {
    assert_false(podpid_selector_matches_pod(NULL, snapshot->pods[0]));
    assert_false(podpid_selector_matches_pod(&selector, NULL));
})
CHECK(podpid_snapshot_complete, assert_false(podpid_snapshot_complete(NULL));)
CHECK(podpid_snapshot_find, {
    const struct podpid_container **found = NULL;
    size_t n = 0;

    REFUSED(podpid_snapshot_find(NULL, "a/b", &found, &n, E));
    REFUSED(podpid_snapshot_find(snapshot, NULL, &found, &n, E));
    REFUSED(podpid_snapshot_find(snapshot, "a/b", NULL, &n, E));
    REFUSED(podpid_snapshot_find(snapshot, "a/b", &found, NULL, E));
})
/* A list of a snapshot, without a snapshot or without a place for its length. */
#define CHECK_LIST(function)                                                                       \
    CHECK(function, {                                                                              \
        size_t n = 1;                                                                              \
                                                                                                   \
        assert_null(function(NULL, &n));                                                           \
        assert_int_equal(n, 0);                                                                    \
        assert_null(function(NULL, NULL));                                                         \
        assert_ptr_equal(function(snapshot, NULL), function(snapshot, &n));                        \
    })
CHECK_LIST(podpid_snapshot_foreign)
CHECK_LIST(podpid_snapshot_pods)
CHECK_LIST(podpid_snapshot_strays)
CHECK_LIST(podpid_snapshot_warnings)
CHECK(podpid_snapshot_free, podpid_snapshot_free(NULL);)
CHECK(podpid_snapshot_node, assert_null(podpid_snapshot_node(NULL));)
CHECK(podpid_snapshot_ref, assert_null(podpid_snapshot_ref(NULL));)
CHECK(podpid_snapshot_runtime, assert_null(podpid_snapshot_runtime(NULL));)
CHECK(podpid_snapshot_select, {
    struct podpid_snapshot *s = NULL;

    REFUSED(podpid_snapshot_select(NULL, 0, NULL, NULL, NULL, &s, E));
    REFUSED(podpid_snapshot_select(snapshot, 0, NULL, NULL, NULL, NULL, E));
    REFUSED(podpid_snapshot_select(snapshot, NO_ENUMERATOR, NULL, NULL, NULL, &s, E));
    assert_null(s);
})
CHECK(podpid_snapshot_taken_at, assert_int_equal(podpid_snapshot_taken_at(NULL), 0);)
CHECK(podpid_snapshot_to_json, {
    const enum podpid_json_style none = (enum podpid_json_style)NO_ENUMERATOR;
    const enum podpid_json_style negative = (enum podpid_json_style) - 1;

    REFUSED(podpid_snapshot_to_json(NULL, PODPID_JSON_COMPACT, drop, NULL, E));
    REFUSED(podpid_snapshot_to_json(snapshot, PODPID_JSON_COMPACT, NULL, NULL, E));
    REFUSED(podpid_snapshot_to_json(snapshot, none, drop, NULL, E));
    REFUSED(podpid_snapshot_to_json(snapshot, negative, drop, NULL, E));
})
CHECK(podpid_snapshot_took, assert_int_equal(podpid_snapshot_took(NULL), 0);)
CHECK(podpid_state_name,
      assert_string_equal(podpid_state_name((enum podpid_state)NO_ENUMERATOR), "?");)
CHECK(podpid_targets_add_file, {
    REFUSED(podpid_targets_add_file(NULL, "/nowhere", NULL, E));
    REFUSED(podpid_targets_add_file(targets, NULL, NULL, E));
})
CHECK(podpid_targets_add_selector, {
    REFUSED(podpid_targets_add_selector(NULL, &selector, E));
    REFUSED(podpid_targets_add_selector(targets, NULL, E));
})
CHECK(podpid_targets_answerable, {
    REFUSED(podpid_targets_answerable(NULL, snapshot, E));
    REFUSED(podpid_targets_answerable(targets, NULL, E));
})
CHECK(podpid_targets_count, assert_int_equal(podpid_targets_count(NULL), 0);)
CHECK(podpid_targets_free, podpid_targets_free(NULL);)
CHECK(podpid_targets_match, {
    assert_false(podpid_targets_match(NULL, snapshot->pods[0]->containers[0]));
    assert_false(podpid_targets_match(targets, NULL));
})
CHECK(podpid_targets_new, REFUSED(podpid_targets_new(NULL, E));)
CHECK(podpid_targets_policy, assert_null(podpid_targets_policy(NULL));)
CHECK(podpid_verdict_name,
      assert_string_equal(podpid_verdict_name((enum podpid_verdict)NO_ENUMERATOR), "?");)
CHECK(podpid_version, assert_non_null(podpid_version());)
CHECK(podpid_watch_deadline, assert_true(podpid_watch_deadline(NULL) == PODPID_NO_DEADLINE);)
CHECK(podpid_watch_fd, assert_int_equal(podpid_watch_fd(NULL), -1);)
CHECK(podpid_watch_free, podpid_watch_free(NULL);)
CHECK(podpid_watch_look_now, podpid_watch_look_now(NULL);)
CHECK(podpid_watch_lost, {
    size_t n = 1;

    assert_null(podpid_watch_lost(NULL, &n));
    assert_int_equal(n, 0);
    assert_null(podpid_watch_lost(NULL, NULL));
})
CHECK(podpid_watch_new, {
    struct podpid_watch_options o = PODPID_WATCH_OPTIONS_INIT;
    struct podpid_watch *w = NULL;

    REFUSED(podpid_watch_new(NULL, &w, E));
    REFUSED(podpid_watch_new(&o, &w, E));
    o.look = &options;
    REFUSED(podpid_watch_new(&o, NULL, E));
})
CHECK(podpid_watch_next, assert_null(podpid_watch_next(NULL));)
CHECK(podpid_watch_revision, assert_int_equal(podpid_watch_revision(NULL), 0);)
CHECK(podpid_watch_snapshot, assert_null(podpid_watch_snapshot(NULL));)
CHECK(podpid_watch_stale, assert_false(podpid_watch_stale(NULL));)
CHECK(podpid_watch_step, REFUSED(podpid_watch_step(NULL, 0, E));)
CHECK(podpid_whois, {
    struct podpid_answer *a = NULL;

    REFUSED(podpid_whois(NULL, 1, 0, &a, E));
    REFUSED(podpid_whois(snapshot, 1, 0, NULL, E));
    REFUSED(podpid_whois(snapshot, 1, 0, &a, E)); /* made without want_processes */
    assert_null(a);
})

static const struct {
    const char *name;
    void (*check)(void);
} rows[] = {
#define ROW(function)                                                                              \
    {                                                                                              \
#function, check_##function                                                                \
    }
    ROW(podpid_answer_free),
    ROW(podpid_answer_to_json),
    ROW(podpid_capture),
    ROW(podpid_cgroup_facts),
    ROW(podpid_cgroup_free),
    ROW(podpid_cgroup_parse),
    ROW(podpid_cgroup_to_json),
    ROW(podpid_check_list),
    ROW(podpid_code_name),
    ROW(podpid_escape),
    ROW(podpid_event_name),
    ROW(podpid_event_to_json),
    ROW(podpid_exit_status),
    ROW(podpid_handoff_memfd),
    ROW(podpid_handoff_pidfds),
    ROW(podpid_handoff_remove),
    ROW(podpid_index_by_cgroup),
    ROW(podpid_index_by_id),
    ROW(podpid_index_by_process),
    ROW(podpid_index_free),
    ROW(podpid_index_new),
    ROW(podpid_index_probe),
    ROW(podpid_json_style_name),
    ROW(podpid_look_deadline),
    ROW(podpid_look_fd),
    ROW(podpid_look_free),
    ROW(podpid_look_new),
    ROW(podpid_look_run),
    ROW(podpid_look_step),
    ROW(podpid_look_take),
    ROW(podpid_parse_duration),
    ROW(podpid_pidfds_free),
    ROW(podpid_preflight_deadline),
    ROW(podpid_preflight_fd),
    ROW(podpid_preflight_free),
    ROW(podpid_preflight_new),
    ROW(podpid_preflight_progress),
    ROW(podpid_preflight_step),
    ROW(podpid_preflight_take),
    ROW(podpid_report_checks),
    ROW(podpid_report_exit_status),
    ROW(podpid_report_free),
    ROW(podpid_report_pidfds),
    ROW(podpid_report_result),
    ROW(podpid_report_snapshot),
    ROW(podpid_report_targets),
    ROW(podpid_report_to_json),
    ROW(podpid_result_name),
    ROW(podpid_role_name),
    ROW(podpid_selector_answerable),
    ROW(podpid_selector_check),
    ROW(podpid_selector_matches),
    ROW(podpid_selector_matches_pod),
    ROW(podpid_snapshot_complete),
    ROW(podpid_snapshot_find),
    ROW(podpid_snapshot_foreign),
    ROW(podpid_snapshot_free),
    ROW(podpid_snapshot_node),
    ROW(podpid_snapshot_pods),
    ROW(podpid_snapshot_ref),
    ROW(podpid_snapshot_runtime),
    ROW(podpid_snapshot_select),
    ROW(podpid_snapshot_strays),
    ROW(podpid_snapshot_taken_at),
    ROW(podpid_snapshot_to_json),
    ROW(podpid_snapshot_took),
    ROW(podpid_snapshot_warnings),
    ROW(podpid_state_name),
    ROW(podpid_targets_add_file),
    ROW(podpid_targets_add_selector),
    ROW(podpid_targets_answerable),
    ROW(podpid_targets_count),
    ROW(podpid_targets_free),
    ROW(podpid_targets_match),
    ROW(podpid_targets_new),
    ROW(podpid_targets_policy),
    ROW(podpid_verdict_name),
    ROW(podpid_version),
    ROW(podpid_watch_deadline),
    ROW(podpid_watch_fd),
    ROW(podpid_watch_free),
    ROW(podpid_watch_look_now),
    ROW(podpid_watch_lost),
    ROW(podpid_watch_new),
    ROW(podpid_watch_next),
    ROW(podpid_watch_revision),
    ROW(podpid_watch_snapshot),
    ROW(podpid_watch_stale),
    ROW(podpid_watch_step),
    ROW(podpid_whois),
};

/* ---- The tests ------------------------------------------------------------------------------- */

static void each_function_takes_null_and_unknown_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rows[i].check();
    }
}

static bool has_row(const char *name)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void each_exported_function_is_tried(void **state)
{
    FILE *f = fopen(TEST_DIR "/program/exports.txt", "re");
    char line[128];
    size_t n = 0;

    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = '\0';
        n++;
        if (!has_row(line)) {
            fail_msg("%s is exported, but not tried with wrong arguments in test_arguments.c",
                     line);
        }
    }
    fclose(f);
    assert_int_equal(n, sizeof(rows) / sizeof(rows[0]));
}

static int make_objects(void **state)
{
    (void)state;
    snapshot = snap_zoo();
    selector.namespace_ = "prod";
    options.replay = "/nowhere";
    assert_int_equal(podpid_index_new(snapshot, &idx, NULL), 0);
    assert_int_equal(podpid_cgroup_parse("0::/\n", 5, &cgroup, NULL), 0);
    assert_int_equal(podpid_targets_new(&targets, NULL), 0);
    return 0;
}

static int free_objects(void **state)
{
    (void)state;
    podpid_targets_free(targets);
    podpid_cgroup_free(cgroup);
    podpid_index_free(idx);
    podpid_snapshot_free(snapshot);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_function_takes_null_and_unknown_values),
        cmocka_unit_test(each_exported_function_is_tried),
    };

    return cmocka_run_group_tests(tests, make_objects, free_objects);
}
