/* The DaemonSet in hack/kubernetes: it is YAML, its policy is one that podpid takes, and what
 * README promises of it is there. Nothing in Debian reads such a manifest as a cluster does. */
#include <stdio.h>
#include <string.h>

#include "resolver/format/yaml.h"
#include "resolver/podpid.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

#define FOLDER TEST_DIR "/../hack/kubernetes"

struct manifest {
    struct arena arena;
    struct buf text;
    const struct yaml_value *config, *set, *pod;
};

static int set_up(void **state)
{
    static struct manifest m;
    struct yaml_stream stream;
    struct err err = {0};

    m = (struct manifest){0};
    assert_true(scratch_read(FOLDER, "daemonset.yaml", &m.text));
    assert_int_equal(yaml_parse((struct str){m.text.p, m.text.n}, "daemonset.yaml", YAML_MAX_VALUES,
                                &m.arena, &stream, &err),
                     0);
    assert_int_equal(stream.n, 2);
    m.config = stream.roots[0];
    m.set = stream.roots[1];
    m.pod = yaml_path(m.set, "spec", "template", "spec", NULL);
    *state = &m;
    return 0;
}

static int tear_down(void **state)
{
    struct manifest *m = *state;

    arena_free(&m->arena);
    buf_free(&m->text);
    return 0;
}

static const char *text_of(const struct yaml_value *v)
{
    assert_non_null(v);
    assert_int_equal(v->kind, YAML_TEXT);
    return v->text;
}

/* The member of a list of maps that has this name. */
static const struct yaml_value *named(const struct yaml_value *list, const char *name)
{
    assert_non_null(list);
    for (uint32_t i = 0; i < list->n; i++) {
        if (strcmp(text_of(yaml_get(list->items[i], "name")), name) == 0) {
            return list->items[i];
        }
    }
    fail_msg("no %s", name);
    return NULL;
}

static void it_is_what_it_says(void **state)
{
    const struct manifest *m = *state;

    assert_string_equal(text_of(yaml_get(m->config, "kind")), "ConfigMap");
    assert_string_equal(text_of(yaml_get(m->set, "kind")), "DaemonSet");
    assert_string_equal(text_of(yaml_get(m->pod, "hostPID")), "true");
    assert_string_equal(text_of(yaml_get(m->pod, "automountServiceAccountToken")), "false");
}

/* The socket's folder: a mount of the socket itself would keep a dead one. */
static void the_socket_is_mounted_by_its_folder(void **state)
{
    const struct manifest *m = *state;
    const struct yaml_value *volume = named(yaml_get(m->pod, "volumes"), "runtime");
    const struct yaml_value *podpid = named(yaml_get(m->pod, "initContainers"), "podpid");
    const struct yaml_value *mount = named(yaml_get(podpid, "volumeMounts"), "runtime");

    assert_string_equal(text_of(yaml_path(volume, "hostPath", "type", NULL)), "Directory");
    assert_string_equal(text_of(yaml_get(mount, "readOnly")), "true");
    assert_string_equal(text_of(yaml_path(volume, "hostPath", "path", NULL)),
                        text_of(yaml_get(mount, "mountPath")));
}

static void its_policy_is_taken(void **state)
{
    const struct manifest *m = *state;
    const char *policy = text_of(yaml_path(m->config, "data", "policy.yaml", NULL));
    struct podpid_error error = PODPID_ERROR_INIT;
    struct podpid_targets *targets;
    char *dir = scratch_new(), path[512];

    scratch_puts(dir, "policy.yaml", policy);
    snprintf(path, sizeof(path), "%s/policy.yaml", dir);
    assert_int_equal(podpid_targets_new(&targets, NULL), 0);
    if (podpid_targets_add_file(targets, path, NULL, &error) < 0) {
        fail_msg("%s", error.message);
    }
    podpid_targets_free(targets);
    scratch_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_what_it_says),
        cmocka_unit_test(the_socket_is_mounted_by_its_folder),
        cmocka_unit_test(its_policy_is_taken),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
