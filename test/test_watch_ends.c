/* A watch of real processes in real cgroups, with a scripted runtime: their ends, which the kernel
 * tells of by pidfds. Needs root and a v2 hierarchy that can be written to; skips without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "test/support/live.h"

static void an_exit_is_published_without_the_runtime(void **state)
{
    struct live l;
    pid_t pids[4];
    const struct node_event *e;
    uint64_t generation;

    (void)state;
    live_open(&l);
    for (unsigned i = 1; i <= 3; i++) {
        pids[i] = live_start(&l, i);
        node_says(&l.n, i, 1, pids[i]);
    }
    node_watch(&l.n);
    live_rounds(&l, SETTLED);
    generation = node_event(&l.n, PODPID_EVENT_SNAPSHOT, 0)->generation;
    node_forget(&l.n);

    live_end(pids[1]);
    live_end(pids[2]);
    assert_true(node_rounds_alone(&l.n, 1));
    assert_int_equal(l.n.n_events, 2);
    for (unsigned i = 1; i <= 2; i++) {
        e = node_event(&l.n, PODPID_EVENT_CHANGED, i);
        assert_true(e->by_pidfd);
        assert_int_equal(e->verdict, PODPID_DEAD);
        assert_int_equal(e->pid, 0);
        assert_int_equal(e->generation, generation + 1);
    }
    /* The runtime goes on saying that they run: nothing new. */
    node_forget(&l.n);
    live_rounds(&l, SETTLED);
    assert_int_equal(l.n.n_events, 0);
    node_says(&l.n, 1, 2, 0);
    node_says(&l.n, 2, 2, 0);
    podpid_watch_look_now(l.n.watch);
    live_rounds(&l, SETTLED);
    assert_int_equal(l.n.n_events, 2);
    assert_int_equal(node_event(&l.n, PODPID_EVENT_CHANGED, 1)->verdict, PODPID_EXITED);
    live_end(pids[3]);
    for (unsigned i = 1; i <= 3; i++) {
        live_remove_dir(&l, live_path(&l, i));
    }
    live_close(&l);
}

static void an_exit_is_published_while_the_runtime_is_away_or_slow(void **state)
{
    struct live l;
    pid_t one, two;

    (void)state;
    live_open(&l);
    one = live_start(&l, 1);
    two = live_start(&l, 2);
    node_says(&l.n, 1, 1, one);
    node_says(&l.n, 2, 1, two);
    node_watch(&l.n);
    live_rounds(&l, SETTLED);

    /* During a look that has the process in its lists already. */
    node_forget(&l.n);
    json_object_set_new(fake_cri_script(l.n.cri), "faults",
                        json_pack("{s:{s:i}}", "ListContainers", "hold", 400));
    podpid_watch_look_now(l.n.watch);
    live_rounds(&l, 500);
    live_end(one);
    assert_true(node_rounds_alone(&l.n, 1));
    assert_int_equal(node_event(&l.n, PODPID_EVENT_CHANGED, 1)->pid, 0);
    live_rounds(&l, SETTLED);
    for (size_t i = 0; i < l.n.n_events; i++) {
        assert_int_equal(l.n.events[i].pid, 0); /* never again */
    }

    node_down(&l.n);
    podpid_watch_look_now(l.n.watch);
    live_rounds(&l, FIRST_PAUSES);
    node_forget(&l.n);
    live_end(two);
    live_rounds(&l, 1);
    assert_true(node_event(&l.n, PODPID_EVENT_CHANGED, 2)->stale);
    assert_true(node_event(&l.n, PODPID_EVENT_CHANGED, 2)->by_pidfd);
    live_remove_dir(&l, live_path(&l, 1));
    live_remove_dir(&l, live_path(&l, 2));
    live_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exit_is_published_without_the_runtime),
        cmocka_unit_test(an_exit_is_published_while_the_runtime_is_away_or_slow),
    };

    if (geteuid() != 0 || !live_find_mount()) {
        puts("skipped: needs root and a v2 hierarchy that can be written to");
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
