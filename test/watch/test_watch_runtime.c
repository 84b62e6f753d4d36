/* A watch and the runtime: away, back, silent, and the events that it sends. */
#include <stdio.h>

#include "test/watch/rig.h"

static void set_version(struct node *n, const char *version)
{
    json_t *replies = json_object_get(fake_cri_script(n->cri), "replies");

    json_object_set_new(json_object_get(replies, "Version"), "runtime_version",
                        json_string(version));
}

static void the_last_document_stays_while_the_runtime_is_away(void **state)
{
    struct node n;
    const struct node_event *e;

    (void)state;
    rig_open(&n, 3);
    rig_settle(&n);
    node_forget(&n);
    node_down(&n);
    podpid_watch_look_now(n.watch);
    assert_true(node_rounds(&n, 20 * SECOND));
    assert_int_equal(n.n_events, 1); /* not one for each try */
    e = node_event(&n, PODPID_EVENT_RUNTIME, 0);
    assert_true(e->stale);
    assert_int_equal(e->generation, 2);
    assert_true(podpid_watch_stale(n.watch));
    assert_int_equal(rig_containers(&n), 3);

    /* Meanwhile a container came, one went, one ended: when the runtime is back, these are events.
     */
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
    assert_int_equal(rig_containers(&n), 3);
    node_close(&n);
}

/* The end of the connection tells of it, whether the version serves events or not. */
static void a_restart_of_the_runtime_between_two_looks_is_an_event(void **state)
{
    static const char *const versions[] = {"1.6.20", "1.7.24", "2.1.9"};

    (void)state;
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        struct node n;

        rig_open(&n, 1);
        set_version(&n, versions[i]);
        rig_settle(&n);
        node_forget(&n);
        node_down(&n);
        rig_settle(&n);
        assert_true(node_event(&n, PODPID_EVENT_RUNTIME, 0)->stale);
        node_forget(&n);
        node_up(&n);
        assert_true(node_rounds(&n, SECOND));
        assert_false(node_event(&n, PODPID_EVENT_RUNTIME, 0)->stale);
        node_close(&n);
    }
}

static void the_runtime_is_tried_again_less_and_less_often(void **state)
{
    struct node n;
    unsigned before;

    (void)state;
    rig_open(&n, 1);
    rig_settle(&n);
    json_object_set_new(fake_cri_script(n.cri), "hang_up", json_true());
    podpid_watch_look_now(n.watch);
    assert_true(node_rounds(&n, 10 * SECOND));
    before = n.accepted;
    assert_true(node_rounds(&n, 60 * SECOND));
    assert_in_range(n.accepted - before, 10, 14); /* every 5 s */
    node_close(&n);
}

static void a_runtime_that_does_not_answer_is_away(void **state)
{
    struct node n;

    (void)state;
    rig_open(&n, 1);
    rig_settle(&n);
    node_forget(&n);
    json_object_set_new(fake_cri_script(n.cri), "silent", json_true());
    podpid_watch_look_now(n.watch);
    assert_true(node_rounds(&n, 9 * SECOND));
    assert_int_equal(n.n_events, 0);
    assert_true(node_rounds(&n, 2 * SECOND)); /* 10 s is the limit of a look */
    assert_true(node_event(&n, PODPID_EVENT_RUNTIME, 0)->stale);
    assert_int_equal(rig_containers(&n), 1);
    node_close(&n);
}

static void a_first_look_without_a_runtime_is_an_error(void **state)
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

    /* An error whose size is 0 is not written to. */
    node_open(&n, true);
    node_watch(&n);
    node_down(&n);
    n.error = (struct podpid_error){.code = 1};
    assert_false(node_rounds(&n, SETTLED));
    assert_int_equal(n.error.code, 1);
    node_up(&n);
    node_close(&n);
}

/* ---- Events ---- */

static void events_of_the_runtime_wake_looks(void **state)
{
    struct node n;
    unsigned lists;

    (void)state;
    rig_open(&n, 1);
    set_version(&n, "2.1.9");
    rig_settle(&n);
    lists = node_lists(&n);
    assert_int_equal(fake_cri_calls(n.cri, "GetContainerEvents"), 1); /* Unimplemented */
    assert_true(node_rounds(&n, 60 * SECOND));
    assert_int_equal(fake_cri_calls(n.cri, "GetContainerEvents"), 1); /* not asked for again */

    /* After a restart it may serve events, so they are asked for again. It sends three at once. */
    node_down(&n);
    podpid_watch_look_now(n.watch);
    rig_settle(&n);
    json_object_set_new(fake_cri_script(n.cri), "events", json_integer(3));
    node_up(&n);
    lists = node_lists(&n);
    assert_true(node_rounds(&n, 6 * SECOND));
    assert_int_equal(fake_cri_calls(n.cri, "GetContainerEvents"), 2);
    /* The look that found the runtime again, and those that follow the events up for two seconds.
     */
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

static void an_event_stream_that_ends_is_not_asked_for_again(void **state)
{
    struct node n;

    (void)state;
    rig_open(&n, 1);
    set_version(&n, "2.1.9");
    json_object_set_new(fake_cri_script(n.cri), "events_end", json_true());
    rig_settle(&n);
    assert_true(node_rounds(&n, 60 * SECOND));
    assert_int_equal(fake_cri_calls(n.cri, "GetContainerEvents"), 1);
    node_close(&n);
}

static void an_event_stream_that_only_one_may_read_is_left_to_the_kubelet(void **state)
{
    struct node n;

    (void)state;
    rig_open(&n, 1);
    set_version(&n, "1.7.24");
    json_object_set_new(fake_cri_script(n.cri), "events", json_integer(3));
    assert_true(node_rounds(&n, 60 * SECOND));
    assert_int_equal(fake_cri_calls(n.cri, "GetContainerEvents"), 0);
    node_close(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_document_stays_while_the_runtime_is_away),
        cmocka_unit_test(a_restart_of_the_runtime_between_two_looks_is_an_event),
        cmocka_unit_test(the_runtime_is_tried_again_less_and_less_often),
        cmocka_unit_test(a_runtime_that_does_not_answer_is_away),
        cmocka_unit_test(a_first_look_without_a_runtime_is_an_error),
        cmocka_unit_test(events_of_the_runtime_wake_looks),
        cmocka_unit_test(an_event_stream_that_ends_is_not_asked_for_again),
        cmocka_unit_test(an_event_stream_that_only_one_may_read_is_left_to_the_kubelet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
