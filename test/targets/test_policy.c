/* Policies: a file of fixtures/policies with a .expected beside it is refused, and the message is
 * the path, ":" and the line of .expected. How several policies add up. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cri/base/clock.h"
#include "resolver/targets/targets.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

#define POLICIES TEST_DIR "/fixtures/policies"
#define HEAD "apiVersion: podpid/v1\nkind: PreflightPolicy\n"

static struct podpid_targets *new_targets(void)
{
    struct podpid_targets *t;

    assert_int_equal(podpid_targets_new(&t, NULL), 0);
    return t;
}

static void refused_as_its_expected_file_says(const char *name)
{
    struct podpid_targets *t = new_targets();
    struct podpid_error error = PODPID_ERROR_INIT;
    struct buf expected = {0};
    char path[512], message[1024];

    snprintf(path, sizeof(path), "%s.expected", name);
    assert_true(scratch_read(POLICIES, path, &expected));
    expected.p[strcspn(expected.p, "\n")] = '\0';
    snprintf(path, sizeof(path), POLICIES "/%s.yaml", name);
    snprintf(message, sizeof(message), "%s:%s", path, expected.p);
    assert_int_equal(podpid_targets_add_file(t, path, NULL, &error), PODPID_ERR_INPUT);
    error.message[strnlen(message, sizeof(message))] = '\0';
    assert_string_equal(error.message, message);
    assert_int_equal(podpid_exit_status(error.code), 2);
    buf_free(&expected);
    podpid_targets_free(t);
}

static void mistakes_are_one_line_with_the_place(void **state)
{
    DIR *dir = opendir(POLICIES);
    struct dirent *e;
    size_t n = 0;

    (void)state;
    assert_non_null(dir);
    while ((e = readdir(dir))) {
        char *dot = strstr(e->d_name, ".expected");

        if (dot) {
            *dot = '\0';
            refused_as_its_expected_file_says(e->d_name);
            n++;
        }
    }
    closedir(dir);
    assert_true(n >= 35);
}

static void a_good_policy_is_read_in_full(void **state)
{
    struct podpid_targets *t = new_targets();
    struct podpid_error error = PODPID_ERROR_INIT;
    const struct podpid_policy *p = podpid_targets_policy(t);

    (void)state;
    assert_int_equal(podpid_targets_add_file(t, POLICIES "/good.yaml", NULL, &error), 0);
    assert_string_equal(p->runtime_endpoint, "unix:///run/containerd/containerd.sock");
    assert_int_equal(p->wait, 60 * NSEC_PER_SEC);
    assert_string_equal(p->vm_handlers, "kata-fc,firecracker");
    assert_string_equal(p->handoff_path, "/run/cdm-replicator/pids.json");
    assert_string_equal(p->handoff_group, "cdm");
    assert_int_equal(p->handoff_mode, 0640);
    assert_int_equal(podpid_targets_count(t), 2);
    assert_string_equal(t->targets[0].selector.labels, "app=web,tier=1");
    assert_string_equal(t->targets[0].selector.namespace_, "prod");
    assert_int_equal(t->targets[0].min_pods, 2);
    assert_int_equal(t->targets[0].n_containers, 2);
    assert_int_equal(t->targets[1].min_pods, 1);
    assert_int_equal(t->levels[CHECK_RUNTIME_READY], LEVEL_FAIL);
    assert_int_equal(t->levels[CHECK_PIDS_STRAYS], LEVEL_IGNORE);
    assert_int_equal(t->levels[CHECK_HOST_PROC], LEVEL_DEFAULT);
    podpid_targets_free(t);
}

/* Read two policies, one after the other. expected: a part of the message that refuses the second;
 * NULL: they add up. */
static void read_two(const char *first, const char *second, const char *expected)
{
    char *dir = scratch_new(), path[512];
    struct podpid_targets *t = new_targets();
    struct podpid_error error = PODPID_ERROR_INIT;

    scratch_puts(dir, "1.yaml", first);
    scratch_puts(dir, "2.yaml", second);
    snprintf(path, sizeof(path), "%s/1.yaml", dir);
    assert_int_equal(podpid_targets_add_file(t, path, NULL, &error), 0);
    snprintf(path, sizeof(path), "%s/2.yaml", dir);
    if (!expected) {
        assert_int_equal(podpid_targets_add_file(t, path, NULL, &error), 0);
    } else {
        assert_int_equal(podpid_targets_add_file(t, path, NULL, &error), PODPID_ERR_INPUT);
        assert_non_null(strstr(error.message, expected));
    }
    podpid_targets_free(t);
    scratch_remove(dir);
}

static void several_add_up_unless_scalars_conflict(void **state)
{
    (void)state;
    read_two(HEAD "wait: 60s\n", HEAD "wait: 1m\n", NULL);
    read_two(HEAD "wait: 60s\n", HEAD "wait: 61s\n", "2.yaml:3:7: expected the same wait as in ");
    read_two(HEAD "targets: [{pod: a}]\n", HEAD "targets: [{pod: b}]\n", NULL);
    read_two(HEAD "runtimeEndpoint: /a\n", HEAD "runtimeEndpoint: /b\n",
             "2.yaml:3:18: expected the same runtimeEndpoint as in ");
    read_two(HEAD "handoff: {path: /a}\n", HEAD "handoff: {path: /b}\n",
             "2.yaml:3:17: expected the same handoff path as in ");
    read_two(HEAD "handoff: {path: /a, mode: 640}\n", HEAD "handoff: {path: /a, mode: 600}\n",
             "2.yaml:3:27: expected the same handoff mode as in ");
    read_two(HEAD "handoff: {path: /a, group: a}\n", HEAD "handoff: {path: /a, group: b}\n",
             "2.yaml:3:28: expected the same handoff group as in ");
    read_two(HEAD "checks: {pids.strays: warn}\n", HEAD "checks: {pids.strays: fail}\n",
             "2.yaml:3:23: expected the same pids.strays as in ");
    read_two(HEAD "checks: {pids.strays: warn}\n", HEAD "checks: {host.proc: fail}\n", NULL);
    read_two(HEAD "vmHandlers: [a]\n", HEAD "vmHandlers: [b]\n", NULL);
}

static void files_that_cannot_be_read(void **state)
{
    char *dir = scratch_new(), path[512];
    struct podpid_targets *t = new_targets();
    struct podpid_error error = PODPID_ERROR_INIT;
    struct buf big = {0};

    (void)state;
    snprintf(path, sizeof(path), "%s/none.yaml", dir);
    assert_int_equal(podpid_targets_add_file(t, path, NULL, &error), PODPID_ERR_INPUT);
    assert_non_null(strstr(error.message, "none.yaml: cannot be read: No such file"));
    assert_int_equal(podpid_targets_add_file(t, dir, NULL, &error), PODPID_ERR_INPUT);
    assert_non_null(strstr(error.message, ": cannot be read: Is a directory"));
    if (geteuid() != 0) {
        scratch_puts(dir, "none.yaml", HEAD);
        assert_int_equal(chmod(path, 0), 0);
        assert_int_equal(podpid_targets_add_file(t, path, NULL, &error), PODPID_ERR_INPUT);
        assert_non_null(strstr(error.message, "none.yaml: cannot be read: Permission denied"));
    }

    buf_puts(&big, HEAD "targets:\n");
    while (big.n < 10 * 1024 * 1024) {
        buf_puts(&big, "  - {namespace: prod, pod: web}\n");
    }
    scratch_write(dir, "big.yaml", big.p, big.n);
    snprintf(path, sizeof(path), "%s/big.yaml", dir);
    assert_int_equal(podpid_targets_add_file(t, path, NULL, &error), PODPID_ERR_INPUT);
    assert_non_null(strstr(error.message, "big.yaml:1:1: expected a policy of at most 1 MiB"));
    assert_int_equal(podpid_targets_count(t), 0);
    buf_free(&big);
    podpid_targets_free(t);
    scratch_remove(dir);
}

static void selectors_are_targets_too(void **state)
{
    struct podpid_targets *t = new_targets();
    struct podpid_selector s = PODPID_SELECTOR_INIT;
    struct podpid_error error = PODPID_ERROR_INIT;

    (void)state;
    assert_int_equal(podpid_targets_add_selector(t, &s, &error), PODPID_ERR_USAGE);
    s.pod = "web-[";
    assert_int_equal(podpid_targets_add_selector(t, &s, &error), PODPID_ERR_USAGE);
    s.pod = "web-*";
    s.labels = "!x";
    assert_int_equal(podpid_targets_add_selector(t, &s, &error), PODPID_ERR_USAGE);
    s.labels = "app=web";
    s.container = "app";
    assert_int_equal(podpid_targets_add_selector(t, &s, &error), 0);
    assert_int_equal(podpid_targets_count(t), 1);
    assert_string_equal(t->targets[0].what, "*/web-* with app=web");
    assert_string_equal(t->targets[0].containers[0], "app");
    podpid_targets_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_one_line_with_the_place),
        cmocka_unit_test(a_good_policy_is_read_in_full),
        cmocka_unit_test(several_add_up_unless_scalars_conflict),
        cmocka_unit_test(files_that_cannot_be_read),
        cmocka_unit_test(selectors_are_targets_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
