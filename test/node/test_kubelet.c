/* The kubelet: its arguments, which process of that name counts, and what becomes of it when its
 * PID is given to another process, or when descriptors run out. */
#include <errno.h>
#include <string.h>

#include "resolver/node/endpoint_text.h"
#include "resolver/node/kubelet.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

#define BYTES(literal)                                                                             \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static void arguments_of_a_cmdline(void **state)
{
    static const struct {
        struct str cmdline;
        const char *endpoint, *config;
    } table[] = {
        {BYTES("kubelet\0--container-runtime-endpoint=a\0--config\0b\0"), "a", "b"},
        {BYTES("kubelet\0--container-runtime-endpoint\0a\0--config=b"), "a", "b"},
        {BYTES("kubelet\0--container-runtime-endpoint=a\0--container-runtime-endpoint=c\0"), "c",
         ""},
        {BYTES("kubelet\0--container-runtime-endpointx=a\0--configs=b\0"), "", ""},
        {BYTES("kubelet\0--\0--container-runtime-endpoint=a\0"), "", ""},
        {BYTES("kubelet\0--container-runtime-endpoint"), "", ""},
        {BYTES("kubelet\0--container-runtime-endpoint\0\0--config=b\0"), "", "b"},
        {BYTES("kubelet\0\0\0--config=b c\0"), "", "b c"},
        {BYTES(""), "", ""},
        {BYTES("\0\0\0"), "", ""},
    };

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(table); i++) {
        struct kubelet_args args = kubelet_args_parse(table[i].cmdline);

        if (!str_is(args.endpoint, table[i].endpoint) || !str_is(args.config, table[i].config)) {
            fail_msg("case %zu: %.*s, %.*s", i, (int)args.endpoint.n, args.endpoint.p,
                     (int)args.config.n, args.config.p);
        }
    }
}

static void arguments_in_kubeadm_flags(void **state)
{
    static const struct {
        const char *text, *endpoint;
    } table[] = {
        {"KUBELET_KUBEADM_ARGS=\"--container-runtime-endpoint=/a --b=c\"\n", "/a"},
        {"KUBELET_KUBEADM_ARGS=\"--b=c --container-runtime-endpoint /a\"", "/a"},
        {"KUBELET_KUBEADM_ARGS='--container-runtime-endpoint=/a'\r\n", "/a"},
        {"KUBELET_KUBEADM_ARGS=--container-runtime-endpoint=/a", "/a"},
        {"# KUBELET_KUBEADM_ARGS=--container-runtime-endpoint=/a", ""},
        {"OTHER=--container-runtime-endpoint=/a\n", ""},
        {"X=1\nKUBELET_KUBEADM_ARGS=\"\"\n", ""},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(table); i++) {
        struct kubelet_args args = kubelet_env_parse(str_of(table[i].text));

        if (!str_is(args.endpoint, table[i].endpoint)) {
            fail_msg("case %zu: %.*s", i, (int)args.endpoint.n, args.endpoint.p);
        }
    }
}

static void uid_lines(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        uint32_t uid[4];
    } table[] = {
        {"Name:\tx\nUid:\t0\t0\t0\t0\n", true, {0, 0, 0, 0}},
        {"Uid:\t1\t2\t3\t4294967295\n", true, {1, 2, 3, UINT32_MAX}},
        {"Uid:\t0\t0\t0\n", false, {0}},
        {"Uid:\t0\t0\t0\t0\t0\n", false, {0}},
        {"Uid:\t0\t0\t0\t4294967296\n", false, {0}},
        {"Uid:\t0 0 0 0\n", false, {0}},
        {"Uid:\n", false, {0}},
        {"Name:\tUid:\t0\t0\t0\t0\n", false, {0}},
        {"", false, {0}},
    };

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(table); i++) {
        uint32_t uid[4] = {7, 7, 7, 7};

        assert_int_equal(kubelet_uid_parse(str_of(table[i].text), uid), table[i].ok);
        if (table[i].ok) {
            assert_memory_equal(uid, table[i].uid, sizeof(uid));
        }
    }
}

static void podpid_stands_in_for_an_unreadable_pid_1(void **state)
{
    const struct proc_ns host_ns = {.pid = 4026531836U, .mnt = 42},
                         other_ns = {.pid = 4026531836U, .mnt = 43}, none = {0};
    struct kubelet_facts k = {.uid_known = true, .ns = host_ns};
    struct kubelet_host host = {.init = none, .self = host_ns};

    (void)state;
    assert_null(kubelet_refuse(&k, &host));
    host.self = other_ns;
    assert_non_null(kubelet_refuse(&k, &host));
    host.self = none;
    assert_non_null(kubelet_refuse(&k, &host));
    host.init = host_ns;
    host.self = other_ns;
    assert_null(kubelet_refuse(&k, &host));
    k.uid[1] = 1;
    assert_non_null(kubelet_refuse(&k, &host));
    k.uid[1] = 0;
    k.uid_known = false;
    assert_non_null(kubelet_refuse(&k, &host));
}

/* ---- Reading one in a folder of files -------------------------------------------------------- */

#define HOST_NS "{\"pid\": 4026531836, \"mnt\": 42}"

static const char stat_1000[] =
    "500 (kubelet) S 1 500 500 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 1000 1000000 200 "
    "18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 1 0 0 0 0 0\n";
static const char stat_2000[] =
    "500 (kubelet) S 1 500 500 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 2000 1000000 200 "
    "18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 1 0 0 0 0 0\n";

static const char *folder;    /* stands in for /proc */
static const char *disturbed; /* the file of process 500 whose reading is disturbed; NULL: none */
static int disturbed_rc; /* reading it gives this error; 0: the PID is given to another process */

/* In place of procfs_read(), by the linker's --wrap. */
int __real_procfs_read(int proc_fd, pid_t pid, const char *name, struct buf *b);
int __wrap_procfs_read(int proc_fd, pid_t pid, const char *name, struct buf *b);
int __wrap_procfs_read(int proc_fd, pid_t pid, const char *name, struct buf *b)
{
    if (disturbed && pid == 500 && strcmp(name, disturbed) == 0) {
        if (disturbed_rc) {
            return disturbed_rc;
        }
        scratch_puts(folder, "500/stat", stat_2000);
    }
    return __real_procfs_read(proc_fd, pid, name, b);
}

static void make_kubelet(void)
{
    scratch_puts(folder, "1/cgroup", "0::/init.scope\n");
    scratch_puts(folder, "1/ns.json", HOST_NS);
    scratch_puts(folder, "500/comm", "kubelet\n");
    scratch_write(folder, "500/cmdline", "kubelet\0--config=/c\0", 21);
    scratch_puts(folder, "500/stat", stat_1000);
    scratch_puts(folder, "500/status", "Name:\tkubelet\nUid:\t0\t0\t0\t0\n");
    scratch_puts(folder, "500/cgroup", "0::/system.slice/kubelet.service\n");
    scratch_puts(folder, "500/ns.json", HOST_NS);
}

static int find_kubelets(struct arena *a, struct kubelets *ret, struct err *err)
{
    struct procfs p;
    int rc = procfs_open(folder, &p, err);

    assert_int_equal(rc, 0);
    *ret = (struct kubelets){0};
    rc = kubelet_find(&p, a, ret, err);
    procfs_close(&p);
    return rc;
}

static int new_folder(void **state)
{
    *state = scratch_new();
    folder = *state;
    disturbed = NULL;
    disturbed_rc = 0;
    make_kubelet();
    return 0;
}

static int remove_folder(void **state)
{
    scratch_remove(*state);
    return 0;
}

static void a_kubelet_is_found(void **state)
{
    struct arena a = {0};
    struct kubelets all;

    (void)state;
    assert_int_equal(find_kubelets(&a, &all, NULL), 0);
    assert_int_equal(all.n, 1);
    assert_int_equal(all.k[0].pid, 500);
    assert_string_equal(all.k[0].config, "/c");
    assert_int_equal(all.n_refused, 0);
    arena_free(&a);
}

/* Whichever file is read when the PID is given to another process, what was read is of two
 * processes and counts for nothing. */
static void a_pid_that_is_reused_meanwhile_is_no_kubelet(void **state)
{
    static const char *const names[] = {"cmdline", "status", "cgroup"};

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(names); i++) {
        struct arena a = {0};
        struct kubelets all;

        make_kubelet();
        disturbed = names[i];
        assert_int_equal(find_kubelets(&a, &all, NULL), 0);
        assert_int_equal(all.n, 0);
        assert_int_equal(all.n_refused, 0);
        arena_free(&a);
    }
}

/* A file that cannot be read for want of descriptors says nothing about the process: it is no
 * "there is no kubelet". One that is gone, or may not be read, is. */
static void a_shortage_is_an_error(void **state)
{
    static const char *const names[] = {"comm", "stat", "cmdline", "status", "cgroup"};
    static const int shortages[] = {-EMFILE, -ENFILE, -ENOMEM}, others[] = {-ESRCH, -EACCES};

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(names); i++) {
        struct arena a = {0};
        struct kubelets all;

        disturbed = names[i];
        for (size_t k = 0; k < N_ELEMENTS(shortages); k++) {
            struct err err = {0};

            disturbed_rc = shortages[k];
            assert_int_equal(find_kubelets(&a, &all, &err), disturbed_rc);
            assert_int_equal(err.kind, disturbed_rc == -ENOMEM ? ERR_NOMEM : ERR_PROC);
        }
        for (size_t k = 0; k < N_ELEMENTS(others); k++) {
            disturbed_rc = others[k];
            assert_int_equal(find_kubelets(&a, &all, NULL), 0);
            assert_int_equal(all.n, 0);
        }
        arena_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_of_a_cmdline),
        cmocka_unit_test(arguments_in_kubeadm_flags),
        cmocka_unit_test(uid_lines),
        cmocka_unit_test(podpid_stands_in_for_an_unreadable_pid_1),
        cmocka_unit_test_setup_teardown(a_kubelet_is_found, new_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_pid_that_is_reused_meanwhile_is_no_kubelet, new_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_shortage_is_an_error, new_folder, remove_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
