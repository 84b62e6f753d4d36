/* The facts of the node in real namespaces, made with unshare(). Each case runs in a child process
 * of its own and touches nothing outside: hidepid is set on the procfs of a new PID namespace,
 * because the mount options of a procfs hold for all mounts of it. Needs root; a case that the
 * kernel refuses is skipped with the reason. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "resolver/node/node.h"
#include "resolver/node/trust.h"
#include "resolver/proc/cgroupfs.h"
#include "resolver/proc/ptable.h"
#include "test/support/unit.h"

enum { NOBODY = 65534, SKIPPED = 77 };

/* In a child process cmocka's asserts do not work: print what failed and exit. */
#define MUST(what)                                                                                 \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "%s:%d: %s (errno: %s)\n", __FILE__, __LINE__, #what,                  \
                    strerror(errno));                                                              \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static int wait_for(pid_t pid)
{
    int status;

    MUST(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* Run body in a child process with new namespaces of these kinds (CLONE_NEW...); in a new PID
 * namespace the child is PID 1. */
static void in_namespaces(int flags, void (*body)(const void *), const void *arg)
{
    pid_t pid = fork();
    int rc;

    assert_true(pid >= 0);
    if (pid == 0) {
        pid_t inner;

        if (unshare(flags) < 0) {
            fprintf(stderr, "skipped: unshare(%#x): %s\n", (unsigned)flags, strerror(errno));
            _exit(SKIPPED);
        }
        inner = fork();
        MUST(inner >= 0);
        if (inner == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            body(arg);
            _exit(0);
        }
        _exit(wait_for(inner));
    }
    rc = wait_for(pid);
    if (rc == SKIPPED) {
        skip();
    }
    assert_int_equal(rc, 0);
}

struct looked {
    struct procfs p;
    struct node_facts n;
    struct arena a;
    struct ptable t;
};

static void look(const char *proc, struct looked *l)
{
    struct ptable_scan *scan;
    int rc;

    *l = (struct looked){0};
    MUST(procfs_open(proc, &l->p, NULL) == 0);
    MUST(node_read(&l->p, &l->a, &l->n, NULL) == 0);
    MUST(ptable_scan_new(&l->p, &l->t, &scan, NULL) == 0);
    while ((rc = ptable_scan_step(scan, 1000, NULL)) == 0) {
    }
    MUST(rc == 1);
    ptable_scan_free(scan);
}

static bool says(const struct looked *l, const char *words)
{
    for (size_t i = 0; i < l->n.n_warnings; i++) {
        if (strstr(l->n.warnings[i], words)) {
            return true;
        }
    }
    return false;
}

static void become_nobody(void)
{
    MUST(setgroups(0, NULL) == 0);
    MUST(setresgid(NOBODY, NOBODY, NOBODY) == 0);
    MUST(setresuid(NOBODY, NOBODY, NOBODY) == 0);
}

static void drop_ptrace(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    MUST(syscall(SYS_capget, &header, data) == 0);
    data[CAP_TO_INDEX(CAP_SYS_PTRACE)].effective &= ~(uint32_t)CAP_TO_MASK(CAP_SYS_PTRACE);
    MUST(syscall(SYS_capset, &header, data) == 0);
}

struct hidden {
    const char *options;
    enum hidepid hidepid;
    bool as_nobody; /* else root */
    bool exempt;
    size_t shown;  /* rows of the table: PID 1 is root's, PID 2 nobody's; one is this process */
    size_t denied; /* how many of them could not be opened */
};

static void in_hidden_proc(const void *arg)
{
    const struct hidden *h = arg;
    struct looked l;
    char at[] = "/tmp/podpid-test-hidepid-XXXXXX";
    pid_t looker;

    MUST(mkdtemp(at) && chmod(at, 0755) == 0);
    MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    MUST(mount("proc", at, "proc", 0, h->options) == 0);
    looker = fork();
    MUST(looker >= 0);
    if (looker == 0) {
        if (h->as_nobody) {
            become_nobody();
        }
        look(at, &l);
        MUST(l.p.own_pidns && !l.p.other_pidns && l.n.nested_pidns);
        MUST(says(&l, "PID namespace of its own"));
        MUST(l.n.exempt_from_hidepid == h->exempt);
        MUST(says(&l, "hidepid=") != h->exempt);
        MUST(l.n.hidepid == h->hidepid);
        MUST(l.t.n_procs == h->shown);
        MUST(l.t.denied == h->denied);
        _exit(0);
    }
    looker = wait_for(looker);
    umount2(at, MNT_DETACH);
    rmdir(at);
    _exit(looker);
}

static void hidepid(void **state)
{
    static const struct hidden cases[] = {
        {"hidepid=1", HIDEPID_NOACCESS, true, false, 2, 1},
        {"hidepid=2", HIDEPID_INVISIBLE, true, false, 1, 0},
        {"hidepid=4", HIDEPID_PTRACEABLE, true, false, 1, 0},
        {"hidepid=2,gid=65534", HIDEPID_INVISIBLE, true, true, 2, 0},
        {"hidepid=4,gid=65534", HIDEPID_PTRACEABLE, true, false, 1, 0},
        /* With CAP_SYS_PTRACE the mount is not read. */
        {"hidepid=2", HIDEPID_OFF, false, true, 2, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s, %s\n", cases[i].options, cases[i].as_nobody ? "nobody" : "root");
        in_namespaces(CLONE_NEWPID | CLONE_NEWNS, in_hidden_proc, &cases[i]);
    }
}

static void see_host_proc(const void *arg)
{
    struct looked l;

    MUST(getpid() == 1);
    look("/proc", &l);
    MUST(l.p.is_procfs && !l.p.own_pidns && l.p.other_pidns);
    MUST(l.n.other_pidns && l.n.nested_pidns);
    MUST(says(&l, "another PID namespace"));
    MUST(!says(&l, "PID namespace of its own"));
    /* The PID namespace in the facts is that of /proc, not podpid's. */
    MUST(l.n.node.pid_namespace == *(const uint64_t *)arg || l.n.node.pid_namespace == 0);
}

static void host_proc_from_a_child_namespace(void **state)
{
    struct stat st;
    uint64_t host;

    (void)state;
    assert_int_equal(stat("/proc/self/ns/pid", &st), 0);
    host = st.st_ino;
    in_namespaces(CLONE_NEWPID, see_host_proc, &host);
}

/* Fork a child with the same PID in this namespace and on the host; 0 is returned in the child. */
static pid_t fork_with_one_number(void)
{
    for (pid_t pid = 20000; pid < 30000; pid++) {
        pid_t numbers[] = {pid, pid}; /* the innermost namespace's first */
        struct clone_args args = {
            .exit_signal = SIGCHLD, .set_tid = (uintptr_t)numbers, .set_tid_size = 2};
        long rc = syscall(SYS_clone3, &args, sizeof(args));

        if (rc >= 0 || errno != EEXIST) {
            return (pid_t)rc;
        }
    }
    return -1;
}

/* A /proc whose "self" is getpid() by chance, but which is of another PID namespace. */
static void see_host_proc_by_chance(const void *arg)
{
    struct looked l;
    char self[16] = "";
    pid_t pid = fork_with_one_number();

    (void)arg;
    if (pid < 0) {
        fprintf(stderr, "skipped: clone3 with set_tid: %s\n", strerror(errno));
        _exit(SKIPPED);
    }
    if (pid == 0) {
        MUST(readlink("/proc/self", self, sizeof(self) - 1) > 0);
        MUST(atoi(self) == getpid());
        look("/proc", &l);
        MUST(!l.p.own_pidns && l.p.other_pidns);
        MUST(says(&l, "another PID namespace"));
        _exit(0);
    }
    _exit(wait_for(pid));
}

static void one_number_in_two_namespaces(void **state)
{
    (void)state;
    in_namespaces(CLONE_NEWPID, see_host_proc_by_chance, NULL);
}

static void in_own_cgroupns(const void *arg)
{
    struct looked l;

    (void)arg;
    look("/proc", &l);
    MUST(l.n.own_cgroupns);
    MUST(says(&l, "cgroup namespace"));
}

static void own_cgroup_namespace(void **state)
{
    (void)state;
    in_namespaces(CLONE_NEWCGROUP, in_own_cgroupns, NULL);
}

static void in_own_userns(const void *arg)
{
    struct looked l;

    (void)arg;
    look("/proc", &l);
    MUST(l.n.own_userns && l.n.not_root && l.n.no_ptrace);
    MUST(says(&l, "user namespace"));
}

static void own_user_namespace(void **state)
{
    (void)state;
    in_namespaces(CLONE_NEWUSER, in_own_userns, NULL);
}

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static void in_own_timens(const void *arg)
{
    struct looked l;

    (void)arg;
    look("/proc", &l);
    MUST(l.n.own_timens);
    MUST(says(&l, "time namespace"));
}

static void own_time_namespace(void **state)
{
    (void)state;
    in_namespaces(CLONE_NEWTIME, in_own_timens, NULL);
}

static void without_ptrace(const void *arg)
{
    struct looked l;

    (void)arg;
    drop_ptrace();
    look("/proc", &l);
    MUST(l.n.no_ptrace && !l.n.not_root);
    MUST(says(&l, "CAP_SYS_PTRACE"));
    MUST(!says(&l, "as root"));
    MUST(l.t.denied == 0);
}

static void no_ptrace_capability(void **state)
{
    (void)state;
    in_namespaces(0, without_ptrace, NULL);
}

static void as_nobody(const void *arg)
{
    struct looked l;

    (void)arg;
    become_nobody();
    look("/proc", &l);
    MUST(l.n.no_ptrace && l.n.not_root);
    MUST(says(&l, "CAP_SYS_PTRACE"));
    MUST(says(&l, "as root"));
    /* The scan sees every process all the same. */
    MUST(l.t.denied == 0);
    MUST(ptable_find(&l.t, getppid()));
}

static void not_root(void **state)
{
    (void)state;
    in_namespaces(0, as_nobody, NULL);
}

/* On a node, as root, nothing is warned of. */
static void as_root_on_the_node(void **state)
{
    struct procfs p;
    struct node_facts n;
    struct arena a = {0};

    (void)state;
    assert_int_equal(procfs_open("/proc", &p, NULL), 0);
    assert_int_equal(node_read(&p, &a, &n, NULL), 0);
    if (n.nested_pidns || n.own_cgroupns || n.own_userns || n.no_ptrace || n.own_timens) {
        print_message("skipped: these tests run in a container themselves\n");
        skip();
    }
    assert_int_equal(n.n_warnings, 0);
    procfs_close(&p);
    arena_free(&a);
}

static void facts_of_the_real_proc(void **state)
{
    struct node_facts n;
    struct arena a = {0};
    struct procfs p;
    struct stat st;
    char host[256];

    (void)state;
    assert_int_equal(procfs_open("/proc", &p, NULL), 0);
    assert_int_equal(node_read(&p, &a, &n, NULL), 0);
    assert_false(n.not_procfs);
    assert_false(n.other_pidns);
    assert_int_equal(gethostname(host, sizeof(host)), 0);
    assert_string_equal(n.node.hostname, host);
    assert_int_equal(strlen(n.node.boot_id), 36);
    assert_non_null(n.node.kernel);
    assert_int_equal(stat("/proc/self/ns/pid", &st), 0);
    assert_int_equal(n.node.pid_namespace, st.st_ino);
    assert_int_equal(n.not_root, geteuid() != 0 || n.own_userns);
    procfs_close(&p);
    arena_free(&a);
}

static uint64_t id_of(const struct cgroupfs *c, const char *path)
{
    uint64_t id = 1;

    assert_int_equal(cgroupfs_id(c, path, &id), 0);
    return id;
}

/* Paths that name no cgroup have no ID, even if they name a directory outside the hierarchy. */
static void cgroups_that_have_no_id(void **state)
{
    struct cgroupfs *ids = NULL;
    struct procfs p;

    (void)state;
    assert_int_equal(id_of(NULL, "/"), 0);
    assert_int_equal(procfs_open("/proc", &p, NULL), 0);
    assert_int_equal(cgroupfs_open(&p, &ids, NULL), 0);
    if (!ids) {
        procfs_close(&p);
        skip();
    }
    assert_int_equal(id_of(ids, "/podpid-test-no-such-cgroup"), 0);
    assert_int_equal(id_of(ids, "/.."), 0);
    assert_int_equal(id_of(ids, "/../../etc"), 0);
    assert_int_equal(id_of(ids, ""), id_of(ids, "/"));
    cgroupfs_close(ids);
    procfs_close(&p);
}

/* A procfs is refused wherever it is mounted, here at its usual place. */
static void no_trusted_path_is_in_a_procfs(void **state)
{
    struct trusted where;
    struct err err = {0};

    (void)state;
    assert_int_equal(trust_walk(AT_FDCWD, "/proc/self/root/run/x", &where, &err), -EPERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hidepid),
        cmocka_unit_test(host_proc_from_a_child_namespace),
        cmocka_unit_test(one_number_in_two_namespaces),
        cmocka_unit_test(own_cgroup_namespace),
        cmocka_unit_test(own_user_namespace),
        cmocka_unit_test(own_time_namespace),
        cmocka_unit_test(no_ptrace_capability),
        cmocka_unit_test(not_root),
        cmocka_unit_test(as_root_on_the_node),
        cmocka_unit_test(facts_of_the_real_proc),
        cmocka_unit_test(cgroups_that_have_no_id),
        cmocka_unit_test(no_trusted_path_is_in_a_procfs),
    };

    if (geteuid() != 0) {
        printf("skipped: real namespaces need root\n");
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
