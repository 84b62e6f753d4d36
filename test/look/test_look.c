/* The rounds of a look: containers come and go while the look is under way, and strays have to be
 * seen twice. Runtime, /proc and clock are the test's (look_rig.h). */
#include "test/support/look_rig.h"
#include "test/support/unit.h"

static void a_quiet_node(void **state)
{
    struct look_rig r;

    (void)state;
    look_rig_open_verified(&r);
    rig_look(&r, 1000);
    rig_expect(&r, 'a', PODPID_VERDICT_VERIFIED, 200);
    assert_true(podpid_snapshot_complete(r.snapshot));
    assert_int_equal(rig_asked(&r, "ContainerStatus"), 1);
    assert_int_equal(rig_asked(&r, "ListContainers"), 2);
    look_rig_close(&r);
}

static void newcomer_arrives(struct look_rig *r)
{
    if (rig_asked(r, "ContainerStatus") == 1 && rig_once(r)) {
        rig_running(r, 'b', 300);
    }
}

static void a_container_that_only_the_second_list_has(void **state)
{
    struct look_rig r;

    (void)state;
    look_rig_open_verified(&r);
    r.act = newcomer_arrives;
    rig_look(&r, 1000);
    rig_expect(&r, 'a', PODPID_VERDICT_VERIFIED, 200);
    rig_expect(&r, 'b', PODPID_VERDICT_VERIFIED, 300);
    assert_int_equal(rig_asked(&r, "ContainerStatus"), 2); /* a was not asked again */
    look_rig_close(&r);
}

static void container_vanishes(struct look_rig *r)
{
    if (rig_asked(r, "ContainerStatus") == 2 && rig_once(r)) {
        rig_unlist(r, 'b');
        rig_forget(r, 'b');
        rig_reap(r, 300);
    }
}

static void a_container_that_only_the_first_list_has(void **state)
{
    struct look_rig r;

    (void)state;
    look_rig_open_verified(&r);
    rig_running(&r, 'b', 300);
    r.act = container_vanishes;
    rig_look(&r, 1000);
    rig_expect(&r, 'a', PODPID_VERDICT_VERIFIED, 200);
    assert_null(rig_found(&r, 'b'));
    assert_true(podpid_snapshot_complete(r.snapshot));
    look_rig_close(&r);
}

static void restart(struct look_rig *r)
{
    if (rig_asked(r, "ContainerStatus") == 1 && rig_once(r)) {
        rig_reap(r, 200);
        rig_container(r, 'a', "EXITED", 0);
        rig_container(r, 'b', "RUNNING", 300);
        rig_process(r, 300, 50, RIG_STARTED + 50, 'S', rig_cgroup('b'));
    }
}

static void a_restart_with_a_new_id(void **state)
{
    struct look_rig r;

    (void)state;
    look_rig_open_verified(&r);
    r.act = restart;
    rig_look(&r, 1000);
    rig_expect(&r, 'a', PODPID_VERDICT_EXITED, 0);
    rig_expect(&r, 'b', PODPID_VERDICT_VERIFIED, 300);
    look_rig_close(&r);
}

/* Docker restarts a container under its id: the status says "exited", the list that follows says
 * "running". */
static void starts_again(struct look_rig *r)
{
    if (rig_asked(r, "ContainerStatus") == 1 && rig_once(r)) {
        rig_container(r, 'a', "RUNNING", 300);
        rig_process(r, 300, 50, RIG_STARTED + 50, 'S', rig_cgroup('a'));
    }
}

static void a_restart_with_the_same_id(void **state)
{
    struct look_rig r;

    (void)state;
    look_rig_open(&r);
    rig_container(&r, 'a', "EXITED", 0);
    r.act = starts_again;
    rig_look(&r, 1000);
    rig_expect(&r, 'a', PODPID_VERDICT_VERIFIED, 300);
    assert_int_equal(rig_asked(&r, "ContainerStatus"), 2); /* not again once both agree */
    look_rig_close(&r);
}

/* The dead 'b' causes a second round. Its list contradicts the status of 'a', which the first round
 * had settled. */
static void starts_again_late(struct look_rig *r)
{
    if (rig_asked(r, "ListContainers") == 2 && rig_once(r)) {
        rig_container(r, 'a', "RUNNING", 200);
        rig_process(r, 200, 50, RIG_STARTED + 50, 'S', rig_cgroup('a'));
    }
}

static void a_contradicted_status_is_asked_for_again(void **state)
{
    struct look_rig r;

    (void)state;
    look_rig_open(&r);
    rig_container(&r, 'a', "EXITED", 0);
    rig_container(&r, 'b', "RUNNING", 300); /* dead: asks for more rounds */
    r.act = starts_again_late;
    rig_look(&r, 2000);
    rig_expect(&r, 'a', PODPID_VERDICT_VERIFIED, 200);
    rig_expect(&r, 'b', PODPID_VERDICT_DEAD, 0);
    look_rig_close(&r);
}

/* Likewise for the sandbox, which the first round settled as ready. */
static void pod_stops_late(struct look_rig *r)
{
    if (rig_asked(r, "ListContainers") == 2 && rig_once(r)) {
        rig_sandbox_state(r, "NOTREADY");
    }
}

static void a_contradicted_sandbox_is_judged_again(void **state)
{
    const struct podpid_pod *const *pods;
    struct look_rig r;
    size_t n;

    (void)state;
    look_rig_open(&r);
    rig_container(&r, 'b', "RUNNING", 300); /* dead: asks for more rounds */
    r.act = pod_stops_late;
    rig_look(&r, 2000);
    rig_expect(&r, 'b', PODPID_VERDICT_DEAD, 0);
    pods = podpid_snapshot_pods(r.snapshot, &n);
    assert_int_equal(n, 1);
    assert_false(pods[0]->ready);
    assert_int_equal(pods[0]->sandbox_pid, 0);
    look_rig_close(&r);
}

static void a_listed_container_without_a_status(void **state)
{
    struct look_rig r;

    (void)state;
    look_rig_open_verified(&r);
    rig_list(&r, 'b', "EXITED"); /* listed, being removed */
    rig_look(&r, 2000);
    rig_expect(&r, 'a', PODPID_VERDICT_VERIFIED, 200);
    assert_null(rig_found(&r, 'b'));
    assert_true(podpid_snapshot_complete(r.snapshot));
    assert_true(rig_took_ms(&r) < 600);

    /* One that stays listed as running must not be missing from the report. */
    rig_list(&r, 'b', "RUNNING");
    rig_look(&r, 2000);
    rig_expect(&r, 'b', PODPID_VERDICT_ERROR, 0);
    assert_false(podpid_snapshot_complete(r.snapshot));
    look_rig_close(&r);
}

static size_t strays(const struct look_rig *r)
{
    size_t n;

    assert_int_equal(r->rc, 1);
    podpid_snapshot_strays(r->snapshot, &n);
    return n;
}

static void leaves_in_time(struct look_rig *r)
{
    if (rig_took_ms(r) == 500) {
        rig_reap(r, 400);
    }
}

static void strays_are_reported_when_seen_twice(void **state)
{
    struct look_rig r;

    (void)state;
    look_rig_open_verified(&r);
    rig_process(&r, 400, 50, RIG_STARTED, 'S', rig_cgroup('c'));
    rig_look(&r, 3000);
    assert_int_equal(strays(&r), 1);
    assert_in_range(rig_took_ms(&r), 1000, 1200);
    rig_expect(&r, 'a', PODPID_VERDICT_VERIFIED, 200);

    r.act = leaves_in_time;
    rig_look(&r, 3000);
    assert_int_equal(strays(&r), 0);

    /* The caller does not want strays: no second is spent on them. */
    rig_process(&r, 400, 50, RIG_STARTED, 'S', rig_cgroup('c'));
    r.act = NULL;
    r.options.no_strays = true;
    rig_look(&r, 3000);
    assert_int_equal(strays(&r), 0);
    assert_true(rig_took_ms(&r) < 400);
    r.options.no_strays = false;

    /* The deadline comes before strays can be seen twice: none is reported, nothing is waited for.
     */
    r.options.timeout = NSEC_PER_SEC / 2;
    rig_look(&r, 3000);
    assert_int_equal(strays(&r), 0);
    assert_true(rig_took_ms(&r) < 400);
    look_rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quiet_node),
        cmocka_unit_test(a_container_that_only_the_second_list_has),
        cmocka_unit_test(a_container_that_only_the_first_list_has),
        cmocka_unit_test(a_restart_with_a_new_id),
        cmocka_unit_test(a_restart_with_the_same_id),
        cmocka_unit_test(a_contradicted_status_is_asked_for_again),
        cmocka_unit_test(a_contradicted_sandbox_is_judged_again),
        cmocka_unit_test(a_listed_container_without_a_status),
        cmocka_unit_test(strays_are_reported_when_seen_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
