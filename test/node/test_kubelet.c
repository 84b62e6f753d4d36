/* The kubelet's arguments, and whether a process of that name is to be believed. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "resolver/node/endpoint_text.h"
#include "resolver/node/kubelet.h"
#include "test/support/unit.h"

#define BYTES(literal)                                                                             \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static void arguments(void **state)
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
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct kubelet_args args = kubelet_args_parse(table[i].cmdline);

        if (!str_is(args.endpoint, table[i].endpoint) || !str_is(args.config, table[i].config)) {
            fail_msg("case %zu: %.*s, %.*s", i, (int)args.endpoint.n, args.endpoint.p,
                     (int)args.config.n, args.config.p);
        }
    }
}

static void env_file(void **state)
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
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
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
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments),
        cmocka_unit_test(env_file),
        cmocka_unit_test(uid_lines),
        cmocka_unit_test(podpid_stands_in_for_an_unreadable_pid_1),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
