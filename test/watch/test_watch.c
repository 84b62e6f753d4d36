/* A watch's looks: when they are made, and the events that come of them. What needs real processes
 * and cgroups is in integration/test_watch_live.c and test_watch_ends.c; the runtime's comings and
 * goings are in test_watch_runtime.c. */
#include <stdio.h>

#include "resolver/watch/impl.h"
#include "test/support/scratch.h"
#include "test/watch/rig.h"

static void the_first_event_is_the_whole_snapshot(void **state)
{
    struct node n;
    const struct node_event *e;
    const struct podpid_pod *const *pods;
    size_t n_pods;

    (void)state;
    rig_open(&n, 2);
    assert_null(podpid_watch_snapshot(n.watch));
    rig_settle(&n);
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

static void changes_seen_by_one_look_are_one_generation(void **state)
{
    struct node n;
    unsigned lists;

    (void)state;
    rig_open(&n, 4);
    rig_settle(&n);
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
    rig_settle(&n);
    assert_int_equal(n.n_events, 12);
    for (size_t i = 0; i < n.n_events; i++) {
        assert_int_equal(n.events[i].seq, 2 + i);
        assert_int_equal(n.events[i].generation, 2);
        assert_false(n.events[i].by_pidfd);
    }
    for (unsigned i = 11; i <= 20; i++) {
        assert_int_equal(node_event(&n, PODPID_EVENT_ADDED, i)->pid, 100 + i);
    }
    assert_int_equal(node_event(&n, PODPID_EVENT_REMOVED, 1)->pid, 101); /* the last known row */
    assert_int_equal(node_event(&n, PODPID_EVENT_CHANGED, 2)->verdict, PODPID_VERDICT_EXITED);
    /* Two lists a look: one look, or two where the first one met a change. */
    assert_true(node_lists(&n) - lists <= 4);
    node_close(&n);
}

static void a_look_asked_for_during_a_look_is_made_after_it(void **state)
{
    struct node n;
    unsigned lists;

    (void)state;
    rig_open(&n, 1);
    rig_settle(&n);
    lists = node_lists(&n);
    podpid_watch_look_now(n.watch);
    assert_true(node_rounds(&n, 1)); /* under way */
    for (int i = 0; i < 3; i++) {
        podpid_watch_look_now(n.watch);
    }
    rig_settle(&n);
    assert_int_equal(node_lists(&n) - lists, 4); /* two looks of two lists */
    node_close(&n);
}

static void a_change_without_any_event_is_seen_by_the_periodic_look(void **state)
{
    struct node n;

    (void)state;
    node_open(&n, true);
    n.options.period = 5 * NSEC_PER_SEC;
    node_watch(&n);
    rig_settle(&n);
    node_forget(&n);
    node_process(&n, 101, 1, 1001);
    node_says(&n, 1, 1, 101);
    assert_true(node_rounds(&n, 4 * SECOND));
    assert_int_equal(n.n_events, 0);
    assert_true(node_rounds(&n, 2 * SECOND));
    assert_int_equal(node_event(&n, PODPID_EVENT_ADDED, 1)->pid, 101);
    node_close(&n);
}

static void a_quiet_node_is_looked_at_once_a_period(void **state)
{
    struct node n;
    unsigned lists;

    (void)state;
    rig_open(&n, 3);
    rig_settle(&n);
    node_forget(&n);
    lists = node_lists(&n);
    assert_true(node_rounds(&n, 120 * SECOND));
    assert_int_equal(n.n_events, 0);
    assert_in_range(node_lists(&n) - lists, 6, 8); /* 30 s each */
    node_close(&n);
}

static void another_process_with_the_same_pid_is_a_change(void **state)
{
    struct node n;

    (void)state;
    rig_open(&n, 1);
    rig_settle(&n);
    node_forget(&n);
    node_process(&n, 101, 1, 5000); /* the same PID, another process */
    podpid_watch_look_now(n.watch);
    rig_settle(&n);
    assert_int_equal(node_event(&n, PODPID_EVENT_CHANGED, 1)->pid, 101);
    node_close(&n);
}

/* Each container's row says whether its pod is ready. */
static void a_pod_that_is_not_ready_any_more_changes_its_containers(void **state)
{
    struct node n;
    json_t *replies;
    const struct podpid_pod *const *pods;
    size_t n_pods;

    (void)state;
    rig_open(&n, 2);
    rig_settle(&n);
    node_forget(&n);
    replies = json_object_get(fake_cri_script(n.cri), "replies");
    json_object_set_new(
        json_array_get(json_object_get(json_object_get(replies, "ListPodSandbox"), "items"), 0),
        "state", json_integer(1));
    podpid_watch_look_now(n.watch);
    rig_settle(&n);
    assert_int_equal(n.n_events, 2);
    assert_int_equal(node_event(&n, PODPID_EVENT_CHANGED, 1)->pid, 101);
    assert_int_equal(node_event(&n, PODPID_EVENT_CHANGED, 2)->generation, 2);
    pods = podpid_snapshot_pods(podpid_watch_snapshot(n.watch), &n_pods);
    assert_false(pods[0]->ready);
    node_forget(&n);
    podpid_watch_look_now(n.watch);
    rig_settle(&n);
    assert_int_equal(n.n_events, 0);
    node_close(&n);
}

/* It makes one row an error, not the look. */
static void a_status_that_fails_is_asked_for_again_soon(void **state)
{
    struct node n;
    char what[128];

    (void)state;
    rig_open(&n, 2);
    rig_settle(&n);
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

static void only_containers_of_targets_are_in_the_document(void **state)
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
    rig_settle(&n);
    assert_int_equal(rig_containers(&n), 1);
    node_forget(&n);
    node_drops(&n, 1);
    node_says(&n, 20, 0, 0);
    podpid_watch_look_now(n.watch);
    rig_settle(&n);
    assert_int_equal(n.n_events, 1);
    assert_int_equal(node_event(&n, PODPID_EVENT_ADDED, 20)->verdict, PODPID_VERDICT_CREATED);
    node_close(&n);
    podpid_targets_free(targets);
}

/* A process that starts inside a container is no event, but the handoff file lists it. */
static void the_handoff_file_lists_new_processes_of_a_container(void **state)
{
    struct podpid_selector s = PODPID_SELECTOR_INIT;
    struct podpid_targets *targets;
    struct node n;
    struct buf text = {0};
    char path[512];

    (void)state;
    assert_int_equal(podpid_targets_new(&targets, NULL), 0);
    s.pod = "*";
    assert_int_equal(podpid_targets_add_selector(targets, &s, NULL), 0);
    rig_open(&n, 1);
    snprintf(path, sizeof(path), "%s/pids.json", n.dir);
    /* podpid_watch_new() refuses to hand over the PIDs of a folder. */
    n.watch->options.targets = targets;
    n.watch->options.handoff_path = path;
    rig_settle(&n);
    node_forget(&n);

    node_process(&n, 201, 1, 1201);
    podpid_watch_look_now(n.watch);
    rig_settle(&n);
    assert_int_equal(n.n_events, 0);
    assert_true(scratch_read(n.dir, "pids.json", &text));
    assert_non_null(strstr(text.p, "\"pid\": 201,"));
    assert_non_null(strstr(text.p, "\"generation\": 2"));
    buf_free(&text);
    node_close(&n);
    podpid_targets_free(targets);
}

static void options_that_make_no_sense_are_refused(void **state)
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
    n.options.targets = targets; /* refused all the same: the PIDs of a folder mean nothing */
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
        cmocka_unit_test(the_first_event_is_the_whole_snapshot),
        cmocka_unit_test(changes_seen_by_one_look_are_one_generation),
        cmocka_unit_test(a_look_asked_for_during_a_look_is_made_after_it),
        cmocka_unit_test(a_change_without_any_event_is_seen_by_the_periodic_look),
        cmocka_unit_test(a_quiet_node_is_looked_at_once_a_period),
        cmocka_unit_test(another_process_with_the_same_pid_is_a_change),
        cmocka_unit_test(a_pod_that_is_not_ready_any_more_changes_its_containers),
        cmocka_unit_test(a_status_that_fails_is_asked_for_again_soon),
        cmocka_unit_test(only_containers_of_targets_are_in_the_document),
        cmocka_unit_test(the_handoff_file_lists_new_processes_of_a_container),
        cmocka_unit_test(options_that_make_no_sense_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
