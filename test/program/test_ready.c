/* What ships ready to use is read by what it is for: the policies in hack/, the DaemonSet. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/format/yaml.h"
#include "resolver/podpid.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

#define HACK TEST_DIR "/../hack"

static size_t targets_in(const char *path)
{
    struct podpid_targets *t;
    struct podpid_error error = PODPID_ERROR_INIT;
    size_t n;

    assert_int_equal(podpid_targets_new(&t, NULL), 0);
    if (podpid_targets_add_file(t, path, "node", &error) != 0) {
        fail_msg("%s", error.message);
    }
    assert_non_null(podpid_targets_policy(t)->handoff_path);
    n = podpid_targets_count(t);
    podpid_targets_free(t);
    return n;
}

static void the_policy_beside_the_units(void **state)
{
    (void)state;
    assert_int_equal(targets_in(HACK "/systemd/cdm-replicator.yaml"), 1);
}

static const struct yaml_value *document_of_kind(const struct yaml_stream *s, const char *kind)
{
    for (size_t i = 0; i < s->n; i++) {
        const char *name = yaml_string(yaml_get(s->roots[i], "kind"));

        if (name && strcmp(name, kind) == 0) {
            return s->roots[i];
        }
    }
    fail_msg("no %s", kind);
    return NULL;
}

static void the_daemonset(void **state)
{
    struct arena a = {0};
    struct buf b = {0};
    struct yaml_stream s;
    struct err err;
    const struct yaml_value *spec, *policy, *podpid;
    char *dir = scratch_new(), path[512];

    (void)state;
    assert_true(scratch_read(HACK "/kubernetes", "daemonset.yaml", &b));
    assert_int_equal(yaml_parse((struct str){b.p, b.n}, "daemonset", 10000, &a, &s, &err), 0);
    spec = yaml_path(document_of_kind(&s, "DaemonSet"), "spec", "template", "spec", NULL);
    assert_string_equal(yaml_get(spec, "hostPID")->text, "true");
    assert_string_equal(yaml_get(spec, "automountServiceAccountToken")->text, "false");
    podpid = yaml_get(spec, "initContainers")->items[0];
    assert_string_equal(yaml_string(yaml_get(podpid, "name")), "podpid");
    assert_string_equal(yaml_get(yaml_get(podpid, "volumeMounts")->items[0], "readOnly")->text,
                        "true");

    policy = yaml_path(document_of_kind(&s, "ConfigMap"), "data", "policy.yaml", NULL);
    scratch_puts(dir, "policy.yaml", yaml_string(policy));
    snprintf(path, sizeof(path), "%s/policy.yaml", dir);
    assert_int_equal(targets_in(path), 1);
    scratch_remove(dir);
    buf_free(&b);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_policy_beside_the_units),
        cmocka_unit_test(the_daemonset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
