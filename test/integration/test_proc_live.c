/* Real processes: a held identity while they are killed at every step, and a scan that finds them.
 */
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "resolver/proc/ns.h"
#include "resolver/proc/pin.h"
#include "resolver/proc/procfs.h"
#include "resolver/proc/ptable.h"
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

/* Also after another reader has read the directory to its end: the scan has an offset of its own.
 */
static void a_scan_finds_this_process_and_its_child(void **state)
{
    struct procfs *p = *state;
    struct dir_reader dir = {.fd = p->fd};
    struct dir_entry entry;
    struct ptable_scan *scan;
    struct ptable t = {0};
    pid_t child = start();
    struct proc *row;
    int rc;

    assert_true(p->is_procfs);
    assert_true(p->own_pidns);
    assert_false(p->other_pidns);
    while ((rc = dir_next(&dir, &entry)) > 0) {
    }
    assert_int_equal(rc, 0);
    assert_int_equal(ptable_scan_new(p, &t, &scan, NULL), 0);
    while ((rc = ptable_scan_step(scan, 10, NULL)) == 0) {
    }
    assert_int_equal(rc, 1);
    ptable_scan_free(scan);
    assert_non_null(ptable_find(&t, child));
    for (size_t i = 1; i < t.n_procs; i++) {
        assert_true(t.procs[i - 1].pid < t.procs[i].pid);
    }
    row = ptable_find(&t, getpid());
    assert_non_null(row);
    assert_int_equal(ptable_load(&t, p, row, PROC_STAT | PROC_STATUS | PROC_NS), 0);
    assert_int_equal(row->ppid, getppid());
    assert_int_equal(row->session, getsid(0));
    assert_int_equal(row->nspid, getpid());
    assert_int_not_equal(row->ns->pid, 0);
    assert_int_equal(row->ns_depth, 1);
    ptable_free(&t);
    kill_it(child);
    reap(child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(living_zombie_reaped),
        cmocka_unit_test(held_directory_of_the_dead),
        cmocka_unit_test(leader_exits),
        cmocka_unit_test(namespaces),
        cmocka_unit_test(a_scan_finds_this_process_and_its_child),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
