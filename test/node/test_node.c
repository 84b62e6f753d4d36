/* What is read about the node, from texts and from folders of files. What a real /proc shows is in
 * integration/test_node_namespaces.c. */
#include <errno.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "resolver/node/node.h"
#include "resolver/proc/cgroupfs.h"
#include "resolver/proc/mountinfo.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

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
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
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

static void each_fact_is_one_warning(void **state)
{
    static const struct {
        struct node_facts n;
        const char *warning; /* a part of it; NULL: there is none */
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
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        struct node_facts n = cases[i].n;

        print_message("%zu\n", i);
        assert_int_equal(node_warn(&p, &a, &n), 0);
        assert_int_equal(n.n_warnings, cases[i].warning ? 1 : 0);
        if (cases[i].warning) {
            assert_non_null(strstr(n.warnings[0], cases[i].warning));
            assert_null(strchr(n.warnings[0], '\n'));
        }
    }
    arena_free(&a);
}

static void facts_of_a_folder_of_files(void **state)
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
        cmocka_unit_test(each_fact_is_one_warning),
        cmocka_unit_test(facts_of_a_folder_of_files),
        cmocka_unit_test(no_ids_without_a_procfs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
