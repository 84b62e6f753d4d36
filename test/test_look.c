/* A look against a runtime and a /proc that change while it goes on. The clock is the test's: what
 * takes seconds takes none here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "look_rig.h"
#include "test/support/scratch.h"

enum { STARTED = 10000 }; /* ticks: 100 s after boot, which is when the runtime says it started */

static void open_verified(struct look_rig *r)
{
    look_rig_open(r);
    rig_container(r, 'a', "RUNNING", 200);
    rig_process(r, 200, 50, STARTED, 'S', rig_cgroup('a'));
}

static bool once(struct look_rig *r)
{
    return r->acts++ == 0;
}

static void a_quiet_node(void **state)
{
    struct look_rig r;

    (void)state;
    open_verified(&r);
    rig_look(&r, 1000);
    rig_expect(&r, 'a', PODPID_VERIFIED, 200);
    assert_true(podpid_snapshot_complete(r.snapshot));
    assert_int_equal(rig_asked(&r, "ContainerStatus"), 1);
    assert_int_equal(rig_asked(&r, "ListContainers"), 2);
    look_rig_close(&r);
}

/* ---- What comes and goes ------------------------------------------------------------------- */

static void newcomer_arrives(struct look_rig *r)
{
    if (rig_asked(r, "ContainerStatus") == 1 && once(r)) {
        rig_container(r, 'b', "RUNNING", 300);
        rig_process(r, 300, 50, STARTED, 'S', rig_cgroup('b'));
    }
}

static void only_in_the_second_list(void **state)
{
    struct look_rig r;

    (void)state;
    open_verified(&r);
    r.act = newcomer_arrives;
    rig_look(&r, 1000);
    rig_expect(&r, 'a', PODPID_VERIFIED, 200);
    rig_expect(&r, 'b', PODPID_VERIFIED, 300);
    assert_int_equal(rig_asked(&r, "ContainerStatus"), 2); /* a was not asked again */
    look_rig_close(&r);
}

static void container_vanishes(struct look_rig *r)
{
    if (rig_asked(r, "ContainerStatus") == 2 && once(r)) {
        rig_unlist(r, 'b');
        rig_forget(r, 'b');
        rig_reap(r, 300);
    }
}

static void only_in_the_first_list(void **state)
{
    struct look_rig r;

    (void)state;
    open_verified(&r);
    rig_container(&r, 'b', "RUNNING", 300);
    rig_process(&r, 300, 50, STARTED, 'S', rig_cgroup('b'));
    r.act = container_vanishes;
    rig_look(&r, 1000);
    rig_expect(&r, 'a', PODPID_VERIFIED, 200);
    assert_null(rig_found(&r, 'b'));
    assert_true(podpid_snapshot_complete(r.snapshot));
    look_rig_close(&r);
}

static void restart(struct look_rig *r)
{
    if (rig_asked(r, "ContainerStatus") == 1 && once(r)) {
        rig_reap(r, 200);
        rig_container(r, 'a', "EXITED", 0);
        rig_container(r, 'b', "RUNNING", 300);
        rig_process(r, 300, 50, STARTED + 50, 'S', rig_cgroup('b'));
    }
}

static void restarts_with_a_new_id(void **state)
{
    struct look_rig r;

    (void)state;
    open_verified(&r);
    r.act = restart;
    rig_look(&r, 1000);
    rig_expect(&r, 'a', PODPID_EXITED, 0);
    rig_expect(&r, 'b', PODPID_VERIFIED, 300);
    look_rig_close(&r);
}

/* Docker starts the same container again: the status said exited, the list that came after it says
 * running. */
static void starts_again(struct look_rig *r)
{
    if (rig_asked(r, "ContainerStatus") == 1 && once(r)) {
        rig_container(r, 'a', "RUNNING", 300);
        rig_process(r, 300, 50, STARTED + 50, 'S', rig_cgroup('a'));
    }
}

static void restarts_with_its_old_id(void **state)
{
    struct look_rig r;

    (void)state;
    look_rig_open(&r);
    rig_container(&r, 'a', "EXITED", 0);
    r.act = starts_again;
    rig_look(&r, 1000);
    rig_expect(&r, 'a', PODPID_VERIFIED, 300);
    assert_int_equal(rig_asked(&r, "ContainerStatus"), 2); /* agreed once, it is not asked again */
    look_rig_close(&r);
}

static void status_is_gone(void **state)
{
    struct look_rig r;

    (void)state;
    open_verified(&r);
    rig_list(&r, 'b', "EXITED"); /* listed, being removed */
    rig_look(&r, 2000);
    rig_expect(&r, 'a', PODPID_VERIFIED, 200);
    assert_null(rig_found(&r, 'b'));
    assert_true(podpid_snapshot_complete(r.snapshot));
    assert_true(rig_took_ms(&r) < 600);

    /* A running one that is listed on and on may not be missing. */
    rig_list(&r, 'b', "RUNNING");
    rig_look(&r, 2000);
    rig_expect(&r, 'b', PODPID_VERDICT_ERROR, 0);
    assert_false(podpid_snapshot_complete(r.snapshot));
    look_rig_close(&r);
}

/* ---- PIDs that change ---------------------------------------------------------------------- */

static void told_anew(struct look_rig *r)
{
    if (rig_asked(r, "ContainerStatus") == 2 && once(r)) {
        rig_status(r, 'a', "RUNNING", 300);
    }
}

static void pid_changes_between(void **state)
{
    struct look_rig r;

    (void)state;
    open_verified(&r);
    rig_reap(&r, 200);
    rig_process(&r, 300, 50, STARTED, 'S', rig_cgroup('a'));
    r.act = told_anew;
    rig_look(&r, 1000);
    rig_expect(&r, 'a', PODPID_VERIFIED, 300);
    look_rig_close(&r);
}

static void noticed_late(struct look_rig *r)
{
    if (rig_asked(r, "ContainerStatus") == 3 && once(r)) {
        rig_container(r, 'a', "EXITED", 0);
    }
}

static void a_dead_pid_is_running_for_a_while(void **state)
{
    struct look_rig r;

    (void)state;
    open_verified(&r);
    rig_reap(&r, 200);
    r.act = noticed_late;
    rig_look(&r, 1000);
    rig_expect(&r, 'a', PODPID_EXITED, 0);
    assert_true(rig_took_ms(&r) < 600);

    /* Never noticed: dead, within half a second. */
    r.act = NULL;
    rig_container(&r, 'a', "RUNNING", 200);
    rig_look(&r, 2000);
    rig_expect(&r, 'a', PODPID_DEAD, 0);
    assert_true(rig_took_ms(&r) < 600);
    look_rig_close(&r);
}

/* The PID is taken by somebody else after it was judged: the last reading sees it. */
static void recycled_at_last(struct look_rig *r)
{
    if (rig_asked(r, "ListContainers") == 2 && once(r)) {
        rig_process(r, 200, 1, STARTED + 1, 'S', rig_cgroup('a'));
    }
}

static void pinned_before_it_leaves(void **state)
{
    struct look_rig r;

    (void)state;
    open_verified(&r);
    r.act = recycled_at_last;
    rig_look(&r, 1000);
    /* It is judged anew: as far as this /proc goes it is the main process. */
    rig_expect(&r, 'a', PODPID_VERIFIED, 200);
    assert_int_equal(rig_found(&r, 'a')->start_time_ticks, STARTED + 1);
    assert_true(rig_asked(&r, "ContainerStatus") >= 2);
    look_rig_close(&r);
}

/* Somebody else at every look. */
static void recycled_always(struct look_rig *r)
{
    rig_process(r, 200, 1, STARTED + 1 + r->acts++, 'S', rig_cgroup('a'));
}

static void changed_on_every_try(void **state)
{
    struct look_rig r;

    (void)state;
    open_verified(&r);
    r.act = recycled_always;
    rig_look(&r, 2000);
    rig_expect(&r, 'a', PODPID_CHANGED, 0);
    assert_int_equal(rig_found(&r, 'a')->start_time_ticks, 0);
    look_rig_close(&r);
}

/* As many more descriptors as the look may have open, from the closing list on; with a newcomer
 * that no scan has seen. */
static unsigned descriptors_left;

static void descriptors_run_out(struct look_rig *r)
{
    if (rig_asked(r, "ListContainers") == 2 && once(r)) {
        int fd = dup(0);
        struct rlimit limit;

        rig_process(r, 200, 50, STARTED, 'S', rig_cgroup('a'));
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        limit.rlim_cur = (rlim_t)fd + descriptors_left;
        close(fd);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    }
}

static void short_of_descriptors(void **state)
{
    struct rlimit before;
    bool failed = false, verified = false;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (descriptors_left = 0; descriptors_left < 6; descriptors_left++) {
        for (int seen = 0; seen < 2; seen++) {
            struct look_rig r;

            open_verified(&r);
            if (!seen) {
                rig_reap(&r, 200);
            }
            r.act = descriptors_run_out;
            rig_look(&r, 2000);
            assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
            if (r.rc < 0) {
                assert_int_equal(r.rc, PODPID_ERR_PROC);
                failed = true;
            } else {
                rig_expect(&r, 'a', PODPID_VERIFIED, 200);
                verified = true;
            }
            look_rig_close(&r);
        }
    }
    assert_true(failed && verified);
}

/* ---- Time ---------------------------------------------------------------------------------- */

static void a_status_never_comes(void **state)
{
    struct look_rig r;

    (void)state;
    open_verified(&r);
    rig_container(&r, 'b', "RUNNING", 300);
    rig_process(&r, 300, 50, STARTED, 'S', rig_cgroup('b'));
    json_object_set_new(
        json_object_get(fake_cri_script(r.fake), "faults"),
        "ContainerStatus bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
        "bbbb",
        json_pack("{s:b}", "never", 1));
    rig_look(&r, 20000);
    rig_expect(&r, 'a', PODPID_VERIFIED, 200);
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

/* While a status is waited for, what the judgement will want is read already. */
static void waiting_is_used(void **state)
{
    struct look_rig r;

    (void)state;
    open_verified(&r);
    rig_container(&r, 'b', "RUNNING", 300);
    rig_fault(&r,
              "ContainerStatus bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
              "bbbb",
              "{'never': true}");
    r.act = namespaces_become_unreadable;
    rig_look(&r, 20000);
    rig_expect(&r, 'a', PODPID_VERIFIED, 200);
    assert_int_not_equal(rig_found(&r, 'a')->ns_pid, 0);
    look_rig_close(&r);
}

static void a_list_never_comes(void **state)
{
    struct look_rig r;

    (void)state;
    open_verified(&r);
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
    if (rig_asked(r, "ListContainers") == 2 && once(r)) {
        rig_fault(r, "ListContainers", "{'never': true}");
    }
}

/* The first round is an answer: it is published at the deadline, whatever the second round was
 * doing. */
static void the_deadline_in_a_later_round(void **state)
{
    struct look_rig r;

    (void)state;
    open_verified(&r);
    r.options.want_processes = true;
    rig_container(&r, 'b', "RUNNING", 300); /* dead: asks for more rounds */
    rig_process(&r, 400, 50, STARTED, 'S',
                "/kubepods/podx/" /* foreign */
                "cccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
                "cccccccc");
    r.act = hangs_from_now_on;
    rig_look(&r, 20000);
    rig_expect(&r, 'a', PODPID_VERIFIED, 200);
    rig_expect(&r, 'b', PODPID_DEAD, 0);
    assert_in_range(rig_took_ms(&r), 9900, 10100);
    look_rig_close(&r);
}

static void answers_slower_each_time(struct look_rig *r)
{
    if (rig_asked(r, "ContainerStatus") == 3 && once(r)) {
        rig_fault(r, "ContainerStatus", "{'hold': 2000}");
    }
}

/* What the looks of half a second brought stands: no later one makes an error of it. */
static void a_slow_runtime(void **state)
{
    struct look_rig r;

    (void)state;
    look_rig_open(&r);
    rig_container(&r, 'a', "RUNNING", 200); /* dead */
    rig_fault(&r, "ContainerStatus", "{'hold': 600}");
    r.options.timeout = 4 * NSEC_PER_SEC;
    r.act = answers_slower_each_time;
    rig_look(&r, 20000);
    rig_expect(&r, 'a', PODPID_DEAD, 0);
    assert_int_equal(rig_asked(&r, "ContainerStatus"), 2);
    assert_true(podpid_snapshot_complete(r.snapshot));
    look_rig_close(&r);
}

static void newcomer_is_never_read(struct look_rig *r)
{
    if (rig_asked(r, "ContainerStatus") == 1 && once(r)) {
        rig_list(r, 'b', "RUNNING");
    }
    if (rig_asked(r, "ListContainers") == 2) {
        rig_fault(r, "ContainerStatus", "{'never': true}");
        rig_fault(r, "ListContainers", "{'never': true}");
    }
}

/* What a list said to run has its row, though the time was over before it could be read. */
static void a_newcomer_at_the_deadline(void **state)
{
    struct look_rig r;

    (void)state;
    open_verified(&r);
    r.act = newcomer_is_never_read;
    rig_look(&r, 20000);
    rig_expect(&r, 'a', PODPID_VERIFIED, 200);
    rig_expect(&r, 'b', PODPID_VERDICT_ERROR, 0);
    assert_false(podpid_snapshot_complete(r.snapshot));
    look_rig_close(&r);
}

/* ---- Strays -------------------------------------------------------------------------------- */

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

static void strays_prove_themselves(void **state)
{
    struct look_rig r;

    (void)state;
    open_verified(&r);
    rig_process(&r, 400, 50, STARTED, 'S', rig_cgroup('c'));
    rig_look(&r, 3000);
    assert_int_equal(strays(&r), 1);
    assert_in_range(rig_took_ms(&r), 1000, 1200);
    rig_expect(&r, 'a', PODPID_VERIFIED, 200);

    r.act = leaves_in_time;
    rig_look(&r, 3000);
    assert_int_equal(strays(&r), 0);

    /* Not asked for. */
    rig_process(&r, 400, 50, STARTED, 'S', rig_cgroup('c'));
    r.act = NULL;
    r.options.no_strays = true;
    rig_look(&r, 3000);
    assert_int_equal(strays(&r), 0);
    assert_true(rig_took_ms(&r) < 400);
    r.options.no_strays = false;

    /* No time for a second sight: none is reported, and none is waited for. */
    r.options.timeout = NSEC_PER_SEC / 2;
    rig_look(&r, 3000);
    assert_int_equal(strays(&r), 0);
    assert_true(rig_took_ms(&r) < 400);
    look_rig_close(&r);
}

/* ---- Connections --------------------------------------------------------------------------- */

static void the_connection_is_lost(void **state)
{
    static const char *const calls[] = {"Version", "ListContainers", "ContainerStatus",
                                        "PodSandboxStatus"};

    (void)state;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        for (int middle = 0; middle < 2; middle++) {
            struct look_rig r;

            open_verified(&r);
            rig_fault(&r, calls[i], middle ? "{'close': 'middle'}" : "{'close': 'before'}");
            rig_look(&r, 20000);
            assert_int_equal(r.rc, PODPID_ERR_RUNTIME);
            assert_true(rig_took_ms(&r) < 1000);
            look_rig_close(&r);
        }
    }
}

/* A list that the runtime refuses: the socket is named, whoever finds the words. */
static void a_refused_list(void **state)
{
    struct look_rig r;

    (void)state;
    open_verified(&r);
    rig_fault(&r, "ListPodSandbox", "{'code': 13, 'message': 'boo'}");
    rig_look(&r, 1000);
    assert_true(r.rc < 0);
    assert_int_equal(podpid_exit_status(r.error.code), 3);
    assert_memory_equal(r.error.message, r.endpoint, strlen(r.endpoint));
    assert_non_null(strstr(r.error.message, "ListPodSandbox: boo"));
    look_rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quiet_node),
        cmocka_unit_test(only_in_the_second_list),
        cmocka_unit_test(only_in_the_first_list),
        cmocka_unit_test(restarts_with_a_new_id),
        cmocka_unit_test(restarts_with_its_old_id),
        cmocka_unit_test(status_is_gone),
        cmocka_unit_test(pid_changes_between),
        cmocka_unit_test(a_dead_pid_is_running_for_a_while),
        cmocka_unit_test(pinned_before_it_leaves),
        cmocka_unit_test(changed_on_every_try),
        cmocka_unit_test(short_of_descriptors),
        cmocka_unit_test(a_status_never_comes),
        cmocka_unit_test(waiting_is_used),
        cmocka_unit_test(a_list_never_comes),
        cmocka_unit_test(the_deadline_in_a_later_round),
        cmocka_unit_test(a_slow_runtime),
        cmocka_unit_test(a_newcomer_at_the_deadline),
        cmocka_unit_test(strays_prove_themselves),
        cmocka_unit_test(the_connection_is_lost),
        cmocka_unit_test(a_refused_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
