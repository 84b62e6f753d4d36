/* The checks: all of them are made in their order, and which facts give which result. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/preflight/checks.h"
#include "resolver/targets/targets.h"
#include "test/support/rows.h"
#include "test/support/unit.h"

#define P PODPID_RESULT_PASS
#define W PODPID_RESULT_WARN
#define F PODPID_RESULT_FAIL
#define S PODPID_RESULT_SKIP

/* The facts about a made-up node, and the results of its checks. */
struct bench {
    struct arena arena;
    struct check_table table;
    struct node_facts node;
    struct check_facts facts;
    struct podpid_snapshot *snapshot, *before;
};

static void begin(struct bench *b, const struct row_line *lines, size_t n)
{
    *b = (struct bench){.table = {.arena = NULL}};
    b->table.arena = &b->arena;
    b->node.node.cgroup_mode = "v2";
    b->snapshot = rows_snapshot(lines, n, &rows_runtime);
    b->facts = (struct check_facts){.node = &b->node,
                                    .snapshot = b->snapshot,
                                    .connected = true,
                                    .peer = 1,
                                    .peer_in_proc = true};
}

static void evaluate(struct bench *b)
{
    assert_int_equal(checks_evaluate(&b->table, &b->facts), 0);
}

static void end(struct bench *b)
{
    podpid_snapshot_free(b->snapshot);
    podpid_snapshot_free(b->before);
    arena_free(&b->arena);
}

static enum podpid_result result(const struct bench *b, enum check_id id)
{
    return b->table.rows[id].public.result;
}

static const struct row_line well[] = {
    {"prod", "web", "u", "s", "app", "aa01", PODPID_VERDICT_VERIFIED, 10, 1, 0, NULL, NULL, NULL},
    {"prod", "web", "u", "s", "init", "aa02", PODPID_VERDICT_EXITED, 0, 1, 0, NULL, NULL, NULL},
};

/* Ids and their order are stable: policies, scripts and dashboards rely on them. */
static void a_good_node_passes_all_checks_in_order(void **state)
{
    static const struct {
        const char *id;
        enum podpid_result result;
    } expected[] = {
        {"host.proc", P},        {"host.pidns", P},  {"host.cgroupns", P}, {"host.cgroup", P},
        {"runtime.endpoint", P}, {"runtime.api", P}, {"runtime.ready", P}, {"pods.listed", P},
        {"pids.verified", P},    {"pids.stable", S}, {"pids.strays", P},   {"targets.present", S},
        {"handoff.written", S},
    };
    struct bench b;

    (void)state;
    begin(&b, well, 2);
    evaluate(&b);
    assert_int_equal(N_CHECKS, N_ELEMENTS(expected));
    for (unsigned i = 0; i < N_CHECKS; i++) {
        const struct podpid_check *c = &b.table.rows[i].public;

        assert_string_equal(c->id, expected[i].id);
        assert_int_equal(c->result, expected[i].result);
        assert_non_null(c->detail);
        assert_null(strchr(c->detail, '\n'));
    }
    assert_int_equal(check_table_result(&b.table), PODPID_RESULT_PASS);
    assert_int_equal(check_table_exit_status(&b.table), 0);
    end(&b);
}

static void every_verdict_has_its_severity(void **state)
{
    static const struct {
        enum podpid_verdict verdict;
        enum podpid_result result;
    } cases[] = {
        {PODPID_VERDICT_VERIFIED, P}, {PODPID_VERDICT_CREATED, P},    {PODPID_VERDICT_EXITED, P},
        {PODPID_VERDICT_UNKNOWN, W},  {PODPID_VERDICT_VM, W},         {PODPID_VERDICT_INFERRED, W},
        {PODPID_VERDICT_UNPROVEN, W}, {PODPID_VERDICT_NO_PROCESS, W}, {PODPID_VERDICT_DEAD, W},
        {PODPID_VERDICT_ZOMBIE, W},   {PODPID_VERDICT_MOVED, F},      {PODPID_VERDICT_RECYCLED, F},
        {PODPID_VERDICT_MISMATCH, F}, {PODPID_VERDICT_CHANGED, W},    {PODPID_VERDICT_ERROR, W},
    };

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        struct row_line line = well[0];
        struct bench b;
        const struct podpid_check *c;

        line.verdict = cases[i].verdict;
        line.reason = "because";
        begin(&b, &line, 1);
        evaluate(&b);
        c = &b.table.rows[CHECK_PIDS_VERIFIED].public;
        assert_int_equal(c->result, cases[i].result);
        assert_int_equal(c->n_items, cases[i].result == P ? 0 : 1);
        assert_true((c->hint != NULL) == (cases[i].result != P));
        if (c->n_items) {
            assert_int_equal(strncmp(c->items[0], "prod/web/app: ", 14), 0);
        }
        end(&b);
    }
}

static void a_target_is_reported_by_targets_present_only(void **state)
{
    struct row_line line = well[0];
    struct bench b;
    const struct podpid_container *c;
    const char *finding = "prod/web/app: mismatch";
    struct targets_result r = {.findings = &finding, .n_findings = 1, .n_containers = 1};

    (void)state;
    line.verdict = PODPID_VERDICT_MISMATCH;
    begin(&b, &line, 1);
    c = b.snapshot->pods[0]->containers[0];
    r.containers = &c;
    b.facts.targets = &r;
    b.facts.n_targets = 1;
    evaluate(&b);
    assert_int_equal(result(&b, CHECK_PIDS_VERIFIED), P);
    assert_int_equal(result(&b, CHECK_TARGETS_PRESENT), F);
    assert_int_equal(b.table.rows[CHECK_TARGETS_PRESENT].public.n_items, 1);
    assert_int_equal(check_table_exit_status(&b.table), 1);
    end(&b);
}

/* The detail of targets.present for these numbers. */
static void assert_targets_detail(size_t n_accepted, size_t n_containers, size_t n_findings,
                                  const char *text)
{
    const char *findings[] = {"a", "b", "c"};
    struct targets_result r = {.findings = findings,
                               .n_findings = n_findings,
                               .n_containers = n_containers,
                               .n_accepted = n_accepted};
    const struct podpid_container *all[3];
    struct bench b;

    begin(&b, well, 1);
    for (size_t i = 0; i < 3; i++) {
        all[i] = b.snapshot->pods[0]->containers[0];
    }
    r.containers = all;
    b.facts.targets = &r;
    b.facts.n_targets = 1;
    evaluate(&b);
    assert_string_equal(b.table.rows[CHECK_TARGETS_PRESENT].public.detail, text);
    end(&b);
}

static void details_agree_in_number(void **state)
{
    static const pid_t pids[] = {5};
    static const struct podpid_stray stray = {"aa", "u", "/kubepods/u/aa", pids, 1, NULL};
    const struct podpid_stray *one = &stray;
    struct bench b;

    (void)state;
    assert_targets_detail(1, 1, 0, "1 target container");
    assert_targets_detail(2, 2, 0, "2 target containers");
    assert_targets_detail(0, 0, 1, "1 target is missing");
    assert_targets_detail(0, 0, 2, "2 targets are missing");
    assert_targets_detail(0, 1, 1, "0 of 1 target container is as it must be");
    assert_targets_detail(1, 3, 2, "1 of 3 target containers are as they must be");
    assert_targets_detail(
        1, 2, 3, "1 of 2 target containers are as they must be; 2 more targets are missing");

    begin(&b, well, 1);
    b.snapshot->strays = &one;
    b.snapshot->n_strays = 1;
    b.facts.before = b.snapshot;
    evaluate(&b);
    assert_string_equal(b.table.rows[CHECK_PODS_LISTED].public.detail, "1 pod, 1 container");
    assert_string_equal(b.table.rows[CHECK_PIDS_VERIFIED].public.detail,
                        "1 of 1 running container is verified");
    assert_string_equal(b.table.rows[CHECK_PIDS_STABLE].public.detail,
                        "a second look agrees on the 1 verified container");
    assert_string_equal(b.table.rows[CHECK_PIDS_STRAYS].public.detail,
                        "1 container cgroup holds processes, but the runtime does not list it");
    assert_string_equal(b.table.rows[CHECK_PIDS_STRAYS].public.items[0],
                        "aa: 1 process in /kubepods/u/aa");
    end(&b);
}

static void without_a_runtime_no_hint_mentions_one(void **state)
{
    struct bench b;

    (void)state;
    begin(&b, NULL, 0);
    b.facts.before = b.snapshot;
    evaluate(&b);
    assert_non_null(strstr(b.table.rows[CHECK_PODS_LISTED].public.hint, "use this runtime"));
    assert_string_equal(b.table.rows[CHECK_PIDS_VERIFIED].public.detail, "no container is running");
    assert_string_equal(b.table.rows[CHECK_PIDS_STABLE].public.detail,
                        "no container was verified: nothing to compare");
    b.facts.no_runtime = true;
    evaluate(&b);
    assert_null(strstr(b.table.rows[CHECK_PODS_LISTED].public.hint, "use this runtime"));
    end(&b);
}

static void host_checks_follow_from_the_facts(void **state)
{
    static const struct {
        struct node_facts node;
        pid_t peer;
        bool unseen; /* /proc does not show the peer */
        enum podpid_result proc, pidns, cgroupns;
        int status;
        bool below; /* the peer is in a PID namespace below podpid's */
    } cases[] = {
        {{.not_root = true, .no_ptrace = true}, 7, false, P, P, P, 0},
        {{.not_procfs = true}, -1, false, F, S, P, 3},
        {{.hidepid = HIDEPID_INVISIBLE}, 7, false, F, P, P, 3},
        {{.hidepid = HIDEPID_INVISIBLE, .exempt_from_hidepid = true}, 7, false, P, P, P, 0},
        {{.other_pidns = true}, 7, false, P, F, P, 3},
        {{.nested_pidns = true}, 7, false, P, P, P, 0},
        {{.nested_pidns = true}, 0, true, P, F, P, 3},
        {{.own_cgroupns = true}, 7, false, P, P, W, 0},
        {{.not_root = false}, 7, true, F, P, P, 3},
        {{.not_root = false}, 7, false, P, F, P, 3, true},
    };

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        struct bench b;

        begin(&b, well, 2);
        b.node = cases[i].node;
        b.facts.peer = cases[i].peer;
        b.facts.peer_in_proc = !cases[i].unseen;
        b.facts.peer_pidns = cases[i].below;
        evaluate(&b);
        assert_int_equal(result(&b, CHECK_HOST_PROC), cases[i].proc);
        assert_int_equal(result(&b, CHECK_HOST_PIDNS), cases[i].pidns);
        assert_int_equal(result(&b, CHECK_HOST_CGROUPNS), cases[i].cgroupns);
        assert_int_equal(check_table_exit_status(&b.table), cases[i].status);
        end(&b);
    }
}

static void a_failed_look_fails_the_check_of_its_cause(void **state)
{
    static const struct err refused = {.kind = ERR_RUNTIME, .text = "nobody listens", .hint = ""};
    struct podpid_error error = PODPID_ERROR_INIT;
    struct bench b;

    (void)state;
    begin(&b, well, 2);
    error.code = PODPID_ERR_RUNTIME;
    snprintf(error.message, sizeof(error.message), "no CRI here");
    b.facts.snapshot = NULL;
    b.facts.look_error = &error;
    b.facts.n_targets = 1;
    b.facts.endpoint = "unix:///run/x.sock";
    b.facts.chosen_by = "test";
    evaluate(&b);
    assert_int_equal(result(&b, CHECK_RUNTIME_ENDPOINT), P);
    assert_int_equal(result(&b, CHECK_RUNTIME_API), F);
    assert_string_equal(b.table.rows[CHECK_RUNTIME_API].public.detail, "no CRI here");
    assert_int_equal(result(&b, CHECK_PIDS_VERIFIED), S);
    assert_int_equal(result(&b, CHECK_TARGETS_PRESENT), F);
    assert_int_equal(check_table_exit_status(&b.table), 3);

    b.facts.connected = false;
    b.facts.endpoint_error = &refused;
    b.facts.peer = -1;
    evaluate(&b);
    assert_int_equal(result(&b, CHECK_RUNTIME_ENDPOINT), F);
    assert_string_equal(b.table.rows[CHECK_RUNTIME_ENDPOINT].public.detail, "nobody listens");
    assert_int_equal(result(&b, CHECK_RUNTIME_API), S);
    assert_int_equal(check_table_exit_status(&b.table), 3);

    error.code = PODPID_ERR_PROC;
    b.facts.node = NULL;
    evaluate(&b);
    assert_int_equal(result(&b, CHECK_HOST_PROC), F);
    assert_int_equal(result(&b, CHECK_RUNTIME_ENDPOINT), S);
    assert_int_equal(check_table_exit_status(&b.table), 3);
    end(&b);
}

static void a_capture_skips_checks_of_the_live_node(void **state)
{
    struct bench b;

    (void)state;
    begin(&b, well, 2);
    b.facts.replay = true;
    b.facts.peer = -1;
    evaluate(&b);
    assert_int_equal(result(&b, CHECK_HOST_PROC), S);
    assert_int_equal(result(&b, CHECK_HOST_PIDNS), S);
    assert_int_equal(result(&b, CHECK_HOST_CGROUPNS), S);
    assert_int_equal(result(&b, CHECK_RUNTIME_ENDPOINT), S);
    assert_int_equal(result(&b, CHECK_RUNTIME_API), S);
    assert_int_equal(result(&b, CHECK_RUNTIME_READY), S);
    assert_int_equal(result(&b, CHECK_PIDS_STABLE), S);
    assert_int_equal(result(&b, CHECK_PIDS_VERIFIED), P);
    end(&b);
}

static void strays_and_wrong_sockets(void **state)
{
    static const pid_t pids[] = {5};
    static const struct podpid_stray in_pod = {"aa", "u", "/kubepods/u/aa", pids, 1, "x"},
                                     other = {"bb", NULL, "/bb", pids, 1, "x"};
    const struct podpid_stray *one = &in_pod;
    struct bench b;

    (void)state;
    begin(&b, well, 2);
    b.snapshot->strays = &one;
    b.snapshot->n_strays = 1;
    evaluate(&b);
    assert_int_equal(result(&b, CHECK_PIDS_STRAYS), F);
    assert_int_equal(result(&b, CHECK_PODS_LISTED), P);
    one = &other;
    evaluate(&b);
    assert_int_equal(result(&b, CHECK_PIDS_STRAYS), W);
    end(&b);

    begin(&b, NULL, 0);
    evaluate(&b);
    assert_int_equal(result(&b, CHECK_PODS_LISTED), W);
    one = &in_pod;
    b.snapshot->strays = &one;
    b.snapshot->n_strays = 1;
    evaluate(&b);
    assert_int_equal(result(&b, CHECK_PODS_LISTED), F);
    end(&b);
}

/* pids.stable where the second look finds now in place of well[]. */
static void assert_stable(const struct row_line *now, enum podpid_result expected, const char *item)
{
    const struct podpid_check *c;
    struct bench b;

    begin(&b, now, 2);
    b.before = rows_snapshot(well, 2, &rows_runtime);
    b.facts.before = b.before;
    evaluate(&b);
    c = &b.table.rows[CHECK_PIDS_STABLE].public;
    assert_int_equal(c->result, expected);
    assert_int_equal(c->n_items, item ? 1 : 0);
    if (item) {
        assert_string_equal(c->items[0], item);
    }
    end(&b);
}

static void a_second_look_must_agree(void **state)
{
    struct row_line now[2] = {well[0], well[1]};

    (void)state;
    assert_stable(now, P, NULL);

    now[0].pid = 11;
    assert_stable(now, F, "prod/web/app: verified, then another process");

    now[0] = well[0];
    now[0].verdict = PODPID_VERDICT_DEAD;
    assert_stable(now, F, "prod/web/app: verified, then dead");

    /* A container that ended between the looks is no disagreement. */
    now[0].verdict = PODPID_VERDICT_EXITED;
    assert_stable(now, P, NULL);
}

/* The kernel can give the PID of a process that ended to the container's next main process. */
static void the_same_pid_with_another_start_is_another_process(void **state)
{
    struct podpid_container app;
    const struct podpid_container *containers[] = {&app};
    struct podpid_pod pod;
    struct bench b;

    (void)state;
    begin(&b, well, 2);
    pod = *b.snapshot->pods[0];
    app = *pod.containers[0];
    pod.containers = containers;
    pod.n_containers = 1;
    b.snapshot->pods[0] = &pod;
    app.start_time_ticks++;
    b.before = rows_snapshot(well, 2, &rows_runtime);
    b.facts.before = b.before;
    evaluate(&b);
    assert_int_equal(result(&b, CHECK_PIDS_STABLE), F);
    assert_string_equal(b.table.rows[CHECK_PIDS_STABLE].public.items[0],
                        "prod/web/app: verified, then another process");
    end(&b);
}

static void a_literal_systemd_path_is_a_warning(void **state)
{
    struct row_line line = well[0];
    struct bench b;

    (void)state;
    line.cgroup = "/system.slice:cri-containerd:aa01";
    begin(&b, &line, 1);
    evaluate(&b);
    assert_int_equal(result(&b, CHECK_HOST_CGROUP), W);
    end(&b);
    line.cgroup = "/kubepods.slice/cri-containerd-aa01.scope";
    begin(&b, &line, 1);
    evaluate(&b);
    assert_int_equal(result(&b, CHECK_HOST_CGROUP), P);
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_node_passes_all_checks_in_order),
        cmocka_unit_test(every_verdict_has_its_severity),
        cmocka_unit_test(a_target_is_reported_by_targets_present_only),
        cmocka_unit_test(details_agree_in_number),
        cmocka_unit_test(without_a_runtime_no_hint_mentions_one),
        cmocka_unit_test(host_checks_follow_from_the_facts),
        cmocka_unit_test(a_failed_look_fails_the_check_of_its_cause),
        cmocka_unit_test(a_capture_skips_checks_of_the_live_node),
        cmocka_unit_test(strays_and_wrong_sockets),
        cmocka_unit_test(a_second_look_must_agree),
        cmocka_unit_test(the_same_pid_with_another_start_is_another_process),
        cmocka_unit_test(a_literal_systemd_path_is_a_warning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
