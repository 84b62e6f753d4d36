/* One snapshot that two threads use at once. Built with ThreadSanitizer (preset tsan) it fails
 * where a reader and a writer meet; without, where an answer is wrong. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/snapshot/snapshot.h"
#include "test/support/unit.h"

enum { TURNS = 20 };

/* What a thread does in each turn, and how often it went wrong: cmocka's asserts are for the main
 * thread only. */
struct worker {
    const struct podpid_snapshot *snapshot;
    const struct podpid_index *index;
    unsigned wrong;
};

static int count_bytes(void *context, const char *data, size_t n)
{
    (void)data;
    *(size_t *)context += n;
    return 0;
}

static bool whois_agrees(const struct podpid_snapshot *s, const struct podpid_container *c)
{
    struct podpid_answer *a = NULL;
    bool agrees;

    if (podpid_whois(s, c->pid, 0, &a, NULL) < 0) {
        return false;
    }
    agrees = a->found && a->container == c && a->role == PODPID_ROLE_MAIN;
    podpid_answer_free(a);
    /* Its number in its own PID namespace may not be known in a capture: no answer is none. */
    if (podpid_whois(s, 1, c->pid, &a, NULL) == 0) {
        podpid_answer_free(a);
    }
    return agrees;
}

static bool find_agrees(const struct podpid_snapshot *s, const struct podpid_container *c)
{
    const struct podpid_container **found = NULL;
    size_t n = 0;
    bool agrees = podpid_snapshot_find(s, c->id, &found, &n, NULL) == 0 && n == 1 && found[0] == c;

    free(found);
    return agrees;
}

static bool index_agrees(const struct worker *w, const struct podpid_container *c)
{
    return podpid_index_by_id(w->index, c->id) == c &&
           podpid_index_by_process(w->index, c->pid, c->start_time_ticks, NULL) == c;
}

static void turn(struct worker *w)
{
    const struct podpid_snapshot *s = podpid_snapshot_ref(w->snapshot);
    size_t n_pods, n_bytes = 0;
    const struct podpid_pod *const *pods = podpid_snapshot_pods(s, &n_pods);

    for (size_t i = 0; i < n_pods; i++) {
        for (size_t k = 0; k < pods[i]->n_containers; k++) {
            const struct podpid_container *c = pods[i]->containers[k];

            if (c->pid == 0) {
                continue;
            }
            w->wrong += whois_agrees(s, c) ? 0 : 1;
            w->wrong += find_agrees(s, c) ? 0 : 1;
            w->wrong += index_agrees(w, c) ? 0 : 1;
        }
    }
    if (podpid_snapshot_to_json(s, PODPID_JSON_COMPACT, count_bytes, &n_bytes, NULL) < 0 ||
        n_bytes == 0) {
        w->wrong++;
    }
    podpid_snapshot_free(s);
}

static void *run(void *worker)
{
    for (int i = 0; i < TURNS; i++) {
        turn(worker);
    }
    return NULL;
}

static struct podpid_snapshot *look_at_capture(void)
{
    struct podpid_options options = PODPID_OPTIONS_INIT;
    struct podpid_snapshot *s = NULL;

    options.replay = TEST_DIR "/fixtures/captures/demo";
    options.want_processes = true;
    options.no_environment = true;
    assert_int_equal(podpid_look_run(&options, -1, &s, NULL), 0);
    return s;
}

static void two_threads_read_and_ask_one_snapshot(void **state)
{
    struct podpid_snapshot *s = look_at_capture();
    struct podpid_index *x = NULL;
    struct worker workers[2];
    pthread_t other;

    (void)state;
    assert_int_equal(podpid_index_new(s, &x, NULL), 0);
    workers[0] = workers[1] = (struct worker){.snapshot = s, .index = x};
    assert_int_equal(pthread_create(&other, NULL, run, &workers[1]), 0);
    run(&workers[0]);
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_int_equal(workers[0].wrong, 0);
    assert_int_equal(workers[1].wrong, 0);
    podpid_index_free(x);
    podpid_snapshot_free(s);
}

static void questions_leave_the_snapshot_as_it_is(void **state)
{
    struct podpid_snapshot *s = look_at_capture();
    struct podpid_index *x = NULL;
    struct worker w = {.snapshot = s};
    size_t bytes = s->arena.bytes;

    (void)state;
    assert_int_equal(podpid_index_new(s, &x, NULL), 0);
    w.index = x;
    run(&w);
    assert_int_equal(w.wrong, 0);
    assert_int_equal(s->arena.bytes, bytes);
    podpid_index_free(x);
    podpid_snapshot_free(s);
}

static void an_answer_keeps_its_snapshot(void **state)
{
    struct podpid_snapshot *s = look_at_capture();
    struct podpid_answer *a = NULL;
    pid_t pid = 0;

    (void)state;
    for (size_t i = 0; i < s->n_pods && !pid; i++) {
        pid = s->pods[i]->n_containers ? s->pods[i]->containers[0]->pid : 0;
    }
    assert_true(pid > 0);
    assert_int_equal(podpid_whois(s, pid, 0, &a, NULL), 0);
    podpid_snapshot_free(s);
    assert_string_equal(a->container->id, a->container_id);
    assert_ptr_equal(a->container->pod, a->pod);
    podpid_answer_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_threads_read_and_ask_one_snapshot),
        cmocka_unit_test(questions_leave_the_snapshot_as_it_is),
        cmocka_unit_test(an_answer_keeps_its_snapshot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
