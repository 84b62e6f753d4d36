/* A watch of a node whose /proc is a folder and whose runtime follows a script. Time is made up.
 * What needs real processes and cgroups is in test_watch_live.c and test_watch_ends.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/support/node.h"
#include "test/support/unit.h"

enum { SECOND = 1000, SETTLED = 100 }; /* rounds */

/* Containers 1 to count, container i with process 100 + i. */
static void open_with(struct node *n, unsigned count)
{
    node_open(n, true);
    for (unsigned i = 1; i <= count; i++) {
        node_process(n, 100 + (int)i, i, 1000 + i);
        node_says(n, i, 1, 100 + (int)i);
    }
    node_watch(n);
}

static void settle(struct node *n)
{
    if (!node_rounds(n, SETTLED)) {
        fail_msg("%s", n->error.message);
    }
}

static void set_version(struct node *n, const char *version)
{
    json_t *replies = json_object_get(fake_cri_script(n->cri), "replies");

    json_object_set_new(json_object_get(replies, "Version"), "runtime_version",
                        json_string(version));
}

static void the_whole_comes_first_and_once(void **state)
{
    struct node n;
    const struct node_event *e;
    const struct podpid_pod *const *pods;
    size_t n_pods;

    (void)state;
    open_with(&n, 2);
    assert_null(podpid_watch_snapshot(n.watch));
    settle(&n);
    assert_int_equal(n.n_events, 1);
    e = node_event(&n, PODPID_EVENT_SNAPSHOT, 0);
    assert_int_equal(e->seq, 1);
    assert_int_equal(e->generation, 1);
    assert_false(e->stale);
    pods = podpid_snapshot_pods(podpid_watch_snapshot(n.watch), &n_pods);
    assert_int_equal(n_pods, 1);
    assert_int_equal(pods[0]->n_containers, 2);
    assert_int_equal(pods[0]->containers[0]->pid, 101);
    assert_int_equal(pods[0]->containers[1]->pid, 102);
    node_close(&n);
}

static void a_burst_is_one_generation(void **state)
{
    struct node n;
    unsigned lists;

    (void)state;
    open_with(&n, 4);
    settle(&n);
    node_forget(&n);
    for (unsigned i = 11; i <= 20; i++) {
        node_process(&n, 100 + (int)i, i, 1000 + i);
        node_says(&n, i, 1, 100 + (int)i);
    }
    node_drops(&n, 1);
    node_says(&n, 2, 2, 0);
    node_process_ends(&n, 102);
    lists = node_lists(&n);
    for (int i = 0; i < 5; i++) {
        podpid_watch_look_now(n.watch);
    }
    settle(&n);
    assert_int_equal(n.n_events, 12);
    for (size_t i = 0; i < n.n_events; i++) {
        assert_int_equal(n.events[i].seq, 2 + i);
        assert_int_equal(n.events[i].generation, 2);
        assert_false(n.events[i].by_pidfd);
    }
    for (unsigned i = 11; i <= 20; i++) {
        assert_int_equal(node_event(&n, PODPID_EVENT_ADDED, i)->pid, 100 + i);
    }
    assert_int_equal(node_event(&n, PODPID_EVENT_REMOVED, 1)->pid, 101); /* as it was last */
    assert_int_equal(node_event(&n, PODPID_EVENT_CHANGED, 2)->verdict, PODPID_VERDICT_EXITED);
    /* Two lists, and two more where it had to look again. */
    assert_true(node_lists(&n) - lists <= 4);
    node_close(&n);
}

static void a_look_that_was_asked_for_during_a_look_follows_it(void **state)
{
    struct node n;
    unsigned lists;

    (void)state;
    open_with(&n, 1);
    settle(&n);
    lists = node_lists(&n);
    podpid_watch_look_now(n.watch);
    assert_true(node_rounds(&n, 1)); /* under way */
    for (int i = 0; i < 3; i++) {
        podpid_watch_look_now(n.watch);
    }
    settle(&n);
    assert_int_equal(node_lists(&n) - lists, 4); /* two looks of two lists */
    node_close(&n);
}

static void what_nothing_tells_of_is_seen_by_the_periodic_look(void **state)
{
    struct node n;

    (void)state;
    node_open(&n, true);
    n.options.period = 5 * NSEC_PER_SEC;
    node_watch(&n);
    settle(&n);
    node_forget(&n);
    node_process(&n, 101, 1, 1001);
    node_says(&n, 1, 1, 101);
    assert_true(node_rounds(&n, 4 * SECOND));
    assert_int_equal(n.n_events, 0);
    assert_true(node_rounds(&n, 2 * SECOND));
    assert_int_equal(node_event(&n, PODPID_EVENT_ADDED, 1)->pid, 101);
    node_close(&n);
}

static void a_quiet_node_costs_a_look_a_period(void **state)
{
    struct node n;
    unsigned lists;

    (void)state;
    open_with(&n, 3);
    settle(&n);
    node_forget(&n);
    lists = node_lists(&n);
    assert_true(node_rounds(&n, 120 * SECOND));
    assert_int_equal(n.n_events, 0);
    assert_in_range(node_lists(&n) - lists, 6, 8); /* 30 s each */
    node_close(&n);
}

static void a_restart_of_a_process_is_a_change(void **state)
{
    struct node n;

    (void)state;
    open_with(&n, 1);
    settle(&n);
    node_forget(&n);
    node_process(&n, 101, 1, 5000); /* the same PID, another process */
    podpid_watch_look_now(n.watch);
    settle(&n);
    assert_int_equal(node_event(&n, PODPID_EVENT_CHANGED, 1)->pid, 101);
    node_close(&n);
}

/* The pod's own state and process are in each row: a sandbox that is gone makes its pod a claim. */
static void a_sandbox_that_ends_is_a_change(void **state)
{
    struct node n;
    json_t *replies;
    const struct podpid_pod *const *pods;
    size_t n_pods;

    (void)state;
    open_with(&n, 2);
    settle(&n);
    node_forget(&n);
    replies = json_object_get(fake_cri_script(n.cri), "replies");
    json_object_set_new(
        json_array_get(json_object_get(json_object_get(replies, "ListPodSandbox"), "items"), 0),
        "state", json_integer(1));
    podpid_watch_look_now(n.watch);
    settle(&n);
    assert_int_equal(n.n_events, 2);
    assert_int_equal(node_event(&n, PODPID_EVENT_CHANGED, 1)->pid, 101);
    assert_int_equal(node_event(&n, PODPID_EVENT_CHANGED, 2)->generation, 2);
    pods = podpid_snapshot_pods(podpid_watch_snapshot(n.watch), &n_pods);
    assert_false(pods[0]->ready);
    node_forget(&n);
    podpid_watch_look_now(n.watch);
    settle(&n);
    assert_int_equal(n.n_events, 0);
    node_close(&n);
}

static size_t n_containers(const struct node *n)
{
    size_t n_pods;
    const struct podpid_pod *const *pods =
        podpid_snapshot_pods(podpid_watch_snapshot(n->watch), &n_pods);

    return n_pods ? pods[0]->n_containers : 0;
}

static void the_last_truth_stays_while_the_runtime_is_away(void **state)
{
    struct node n;
    const struct node_event *e;

    (void)state;
    open_with(&n, 3);
    settle(&n);
    node_forget(&n);
    node_down(&n);
    podpid_watch_look_now(n.watch);
    assert_true(node_rounds(&n, 20 * SECOND));
    assert_int_equal(n.n_events, 1); /* said once */
    e = node_event(&n, PODPID_EVENT_RUNTIME, 0);
    assert_true(e->stale);
    assert_int_equal(e->generation, 2);
    assert_true(podpid_watch_stale(n.watch));
    assert_int_equal(n_containers(&n), 3);

    /* Meanwhile one came, one went, one ended: differences only, when it is back. */
    node_forget(&n);
    node_process(&n, 104, 4, 1004);
    node_says(&n, 4, 1, 104);
    node_drops(&n, 1);
    node_says(&n, 2, 2, 0);
    node_up(&n);
    assert_true(node_rounds(&n, 6 * SECOND)); /* more than the longest pause */
    assert_int_equal(n.n_events, 4);
    assert_false(node_event(&n, PODPID_EVENT_RUNTIME, 0)->stale);
    assert_int_equal(n.events[0].kind, PODPID_EVENT_RUNTIME);
    assert_int_equal(node_event(&n, PODPID_EVENT_ADDED, 4)->pid, 104);
    assert_int_equal(node_event(&n, PODPID_EVENT_REMOVED, 1)->pid, 101);
    assert_int_equal(node_event(&n, PODPID_EVENT_CHANGED, 2)->verdict, PODPID_VERDICT_EXITED);
    assert_false(podpid_watch_stale(n.watch));
    assert_int_equal(n_containers(&n), 3);
    node_close(&n);
}

/* Nothing but the connection tells of it, with or without events. */
static void a_restart_between_two_looks_is_told(void **state)
{
    static const char *const versions[] = {"1.6.20", "1.7.24", "2.1.9"};

    (void)state;
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        struct node n;

        open_with(&n, 1);
        set_version(&n, versions[i]);
        settle(&n);
        node_forget(&n);
        node_down(&n);
        settle(&n);
        assert_true(node_event(&n, PODPID_EVENT_RUNTIME, 0)->stale);
        node_forget(&n);
        node_up(&n);
        assert_true(node_rounds(&n, SECOND));
        assert_false(node_event(&n, PODPID_EVENT_RUNTIME, 0)->stale);
        node_close(&n);
    }
}

static void tries_to_reach_a_runtime_get_rarer(void **state)
{
    struct node n;
    unsigned before;

    (void)state;
    open_with(&n, 1);
    settle(&n);
    json_object_set_new(fake_cri_script(n.cri), "hang_up", json_true());
    podpid_watch_look_now(n.watch);
    assert_true(node_rounds(&n, 10 * SECOND));
    before = n.accepted;
    assert_true(node_rounds(&n, 60 * SECOND));
    assert_in_range(n.accepted - before, 10, 14); /* every 5 s */
    node_close(&n);
}

static void a_hung_runtime_is_one_that_is_away(void **state)
{
    struct node n;

    (void)state;
    open_with(&n, 1);
    settle(&n);
    node_forget(&n);
    json_object_set_new(fake_cri_script(n.cri), "silent", json_true());
    podpid_watch_look_now(n.watch);
    assert_true(node_rounds(&n, 9 * SECOND));
    assert_int_equal(n.n_events, 0);
    assert_true(node_rounds(&n, 2 * SECOND)); /* 10 s is the limit of a look */
    assert_true(node_event(&n, PODPID_EVENT_RUNTIME, 0)->stale);
    assert_int_equal(n_containers(&n), 1);
    node_close(&n);
}

static void a_runtime_that_was_never_there_is_an_error(void **state)
{
    struct node n;

    (void)state;
    node_open(&n, true);
    node_watch(&n);
    node_down(&n);
    assert_false(node_rounds(&n, SETTLED));
    assert_int_equal(n.error.code, PODPID_ERR_RUNTIME);
    node_up(&n);
    node_close(&n);

    /* Who forgot to say how large his error is gets none, and nothing else is written. */
    node_open(&n, true);
    node_watch(&n);
    node_down(&n);
    n.error = (struct podpid_error){.code = 1};
    assert_false(node_rounds(&n, SETTLED));
    assert_int_equal(n.error.code, 1);
    node_up(&n);
    node_close(&n);
}

/* One status that cannot be read is one row; it is looked at again soon. */
static void one_status_that_fails_is_followed(void **state)
{
    struct node n;
    char what[128];

    (void)state;
    open_with(&n, 2);
    settle(&n);
    node_forget(&n);
    snprintf(what, sizeof(what), "ContainerStatus %s", node_id(2));
    json_object_set_new(
        fake_cri_script(n.cri), "faults",
        json_pack("{s:{s:i, s:s, s:i}}", what, "code", 2, "message", "no such task", "times", 1));
    podpid_watch_look_now(n.watch);
    assert_true(node_rounds(&n, SECOND));
    assert_int_equal(n.n_events, 2);
    assert_int_equal(n.events[0].verdict, PODPID_VERDICT_ERROR);
    assert_int_equal(n.events[1].pid, 102);
    assert_int_equal(n.events[1].number, 2);
    node_close(&n);
}

static void only_targets_are_shown(void **state)
{
    struct podpid_selector s = PODPID_SELECTOR_INIT;
    struct podpid_targets *targets;
    struct node n;

    (void)state;
    assert_int_equal(podpid_targets_new(&targets, NULL), 0);
    s.pod = "web";
    s.container = "c2*";
    assert_int_equal(podpid_targets_add_selector(targets, &s, NULL), 0);
    node_open(&n, true);
    n.options.targets = targets;
    for (unsigned i = 1; i <= 3; i++) {
        node_process(&n, 100 + (int)i, i, 1000 + i);
        node_says(&n, i, 1, 100 + (int)i);
    }
    node_watch(&n);
    settle(&n);
    assert_int_equal(n_containers(&n), 1);
    node_forget(&n);
    node_drops(&n, 1);
    node_says(&n, 20, 0, 0);
    podpid_watch_look_now(n.watch);
    settle(&n);
    assert_int_equal(n.n_events, 1);
    assert_int_equal(node_event(&n, PODPID_EVENT_ADDED, 20)->verdict, PODPID_VERDICT_CREATED);
    node_close(&n);
    podpid_targets_free(targets);
}

/* ---- The runtime's events ---- */

static void events_wake_a_look(void **state)
{
    struct node n;
    unsigned lists;

    (void)state;
    open_with(&n, 1);
    set_version(&n, "2.1.9");
    settle(&n);
    lists = node_lists(&n);
    assert_int_equal(fake_cri_calls(n.cri, "GetContainerEvents"), 1); /* Unimplemented */
    assert_true(node_rounds(&n, 60 * SECOND));
    assert_int_equal(fake_cri_calls(n.cri, "GetContainerEvents"), 1); /* and left at that */

    /* A restart may have brought them; its stream has three at once. */
    node_down(&n);
    podpid_watch_look_now(n.watch);
    settle(&n);
    json_object_set_new(fake_cri_script(n.cri), "events", json_integer(3));
    node_up(&n);
    lists = node_lists(&n);
    assert_true(node_rounds(&n, 6 * SECOND));
    assert_int_equal(fake_cri_calls(n.cri, "GetContainerEvents"), 2);
    /* The look that found it again, and those that follow the events for two seconds. */
    assert_in_range(node_lists(&n) - lists, 6, 24);

    /* The connection breaks: one look, and the stream is asked for again after a while. */
    while (n.n_conns) {
        fake_conn_free(n.conns[--n.n_conns]);
    }
    assert_true(node_rounds(&n, 4 * SECOND));
    assert_int_equal(fake_cri_calls(n.cri, "GetContainerEvents"), 2);
    assert_true(node_rounds(&n, 2 * SECOND));
    assert_int_equal(fake_cri_calls(n.cri, "GetContainerEvents"), 3);
    assert_false(podpid_watch_stale(n.watch));
    node_close(&n);
}

static void events_that_end_are_not_asked_for_again(void **state)
{
    struct node n;

    (void)state;
    open_with(&n, 1);
    set_version(&n, "2.1.9");
    json_object_set_new(fake_cri_script(n.cri), "events_end", json_true());
    settle(&n);
    assert_true(node_rounds(&n, 60 * SECOND));
    assert_int_equal(fake_cri_calls(n.cri, "GetContainerEvents"), 1);
    node_close(&n);
}

static void the_kubelets_only_channel_is_left_to_it(void **state)
{
    struct node n;

    (void)state;
    open_with(&n, 1);
    set_version(&n, "1.7.24");
    json_object_set_new(fake_cri_script(n.cri), "events", json_integer(3));
    assert_true(node_rounds(&n, 60 * SECOND));
    assert_int_equal(fake_cri_calls(n.cri, "GetContainerEvents"), 0);
    node_close(&n);
}

/* ---- What makes no sense ---- */

static void what_cannot_be_watched_or_handed_over(void **state)
{
    struct podpid_selector s = PODPID_SELECTOR_INIT;
    struct podpid_targets *targets, *none;
    struct node n;

    (void)state;
    assert_int_equal(podpid_targets_new(&none, NULL), 0);
    assert_int_equal(podpid_targets_new(&targets, NULL), 0);
    s.pod = "*";
    assert_int_equal(podpid_targets_add_selector(targets, &s, NULL), 0);
    node_open(&n, true);

    n.options.handoff_path = "/nowhere/pids.json";
    assert_int_equal(podpid_watch_new(&n.options, &n.watch, &n.error), PODPID_ERR_USAGE);
    n.options.targets = none;
    assert_int_equal(podpid_watch_new(&n.options, &n.watch, &n.error), PODPID_ERR_USAGE);
    assert_non_null(strstr(n.error.message, "at least one target"));
    n.options.targets = targets; /* and yet a folder's PIDs are nobody's */
    assert_int_equal(podpid_watch_new(&n.options, &n.watch, &n.error), PODPID_ERR_USAGE);
    assert_non_null(strstr(n.error.message, "procfs"));
    n.options.handoff_path = NULL;
    n.look.replay = n.dir;
    assert_int_equal(podpid_watch_new(&n.options, &n.watch, &n.error), PODPID_ERR_USAGE);
    node_close(&n);
    podpid_targets_free(targets);
    podpid_targets_free(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_comes_first_and_once),
        cmocka_unit_test(a_burst_is_one_generation),
        cmocka_unit_test(a_look_that_was_asked_for_during_a_look_follows_it),
        cmocka_unit_test(what_nothing_tells_of_is_seen_by_the_periodic_look),
        cmocka_unit_test(a_quiet_node_costs_a_look_a_period),
        cmocka_unit_test(a_restart_of_a_process_is_a_change),
        cmocka_unit_test(a_sandbox_that_ends_is_a_change),
        cmocka_unit_test(the_last_truth_stays_while_the_runtime_is_away),
        cmocka_unit_test(a_restart_between_two_looks_is_told),
        cmocka_unit_test(tries_to_reach_a_runtime_get_rarer),
        cmocka_unit_test(a_hung_runtime_is_one_that_is_away),
        cmocka_unit_test(a_runtime_that_was_never_there_is_an_error),
        cmocka_unit_test(one_status_that_fails_is_followed),
        cmocka_unit_test(only_targets_are_shown),
        cmocka_unit_test(events_wake_a_look),
        cmocka_unit_test(events_that_end_are_not_asked_for_again),
        cmocka_unit_test(the_kubelets_only_channel_is_left_to_it),
        cmocka_unit_test(what_cannot_be_watched_or_handed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
