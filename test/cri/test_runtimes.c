/* The table of runtimes: each look-up, and that the rows agree with each other and with the table
 * of cgroup shapes. */
#include <stdio.h>
#include <string.h>

#include "cri/base/text.h"
#include "cri/runtimes.h"
#include "resolver/cgroup/facts.h"
#include "test/support/unit.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void a_row_is_found_by_name_and_api(void **state)
{
    static const struct {
        const char *name, *api, *title;
    } cases[] = {
        {"containerd", "cri/v1", "containerd"},
        {"containerd", "cri/v1alpha2", "containerd"},
        {"containerd", NULL, "containerd"},
        {"cri-o", "cri/v1", "CRI-O"},
        {"docker", "cri/v1", "cri-dockerd"},
        {"docker", NULL, "cri-dockerd"},
        {"docker", "docker", "Docker Engine"},
        {"podman", "docker", "podman"},
        {"podman", NULL, "podman"},
        {"another", "cri/v1", "the runtime"},
        {"another", "docker", "the runtime"},
        {NULL, "cri/v1", "the runtime"},
        {NULL, NULL, "the runtime"},
    };

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        assert_string_equal(runtime_find(cases[i].name, cases[i].api)->title, cases[i].title);
    }
}

static void well_known_sockets_come_in_the_order_of_the_rows(void **state)
{
    static const char *const order[] = {
        "/run/containerd/containerd.sock",
        "/var/run/containerd/containerd.sock",
        "/run/crio/crio.sock",
        "/var/run/crio/crio.sock",
        "/run/cri-dockerd.sock",
        "/var/run/cri-dockerd.sock",
        "/run/k3s/containerd/containerd.sock",
        "/run/k0s/containerd.sock",
        "/run/docker.sock",
        "/var/run/docker.sock",
    };

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(order); i++) {
        assert_string_equal(runtime_socket(i), order[i]);
    }
    assert_null(runtime_socket(N_ELEMENTS(order)));
}

static void events_are_read_only_where_the_kubelet_keeps_its_own(void **state)
{
    static const struct {
        const char *name, *version;
        bool shared;
    } cases[] = {
        {"containerd", "1.6.20~ds1", false},
        {"containerd", "1.7.24", false},
        {"containerd", "2.0.0", true},
        {"containerd", "v2.1.9+unknown", true},
        {"containerd", "10.0", true},
        {"containerd", "", false},
        {"containerd", NULL, false},
        {"containerd", "x", false},
        {"cri-o", "1.26.0", true},
        {"cri-o", NULL, false},
        {"docker", "28.5.1", false},
        {"another", "9.9", false},
        {NULL, NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        const struct runtime *r = runtime_find(cases[i].name, "cri/v1");

        assert_int_equal(runtime_events_are_shared(r, cases[i].version), cases[i].shared);
    }
}

static void texts_of_gone_and_starting_are_known(void **state)
{
    (void)state;
    assert_true(runtime_text_is_gone("Error response from daemon: No such container: ab"));
    assert_true(runtime_text_is_gone("container with ID starting with ab: ID does not exist"));
    assert_false(runtime_text_is_gone("cannot load task"));
    assert_false(runtime_text_is_gone(""));
    assert_true(runtime_text_is_starting("server is not initialized yet"));
    assert_false(runtime_text_is_starting(""));
}

static void an_engine_is_recognised_by_its_component(void **state)
{
    (void)state;
    assert_string_equal(runtime_of_component("Podman Engine")->name, "podman");
    assert_null(runtime_of_component("Engine"));
    assert_null(runtime_of_component(NULL));
}

/* What only one of the two APIs has stands only in rows of that API. */
static void rows_are_complete(void **state)
{
    const struct runtime *r;

    (void)state;
    for (size_t i = 0; (r = runtime_row(i)); i++) {
        assert_non_null(r->title);
        for (size_t k = 0; k < RUNTIME_SOCKETS && r->sockets[k]; k++) {
            assert_int_equal(r->sockets[k][0], '/');
        }
        if (!r->name) { /* a distribution: sockets only */
            assert_non_null(r->sockets[0]);
            assert_null(r->cgroup_prefix);
            continue;
        }
        assert_ptr_equal(runtime_find(r->name, r->docker_api ? "docker" : "cri/v1"), r);
        assert_non_null(r->unit);
        assert_non_null(r->cgroup_driver_setting);
        assert_non_null(r->cgroup_prefix);
        assert_int_equal(r->cgroupfs_prefix != NULL, r->docker_api);
        assert_true(!r->docker_api || (!r->events_since && !r->hides_sandbox_pid));
        assert_true(r->docker_api || (!r->component && !r->default_slice && !r->default_parent));
    }
}

/* The table of shapes calls the manager of "<prefix>-<id>.scope" by that prefix, whose runtime is
 * found by it again. */
static void cgroup_prefixes_are_shapes(void **state)
{
    const struct runtime *r;

    (void)state;
    for (size_t i = 0; (r = runtime_row(i)); i++) {
        struct cgroup_facts facts;
        struct arena a = {0};
        char line[256];

        if (!r->cgroup_prefix) {
            continue;
        }
        snprintf(line, sizeof(line), "0::/system.slice/%s-" ID ".scope\n", r->cgroup_prefix);
        assert_int_equal(cgroup_parse(str_of(line), &a, &facts), 0);
        assert_int_equal(facts.kind, CGROUP_CONTAINER);
        assert_string_equal(facts.container_id, ID);
        assert_string_equal(facts.manager, r->cgroup_prefix);
        assert_string_equal(runtime_of_cgroup_prefix(facts.manager)->name, r->name);
        arena_free(&a);
    }
    assert_null(runtime_of_cgroup_prefix("kata"));
    assert_null(runtime_of_cgroup_prefix(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_found_by_name_and_api),
        cmocka_unit_test(well_known_sockets_come_in_the_order_of_the_rows),
        cmocka_unit_test(events_are_read_only_where_the_kubelet_keeps_its_own),
        cmocka_unit_test(texts_of_gone_and_starting_are_known),
        cmocka_unit_test(an_engine_is_recognised_by_its_component),
        cmocka_unit_test(rows_are_complete),
        cmocka_unit_test(cgroup_prefixes_are_shapes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
