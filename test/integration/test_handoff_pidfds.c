/* Pidfds of processes that are real: one for each verified target, and none of another process that
 * has got the same PID. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "resolver/proc/pin.h"
#include "resolver/proc/procfs.h"
#include "test/support/snap.h"
#include "test/support/unit.h"

/* A process that sleeps until it is killed, and its start time. */
static pid_t start_sleeper(uint64_t *ret_start)
{
    pid_t pid = fork();
    struct procfs proc;
    struct pin pin = {0};

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* an assertion that fails reaps nobody */
        pause();
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(procfs_open("/proc", &proc, NULL), 0);
    assert_int_equal(procfs_pin(proc.fd, pid, &pin), 0);
    *ret_start = pin.stat.start;
    buf_free(&pin.cgroup);
    procfs_close(&proc);
    return pid;
}

static void each_verified_container_gets_a_pidfd(void **state)
{
    struct podpid_snapshot *s = snap_new();
    struct podpid_pod *pod = snap_pod(s, "prod", "web", "u");
    struct podpid_error error = PODPID_ERROR_INIT;
    struct podpid_pidfd *fds;
    struct podpid_container *c;
    uint64_t start;
    pid_t pid = start_sleeper(&start);
    struct rlimit before, after;
    size_t n;
    int fd;

    (void)state;
    c = snap_container(s, pod, "app", snap_id(s, "aa"), pid);
    c->start_time_ticks = start;
    snap_verdict(snap_container(s, pod, "log", snap_id(s, "bb"), 1), PODPID_STATE_RUNNING,
                 PODPID_VERDICT_DEAD, "dead");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(podpid_handoff_pidfds(s, "/proc", &fds, &n, &error), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &after), 0);
    assert_int_equal(before.rlim_cur, after.rlim_cur);
    assert_int_equal(n, 1);
    assert_int_equal(fds[0].pid, pid);
    assert_string_equal(fds[0].container_id, c->id);
    assert_int_equal(fcntl(fds[0].fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    close(fds[0].fd);
    free(fds);

    /* Another process by its start time, then a zombie, then none: no descriptor stays open. */
    fd = dup(0);
    close(fd);
    c->start_time_ticks = start + 1;
    assert_int_equal(podpid_handoff_pidfds(s, "/proc", &fds, &n, &error), PODPID_ERR_ANSWER);
    c->start_time_ticks = start;
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT), 0);
    assert_int_equal(podpid_handoff_pidfds(s, "/proc", &fds, &n, &error), PODPID_ERR_ANSWER);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(podpid_handoff_pidfds(s, "/proc", &fds, &n, &error), PODPID_ERR_ANSWER);
    assert_int_equal(dup(0), fd);
    close(fd);
    podpid_snapshot_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_verified_container_gets_a_pidfd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
