/* A held identity: real processes, killed at every step. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "resolver/proc/ns.h"
#include "resolver/proc/pin.h"
#include "resolver/proc/procfs.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

static int setup(void **state)
{
    static struct procfs p;

    *state = &p;
    return procfs_open("/proc", &p, NULL);
}

static int teardown(void **state)
{
    procfs_close(*state);
    return 0;
}

/* A child that waits to be killed. */
static pid_t start(void)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        for (;;) {
            pause();
        }
    }
    return pid;
}

/* Dead but not reaped. */
static void kill_it(pid_t pid)
{
    siginfo_t info;

    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static void reap(pid_t pid)
{
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void living_zombie_reaped(void **state)
{
    struct procfs *p = *state;
    pid_t pid = start();
    struct pin pin, zombie;

    assert_int_equal(procfs_pin(p->fd, pid, &pin), 0);
    assert_int_equal(pin.stat.pid, pid);
    assert_int_equal(pin.stat.ppid, getpid());
    assert_true(pin.cgroup.n > 0);
    buf_free(&pin.cgroup);

    kill_it(pid);
    assert_int_equal(procfs_pin(p->fd, pid, &zombie), 0);
    assert_int_equal(zombie.stat.state, 'Z');
    assert_int_equal(zombie.stat.start, pin.stat.start);
    buf_free(&zombie.cgroup);

    reap(pid);
    assert_int_equal(procfs_pin(p->fd, pid, &pin), -ESRCH);
    assert_int_equal(procfs_pin(p->fd, 0, &pin), -ESRCH);
    assert_int_equal(procfs_pin(p->fd, -1, &pin), -ESRCH);
}

static void held_directory_of_the_dead(void **state)
{
    struct procfs *p = *state;
    CLEANUP(buf_free) struct buf b = {0}, cgroup = {0};
    pid_t pid = start();
    AUTO_CLOSE int fd = procfs_open_pid(p->fd, pid);

    assert_true(fd >= 0);
    assert_int_equal(procfs_read_pinned(fd, "stat", &b), 0);
    kill_it(pid);
    reap(pid);
    assert_int_equal(procfs_read_pinned(fd, "stat", &b), -ESRCH);
    assert_int_equal(procfs_read_pinned(fd, "cgroup", &b), -ESRCH);
    assert_int_equal(procfs_read_live_thread(fd, &b, &cgroup), -ESRCH);
    assert_int_equal(procfs_open_pid(p->fd, pid), -ESRCH);
    assert_int_equal(procfs_read(p->fd, pid, "stat", &b), -ESRCH);
}

static int live_on(void *arg)
{
    (void)arg;
    pause();
    return 0;
}

/* The leader exits, its thread lives: still itself, and its cgroup is the thread's. */
static void leader_exits(void **state)
{
    struct procfs *p = *state;
    CLEANUP(buf_free) struct buf own = {0};
    struct pin pin = {0};
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        thrd_t t;

        if (thrd_create(&t, live_on, NULL) != thrd_success) {
            _exit(1);
        }
        thrd_exit(0);
    }
    do {
        buf_free(&pin.cgroup);
        assert_int_equal(procfs_pin(p->fd, pid, &pin), 0);
    } while (pin.stat.state != 'Z');
    assert_int_equal(pin.stat.threads, 2);
    assert_true(stat_leader_exited(&pin.stat));
    assert_int_equal(procfs_read(p->fd, getpid(), "cgroup", &own), 0);
    assert_string_equal(pin.cgroup.p, own.p);
    buf_free(&pin.cgroup);
    assert_int_equal(kill(pid, SIGKILL), 0);
    reap(pid);
}

static void namespaces(void **state)
{
    struct procfs *p = *state;
    struct proc_ns ns = {.pid = 1};
    struct stat st;

    procfs_read_ns(p, getpid(), PROC_NS_ALL, &ns);
    assert_int_equal(stat("/proc/self/ns/mnt", &st), 0);
    assert_int_equal(ns.mnt, st.st_ino);
    assert_int_equal(stat("/proc/self/ns/net", &st), 0);
    assert_int_equal(ns.net, st.st_ino);
    assert_int_not_equal(ns.pid, 0);
    procfs_read_ns(p, INT32_MAX, PROC_NS_ALL, &ns);
    assert_int_equal(ns.pid, 0);
    assert_int_equal(ns.mnt, 0);
}

#define STAT(pid, start) #pid " (x) S 5 42 41 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 " #start " 1\n"

static void folder(void **state)
{
    char *dir = scratch_new();
    struct procfs p;
    struct pin pin;

    (void)state;
    scratch_puts(dir, "7/stat", STAT(7, 100));
    assert_int_equal(procfs_open(dir, &p, NULL), 0);
    assert_int_equal(procfs_pin(p.fd, 7, &pin), -ESRCH); /* no cgroup */
    scratch_puts(dir, "7/cgroup", "0::/a\n");
    assert_int_equal(procfs_pin(p.fd, 7, &pin), 0);
    assert_string_equal(pin.cgroup.p, "0::/a\n");
    assert_int_equal(pin.stat.start, 100);
    buf_free(&pin.cgroup);
    scratch_puts(dir, "7/stat", "7 (x) S\n");
    assert_int_equal(procfs_pin(p.fd, 7, &pin), -EBADMSG);
    procfs_close(&p);
    scratch_remove(dir);
}

/* A text may end where a read does. */
static void texts_of_all_lengths(void **state)
{
    static const size_t lengths[] = {0,    1,    4094, 4095,  4096,  4097,  8190,
                                     8191, 8192, 8193, 16383, 16384, 65535, 1024 * 1024};
    CLEANUP(buf_free) struct buf b = {0};
    char *dir = scratch_new(), *text = malloc(1024 * 1024 + 1);
    struct procfs p;

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i <= 1024 * 1024; i++) {
        text[i] = (char)('a' + i % 23);
    }
    assert_int_equal(procfs_open(dir, &p, NULL), 0);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        buf_free(&b);
        scratch_write(dir, "7/cgroup", text, lengths[i]);
        assert_int_equal(procfs_read(p.fd, 7, "cgroup", &b), 0);
        assert_int_equal(b.n, lengths[i]);
        assert_memory_equal(b.p, text, lengths[i]);
        assert_int_equal(b.p[b.n], '\0');
        assert_int_equal(procfs_read_file(p.fd, "7/cgroup", lengths[i], &b), 0);
        assert_int_equal(b.n, lengths[i]);
    }
    assert_int_equal(procfs_read_file(p.fd, "7/cgroup", 1024 * 1024 - 1, &b), -EFBIG);
    scratch_write(dir, "7/cgroup", text, 1024 * 1024 + 1);
    assert_int_equal(procfs_read(p.fd, 7, "cgroup", &b), -EFBIG);
    procfs_close(&p);
    scratch_remove(dir);
    free(text);
}

static void folders_that_cannot_be_opened(void **state)
{
    struct procfs p = {.fd = -2};
    struct err e = {0};

    (void)state;
    assert_int_equal(procfs_open("/nonexistent/proc", &p, &e), -ENOENT);
    assert_int_equal(e.kind, ERR_PROC);
    assert_non_null(strstr(e.text, "/nonexistent/proc"));
    assert_int_equal(procfs_open("/dev/null", &p, &e), -ENOTDIR);
    assert_int_equal(p.fd, -2);
    procfs_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(living_zombie_reaped),
        cmocka_unit_test(held_directory_of_the_dead),
        cmocka_unit_test(leader_exits),
        cmocka_unit_test(namespaces),
        cmocka_unit_test(folder),
        cmocka_unit_test(texts_of_all_lengths),
        cmocka_unit_test(folders_that_cannot_be_opened),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
