/* Looks whose replies do not come in time. The clock is the test's: no test sleeps. */
#include "test/support/look_rig.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

static void a_status_never_comes(void **state)
{
    struct look_rig r;

    (void)state;
    look_rig_open_verified(&r);
    rig_running(&r, 'b', 300);
    rig_fault_of_status(&r, 'b', "{'never': true}");
    rig_look(&r, 20000);
    rig_expect(&r, 'a', PODPID_VERDICT_VERIFIED, 200);
    rig_expect(&r, 'b', PODPID_VERDICT_ERROR, 0);
    assert_false(podpid_snapshot_complete(r.snapshot));
    assert_in_range(rig_took_ms(&r), 4900, 5100); /* half of the 10 s */
    look_rig_close(&r);
}

static void namespaces_become_unreadable(struct look_rig *r)
{
    if (r->acts++ == 50) {
        scratch_delete(r->dir, "proc/200/ns.json");
    }
}

/* While a status is under way, the look reads the namespaces that the judgement will need. */
static void namespaces_are_read_while_waiting(void **state)
{
    struct look_rig r;

    (void)state;
    look_rig_open_verified(&r);
    rig_container(&r, 'b', "RUNNING", 300);
    rig_fault_of_status(&r, 'b', "{'never': true}");
    r.act = namespaces_become_unreadable;
    rig_look(&r, 20000);
    rig_expect(&r, 'a', PODPID_VERDICT_VERIFIED, 200);
    assert_int_not_equal(rig_found(&r, 'a')->ns_pid, 0);
    look_rig_close(&r);
}

static void a_list_never_comes(void **state)
{
    struct look_rig r;

    (void)state;
    look_rig_open_verified(&r);
    rig_fault(&r, "ListContainers", "{'never': true}");
    r.options.timeout = 3 * NSEC_PER_SEC;
    rig_look(&r, 20000);
    assert_int_equal(r.rc, PODPID_ERR_TIMEOUT);
    assert_null(podpid_look_take(r.look));
    assert_in_range(rig_took_ms(&r), 2900, 3100);
    look_rig_close(&r);
}

static void hangs_from_now_on(struct look_rig *r)
{
    if (rig_asked(r, "ListContainers") == 2 && rig_once(r)) {
        rig_fault(r, "ListContainers", "{'never': true}");
    }
}

/* At the deadline the judgement of the first round is published, though a second round is under
 * way. */
static void the_deadline_in_a_later_round(void **state)
{
    struct look_rig r;

    (void)state;
    look_rig_open_verified(&r);
    r.options.want_processes = true;
    rig_container(&r, 'b', "RUNNING", 300); /* dead: asks for more rounds */
    rig_process(&r, 400, 50, RIG_STARTED, 'S',
                "/kubepods/podx/" /* foreign */
                "cccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
                "cccccccc");
    r.act = hangs_from_now_on;
    rig_look(&r, 20000);
    rig_expect(&r, 'a', PODPID_VERDICT_VERIFIED, 200);
    rig_expect(&r, 'b', PODPID_VERDICT_DEAD, 0);
    assert_in_range(rig_took_ms(&r), 9900, 10100);
    look_rig_close(&r);
}

static void answers_slower_each_time(struct look_rig *r)
{
    if (rig_asked(r, "ContainerStatus") == 3 && rig_once(r)) {
        rig_fault(r, "ContainerStatus", "{'hold': 2000}");
    }
}

/* No try begins later than half a second after the first one: a timeout must not replace the
 * verdict that is known already. */
static void no_late_tries_with_a_slow_runtime(void **state)
{
    struct look_rig r;

    (void)state;
    look_rig_open(&r);
    rig_container(&r, 'a', "RUNNING", 200); /* dead */
    rig_fault(&r, "ContainerStatus", "{'hold': 600}");
    r.options.timeout = 4 * NSEC_PER_SEC;
    r.act = answers_slower_each_time;
    rig_look(&r, 20000);
    rig_expect(&r, 'a', PODPID_VERDICT_DEAD, 0);
    assert_int_equal(rig_asked(&r, "ContainerStatus"), 2);
    assert_true(podpid_snapshot_complete(r.snapshot));
    look_rig_close(&r);
}

static void newcomer_is_never_read(struct look_rig *r)
{
    if (rig_asked(r, "ContainerStatus") == 1 && rig_once(r)) {
        rig_list(r, 'b', "RUNNING");
    }
    if (rig_asked(r, "ListContainers") == 2) {
        rig_fault(r, "ContainerStatus", "{'never': true}");
        rig_fault(r, "ListContainers", "{'never': true}");
    }
}

/* A container that a list has as running gets a row, though the deadline came before its status. */
static void a_newcomer_at_the_deadline(void **state)
{
    struct look_rig r;

    (void)state;
    look_rig_open_verified(&r);
    r.act = newcomer_is_never_read;
    rig_look(&r, 20000);
    rig_expect(&r, 'a', PODPID_VERDICT_VERIFIED, 200);
    rig_expect(&r, 'b', PODPID_VERDICT_ERROR, 0);
    assert_false(podpid_snapshot_complete(r.snapshot));
    look_rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_status_never_comes),
        cmocka_unit_test(namespaces_are_read_while_waiting),
        cmocka_unit_test(a_list_never_comes),
        cmocka_unit_test(the_deadline_in_a_later_round),
        cmocka_unit_test(no_late_tries_with_a_slow_runtime),
        cmocka_unit_test(a_newcomer_at_the_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
