/* How a watch compares two looks. The snapshots are made by hand: no runtime, no process. */
#include <stdlib.h>

#include "resolver/watch/impl.h"
#include "test/support/snap.h"
#include "test/support/unit.h"

/* A watch without sources; podpid_watch_free() frees it. */
static struct podpid_watch *new_watch(const char *handoff_path)
{
    struct podpid_watch *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->epoll_fd = w->inotify_fd = -1;
    w->options.handoff_path = handoff_path;
    return w;
}

static struct podpid_container *container_of(struct podpid_snapshot *s)
{
    return (struct podpid_container *)(uintptr_t)s->pods[0]->containers[0];
}

/* A pod with one container: main process 101, child 102. */
static struct podpid_snapshot *new_look(void)
{
    struct podpid_snapshot *s = snap_new();
    struct podpid_pod *pod = snap_pod(s, "prod", "web", "u1");

    snap_process(s, snap_container(s, pod, "app", snap_id(s, "aa"), 101), 102, 101, "worker",
                 PODPID_ROLE_CHILD);
    return s;
}

/* How many events there are; all are taken. */
static unsigned take_events(struct podpid_watch *w, enum podpid_event_kind *ret_last)
{
    const struct podpid_event *e;
    unsigned n = 0;

    while ((e = podpid_watch_next(w))) {
        *ret_last = e->kind;
        n++;
    }
    return n;
}

/* ---- Ways in which the second look differs ---- */

typedef void change_fn(struct podpid_snapshot *s, struct podpid_pod *pod,
                       struct podpid_container *c);

static void nothing(struct podpid_snapshot *s, struct podpid_pod *pod, struct podpid_container *c)
{
    (void)s, (void)pod, (void)c;
}

static void process_more(struct podpid_snapshot *s, struct podpid_pod *pod,
                         struct podpid_container *c)
{
    (void)pod;
    snap_process(s, c, 103, 0, "sh", PODPID_ROLE_EXEC);
}

static void process_less(struct podpid_snapshot *s, struct podpid_pod *pod,
                         struct podpid_container *c)
{
    (void)s, (void)pod;
    c->n_processes--;
}

static struct podpid_process *child_of(struct podpid_container *c)
{
    return (struct podpid_process *)(uintptr_t)c->processes[1];
}

static void process_with_another_pid(struct podpid_snapshot *s, struct podpid_pod *pod,
                                     struct podpid_container *c)
{
    (void)s, (void)pod;
    child_of(c)->pid++;
}

static void process_started_later(struct podpid_snapshot *s, struct podpid_pod *pod,
                                  struct podpid_container *c)
{
    (void)s, (void)pod;
    child_of(c)->start_time_ticks++;
}

static void process_with_another_role(struct podpid_snapshot *s, struct podpid_pod *pod,
                                      struct podpid_container *c)
{
    (void)s, (void)pod;
    child_of(c)->role = PODPID_ROLE_ORPHAN;
}

static void cgroup_more(struct podpid_snapshot *s, struct podpid_pod *pod,
                        struct podpid_container *c)
{
    struct podpid_cgroup_id *ids = arena_calloc(&s->arena, 2, sizeof(*ids));

    (void)pod;
    assert_non_null(ids);
    ids[0] = c->cgroup_ids[0];
    ids[1] = (struct podpid_cgroup_id){9000, "/inner"};
    c->cgroup_ids = ids;
    c->n_cgroup_ids = 2;
}

static void another_cgroup(struct podpid_snapshot *s, struct podpid_pod *pod,
                           struct podpid_container *c)
{
    (void)s, (void)pod;
    ((struct podpid_cgroup_id *)(uintptr_t)c->cgroup_ids)[0].id++;
}

static void another_anchor(struct podpid_snapshot *s, struct podpid_pod *pod,
                           struct podpid_container *c)
{
    (void)s, (void)pod;
    c->cgroup_id++;
}

static void verdict(struct podpid_snapshot *s, struct podpid_pod *pod, struct podpid_container *c)
{
    (void)s, (void)pod;
    snap_verdict(c, PODPID_STATE_RUNNING, PODPID_VERDICT_ZOMBIE, "a zombie");
}

static void state_only(struct podpid_snapshot *s, struct podpid_pod *pod,
                       struct podpid_container *c)
{
    (void)s, (void)pod;
    c->state = PODPID_STATE_UNKNOWN;
}

static void main_pid(struct podpid_snapshot *s, struct podpid_pod *pod, struct podpid_container *c)
{
    (void)s, (void)pod;
    c->pid++;
}

static void main_start(struct podpid_snapshot *s, struct podpid_pod *pod,
                       struct podpid_container *c)
{
    (void)s, (void)pod;
    c->start_time_ticks++;
}

static void inferred_pid(struct podpid_snapshot *s, struct podpid_pod *pod,
                         struct podpid_container *c)
{
    (void)s, (void)pod;
    c->inferred_pid = 103;
}

static void pod_ready(struct podpid_snapshot *s, struct podpid_pod *pod, struct podpid_container *c)
{
    (void)s, (void)c;
    pod->ready = false;
}

static void sandbox_verdict(struct podpid_snapshot *s, struct podpid_pod *pod,
                            struct podpid_container *c)
{
    (void)s, (void)c;
    pod->sandbox_verdict = PODPID_VERDICT_DEAD;
}

static void sandbox_pid(struct podpid_snapshot *s, struct podpid_pod *pod,
                        struct podpid_container *c)
{
    (void)s, (void)c;
    pod->sandbox_pid++;
}

static void sandbox_start(struct podpid_snapshot *s, struct podpid_pod *pod,
                          struct podpid_container *c)
{
    (void)s, (void)c;
    pod->sandbox_start_time_ticks++;
}

/* Apply a look and a second one that differs by change. How many events the second one queued, and
 * the generation that it left (the first look is generation 1). */
static unsigned events_of(change_fn *change, const char *handoff_path, uint64_t *ret_generation)
{
    struct podpid_watch *w = new_watch(handoff_path);
    struct podpid_snapshot *s = new_look();
    enum podpid_event_kind last = 0;
    unsigned n;

    assert_int_equal(watch_apply(w, s), 0);
    assert_int_equal(take_events(w, &last), 1);
    assert_int_equal(last, PODPID_EVENT_SNAPSHOT);
    assert_int_equal(w->generation, 1);

    s = new_look();
    change(s, (struct podpid_pod *)(uintptr_t)s->pods[0], container_of(s));
    assert_int_equal(watch_apply(w, s), 0);
    n = take_events(w, &last);
    assert_true(n == 0 || last == PODPID_EVENT_CHANGED);
    *ret_generation = w->generation;
    podpid_watch_free(w);
    return n;
}

static void a_change_of_the_row_is_an_event(void **state)
{
    static change_fn *const changes[] = {verdict,         state_only,   main_pid,
                                         main_start,      inferred_pid, pod_ready,
                                         sandbox_verdict, sandbox_pid,  sandbox_start};

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(changes); i++) {
        uint64_t generation;

        assert_int_equal(events_of(changes[i], NULL, &generation), 1);
        assert_int_equal(generation, 2);
    }
}

/* The handoff file lists a container's processes and cgroups: it has to be written anew, which a
 * new generation brings about. No event tells of them, so without the file nothing is to be done.
 */
static void a_change_inside_a_container_is_a_generation_of_the_handoff(void **state)
{
    static change_fn *const changes[] = {process_more,
                                         process_less,
                                         process_with_another_pid,
                                         process_started_later,
                                         process_with_another_role,
                                         cgroup_more,
                                         another_cgroup,
                                         another_anchor};

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(changes); i++) {
        uint64_t generation;

        assert_int_equal(events_of(changes[i], "pids.json", &generation), 0);
        assert_int_equal(generation, 2);
        assert_int_equal(events_of(changes[i], NULL, &generation), 0);
        assert_int_equal(generation, 1);
    }
}

static void the_same_look_again_is_no_change(void **state)
{
    uint64_t generation;

    (void)state;
    assert_int_equal(events_of(nothing, "pids.json", &generation), 0);
    assert_int_equal(generation, 1);
}

/* The end of a main process is entered into the row; of a process that the row names no more it is
 * no news. */
static void the_end_of_a_main_process_is_entered(void **state)
{
    struct podpid_watch *w = new_watch(NULL);
    enum podpid_event_kind last = 0;
    const struct podpid_container *row;

    (void)state;
    assert_int_equal(watch_apply(w, new_look()), 0);
    take_events(w, &last);
    assert_int_equal(w->n_watched, 1);
    row = w->watched[0]->row;
    w->watched[0]->main.pid = 100;
    w->watched[0]->main.start = row->start_time_ticks;
    assert_int_equal(watch_main_ended(w, w->watched[0]), 0);
    assert_int_equal(take_events(w, &last), 0);
    assert_int_equal(row->pid, 101);

    w->watched[0]->main.pid = 101;
    assert_int_equal(watch_main_ended(w, w->watched[0]), 0);
    assert_int_equal(take_events(w, &last), 1);
    assert_int_equal(last, PODPID_EVENT_CHANGED);
    assert_int_equal(row->pid, 0);
    assert_int_equal(row->start_time_ticks, 0);
    assert_int_equal(row->verdict, PODPID_VERDICT_DEAD);
    assert_int_equal(row->n_processes, 1);
    assert_int_equal(row->processes[0]->pid, 102);
    podpid_watch_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_of_the_row_is_an_event),
        cmocka_unit_test(a_change_inside_a_container_is_a_generation_of_the_handoff),
        cmocka_unit_test(the_same_look_again_is_no_change),
        cmocka_unit_test(the_end_of_a_main_process_is_entered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
