/* The Docker Engine's replies: as recorded from dockerd 20.10 and 28.5 and podman 4.3, and broken.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cri/docker/json.h"
#include "cri/docker/pods.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

#define FIXTURES TEST_DIR "/fixtures/runtimes"

static void load(const char *name, struct buf *ret)
{
    if (!scratch_read(FIXTURES, name, ret)) {
        fail_msg("no fixture %s", name);
    }
}

static void versions_are_read(void **state)
{
    static const struct {
        const char *file, *name, *version;
    } table[] = {
        {"docker20/version.json", "docker", "20.10.24+dfsg1"},
        {"docker28/version.json", "docker", "28.5.2+dfsg4"},
        {"podman43/version.json", "podman", "4.3.1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct view_runtime r = {0};
        struct arena a = {0};
        struct err err = {0};
        struct buf b = {0};

        load(table[i].file, &b);
        assert_int_equal(docker_parse_version((struct str){b.p, b.n}, &a, &r, &err), 0);
        assert_string_equal(r.name, table[i].name);
        assert_string_equal(r.version, table[i].version);
        assert_string_equal(r.api, "docker");
        arena_free(&a);
        buf_free(&b);
    }
}

static void inspections_are_read(void **state)
{
    static const struct {
        const char *file;
        enum view_state state;
        int32_t pid, exit_code;
        const char *name, *sandbox; /* sandbox: its first characters; NULL: none */
        bool started, finished;
        const char *cgroup_parent; /* NULL: none */
    } table[] = {
        {"docker20/inspect-a1.json", VIEW_RUNNING, 21155, 0, "facts-a1", "d6cbe81ab5d1", true,
         false, "/kubepods/besteffort/podb68087e0-3670-4435-86ea-77f9e6f4796d"},
        {"docker20/inspect-a3exited.json", VIEW_EXITED, 0, 3, "facts-a3", "d6cbe81ab5d1", true,
         true, "/kubepods/besteffort/podb68087e0-3670-4435-86ea-77f9e6f4796d"},
        {"docker20/inspect-sandbox.json", VIEW_RUNNING, 21099, 0,
         "k8s_POD_facts-a_facts_b68087e0-3670-4435-86ea-77f9e6f4796d_0", NULL, true, false,
         "/kubepods/besteffort/podb68087e0-3670-4435-86ea-77f9e6f4796d"},
        {"docker28/inspect-a1.json", VIEW_RUNNING, 22125, 0, "facts-a1", "9e33bccc4e45", true,
         false, "/kubepods/besteffort/pod4b0d8545-aea0-4393-a928-b6fc3c4c2939"},
        {"docker28/inspect-a4-paused.json", VIEW_RUNNING, 22323, 0, "facts-a4", "9e33bccc4e45",
         true, false, "/kubepods/besteffort/pod4b0d8545-aea0-4393-a928-b6fc3c4c2939"},
        {"docker28/inspect-a5created.json", VIEW_CREATED, 0, 0, "facts-a5", "9e33bccc4e45", false,
         false, "/kubepods/besteffort/pod4b0d8545-aea0-4393-a928-b6fc3c4c2939"},
        {"podman43/inspect-solo.json", VIEW_RUNNING, 29412, 0, "solo", NULL, true, false, NULL},
        {"podman43/inspect-exited.json", VIEW_EXITED, 0, 3, "exited", NULL, true, true, NULL},
        {"podman43/inspect-p1-c1.json", VIEW_RUNNING, 29280, 0, "p1-c1", NULL, true, false,
         "/libpod_parent/774e1d2ce989621458b113e71b5adb269094263a25dd6826af42eb3dbb1ce471"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct view_container c = {0};
        struct arena a = {0};
        struct err err = {0};
        struct buf b = {0};

        print_message("  %s\n", table[i].file);
        load(table[i].file, &b);
        if (docker_parse_inspect((struct str){b.p, b.n}, &a, &c, &err) < 0) {
            fail_msg("%s", err.text);
        }
        assert_int_equal(c.status, VIEW_STATUS_OK);
        assert_int_equal(c.state, table[i].state);
        assert_int_equal(c.pid, table[i].pid);
        assert_int_equal(c.exit_code, table[i].exit_code);
        assert_string_equal(c.name, table[i].name);
        if (table[i].sandbox) {
            assert_memory_equal(c.sandbox_id, table[i].sandbox, strlen(table[i].sandbox));
        } else {
            assert_null(c.sandbox_id);
        }
        assert_true(c.created_at > 0);
        assert_int_equal(c.started_at > 0, table[i].started);
        assert_int_equal(c.finished_at > 0, table[i].finished);
        if (table[i].cgroup_parent) {
            assert_string_equal(c.docker->cgroup_parent, table[i].cgroup_parent);
        } else {
            assert_null(c.docker->cgroup_parent);
        }
        arena_free(&a);
        buf_free(&b);
    }
}

static void lists_are_read(void **state)
{
    static const struct {
        const char *file;
        size_t pods, containers, running, plain;
    } table[] = {
        {"docker20/containers.json", 3, 10, 8, 1},
        {"docker28/containers.json", 3, 9, 7, 0},
        {"podman43/containers.json", 0, 9, 8, 9},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct arena a = {0};
        struct err err = {0};
        struct buf b = {0};
        struct view v = {0};
        size_t running = 0, plain = 0;

        print_message("  %s\n", table[i].file);
        load(table[i].file, &b);
        assert_int_equal(docker_parse_list((struct str){b.p, b.n}, &a, &v, &err), 0);
        assert_int_equal(v.n_pods, table[i].pods);
        assert_int_equal(v.n_containers, table[i].containers);
        assert_int_equal(v.n_warnings, 0);
        for (size_t k = 0; k < v.n_containers; k++) {
            running += v.containers[k].state == VIEW_RUNNING;
            assert_int_equal(v.containers[k].status, VIEW_STATUS_NONE);
            plain += !v.containers[k].sandbox_id;
            assert_ptr_equal(view_find_container(&v, v.containers[k].id), &v.containers[k]);
        }
        for (size_t k = 0; k < v.n_pods; k++) {
            assert_true(v.pods[k].ready);
            assert_string_equal(v.pods[k].namespace_, "facts");
            assert_int_equal(strlen(v.pods[k].uid), 36);
            assert_non_null(v.pods[k].as_container);
        }
        assert_int_equal(running, table[i].running);
        assert_int_equal(plain, table[i].plain);
        arena_free(&a);
        buf_free(&b);
    }
}

static void each_state_is_mapped(void **state)
{
    static const struct {
        const char *name;
        enum view_state state;
    } table[] = {
        {"running", VIEW_RUNNING},   {"paused", VIEW_RUNNING},      {"stopping", VIEW_RUNNING},
        {"created", VIEW_CREATED},   {"initialized", VIEW_CREATED}, {"configured", VIEW_CREATED},
        {"exited", VIEW_EXITED},     {"dead", VIEW_EXITED},         {"restarting", VIEW_EXITED},
        {"removing", VIEW_EXITED},   {"stopped", VIEW_EXITED},      {"Running", VIEW_UNKNOWN},
        {"something", VIEW_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct arena a = {0};
        struct err err = {0};
        struct view_container c = {0};
        char *body =
            arena_printf(&a, "{\"Id\":\"a\",\"State\":{\"Status\":\"%s\"}}", table[i].name);

        assert_int_equal(docker_parse_inspect(str_of(body), &a, &c, &err), 0);
        assert_int_equal(c.state, table[i].state);
        arena_free(&a);
    }
}

#define GOOD_STATE "\"State\":{\"Status\":\"running\",\"Pid\":7}"

static void broken_inspections_name_the_key(void **state)
{
    static const struct {
        const char *body, *error; /* NULL: fine */
    } table[] = {
        {"{\"Id\":\"a\"," GOOD_STATE "}", NULL},
        {"{\"Id\":\"a\"," GOOD_STATE ",\"Config\":null,\"HostConfig\":null}", NULL},
        {"{\"Id\":\"a\"," GOOD_STATE
         ",\"Config\":{\"Labels\":{\"\\u0000k\":\"\\\\u0000\\u0000\"}}}",
         NULL},
        {"{\"Id\":\"a\"," GOOD_STATE ",\"Created\":\"yesterday\"}", NULL},
        {"", ""},
        {"null", ""},
        {"[]", "Id is not given"},
        {"7", ""},
        {"{\"Id\":\"a\"", ""},
        {"{\"Id\":7," GOOD_STATE "}", "Id is not a text"},
        {"{\"Id\":\"a\"}", "State.Status is not given"},
        {"{\"Id\":\"a\",\"State\":[]}", "State is not an object"},
        {"{\"Id\":\"a\",\"State\":{\"Status\":1}}", "Status is not a text"},
        {"{\"Id\":\"a\",\"State\":{\"Status\":\"running\",\"Pid\":\"7\"}}", "Pid is not a number"},
        {"{\"Id\":\"a\",\"State\":{\"Status\":\"running\",\"Pid\":7.5}}", "Pid is not a number"},
        {"{\"Id\":\"a\",\"State\":{\"Status\":\"running\",\"Pid\":-7}}", "Pid is not a number"},
        {"{\"Id\":\"a\",\"State\":{\"Status\":\"running\",\"Pid\":4294967303}}",
         "Pid is not a number"},
        {"{\"Id\":\"a\",\"State\":{\"Status\":\"running\",\"Pid\":99999999999999999999}}",
         "too big integer"},
        {"{\"Id\":\"a\"," GOOD_STATE ",\"Created\":1}", "Created is not a text"},
        {"{\"Id\":\"a\"," GOOD_STATE ",\"HostConfig\":\"x\"}", "HostConfig is not an object"},
        {"{\"Id\":\"a\"," GOOD_STATE ",\"Config\":{\"Labels\":{\"k\":1}}}",
         "Labels is not an object of texts"},
        {"{\"Id\":\"a\"," GOOD_STATE ",\"Config\":{\"Labels\":{\"j\":\"x\",\"k\":1}}}",
         "Labels is not an object of texts"},
        {"{\"Id\":\"a\"," GOOD_STATE ",\"Config\":{\"Labels\":[\"k\"]}}",
         "Labels is not an object"},
        {"HTTP/1.1 200 OK", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct arena a = {0};
        struct err err = {0};
        struct view_container c = {0};
        int rc = docker_parse_inspect(str_of(table[i].body), &a, &c, &err);

        if (table[i].error ? rc != -EPROTO || !strstr(err.text, table[i].error) : rc != 0) {
            fail_msg("%s: %d: %s", table[i].body, rc, err.text);
        }
        arena_free(&a);
    }
}

static void labels_may_hold_any_bytes(void **state)
{
    struct arena a = {0};
    struct err err = {0};
    struct view_container c = {0};

    (void)state;
    assert_int_equal(
        docker_parse_inspect(STR("{\"Id\":\"a\"," GOOD_STATE ",\"Config\":{\"Labels\":{\"k\":"
                                 "\"\xff\\u001b[31m\",\"n\":\"a\\u0000b\",\"b\":\"\\\\u0000\"}}}"),
                             &a, &c, &err),
        0);
    assert_string_equal(view_label(c.labels, c.n_labels, "k"), "\xef\xbf\xbd\x1b[31m");
    assert_string_equal(view_label(c.labels, c.n_labels, "n"), "a\xef\xbf\xbd"
                                                               "b");
    assert_string_equal(view_label(c.labels, c.n_labels, "b"), "\\u0000");
    arena_free(&a);
}

static void broken_rows_are_left_out(void **state)
{
    static const struct {
        const char *body, *error, *warning;
        size_t containers;
    } table[] = {
        {"[]", NULL, NULL, 0},
        {"{}", "is not a list", NULL, 0},
        {"[1]", NULL, "1 of the runtime's containers cannot be listed", 0},
        {"[{\"Id\":\"a\"},null,{\"Id\":\"b\",\"State\":7},{\"Id\":\"c\",\"State\":\"running\"}]",
         NULL, "2 of the runtime's containers cannot be listed", 2},
        {"[{\"Id\":\"a\"},{\"Id\":\"b\"},{\"Id\":\"a\"},{\"Id\":\"a\"}]", NULL,
         "the runtime lists container a twice; the second is left out", 2},
        {"[{\"Id\":\"a\"},{\"Id\":\"a\",\"Labels\":{\"io.kubernetes.docker.type\":\"podsandbox\"}}"
         "]",
         NULL, "lists a as a container and as a sandbox", 0},
        {"[{\"Id\":\"../../etc\"}]", NULL, "Id is not an id", 0},
        {"[{\"Id\":\"a/b\"}]", NULL, "Id is not an id", 0},
        {"[{\"Id\":\"\"}]", NULL, "Id is not an id", 0},
        {"[{\"Id\":\"a\",\"Names\":{},\"Labels\":null,\"HostConfig\":null}]", NULL, NULL, 1},
        {"[{\"Id\":\"a\",\"Created\":-62135596800}]", NULL, NULL, 1},
        {"[{\"Id\":\"a\",\"Created\":9223372036854775807}]", NULL, "Created is not a number", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct arena a = {0};
        struct err err = {0};
        struct view v = {0};
        int rc = docker_parse_list(str_of(table[i].body), &a, &v, &err);

        print_message("  %s\n", table[i].body);
        assert_int_equal(rc, table[i].error ? -EPROTO : 0);
        assert_true(!table[i].error || strstr(err.text, table[i].error));
        assert_int_equal(v.n_containers, table[i].containers);
        assert_int_equal(v.n_warnings > 0, table[i].warning != NULL);
        assert_true(!table[i].warning || strstr(v.warnings[0], table[i].warning));
        arena_free(&a);
    }
}

static void info_and_error_messages_are_read(void **state)
{
    struct arena a = {0};
    struct err err = {0};
    const char *driver = "x";

    (void)state;
    assert_int_equal(docker_parse_info(STR("{\"CgroupDriver\":\"systemd\"}"), &a, &driver, &err),
                     0);
    assert_string_equal(driver, "systemd");
    assert_int_equal(docker_parse_info(STR("{}"), &a, &driver, &err), 0);
    assert_null(driver);
    assert_int_equal(docker_parse_info(STR("[]"), &a, &driver, &err), -EPROTO);
    assert_int_equal(docker_parse_info(STR("{\"CgroupDriver\":1}"), &a, &driver, &err), -EPROTO);
    assert_string_equal(docker_parse_message(STR("{\"message\":\"No such container: x\"}"), &a),
                        "No such container: x");
    assert_null(docker_parse_message(STR("<html>"), &a));
    assert_null(docker_parse_message(STR(""), &a));
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_read),
        cmocka_unit_test(inspections_are_read),
        cmocka_unit_test(lists_are_read),
        cmocka_unit_test(each_state_is_mapped),
        cmocka_unit_test(broken_inspections_name_the_key),
        cmocka_unit_test(labels_may_hold_any_bytes),
        cmocka_unit_test(broken_rows_are_left_out),
        cmocka_unit_test(info_and_error_messages_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
