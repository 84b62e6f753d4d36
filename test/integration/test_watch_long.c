/* Five hundred containers that start, end and are removed while a watch runs: it keeps no memory
 * and no descriptor of them. Needs root and a v2 hierarchy that can be written to; skips without.
 */
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "test/support/live.h"
#include "test/support/unit.h"

enum {
    BATCH = 25, /* containers that start, end and are removed together */
    BATCHES = 20,
    WARM_UP = 5, /* batches before memory is measured: buffers have grown to their size by then */
    /* Bytes that may be in use more after the other 375 containers. The smallest block of glibc's
     * malloc has 32 bytes: one for each container would be 12,000. The test is run with malloc's
     * caches of freed blocks switched off (test/CMakeLists.txt): they count as in use. */
    MOST_GROWN = 1024
};

static size_t bytes_in_use(void)
{
#ifdef __SANITIZE_ADDRESS__ /* has no mallinfo2(), and finds leaks itself */
    return 0;
#else
    return mallinfo2().uordblks;
#endif
}

/* Containers from number on: start all, end all, remove all. Each is an event every time. */
static void run_batch(struct live_node *l, unsigned number)
{
    pid_t pids[BATCH];

    for (unsigned i = 0; i < BATCH; i++) {
        pids[i] = live_start(l, number + i);
        node_says(&l->n, number + i, 1, pids[i]);
    }
    live_rounds_until(l, BATCH);
    assert_int_equal(l->n.n_events, BATCH);
    node_forget(&l->n);
    for (unsigned i = 0; i < BATCH; i++) {
        live_end(pids[i]);
    }
    live_rounds_until(l, BATCH);
    assert_int_equal(l->n.n_events, BATCH);
    node_forget(&l->n);
    for (unsigned i = 0; i < BATCH; i++) {
        node_drops(&l->n, number + i);
        live_remove_dir(l, live_path(l, number + i));
    }
    live_rounds_until(l, BATCH);
    assert_int_equal(l->n.n_events, BATCH);
    node_forget(&l->n);
}

static void removed_containers_leave_nothing_behind(void **state)
{
    struct live_node l;
    unsigned fds = 0, before = live_count_fds(), number = 2;
    size_t in_use = 0;
    pid_t first;

    (void)state;
    live_open(&l);
    l.n.options.period = 3600 * NSEC_PER_SEC;
    first = live_start(&l, 1); /* it stays, and its cgroup tells the watch where pods are */
    node_says(&l.n, 1, 1, first);
    node_watch(&l.n);
    live_rounds(&l, SETTLED);
    node_forget(&l.n);
    for (int batch = 0; batch < BATCHES; batch++) {
        run_batch(&l, number);
        number += BATCH;
        if (batch + 1 == WARM_UP) {
            live_rounds(&l, SETTLED);
            in_use = bytes_in_use();
            fds = live_count_fds();
        }
    }
    live_rounds(&l, SETTLED);
    print_message("%d containers: %ld bytes more in use than after %d\n", BATCH * BATCHES,
                  (long)bytes_in_use() - (long)in_use, BATCH * WARM_UP);
    assert_true(bytes_in_use() < in_use + MOST_GROWN);
    assert_int_equal(live_count_fds(), fds);
    live_end(first);
    live_remove_dir(&l, live_path(&l, 1));
    live_close(&l);
    assert_int_equal(live_count_fds(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(removed_containers_leave_nothing_behind),
    };

    if (geteuid() != 0 || !live_find_mount()) {
        puts("skipped: needs root and a v2 hierarchy that can be written to");
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
