/* Processes by their numbers in another PID namespace. Needs root to make one; skips without. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "resolver/podpid.h"
#include "test/support/unit.h"

enum { SKIPPED = 77 };

struct space {
    pid_t parent; /* of the namespace's first process */
    pid_t first;  /* that one, as we number it */
    pid_t thread; /* one of its threads, as it is numbered inside */
    struct podpid_snapshot *snapshot;
};

static void *report(void *arg)
{
    const pid_t tid = (pid_t)syscall(SYS_gettid);

    if (write(*(const int *)arg, &tid, sizeof(tid)) != sizeof(tid)) {
        _exit(1);
    }
    for (;;) {
        pause();
    }
    return NULL;
}

static void run_parent(int out)
{
    pid_t first;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (unshare(CLONE_NEWPID) < 0 || (first = fork()) < 0) {
        _exit(1);
    }
    if (first == 0) {
        pthread_t thread;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (pthread_create(&thread, NULL, report, &out) != 0) {
            _exit(1);
        }
        for (;;) {
            pause();
        }
    }
    if (write(out, &first, sizeof(first)) != sizeof(first)) {
        _exit(1);
    }
    waitpid(first, NULL, 0);
    _exit(0);
}

static int open_space(void **state)
{
    static struct space s;
    struct podpid_options options = PODPID_OPTIONS_INIT;
    pid_t numbers[2];
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    s.parent = fork();
    assert_true(s.parent >= 0);
    if (s.parent == 0) {
        run_parent(ends[1]);
    }
    /* Who of the two comes first is open; inside, numbers are small. */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(read(ends[0], &numbers[i], sizeof(numbers[i])), sizeof(numbers[i]));
    }
    s.first = numbers[0] > numbers[1] ? numbers[0] : numbers[1];
    s.thread = numbers[0] > numbers[1] ? numbers[1] : numbers[0];
    assert_true(s.thread != 1 && s.first > s.parent);
    close(ends[0]);
    close(ends[1]);
    options.no_runtime = options.want_processes = options.no_strays = options.no_environment = true;
    assert_int_equal(podpid_look_run(&options, -1, &s.snapshot, NULL), 0);
    *state = &s;
    return 0;
}

static int close_space(void **state)
{
    struct space *s = *state;

    podpid_snapshot_free(s->snapshot);
    kill(s->first, SIGKILL);
    assert_int_equal(waitpid(s->parent, NULL, 0), s->parent);
    return 0;
}

/* The process that is `pid` in the PID namespace of ns_of; 0: none. */
static pid_t ask(const struct space *s, pid_t pid, pid_t ns_of)
{
    struct podpid_answer *a = NULL;
    struct podpid_error error = PODPID_ERROR_INIT;
    pid_t process;

    if (podpid_whois(s->snapshot, pid, ns_of, &a, &error) < 0) {
        fail_msg("%s", error.message);
    }
    assert_int_equal(a->pid, pid);
    process = a->found ? a->process : 0;
    podpid_answer_free(a);
    return process;
}

static void a_process_is_known_by_its_number_inside(void **state)
{
    const struct space *s = *state;

    assert_int_equal(ask(s, 1, s->first), s->first);
    assert_int_equal(ask(s, INT32_MAX, s->first), 0);
    assert_int_equal(ask(s, s->first, s->first), 0); /* its number outside */
}

static void a_threads_number_inside_stands_for_its_process(void **state)
{
    const struct space *s = *state;

    assert_int_equal(ask(s, s->thread, s->first), s->first);
    assert_int_equal(ask(s, 1, s->first), s->first);
}

/* Whatever may be read of that process: PID 1's namespaces are closed on many nodes. */
static void the_namespace_of_proc_has_its_numbers(void **state)
{
    const struct space *s = *state;

    assert_int_equal(ask(s, s->first, 1), s->first);
    assert_int_equal(ask(s, s->first, getpid()), s->first);
}

static void a_namespace_of_nobody_is_an_error(void **state)
{
    const struct space *s = *state;
    struct podpid_answer *a = NULL;
    struct podpid_error error = PODPID_ERROR_INIT;

    assert_int_equal(podpid_whois(s->snapshot, 1, INT32_MAX, &a, &error), PODPID_ERR_ANSWER);
    assert_null(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_is_known_by_its_number_inside),
        cmocka_unit_test(a_threads_number_inside_stands_for_its_process),
        cmocka_unit_test(the_namespace_of_proc_has_its_numbers),
        cmocka_unit_test(a_namespace_of_nobody_is_an_error),
    };

    if (geteuid() != 0) {
        puts("skipped: needs root to make a PID namespace");
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, open_space, close_space);
}
