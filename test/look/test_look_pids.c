/* PIDs that change during a look: the runtime reports another one, reports a dead one for a while,
 * or the number is given to another process. */
#include "test/support/look_rig.h"
#include "test/support/unit.h"

static void runtime_reports_the_new_pid(struct look_rig *r)
{
    if (rig_asked(r, "ContainerStatus") == 2 && rig_once(r)) {
        rig_status(r, 'a', "RUNNING", 300);
    }
}

static void the_reported_pid_changes(void **state)
{
    struct look_rig r;

    (void)state;
    look_rig_open_verified(&r);
    rig_reap(&r, 200);
    rig_process(&r, 300, 50, RIG_STARTED, 'S', rig_cgroup('a'));
    r.act = runtime_reports_the_new_pid;
    rig_look(&r, 1000);
    rig_expect(&r, 'a', PODPID_VERDICT_VERIFIED, 300);
    look_rig_close(&r);
}

static void runtime_notices_the_exit(struct look_rig *r)
{
    if (rig_asked(r, "ContainerStatus") == 3 && rig_once(r)) {
        rig_container(r, 'a', "EXITED", 0);
    }
}

static void a_dead_pid_is_reported_for_a_while(void **state)
{
    struct look_rig r;

    (void)state;
    look_rig_open_verified(&r);
    rig_reap(&r, 200);
    r.act = runtime_notices_the_exit;
    rig_look(&r, 1000);
    rig_expect(&r, 'a', PODPID_VERDICT_EXITED, 0);
    assert_true(rig_took_ms(&r) < 600);

    /* The runtime never notices: `dead`, after half a second. */
    r.act = NULL;
    rig_container(&r, 'a', "RUNNING", 200);
    rig_look(&r, 2000);
    rig_expect(&r, 'a', PODPID_VERDICT_DEAD, 0);
    assert_true(rig_took_ms(&r) < 600);
    look_rig_close(&r);
}

/* After the judgement another process has the PID: the last reading notices its start time. */
static void recycled_at_last(struct look_rig *r)
{
    if (rig_asked(r, "ListContainers") == 2 && rig_once(r)) {
        rig_process(r, 200, 1, RIG_STARTED + 1, 'S', rig_cgroup('a'));
    }
}

static void a_pid_recycled_before_it_is_published(void **state)
{
    struct look_rig r;

    (void)state;
    look_rig_open_verified(&r);
    r.act = recycled_at_last;
    rig_look(&r, 1000);
    /* It is judged anew, and the new process is a main process by all that this /proc shows. */
    rig_expect(&r, 'a', PODPID_VERDICT_VERIFIED, 200);
    assert_int_equal(rig_found(&r, 'a')->start_time_ticks, RIG_STARTED + 1);
    assert_true(rig_asked(&r, "ContainerStatus") >= 2);
    look_rig_close(&r);
}

/* Another process at every step. */
static void recycled_always(struct look_rig *r)
{
    rig_process(r, 200, 1, RIG_STARTED + 1 + r->acts++, 'S', rig_cgroup('a'));
}

static void a_pid_recycled_on_every_try(void **state)
{
    struct look_rig r;

    (void)state;
    look_rig_open_verified(&r);
    r.act = recycled_always;
    rig_look(&r, 2000);
    rig_expect(&r, 'a', PODPID_VERDICT_CHANGED, 0);
    assert_int_equal(rig_found(&r, 'a')->start_time_ticks, 0);
    look_rig_close(&r);
}

/* The main process moves to another cgroup after it was judged, and stays itself otherwise: only
 * its cgroup text gives that away at the last reading. */
static void moves_at_last(struct look_rig *r)
{
    if (rig_asked(r, "ListContainers") == 2 && rig_once(r)) {
        rig_process(r, 200, 50, RIG_STARTED, 'S', "/system.slice/other.service");
    }
}

static void a_process_that_moves_before_it_is_published(void **state)
{
    struct look_rig r;

    (void)state;
    look_rig_open_verified(&r);
    r.act = moves_at_last;
    rig_look(&r, 2000);
    rig_expect(&r, 'a', PODPID_VERDICT_MOVED, 0);
    assert_true(rig_asked(&r, "ContainerStatus") >= 2); /* it was judged anew */
    look_rig_close(&r);
}

static void dies_at_last(struct look_rig *r)
{
    if (rig_asked(r, "ListContainers") == 2 && rig_once(r)) {
        rig_process(r, 200, 50, RIG_STARTED, 'Z', rig_cgroup('a'));
    }
}

static void a_zombie_before_it_is_published(void **state)
{
    struct look_rig r;

    (void)state;
    look_rig_open_verified(&r);
    r.act = dies_at_last;
    rig_look(&r, 2000);
    rig_expect(&r, 'a', PODPID_VERDICT_ZOMBIE, 0);
    look_rig_close(&r);
}

/* PID 201 is an exec'ed process beside the main one. After the judgement another process has it. */
static void exec_recycled_at_last(struct look_rig *r)
{
    if (rig_asked(r, "ListContainers") == 2 && rig_once(r)) {
        rig_process(r, 201, 50, RIG_STARTED + 2, 'S', rig_cgroup('a'));
    }
}

static void an_exec_that_ends_before_it_is_published(void **state)
{
    const struct podpid_container *c;
    struct look_rig r;

    (void)state;
    look_rig_open_verified(&r);
    rig_process(&r, 201, 50, RIG_STARTED + 1, 'S', rig_cgroup('a'));
    r.act = exec_recycled_at_last;
    rig_look(&r, 1000);
    rig_expect(&r, 'a', PODPID_VERDICT_VERIFIED, 200);
    c = rig_found(&r, 'a');
    assert_int_equal(c->n_processes, 1);
    assert_int_equal(c->processes[0]->pid, 200);
    assert_int_equal(c->n_roots, 1);
    assert_int_equal(c->roots[0], 200);
    assert_int_equal(rig_asked(&r, "ContainerStatus"), 1); /* no reason to judge it anew */

    /* If it does not change it is published. */
    r.act = NULL;
    rig_look(&r, 1000);
    assert_int_equal(rig_found(&r, 'a')->n_processes, 2);
    assert_int_equal(rig_found(&r, 'a')->n_roots, 2);
    look_rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reported_pid_changes),
        cmocka_unit_test(a_dead_pid_is_reported_for_a_while),
        cmocka_unit_test(a_pid_recycled_before_it_is_published),
        cmocka_unit_test(a_pid_recycled_on_every_try),
        cmocka_unit_test(a_process_that_moves_before_it_is_published),
        cmocka_unit_test(a_zombie_before_it_is_published),
        cmocka_unit_test(an_exec_that_ends_before_it_is_published),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
