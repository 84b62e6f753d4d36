/* Ids and processes of real cgroups, made below the root of a hierarchy and removed. Needs root. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "cri/base/clock.h"
#include "resolver/node/node.h"
#include "resolver/proc/cgroupfs.h"
#include "test/support/unit.h"

static uint64_t id_of(const struct cgroupfs *c, const char *path)
{
    uint64_t id = 1;

    assert_int_equal(cgroupfs_id(c, path, &id), 0);
    return id;
}

enum { SKIPPED = 77 };

static const char *const v2_mounts[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};
static const char *const v1_mounts[] = {"/sys/fs/cgroup/pids", "/sys/fs/cgroup/systemd"};

struct made {
    char dir[128];  /* where it is mounted */
    char name[64];  /* "/podpid-test-..." */
    char inner[96]; /* "/podpid-test-.../a b" */
};

static bool make(const char *const mounts[2], const char *probe, struct made *m)
{
    for (size_t i = 0; i < 2; i++) {
        char path[256];

        snprintf(path, sizeof(path), "%s/%s", mounts[i], probe);
        if (access(path, F_OK) < 0) {
            continue;
        }
        /* Our PID is 1, as that of every test in a PID namespace of its own. */
        snprintf(m->name, sizeof(m->name), "/podpid-test-%lld", (long long)clock_now());
        snprintf(m->inner, sizeof(m->inner), "%s/a b", m->name);
        snprintf(m->dir, sizeof(m->dir), "%s", mounts[i]);
        snprintf(path, sizeof(path), "%s%s", m->dir, m->name);
        if (mkdir(path, 0755) < 0) {
            continue;
        }
        snprintf(path, sizeof(path), "%s%s", m->dir, m->inner);
        assert_int_equal(mkdir(path, 0755), 0);
        return true;
    }
    return false;
}

static void unmake(const struct made *m)
{
    char path[256];

    snprintf(path, sizeof(path), "%s%s", m->dir, m->inner);
    rmdir(path);
    snprintf(path, sizeof(path), "%s%s", m->dir, m->name);
    rmdir(path);
}

static pid_t start_in(const struct made *m, const char *cgroup)
{
    char path[256];
    int there[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe(there), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int fd;

        snprintf(path, sizeof(path), "%s%s/cgroup.procs", m->dir, cgroup);
        fd = open(path, O_WRONLY);
        if (fd < 0 || write(fd, "0\n", 2) != 2 || write(there[1], "x", 1) != 1) {
            _exit(1);
        }
        for (;;) {
            pause();
        }
    }
    close(there[1]);
    assert_int_equal(read(there[0], &byte, 1), 1);
    close(there[0]);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static bool has(const pid_t *pids, size_t n, pid_t pid)
{
    for (size_t i = 0; i < n; i++) {
        if (pids[i] == pid) {
            return true;
        }
    }
    return false;
}

static void processes_of(struct cgroupfs *ids, const struct made *m)
{
    pid_t outer = start_in(m, m->name), inner = start_in(m, m->inner);
    AUTO_FREE pid_t *pids = NULL;
    size_t n = 0;

    assert_int_equal(cgroupfs_procs(ids, m->inner, &pids, &n), 0);
    assert_int_equal(n, 1);
    assert_int_equal(pids[0], inner);
    assert_int_equal(cgroupfs_procs(ids, m->name, &pids, &n), 0);
    assert_int_equal(n, 3);
    assert_true(has(pids, n, outer));
    end(outer);
    end(inner);
    n = 0;
    assert_int_equal(cgroupfs_procs(ids, m->name, &pids, &n), 0);
    assert_int_equal(n, 0);
}

static void v2(void **state)
{
    struct cgroupfs *ids = *state;
    struct made m;
    char path[256];
    struct stat st;

    if (!make(v2_mounts, "cgroup.controllers", &m)) {
        print_message("skipped: no v2 hierarchy that can be written to\n");
        skip();
    }
    snprintf(path, sizeof(path), "%s%s", m.dir, m.inner);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(id_of(ids, m.inner), st.st_ino);
    assert_int_not_equal(id_of(ids, "/"), 0);
    assert_int_not_equal(id_of(ids, "/"), st.st_ino);
    snprintf(path, sizeof(path), "%s/../..%s", m.name, m.name);
    assert_int_equal(id_of(ids, path), 0);
    snprintf(path, sizeof(path), "%sx", m.name);
    assert_int_equal(id_of(ids, path), 0);
    processes_of(ids, &m);
    unmake(&m);
    assert_int_equal(id_of(ids, m.inner), 0);
}

/* A path that only a v1 hierarchy has: it has processes, but no id. */
static void v1(void **state)
{
    struct cgroupfs *ids = *state;
    struct made m;

    if (!make(v1_mounts, "tasks", &m)) {
        print_message("skipped: no v1 hierarchy that can be written to\n");
        skip();
    }
    assert_int_equal(id_of(ids, m.inner), 0);
    processes_of(ids, &m);
    unmake(&m);
}

static void no_such_cgroup(void **state)
{
    AUTO_FREE pid_t *pids = NULL;
    size_t n = 0;

    assert_int_equal(cgroupfs_procs(*state, "/podpid-test-no-such", &pids, &n), -ENOENT);
    assert_int_equal(cgroupfs_procs(*state, "/../../proc", &pids, &n), -ENOENT);
    assert_null(pids);
}

static int run(struct cgroupfs *ids)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(v2, ids),
        cmocka_unit_test_prestate(v1, ids),
        cmocka_unit_test_prestate(no_such_cgroup, ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    struct cgroupfs *ids = NULL;
    struct procfs p;
    int rc;

    if (geteuid() != 0) {
        printf("skipped: making cgroups needs root\n");
        return SKIPPED;
    }
    if (procfs_open("/proc", &p, NULL) < 0 || cgroupfs_open(&p, &ids, NULL) < 0 || !ids) {
        printf("skipped: no cgroup hierarchy is mounted\n");
        return SKIPPED;
    }
    rc = run(ids);
    cgroupfs_close(ids);
    procfs_close(&p);
    return rc;
}
