/* The handoff file: whole or not at all, never through a link; the memory file; pidfds. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "resolver/handoff/handoff.h"
#include "resolver/proc/procfs.h"
#include "test/support/scratch.h"
#include "test/support/snap.h"
#include "test/support/unit.h"

struct place {
    char *dir;
    char path[512];
};

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof(*p));

    assert_non_null(p);
    p->dir = scratch_new();
    snprintf(p->path, sizeof(p->path), "%s/pids.json", p->dir);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;

    scratch_remove(p->dir);
    free(p);
    return 0;
}

static void assert_content(const struct place *p, const char *name, const char *expected)
{
    struct buf b = {0};

    assert_true(scratch_read(p->dir, name, &b));
    assert_int_equal(b.n, strlen(expected));
    assert_string_equal(b.p ? b.p : "", expected);
    buf_free(&b);
}

static size_t files_in(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *e;
    size_t n = 0;

    assert_non_null(dir);
    while ((e = readdir(dir))) {
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 ? 1 : 0;
    }
    closedir(dir);
    return n;
}

static int put(const char *path, const char *text, struct err *err)
{
    return handoff_write(path, 0640, NULL, text, strlen(text), err);
}

static void mode_and_group_are_set(void **state)
{
    struct place *p = *state;
    struct err err;
    struct stat st;
    char group[32];
    mode_t before = umask(0077);

    snprintf(group, sizeof(group), "%u", geteuid() == 0 ? 12345U : (unsigned)getegid());
    assert_int_equal(handoff_write(p->path, 0664, group, "x\n", 2, &err), 0);
    umask(before);
    assert_int_equal(stat(p->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0664);
    assert_int_equal(st.st_gid, strtoul(group, NULL, 10));
    assert_content(p, "pids.json", "x\n");
    assert_int_equal(files_in(p->dir), 1);
    assert_int_equal(handoff_write(p->path, 0640, "no-such-group-here", "y", 1, &err), -ENOENT);
    assert_int_equal(err.kind, ERR_WRITE);
    assert_content(p, "pids.json", "x\n");
}

static void a_file_is_replaced_by_another(void **state)
{
    struct place *p = *state;
    struct stat before, after;
    struct err err;

    assert_int_equal(put(p->path, "old", &err), 0);
    assert_int_equal(stat(p->path, &before), 0);
    assert_int_equal(put(p->path, "new", &err), 0);
    assert_int_equal(stat(p->path, &after), 0);
    assert_content(p, "pids.json", "new");
    assert_true(before.st_ino != after.st_ino);
    assert_int_equal(files_in(p->dir), 1);
    assert_int_equal(handoff_remove(p->path, &err), 0);
    assert_int_equal(handoff_remove(p->path, &err), 0);
    assert_int_equal(files_in(p->dir), 0);
}

static void links_are_not_followed(void **state)
{
    struct place *p = *state;
    char link[600], target[600], path[700];
    struct err err;

    scratch_puts(p->dir, "real/secret", "precious");
    snprintf(target, sizeof(target), "%s/real", p->dir);
    snprintf(link, sizeof(link), "%s/link", p->dir);
    assert_int_equal(symlink(target, link), 0);
    snprintf(path, sizeof(path), "%s/secret", link);
    assert_int_equal(put(path, "x", &err), -ELOOP);
    assert_non_null(strstr(err.text, "symbolic link"));
    assert_int_equal(handoff_remove(path, &err), -ELOOP);
    assert_content(p, "real/secret", "precious");

    /* further up */
    scratch_puts(p->dir, "real/below/secret", "precious");
    snprintf(path, sizeof(path), "%s/below/secret", link);
    assert_int_equal(put(path, "x", &err), -ELOOP);
    assert_content(p, "real/below/secret", "precious");

    /* the file itself */
    snprintf(target, sizeof(target), "%s/real/secret", p->dir);
    assert_int_equal(symlink(target, p->path), 0);
    assert_int_equal(put(p->path, "x", &err), -ELOOP);
    assert_content(p, "real/secret", "precious");
    assert_int_equal(handoff_remove(p->path, &err), -ELOOP);
    assert_int_equal(err.kind, ERR_WRITE);
    assert_content(p, "pids.json", "precious");
    assert_int_equal(unlink(p->path), 0);

    /* a link that leads nowhere */
    assert_int_equal(symlink("/nowhere", p->path), 0);
    assert_int_equal(put(p->path, "x", &err), -ELOOP);
}

static void without_openat2_neither(void **state)
{
    struct place *p = *state;
    char path[700];
    int fd;

    scratch_puts(p->dir, "a/b/file", "x");
    snprintf(path, sizeof(path), "%s/link", p->dir);
    assert_int_equal(symlink("a", path), 0);
    assert_int_equal(handoff_walk(path), -ELOOP);
    snprintf(path, sizeof(path), "%s/link/b", p->dir);
    assert_int_equal(handoff_walk(path), -ELOOP);
    snprintf(path, sizeof(path), "%s/a/b/file", p->dir);
    assert_int_equal(handoff_walk(path), -ENOTDIR);
    snprintf(path, sizeof(path), "%s/a/none", p->dir);
    assert_int_equal(handoff_walk(path), -ENOENT);
    snprintf(path, sizeof(path), "%s//a/./b/", p->dir);
    fd = handoff_walk(path);
    assert_true(fd >= 0);
    assert_int_equal(fsync(fd), 0);
    close(fd);
}

static void the_old_file_stays_when_writing_fails(void **state)
{
    struct place *p = *state;
    struct rlimit before, none;
    char big[8192];
    struct err err;
    int rc;

    assert_int_equal(put(p->path, "old", &err), 0);
    memset(big, 'x', sizeof(big));
    /* A full disk, without one: no file may grow beyond 4 KiB. */
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = before;
    none.rlim_cur = 4096;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    rc = handoff_write(p->path, 0640, NULL, big, sizeof(big), &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(rc, -EFBIG);
    assert_int_equal(err.kind, ERR_WRITE);
    assert_content(p, "pids.json", "old");
    assert_int_equal(files_in(p->dir), 1);
}

static void places_where_no_file_can_be(void **state)
{
    struct place *p = *state;
    char path[600];
    struct err err;

    scratch_puts(p->dir, "pids.json/x", "a folder");
    assert_int_equal(put(p->path, "x", &err), -EISDIR);
    assert_content(p, "pids.json/x", "a folder");
    snprintf(path, sizeof(path), "%s/fifo", p->dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(put(path, "x", &err), -EINVAL);
    /* It could be /dev/null, and this root. */
    assert_int_equal(handoff_remove(path, &err), -EINVAL);
    assert_int_equal(access(path, F_OK), 0);
    snprintf(path, sizeof(path), "%s/none/pids.json", p->dir);
    assert_int_equal(put(path, "x", &err), -ENOENT);
    assert_int_equal(put("/", "x", &err), -EINVAL);
    snprintf(path, sizeof(path), "%s/..", p->dir);
    assert_int_equal(put(path, "x", &err), -EINVAL);
    if (geteuid() != 0) {
        scratch_puts(p->dir, "closed/pids.json", "old");
        snprintf(path, sizeof(path), "%s/closed", p->dir);
        assert_int_equal(chmod(path, 0500), 0);
        snprintf(path, sizeof(path), "%s/closed/pids.json", p->dir);
        assert_int_equal(put(path, "x", &err), -EACCES);
        assert_content(p, "closed/pids.json", "old");
        snprintf(path, sizeof(path), "%s/closed", p->dir);
        assert_int_equal(chmod(path, 0700), 0);
    }
}

static void the_memory_file_is_sealed(void **state)
{
    struct podpid_snapshot *s = snap_zoo();
    struct podpid_error error = PODPID_ERROR_INIT;
    json_t *document;
    int fd;

    (void)state;
    assert_int_equal(podpid_handoff_memfd(s, &fd, &error), 0);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    assert_int_equal(fcntl(fd, F_GET_SEALS),
                     F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    assert_int_equal(write(fd, "x", 1), -1);
    document = json_loadfd(fd, 0, NULL);
    assert_non_null(document);
    assert_string_equal(json_string_value(json_object_get(document, "schema")), "podpid/v1");
    json_decref(document);
    close(fd);
    podpid_snapshot_free(s);
}

/* A process that sleeps until it is killed, and its start time. */
static pid_t sleeper(uint64_t *ret_start)
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

static void pidfds_are_of_who_was_verified(void **state)
{
    struct podpid_snapshot *s = snap_new();
    struct podpid_pod *pod = snap_pod(s, "prod", "web", "u");
    struct podpid_error error = PODPID_ERROR_INIT;
    struct podpid_pidfd *fds;
    struct podpid_container *c;
    uint64_t start;
    pid_t pid = sleeper(&start);
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

    /* another process by start time, then a dead one: no descriptor stays open */
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

static void no_pidfds_of_another_proc(void **state)
{
    struct place *p = *state;
    struct podpid_snapshot *s = snap_new();
    struct podpid_error error = PODPID_ERROR_INIT;
    struct podpid_pidfd *fds;
    size_t n;

    assert_int_equal(podpid_handoff_pidfds(s, p->dir, &fds, &n, &error), PODPID_ERR_USAGE);
    assert_int_equal(error.system_errno, EINVAL);
    podpid_snapshot_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(mode_and_group_are_set, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_is_replaced_by_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_are_not_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_openat2_neither, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_old_file_stays_when_writing_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(places_where_no_file_can_be, set_up, tear_down),
        cmocka_unit_test(the_memory_file_is_sealed),
        cmocka_unit_test(pidfds_are_of_who_was_verified),
        cmocka_unit_test_setup_teardown(no_pidfds_of_another_proc, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
