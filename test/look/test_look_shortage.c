/* Looks in which the i-th openat() fails for want of descriptors or memory, for every i until no
 * openat() is left to fail. Each time the look fails: it must not take a file that cannot be opened
 * for one that does not exist. Linked with --wrap. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "cri/base/text.h"
#include "test/support/look_rig.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

int __real_openat(int dir, const char *name, int flags, ...);
int __wrap_openat(int dir, const char *name, int flags, ...);

static bool armed;
static unsigned left;     /* how many more opens until one fails; 0: none fails */
static int reason;        /* the errno of that failure */
static char refused[256]; /* the name that could not be opened */

int __wrap_openat(int dir, const char *name, int flags, ...)
{
    mode_t mode = 0;

    if (flags & O_CREAT) {
        va_list ap;

        va_start(ap, flags);
        mode = va_arg(ap, mode_t);
        va_end(ap);
    }
    if (armed && left && --left == 0) {
        snprintf(refused, sizeof(refused), "%s", name);
        errno = reason;
        return -1;
    }
    return __real_openat(dir, name, flags, mode);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_reading_is_missed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
