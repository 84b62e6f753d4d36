/* Each reader of /proc and of cgroup file systems, with its n-th system call failing for want of
 * descriptors or memory, for every n until none is left to fail. Each time the reader must give
 * that very errno: no process, cgroup or namespace may seem to be missing. Linked with --wrap. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "resolver/proc/cgroupfs.h"
#include "resolver/proc/ns.h"
#include "resolver/proc/pidfd.h"
#include "resolver/proc/pin.h"
#include "resolver/proc/ptable.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

int __real_open(const char *name, int flags, ...);
int __wrap_open(const char *name, int flags, ...);
int __real_openat(int dir, const char *name, int flags, ...);
int __wrap_openat(int dir, const char *name, int flags, ...);
int __real_fstatfs(int fd, struct statfs *ret);
int __wrap_fstatfs(int fd, struct statfs *ret);
ssize_t __real_readlinkat(int dir, const char *name, char *ret, size_t n);
ssize_t __wrap_readlinkat(int dir, const char *name, char *ret, size_t n);
int __real_name_to_handle_at(int dir, const char *name, struct file_handle *ret, int *mount,
                             int flags);
int __wrap_name_to_handle_at(int dir, const char *name, struct file_handle *ret, int *mount,
                             int flags);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

static bool armed;          /* calls are counted: a reader runs */
static unsigned left;       /* the call that fails, counted down; 0: none fails any more */
static int reason;          /* the errno of that failure */
static const char *refused; /* the function that failed */

static bool fails(const char *function)
{
    if (!armed || left == 0 || --left > 0) {
        return false;
    }
    refused = function;
    errno = reason;
    return true;
}

/* No reader creates a file: the mode is for the test's own calls. */
static mode_t mode_of(int flags, va_list ap)
{
    return flags & O_CREAT ? va_arg(ap, mode_t) : 0;
}

int __wrap_open(const char *name, int flags, ...)
{
    va_list ap;
    mode_t mode;

    va_start(ap, flags);
    mode = mode_of(flags, ap);
    va_end(ap);
    return fails("open") ? -1 : __real_open(name, flags, mode);
}

int __wrap_openat(int dir, const char *name, int flags, ...)
{
    va_list ap;
    mode_t mode;

    va_start(ap, flags);
    mode = mode_of(flags, ap);
    va_end(ap);
    return fails("openat") ? -1 : __real_openat(dir, name, flags, mode);
}

ssize_t __wrap_readlinkat(int dir, const char *name, char *ret, size_t n)
{
    return fails("readlinkat") ? -1 : __real_readlinkat(dir, name, ret, n);
}

int __wrap_name_to_handle_at(int dir, const char *name, struct file_handle *ret, int *mount,
                             int flags)
{
    return fails("name_to_handle_at") ? -1 : __real_name_to_handle_at(dir, name, ret, mount, flags);
}

/* Folders of files pass for cgroup file systems; a procfs stays what it is. */
int __wrap_fstatfs(int fd, struct statfs *ret)
{
    int rc = __real_fstatfs(fd, ret);

    if (rc == 0 && ret->f_type != PROC_SUPER_MAGIC) {
        ret->f_type = CGROUP2_SUPER_MAGIC;
    }
    return rc;
}

/* getdents64() and pidfd_open(): the latter has two arguments, the former three. */
long __wrap_syscall(long number, ...)
{
    long args[3];
    va_list ap;

    va_start(ap, number);
    args[0] = va_arg(ap, long);
    args[1] = va_arg(ap, long);
    args[2] = number == SYS_getdents64 ? va_arg(ap, long) : 0;
    va_end(ap);
    return fails(number == SYS_getdents64 ? "getdents64" : "pidfd_open")
               ? -1
               : __real_syscall(number, args[0], args[1], args[2]);
}

/* ---- What is read ---------------------------------------------------------------------------- */

#define STAT(pid, state, threads)                                                                  \
#pid " (x) " #state " 1 42 41 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 " #threads " 0 100 1\n"
#define STATUS(pid)                                                                                \
    "Name:\tx\nState:\tS (sleeping)\nTgid:\t" #pid "\nPid:\t" #pid "\nPPid:\t1\nNSpid:\t" #pid     \
    "\nThreads:\t1\n"

/* Process 7, and process 8, whose leader has exited while its thread 9 lives. */
static struct {
    char *dir;
    struct procfs files;     /* the folder as it is */
    struct procfs as_procfs; /* the same folder, taken for a procfs */
    struct procfs own;       /* /proc, of which only this process's own files are read */
    struct cgroupfs *cgroups;
} node;

static int setup(void **state)
{
    char path[256], text[512];

    (void)state;
    node.dir = scratch_new();
    scratch_puts(node.dir, "proc/stat", "btime 1700000000\n");
    scratch_puts(node.dir, "proc/7/stat", STAT(7, S, 1));
    scratch_puts(node.dir, "proc/7/status", STATUS(7));
    scratch_puts(node.dir, "proc/7/cgroup", "0::/a\n");
    scratch_puts(node.dir, "proc/7/ns.json", "{\"pid\": 1, \"mnt\": 2}");
    scratch_puts(node.dir, "proc/8/stat", STAT(8, Z, 2));
    scratch_puts(node.dir, "proc/8/status", STATUS(8));
    scratch_puts(node.dir, "proc/8/cgroup", "1:name=systemd:/\n");
    scratch_puts(node.dir, "proc/8/task/9/stat", STAT(9, S, 2));
    scratch_puts(node.dir, "proc/8/task/9/cgroup", "1:name=systemd:/a\n");
    snprintf(text, sizeof(text), "1 0 0:1 / %s/cgroup rw - cgroup2 none rw\n", node.dir);
    scratch_puts(node.dir, "proc/self/mountinfo", text);
    scratch_puts(node.dir, "cgroup/a/cgroup.procs", "7\n");
    scratch_puts(node.dir, "cgroup/a/b/cgroup.procs", "8\n");
    snprintf(path, sizeof(path), "%s/proc", node.dir);
    if (procfs_open(path, &node.files, NULL) < 0 || procfs_open("/proc", &node.own, NULL) < 0) {
        return -1;
    }
    node.as_procfs = node.files;
    node.as_procfs.is_procfs = node.as_procfs.own_pidns = true;
    return cgroupfs_open(&node.as_procfs, &node.cgroups, NULL);
}

static int teardown(void **state)
{
    (void)state;
    cgroupfs_close(node.cgroups);
    procfs_close(&node.files);
    procfs_close(&node.own);
    scratch_remove(node.dir);
    return 0;
}

/* ---- The readers ----------------------------------------------------------------------------- */

static int close_fd(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
    return fd;
}

static int open_procfs(void)
{
    struct procfs p = {.fd = -1};
    int rc = procfs_open("/proc", &p, NULL);

    procfs_close(&p);
    return rc;
}

static int open_process(void)
{
    return close_fd(procfs_open_pid(node.files.fd, 7));
}

static int read_process(void)
{
    CLEANUP(buf_free) struct buf b = {0};

    return procfs_read(node.files.fd, 7, "cgroup", &b);
}

static int read_pinned(void)
{
    CLEANUP(buf_free) struct buf b = {0};
    AUTO_CLOSE int fd = procfs_open_pid(node.files.fd, 7);

    return fd < 0 ? fd : procfs_read_pinned(fd, "stat", &b);
}

static int read_pinned_again(void)
{
    AUTO_CLOSE int fd = procfs_open_pid(node.files.fd, 7);

    return fd < 0 ? fd : close_fd(procfs_open_pinned(fd, "stat"));
}

static int read_live_thread(void)
{
    CLEANUP(buf_free) struct buf stat = {0}, cgroup = {0};
    AUTO_CLOSE int fd = procfs_open_pid(node.files.fd, 8);

    return fd < 0 ? fd : procfs_read_live_thread(fd, &stat, &cgroup);
}

static int read_boot_time(void)
{
    uint64_t btime;

    return procfs_read_btime(&node.files, &btime);
}

static int open_self(void)
{
    return close_fd(procfs_open_self(&node.as_procfs));
}

static int open_self_elsewhere(void)
{
    return close_fd(procfs_open_self(&node.files));
}

static int read_mounts(void)
{
    CLEANUP(buf_free) struct buf b = {0};

    return procfs_read_mountinfo(&node.as_procfs, &b);
}

static int read_namespace_links(void)
{
    struct proc_ns ns;

    return procfs_read_ns(&node.own, getpid(), PROC_NS_ALL, &ns);
}

static int read_namespace_file(void)
{
    struct proc_ns ns;

    return procfs_read_ns(&node.files, 7, PROC_NS_ALL, &ns);
}

static int pin(pid_t pid)
{
    struct pin pin = {0};
    int rc = procfs_pin(node.files.fd, pid, &pin);

    buf_free(&pin.cgroup);
    return rc;
}

static int pin_process(void)
{
    return pin(7);
}

static int pin_live_thread(void)
{
    return pin(8);
}

static int open_pidfd(void)
{
    static uint64_t start; /* of this process */
    struct pin own = {0};

    if (start == 0) {
        armed = false;
        assert_int_equal(procfs_pin(node.own.fd, getpid(), &own), 0);
        start = own.stat.start;
        buf_free(&own.cgroup);
        armed = true;
    }
    return close_fd(pidfd_open_process(&node.own, getpid(), start, NULL));
}

static int scan(struct ptable *t)
{
    struct ptable_scan *s = NULL;
    int rc = ptable_scan_new(&node.files, t, &s, NULL);

    while (rc == 0) {
        rc = ptable_scan_step(s, 1, NULL);
    }
    ptable_scan_free(s);
    return rc;
}

static int scan_processes(void)
{
    struct ptable t = {0};
    int rc = scan(&t);

    if (rc >= 0) {
        assert_int_equal(t.n_procs, 2);
    }
    ptable_free(&t);
    return rc;
}

/* A whole table to start with. */
static void scan_unharmed(struct ptable *t)
{
    armed = false;
    assert_int_equal(scan(t), 1);
    armed = true;
}

static int load_row(void)
{
    struct ptable t = {0};
    int rc;

    scan_unharmed(&t);
    rc = ptable_load(&t, &node.files, ptable_find(&t, 7), PROC_STAT | PROC_STATUS | PROC_NS);
    ptable_free(&t);
    return rc;
}

static int refresh_row(void)
{
    struct ptable t = {0};
    struct proc *row = NULL;
    int rc;

    scan_unharmed(&t);
    rc = ptable_refresh(&t, &node.files, 8, &row);
    if (rc >= 0) {
        assert_non_null(row);
    }
    ptable_free(&t);
    return rc;
}

static int open_cgroups(void)
{
    struct cgroupfs *c = NULL;
    int rc = cgroupfs_open(&node.as_procfs, &c, NULL);

    cgroupfs_close(c);
    return rc;
}

static int read_cgroup_id(void)
{
    uint64_t id;

    return cgroupfs_id(node.cgroups, "/a", &id);
}

static int read_cgroup_processes(void)
{
    AUTO_FREE pid_t *pids = NULL;
    size_t n = 0;
    int rc = cgroupfs_procs(node.cgroups, "/a", &pids, &n);

    if (rc >= 0) {
        assert_int_equal(n, 2);
    }
    return rc;
}

static int open_cgroup_folder(void)
{
    return close_fd(cgroupfs_open_dir(node.cgroups, "/a/b"));
}

/* ---- The test -------------------------------------------------------------------------------- */

struct reader {
    const char *name;
    int (*read)(void);
    unsigned calls; /* at least so many of its calls can fail */
};

/* Run the reader with the n-th call failing. Whether there was such a call. */
static bool run(const struct reader *r, unsigned n, int errnum)
{
    int rc;

    left = n;
    reason = errnum;
    armed = true;
    rc = r->read();
    armed = false;
    if (left == 0 && rc != -errnum) {
        fail_msg("%s: call %u, of %s, failed with %s: the result is %d", r->name, n, refused,
                 strerror(errnum), rc);
    }
    if (left > 0 && rc < 0 && rc != -ENOSYS) {
        fail_msg("%s: fails by itself: %s", r->name, strerror(-rc));
    }
    return left == 0;
}

static void no_shortage_is_dropped(void **state)
{
    static const int errnums[] = {EMFILE, ENFILE, ENOMEM};
    static const struct reader readers[] = {
        {"procfs_open", open_procfs, 3},
        {"procfs_open_pid", open_process, 1},
        {"procfs_read", read_process, 1},
        {"procfs_read_pinned", read_pinned, 2},
        {"procfs_open_pinned", read_pinned_again, 2},
        {"procfs_read_live_thread", read_live_thread, 5},
        {"procfs_read_btime", read_boot_time, 1},
        {"procfs_open_self", open_self, 1},
        {"procfs_open_self, not in p", open_self_elsewhere, 1},
        {"procfs_read_mountinfo", read_mounts, 2},
        {"procfs_read_ns, links", read_namespace_links, 6},
        {"procfs_read_ns, file", read_namespace_file, 2},
        {"procfs_pin", pin_process, 3},
        {"procfs_pin, leader exited", pin_live_thread, 7},
        {"pidfd_open_process", open_pidfd, 1},
        {"ptable_scan", scan_processes, 8},
        {"ptable_load", load_row, 4},
        {"ptable_refresh", refresh_row, 5},
        {"cgroupfs_open", open_cgroups, 3},
        {"cgroupfs_id", read_cgroup_id, 1},
        {"cgroupfs_procs", read_cgroup_processes, 6},
        {"cgroupfs_open_dir", open_cgroup_folder, 1},
    };

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(readers); i++) {
        for (size_t k = 0; k < N_ELEMENTS(errnums); k++) {
            unsigned n = 1;

            while (run(&readers[i], n, errnums[k])) {
                n++;
            }
            if (n - 1 < readers[i].calls) {
                fail_msg("%s: only %u calls were made to fail", readers[i].name, n - 1);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_shortage_is_dropped),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
