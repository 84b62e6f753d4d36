/* What is read of the node, from texts and from folders; the oddities of real namespaces are in
 * test_node_namespaces. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "resolver/node/node.h"
#include "resolver/proc/cgroupfs.h"
#include "resolver/proc/mountinfo.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

static uint64_t id_of(const struct cgroupfs *c, const char *path)
{
    uint64_t id = 1;

    assert_int_equal(cgroupfs_id(c, path, &id), 0);
    return id;
}

static void mount_lines(void **state)
{
    static const struct {
        const char *line;
        uint64_t id; /* 0: refused */
        const char *root, *point, *type, *options;
    } cases[] = {
        {"22 27 0:21 / /proc rw,relatime - proc proc rw,hidepid=invisible", 22, "/", "/proc",
         "proc", "rw,hidepid=invisible"},
        {"36 35 98:0 /a\\040b /c\\011d rw shared:1 master:2 - ext3 /dev/root rw,errors=continue",
         36, "/a\\040b", "/c\\011d", "ext3", "rw,errors=continue"},
        {"1 2 0:1 / / rw - cgroup2  rw", 1, "/", "/", "cgroup2", "rw"},
        {"", 0, NULL, NULL, NULL, NULL},
        {"x 27 0:21 / /proc rw - proc proc rw", 0, NULL, NULL, NULL, NULL},
        {"22 27 0:21 / /proc rw", 0, NULL, NULL, NULL, NULL},
        {"22 27 0:21 / /proc rw - proc", 0, NULL, NULL, NULL, NULL},
        {"22 27 0:21 / /proc rw - proc proc", 0, NULL, NULL, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mount_line m = {0};

        print_message("%s\n", cases[i].line);
        assert_int_equal(mountinfo_parse(str_of(cases[i].line), &m), cases[i].id != 0);
        assert_int_equal(m.id, cases[i].id);
        if (cases[i].id) {
            assert_true(str_is(m.root, cases[i].root));
            assert_true(str_is(m.point, cases[i].point));
            assert_true(str_is(m.type, cases[i].type));
            assert_true(str_is(m.options, cases[i].options));
        }
    }
}

static void mount_options(void **state)
{
    struct str v;

    (void)state;
    assert_true(mountinfo_option(STR("rw,gid=7,hidepid=2"), "hidepid", &v) && str_is(v, "2"));
    assert_true(mountinfo_option(STR("rw,gid=7,hidepid=2"), "gid", &v) && str_is(v, "7"));
    assert_true(mountinfo_option(STR("gid="), "gid", &v) && v.n == 0);
    assert_false(mountinfo_option(STR("rw,hidepid"), "hidepid", &v));
    assert_false(mountinfo_option(STR("xhidepid=2"), "hidepid", &v));
    assert_false(mountinfo_option(STR(""), "hidepid", &v));
}

static void mount_escapes(void **state)
{
    struct arena a = {0};

    (void)state;
    assert_string_equal(mountinfo_unescape(&a, STR("/a\\040b\\134\\012")), "/a b\\\n");
    assert_string_equal(mountinfo_unescape(&a, STR("/a\\04")), "/a\\04");
    assert_string_equal(mountinfo_unescape(&a, STR("\\999\\")), "\\999\\");
    assert_string_equal(mountinfo_unescape(&a, STR("")), "");
    arena_free(&a);
}

static void cgroup_modes(void **state)
{
    (void)state;
    assert_string_equal(node_cgroup_mode(STR("0::/init.scope\n")), "v2");
    assert_string_equal(node_cgroup_mode(STR("2:cpu,cpuacct:/\n1:name=systemd:/\n")), "v1");
    assert_string_equal(node_cgroup_mode(STR("1:name=systemd:/init.scope\n0::/\n")), "hybrid");
    assert_null(node_cgroup_mode(STR("")));
    assert_null(node_cgroup_mode(STR("garbage\n")));
}

static void each_oddity_is_one_sentence(void **state)
{
    static const struct {
        struct node_facts n;
        const char *says; /* NULL: nothing */
    } cases[] = {
        {{.exempt_from_hidepid = true}, NULL},
        {{.not_procfs = true}, "no procfs"},
        {{.other_pidns = true, .nested_pidns = true}, "another PID namespace"},
        {{.nested_pidns = true}, "PID namespace of its own"},
        {{.own_cgroupns = true}, "cgroup namespace"},
        {{.own_userns = true, .not_root = true, .no_ptrace = true}, "user namespace"},
        {{.own_timens = true}, "time namespace"},
        {{.hidepid = HIDEPID_NOACCESS}, "hidepid=1"},
        {{.hidepid = HIDEPID_INVISIBLE}, "hidepid=2"},
        {{.hidepid = HIDEPID_PTRACEABLE}, "hidepid=4"},
        {{.hidepid = HIDEPID_INVISIBLE, .exempt_from_hidepid = true}, NULL},
        {{.not_root = true}, "as root"},
        {{.no_ptrace = true}, "CAP_SYS_PTRACE"},
    };
    struct procfs p = {.path = "/host/proc"};
    struct arena a = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct node_facts n = cases[i].n;

        print_message("%zu\n", i);
        assert_int_equal(node_warn(&p, &a, &n), 0);
        assert_int_equal(n.n_warnings, cases[i].says ? 1 : 0);
        if (cases[i].says) {
            assert_non_null(strstr(n.warnings[0], cases[i].says));
            assert_null(strchr(n.warnings[0], '\n'));
        }
    }
    arena_free(&a);
}

static void a_folder_says_what_it_has(void **state)
{
    char *folder = scratch_new();
    struct node_facts n;
    struct arena a = {0};
    struct procfs p;

    (void)state;
    assert_int_equal(procfs_open(folder, &p, NULL), 0);
    assert_int_equal(node_read(&p, &a, &n, NULL), 0);
    assert_true(n.not_procfs);
    assert_null(n.node.hostname);
    assert_null(n.node.cgroup_mode);
    assert_int_equal(n.node.pid_namespace, 0);
    assert_int_equal(n.n_warnings, 1);

    scratch_puts(folder, "sys/kernel/hostname", "node-1\n");
    scratch_puts(folder, "sys/kernel/osrelease", "6.1.0\nmore\n");
    scratch_puts(folder, "sys/kernel/random/boot_id", "");
    scratch_puts(folder, "1/cgroup", "0::/init.scope\n");
    assert_int_equal(node_read(&p, &a, &n, NULL), 0);
    assert_string_equal(n.node.hostname, "node-1");
    assert_string_equal(n.node.kernel, "6.1.0");
    assert_null(n.node.boot_id);
    assert_string_equal(n.node.cgroup_mode, "v2");
    assert_false(n.nested_pidns || n.own_cgroupns || n.not_root || n.no_ptrace);
    procfs_close(&p);
    arena_free(&a);
    scratch_remove(folder);
}

static void the_real_one(void **state)
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

/* The id of our own v2 cgroup is the inode of its directory, where there is one and it is new
 * enough. */
static void ids_of_cgroups(void **state)
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

static void no_ids_without_a_procfs(void **state)
{
    char *folder = scratch_new();
    struct cgroupfs *ids = NULL;
    struct procfs p;
    pid_t *pids = NULL;
    size_t n = 0;

    (void)state;
    assert_int_equal(procfs_open(folder, &p, NULL), 0);
    assert_int_equal(cgroupfs_open(&p, &ids, NULL), 0);
    assert_null(ids);
    assert_int_equal(cgroupfs_procs(ids, "/", &pids, &n), -ENOENT);
    procfs_close(&p);
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mount_lines),
        cmocka_unit_test(mount_options),
        cmocka_unit_test(mount_escapes),
        cmocka_unit_test(cgroup_modes),
        cmocka_unit_test(each_oddity_is_one_sentence),
        cmocka_unit_test(a_folder_says_what_it_has),
        cmocka_unit_test(the_real_one),
        cmocka_unit_test(ids_of_cgroups),
        cmocka_unit_test(no_ids_without_a_procfs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
