/* Pod manifests as kubectl prints them, and those that are refused: fixtures/manifests has the
 * message for each beside it in .expected. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/targets/targets.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

#define MANIFESTS TEST_DIR "/fixtures/manifests"
#define ID(letter, digit)                                                                          \
    letter "00000000000000000000000000000000000000000000000000000000000000" digit

static struct podpid_targets *read_manifest(const char *name, const char *node)
{
    struct podpid_targets *t;
    struct podpid_error error = PODPID_ERROR_INIT;
    char path[512];

    snprintf(path, sizeof(path), MANIFESTS "/%s", name);
    assert_int_equal(podpid_targets_new(&t, NULL), 0);
    if (podpid_targets_add_file(t, path, node, &error) != 0) {
        fail_msg("%s", error.message);
    }
    return t;
}

static void assert_containers(const struct manifest_pod *pod, const char *const *ids, size_t n)
{
    assert_int_equal(pod->n_containers, n);
    for (size_t i = 0; i < n; i++) {
        if (ids[i]) {
            assert_string_equal(pod->containers[i].id, ids[i]);
        } else {
            assert_null(pod->containers[i].id);
        }
    }
}

static void one_pod_with_statuses_of_all_kinds(void **state)
{
    static const char *const ids[] = {ID("a", "1"), ID("a", "2"), ID("a", "5"), ID("a", "3")};
    struct podpid_targets *t = read_manifest("pod.yaml", "node-a");

    (void)state;
    assert_int_equal(t->n_pods, 1);
    assert_string_equal(t->pods[0].namespace_, "prod");
    assert_string_equal(t->pods[0].name, "web-0");
    assert_string_equal(t->pods[0].uid, "6f2f9a52-4bb7-4f0a-9f3e-0c2d1b7a8e11");
    assert_containers(&t->pods[0], ids, 4);
    assert_string_equal(t->pods[0].containers[2].name, "proxy");
    podpid_targets_free(t);
}

static void a_list_leaves_out_other_nodes_and_finished_pods(void **state)
{
    static const char *const here[] = {ID("b", "1")}, *const pending[] = {NULL},
                             *const mirror[] = {ID("b", "9")};
    struct podpid_targets *t = read_manifest("list.json", "node-a");

    (void)state;
    assert_int_equal(t->n_pods, 3);
    assert_int_equal(t->n_other_node, 1);
    assert_int_equal(t->n_finished, 1);
    assert_containers(&t->pods[0], here, 1);
    assert_string_equal(t->pods[1].namespace_, "default");
    assert_containers(&t->pods[1], pending, 1);
    assert_string_equal(t->pods[2].config_hash, "0123456789abcdef0123456789abcdef");
    assert_containers(&t->pods[2], mirror, 1);
    podpid_targets_free(t);
}

static void several_documents_in_one_file(void **state)
{
    struct podpid_targets *t = read_manifest("documents.yaml", "node-a");

    (void)state;
    assert_int_equal(t->n_pods, 2);
    assert_int_equal(t->n_other_node, 1);
    assert_string_equal(t->pods[1].name, "web-2");
    assert_string_equal(t->pods[1].containers[0].id, ID("c", "1"));
    podpid_targets_free(t);
}

static void the_node_comes_from_the_environment(void **state)
{
    struct podpid_targets *t;

    (void)state;
    assert_int_equal(setenv("NODE_NAME", "node-b", 1), 0);
    t = read_manifest("list.json", NULL);
    assert_int_equal(unsetenv("NODE_NAME"), 0);
    assert_int_equal(t->n_other_node, 3);
    assert_int_equal(t->n_pods, 2);
    podpid_targets_free(t);
}

static void a_manifest_of_kubectls_size(void **state)
{
    char *dir = scratch_new(), path[512];
    struct podpid_targets *t;
    struct buf b = {0};
    struct podpid_error error = PODPID_ERROR_INIT;

    (void)state;
    buf_puts(&b, "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [\n");
    for (int i = 0; i < 3000; i++) {
        buf_printf(&b,
                   "%s{\"kind\": \"Pod\", \"metadata\": {\"name\": \"p%d\", \"annotations\": "
                   "{\"x\": \"%0600d\"}}, \"status\": {\"containerStatuses\": [{\"name\": \"a\", "
                   "\"containerID\": \"containerd://%064x\"}]}}\n",
                   i ? "," : "", i, 0, i);
    }
    buf_puts(&b, "]}\n");
    assert_true(b.n > 2 * 1024 * 1024);
    scratch_write(dir, "m.json", b.p, b.n);
    snprintf(path, sizeof(path), "%s/m.json", dir);
    assert_int_equal(podpid_targets_new(&t, NULL), 0);
    assert_int_equal(podpid_targets_add_file(t, path, "n", &error), 0);
    assert_int_equal(t->n_pods, 3000);
    podpid_targets_free(t);
    buf_free(&b);
    scratch_remove(dir);
}

static void refused_as_its_expected_file_says(const char *name)
{
    struct podpid_targets *t;
    struct podpid_error error = PODPID_ERROR_INIT;
    struct buf expected = {0};
    char path[512], message[1024];

    snprintf(path, sizeof(path), "%s.expected", name);
    assert_true(scratch_read(MANIFESTS, path, &expected));
    expected.p[strcspn(expected.p, "\n")] = '\0';
    snprintf(path, sizeof(path), MANIFESTS "/%s.yaml", name);
    snprintf(message, sizeof(message), "%s:%s", path, expected.p);
    assert_int_equal(podpid_targets_new(&t, NULL), 0);
    assert_int_equal(podpid_targets_add_file(t, path, "node-a", &error), PODPID_ERR_INPUT);
    assert_string_equal(error.message, message);
    buf_free(&expected);
    podpid_targets_free(t);
}

static void mistakes_are_one_line_with_the_place(void **state)
{
    DIR *dir = opendir(MANIFESTS);
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
    assert_true(n >= 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_pod_with_statuses_of_all_kinds),
        cmocka_unit_test(a_list_leaves_out_other_nodes_and_finished_pods),
        cmocka_unit_test(several_documents_in_one_file),
        cmocka_unit_test(the_node_comes_from_the_environment),
        cmocka_unit_test(a_manifest_of_kubectls_size),
        cmocka_unit_test(mistakes_are_one_line_with_the_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
