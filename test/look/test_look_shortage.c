/* Looks and questions (whois) in which the i-th openat() or getdents64() fails for want of
 * descriptors or memory, for every i until no such call is left to fail. Each time the look or the
 * question fails: it must not take a file that cannot be opened for one that does not exist. Linked
 * with --wrap. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "cri/base/text.h"
#include "test/support/look_rig.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

int __real_openat(int dir, const char *name, int flags, ...);
int __wrap_openat(int dir, const char *name, int flags, ...);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

static bool armed;
static unsigned left;     /* how many more calls until one fails; 0: none fails */
static int reason;        /* the errno of that failure */
static char refused[256]; /* what could not be opened or read */

static bool fails(const char *name)
{
    if (!armed || left == 0 || --left > 0) {
        return false;
    }
    snprintf(refused, sizeof(refused), "%s", name);
    errno = reason;
    return true;
}

int __wrap_openat(int dir, const char *name, int flags, ...)
{
    mode_t mode = 0;

    if (flags & O_CREAT) {
        va_list ap;

        va_start(ap, flags);
        mode = va_arg(ap, mode_t);
        va_end(ap);
    }
    return fails(name) ? -1 : __real_openat(dir, name, flags, mode);
}

/* getdents64() has no wrapper in glibc before 2.30; the library calls no other function this way
 * during a look. */
long __wrap_syscall(long number, ...)
{
    long args[3];
    va_list ap;

    va_start(ap, number);
    for (size_t i = 0; i < N_ELEMENTS(args); i++) {
        args[i] = va_arg(ap, long);
    }
    va_end(ap);
    return fails("getdents64") ? -1 : __real_syscall(number, args[0], args[1], args[2]);
}

/* Opens of the rig itself do not fail. */
static void one_step(struct look_rig *r)
{
    armed = true;
    r->rc = podpid_look_step(r->look, r->now, &r->error);
    armed = false;
}

/* The leader of PID 500 has exited, thread 501 lives: on cgroup v1 only its text tells where the
 * process is. */
static void add_process_without_leader(struct look_rig *r)
{
    char text[256];

    rig_container(r, 'd', "RUNNING", 500);
    rig_process(r, 500, 50, RIG_STARTED, 'Z', "/");
    scratch_puts(r->dir, "proc/500/cgroup", "1:name=systemd:/\n");
    scratch_puts(r->dir, "proc/500/stat",
                 "500 (p500) Z 50 500 500 0 -1 0 0 0 0 0 0 0 0 0 20 0 2 0 10000 0 0\n");
    scratch_puts(r->dir, "proc/500/task/501/stat",
                 "501 (p500) S 50 500 500 0 -1 0 0 0 0 0 0 0 0 0 20 0 2 0 10000 0 0\n");
    snprintf(text, sizeof(text), "1:name=systemd:%s\n", rig_cgroup('d'));
    scratch_puts(r->dir, "proc/500/task/501/cgroup", text);
}

/* A main process and an exec beside it, a container without a process, one without a reported PID,
 * one whose leader has exited, a sandbox. */
static void open_node(struct look_rig *r)
{
    look_rig_open_verified(r);
    rig_process(r, 201, 50, RIG_STARTED + 1, 'S', rig_cgroup('a'));
    rig_container(r, 'b', "RUNNING", 300);
    rig_running(r, 'c', 400);
    rig_status(r, 'c', "RUNNING", 0); /* inferred: by its namespace */
    add_process_without_leader(r);
    r->step = one_step;
}

static void expect_the_truth(const struct look_rig *r)
{
    const struct podpid_container *a, *c;

    rig_expect(r, 'a', PODPID_VERDICT_VERIFIED, 200);
    rig_expect(r, 'b', PODPID_VERDICT_DEAD, 0);
    rig_expect(r, 'c', PODPID_VERDICT_INFERRED, 0);
    rig_expect(r, 'd', PODPID_VERDICT_VERIFIED, 500);
    a = rig_found(r, 'a');
    c = rig_found(r, 'c');
    assert_int_equal(a->n_processes, 2);
    assert_int_equal(a->n_roots, 2);
    assert_int_not_equal(a->ns_pid, 0);
    assert_int_equal(c->inferred_pid, 400);
    assert_true(podpid_snapshot_complete(r->snapshot));
}

static void no_reading_is_missed(void **state)
{
    static const int reasons[] = {EMFILE, ENFILE, ENOMEM};
    struct look_rig r;
    bool failed = true;
    unsigned i = 1;

    (void)state;
    open_node(&r);
    for (; failed; i++) {
        reason = reasons[i % N_ELEMENTS(reasons)];
        left = i;
        rig_look(&r, 20000);
        failed = left == 0;
        if (failed && r.rc >= 0) {
            fail_msg("open %u, of %s: nobody noticed", i, refused);
        }
        if (r.rc < 0) {
            assert_true(failed);
            assert_int_equal(podpid_exit_status(r.error.code), 3);
        } else {
            expect_the_truth(&r);
        }
        assert_true(i < 10000);
    }
    assert_true(i > 20); /* a look opens more files than that */
    left = 0;
    look_rig_close(&r);
}

/* Thread 205 of process 200 is 7 in their PID namespace, where 200 is 1. */
static void add_thread(struct look_rig *r)
{
    CLEANUP(buf_free) struct buf ns = {0};

    assert_true(scratch_read(r->dir, "proc/200/ns.json", &ns));
    scratch_write(r->dir, "proc/205/ns.json", ns.p, ns.n);
    scratch_puts(r->dir, "proc/205/status",
                 "Name:\tp200\nState:\tS (x)\nTgid:\t200\nPid:\t205\nPPid:\t50\n"
                 "NSpid:\t205\t7\nThreads:\t2\n");
    scratch_puts(r->dir, "proc/200/task/205/stat", "");
}

/* Ask for number 7 in the namespace of process 200, with call `left` failing. */
static int ask(const struct look_rig *r, struct podpid_error *error)
{
    struct podpid_answer *a = NULL;
    int rc;

    armed = true;
    rc = podpid_whois(r->snapshot, 7, 200, &a, error);
    armed = false;
    if (rc == 0) {
        assert_true(a->found);
        assert_int_equal(a->process, 200);
        assert_string_equal(a->container_id, rig_id('a'));
    }
    podpid_answer_free(a);
    return rc;
}

static void no_question_is_answered_wrongly(void **state)
{
    struct look_rig r;
    struct podpid_error error;
    bool failed = true;
    unsigned i = 1;

    (void)state;
    look_rig_open_verified(&r);
    r.options.want_processes = true;
    add_thread(&r);
    for (; failed; i++) {
        int rc;

        left = 0;
        rig_look(&r, 20000);
        assert_int_equal(r.rc, 1);
        error = (struct podpid_error)PODPID_ERROR_INIT;
        reason = EMFILE;
        left = i;
        rc = ask(&r, &error);
        failed = left == 0;
        if (failed && rc >= 0) {
            fail_msg("call %u, of %s: nobody noticed", i, refused);
        }
        assert_true(failed || rc == 0);
        assert_true(!failed || podpid_exit_status(error.code) == 3);
    }
    assert_true(i > 8); /* a question opens more files than that */
    left = 0;
    look_rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_reading_is_missed),
        cmocka_unit_test(no_question_is_answered_wrongly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
