/* A watch of real processes in real cgroups, with a scripted runtime: the kernel reports their ends
 * by pidfds. Needs root and a v2 hierarchy that can be written to; skips without. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/support/live.h"
#include "test/support/unit.h"

static const struct podpid_pod *the_pod(const struct live_node *l)
{
    size_t n;
    const struct podpid_pod *const *pods =
        podpid_snapshot_pods(podpid_watch_snapshot(l->n.watch), &n);

    assert_int_equal(n, 1);
    return pods[0];
}

static void an_exit_is_published_without_the_runtime(void **state)
{
    struct live_node l;
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
        assert_int_equal(e->verdict, PODPID_VERDICT_DEAD);
        assert_int_equal(e->pid, 0);
        assert_int_equal(e->generation, generation + 1);
    }
    /* The runtime still reports that they run: that is no event. */
    node_forget(&l.n);
    live_rounds(&l, SETTLED);
    assert_int_equal(l.n.n_events, 0);
    node_says(&l.n, 1, 2, 0);
    node_says(&l.n, 2, 2, 0);
    podpid_watch_look_now(l.n.watch);
    live_rounds(&l, SETTLED);
    assert_int_equal(l.n.n_events, 2);
    assert_int_equal(node_event(&l.n, PODPID_EVENT_CHANGED, 1)->verdict, PODPID_VERDICT_EXITED);
    live_end(pids[3]);
    for (unsigned i = 1; i <= 3; i++) {
        live_remove_dir(&l, live_path(&l, i));
    }
    live_close(&l);
}

/* Whether a snapshot has a container whose main process has that PID. */
static bool has_main(const struct podpid_snapshot *s, pid_t pid)
{
    size_t n;
    const struct podpid_pod *const *pods = podpid_snapshot_pods(s, &n);

    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < pods[i]->n_containers; k++) {
            if (pods[i]->containers[k]->pid == pid) {
                return true;
            }
        }
    }
    return false;
}

/* Exits are entered into the watch's own snapshot, never into one that the caller holds. */
static void a_snapshot_that_is_kept_does_not_change(void **state)
{
    const struct podpid_snapshot *kept[2];
    uint64_t revision;
    struct live_node l;
    pid_t pids[3];

    (void)state;
    live_open(&l);
    for (unsigned i = 1; i <= 2; i++) {
        pids[i] = live_start(&l, i);
        node_says(&l.n, i, 1, pids[i]);
    }
    node_watch(&l.n);
    live_rounds(&l, SETTLED);
    for (unsigned i = 1; i <= 2; i++) {
        kept[i - 1] = podpid_snapshot_ref(podpid_watch_snapshot(l.n.watch));
        revision = podpid_watch_revision(l.n.watch);
        live_end(pids[i]);
        assert_true(node_rounds_alone(&l.n, 1));
        assert_true(has_main(kept[i - 1], pids[i]));
        assert_false(has_main(podpid_watch_snapshot(l.n.watch), pids[i]));
        assert_true(podpid_watch_revision(l.n.watch) > revision);
    }
    assert_true(has_main(kept[0], pids[2]));
    assert_false(has_main(kept[1], pids[1]));

    /* A look that brings no event brings another snapshot. */
    live_rounds(&l, SETTLED);
    node_forget(&l.n);
    revision = podpid_watch_revision(l.n.watch);
    podpid_watch_look_now(l.n.watch);
    live_rounds(&l, SETTLED);
    assert_int_equal(l.n.n_events, 0);
    assert_true(podpid_watch_revision(l.n.watch) > revision);
    live_remove_dir(&l, live_path(&l, 1));
    live_remove_dir(&l, live_path(&l, 2));
    live_close(&l);
    assert_true(has_main(kept[0], pids[1]));
    podpid_snapshot_free(kept[0]);
    podpid_snapshot_free(kept[1]);
}

static void an_exit_is_published_while_the_runtime_is_away_or_slow(void **state)
{
    struct live_node l;
    pid_t one, two;

    (void)state;
    live_open(&l);
    one = live_start(&l, 1);
    two = live_start(&l, 2);
    node_says(&l.n, 1, 1, one);
    node_says(&l.n, 2, 1, two);
    node_watch(&l.n);
    live_rounds(&l, SETTLED);

    /* During a look that has read the process already. */
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
        assert_int_equal(l.n.events[i].pid, 0); /* not published again */
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

/* Without a runtime the main process is only inferred, but the kernel reports its end as well. */
static void the_end_of_an_inferred_process_is_published(void **state)
{
    struct podpid_selector s = PODPID_SELECTOR_INIT;
    struct podpid_targets *targets;
    struct live_node l;
    const struct podpid_container *c;
    const struct node_event *e;
    char kubepods[80], first[128];
    size_t n;
    unsigned before = live_count_fds();
    pid_t main;

    (void)state;
    assert_int_equal(podpid_targets_new(&targets, NULL), 0);
    s.uid = NODE_POD_UID; /* without a runtime, a look shows all containers of this machine */
    assert_int_equal(podpid_targets_add_selector(targets, &s, NULL), 0);
    live_open(&l);
    snprintf(kubepods, sizeof(kubepods), "%s/kubepods",
             l.top); /* without a runtime, a pod is known by its place below kubepods */
    snprintf(first, sizeof(first), "%s", l.n.anchor);
    snprintf(l.n.anchor, sizeof(l.n.anchor), "%s/pod" NODE_POD_UID, kubepods);
    live_make_dir(&l, kubepods);
    live_make_dir(&l, l.n.anchor);
    l.n.look.no_runtime = true;
    l.n.options.targets = targets;
    l.n.options.period = 3600 * NSEC_PER_SEC;
    main = live_start_as_first(&l, 1);
    node_watch(&l.n);
    live_rounds(&l, SETTLED);
    c = the_pod(&l)->containers[0];
    assert_int_equal(c->verdict, PODPID_VERDICT_INFERRED);
    assert_int_equal(c->inferred_pid, main);
    assert_int_equal(c->pid, 0);
    assert_true(live_has_pidfd(main));
    node_forget(&l.n);

    live_end(main);
    assert_true(node_rounds_alone(&l.n, 1));
    e = node_event(&l.n, PODPID_EVENT_CHANGED, 1);
    assert_true(e->by_pidfd);
    assert_int_equal(e->verdict, PODPID_VERDICT_DEAD);
    assert_int_equal(e->pid, 0);
    assert_int_equal(e->inferred_pid, 0);
    c = the_pod(&l)->containers[0];
    assert_int_equal(c->start_time_ticks, 0);
    assert_int_equal(c->n_processes, 0);

    /* The next look finds nothing of the container. */
    node_forget(&l.n);
    live_rounds(&l, SETTLED);
    assert_int_equal(l.n.n_events, 1);
    node_event(&l.n, PODPID_EVENT_REMOVED, 1);
    podpid_snapshot_pods(podpid_watch_snapshot(l.n.watch), &n);
    assert_int_equal(n, 0);
    live_remove_dir(&l, live_path(&l, 1));
    live_remove_dir(&l, l.n.anchor);
    live_remove_dir(&l, kubepods);
    snprintf(l.n.anchor, sizeof(l.n.anchor), "%s", first);
    live_close(&l);
    podpid_targets_free(targets);
    assert_int_equal(live_count_fds(), before);
}

/* ---- Sandboxes ---- */

/* Open a node whose pod has container 1 and a sandbox, without a periodic look. Returns the main
 * process. */
static pid_t open_pod(struct live_node *l, pid_t *sandbox)
{
    pid_t main;

    live_open(l);
    l->n.options.period = 3600 * NSEC_PER_SEC;
    main = live_start(l, 1);
    node_says(&l->n, 1, 1, main);
    live_make_dir(l, live_sandbox_path(l));
    *sandbox = live_start_at(l, live_sandbox_path(l));
    node_sandbox(&l->n, *sandbox);
    node_watch(&l->n);
    live_rounds(l, SETTLED);
    assert_int_equal(the_pod(l)->sandbox_pid, *sandbox);
    node_forget(&l->n);
    return main;
}

static void close_pod(struct live_node *l, pid_t main)
{
    live_end(main);
    live_remove_dir(l, live_path(l, 1));
    live_remove_dir(l, live_sandbox_path(l));
    live_close(l);
}

/* A pidfd is readable once its process has ended, also before the process is reaped. */
static void a_sandbox_that_ends_wakes_a_look(void **state)
{
    struct live_node l;
    unsigned before = live_count_fds();
    siginfo_t end;
    pid_t main, sandbox, next;

    (void)state;
    main = open_pod(&l, &sandbox);
    assert_true(live_has_pidfd(sandbox));
    kill(sandbox, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)sandbox, &end, WEXITED | WNOWAIT), 0);
    assert_true(node_rounds_alone(&l.n, 1));
    assert_int_equal(l.n.n_events, 0); /* only the look that follows finds out */
    live_rounds(&l, SECOND);
    assert_false(node_event(&l.n, PODPID_EVENT_CHANGED, 1)->by_pidfd);
    assert_int_equal(node_event(&l.n, PODPID_EVENT_CHANGED, 1)->pid, main);
    assert_int_equal(the_pod(&l)->sandbox_pid, 0);
    live_rounds(&l, SETTLED);
    assert_false(live_has_pidfd(sandbox));
    assert_int_equal(waitpid(sandbox, NULL, 0), sandbox);

    /* Its successors are followed, too. */
    for (int i = 0; i < 50; i++) {
        next = live_start_at(&l, live_sandbox_path(&l));
        node_sandbox(&l.n, next);
        node_forget(&l.n);
        podpid_watch_look_now(l.n.watch);
        live_rounds_until(&l, 1);
        assert_int_equal(the_pod(&l)->sandbox_pid, next);
        assert_true(live_has_pidfd(next));
        node_forget(&l.n);
        live_end(next);
        live_rounds_until(&l, 1);
        assert_int_equal(the_pod(&l)->sandbox_pid, 0);
    }
    close_pod(&l, main);
    assert_int_equal(live_count_fds(), before);
}

/* That look has read the sandbox process before it ended, so another look has to follow. */
static void a_sandbox_that_ends_during_a_look_is_looked_at_again(void **state)
{
    struct live_node l;
    pid_t main, sandbox;

    (void)state;
    main = open_pod(&l, &sandbox);
    json_object_set_new(fake_cri_script(l.n.cri), "faults",
                        json_pack("{s:{s:i}}", "ListContainers", "hold", 400));
    podpid_watch_look_now(l.n.watch);
    live_rounds(&l, 500);
    live_end(sandbox);
    live_rounds(&l, SETTLED);
    assert_int_equal(the_pod(&l)->sandbox_pid, 0);
    close_pod(&l, main);
}

/* Its end is published once the runtime is back. Until then the watch does not wake again and again
 * for the pidfd, which stays readable. */
static void a_sandbox_that_ends_while_the_runtime_is_away(void **state)
{
    struct live_node l;
    struct pollfd more = {.events = POLLIN};
    pid_t main, sandbox;

    (void)state;
    main = open_pod(&l, &sandbox);
    node_down(&l.n);
    live_rounds(&l, FIRST_PAUSES);
    assert_true(podpid_watch_stale(l.n.watch));
    live_end(sandbox);
    more.fd = podpid_watch_fd(l.n.watch);
    assert_int_equal(poll(&more, 1, 0), 1);
    for (int i = 0; i < SECOND && poll(&more, 1, 0) == 1;
         i++) { /* other programs on this machine make cgroups, too */
        assert_true(node_rounds_alone(&l.n, 1));
    }
    assert_int_equal(poll(&more, 1, 0), 0);
    node_up(&l.n);
    live_rounds(&l, 6 * SECOND);
    assert_int_equal(the_pod(&l)->sandbox_pid, 0);
    close_pod(&l, main);
}

enum { FDS_MOST = 1024 };

/* Leave no descriptor free but those that a watch keeps for its looks (SPARE_FDS, 64): the next
 * main process has no room for its pidfd. */
static void use_up_descriptors(int *fillers, size_t *n, struct rlimit *before)
{
    struct rlimit limit;
    int highest = 0, fd;

    for (int i = 0; i < FDS_MOST; i++) {
        highest = fcntl(i, F_GETFD) >= 0 ? i : highest;
    }
    while ((fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)) < highest) {
        assert_true(fd >= 0 && *n < FDS_MOST);
        fillers[(*n)++] = fd;
    }
    close(fd);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, before), 0);
    limit = *before;
    limit.rlim_cur = (rlim_t)highest + 64 + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void a_main_process_matters_more_than_a_sandbox(void **state)
{
    struct live_node l;
    struct rlimit limit;
    int fillers[FDS_MOST];
    size_t n = 0;
    pid_t main, sandbox, two;

    (void)state;
    main = open_pod(&l, &sandbox);
    use_up_descriptors(fillers, &n, &limit);
    two = live_start(&l, 2);
    node_says(&l.n, 2, 1, two);
    live_rounds(&l, SECOND);
    assert_int_equal(node_event(&l.n, PODPID_EVENT_ADDED, 2)->pid, two);
    assert_true(live_has_pidfd(main));
    assert_true(live_has_pidfd(two));
    assert_false(live_has_pidfd(sandbox));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    podpid_watch_look_now(l.n.watch);
    live_rounds(&l, SECOND);
    assert_true(live_has_pidfd(sandbox));
    while (n) {
        close(fillers[--n]);
    }
    live_end(two);
    live_end(sandbox);
    live_remove_dir(&l, live_path(&l, 2));
    close_pod(&l, main);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exit_is_published_without_the_runtime),
        cmocka_unit_test(a_snapshot_that_is_kept_does_not_change),
        cmocka_unit_test(an_exit_is_published_while_the_runtime_is_away_or_slow),
        cmocka_unit_test(the_end_of_an_inferred_process_is_published),
        cmocka_unit_test(a_sandbox_that_ends_wakes_a_look),
        cmocka_unit_test(a_sandbox_that_ends_during_a_look_is_looked_at_again),
        cmocka_unit_test(a_sandbox_that_ends_while_the_runtime_is_away),
        cmocka_unit_test(a_main_process_matters_more_than_a_sandbox),
    };

    if (geteuid() != 0 || !live_find_mount()) {
        puts("skipped: needs root and a v2 hierarchy that can be written to");
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
