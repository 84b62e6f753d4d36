/* The Docker Engine's speaker: what is made of each answer, good or bad. */
#include <errno.h>
#include <string.h>

#include "test/support/docker_rig.h"
#include "test/support/unit.h"

static void identities_are_read(void **state)
{
    static const struct {
        struct http_answer version, info;
        const char *name, *driver, *status_error; /* name NULL: it fails */
    } table[] = {
        {{.body = ENGINE_VERSION}, {.body = ENGINE_INFO}, "docker", "cgroupfs", NULL},
        {{.how = HTTP_CHUNKED, .body = ENGINE_VERSION},
         {.how = HTTP_CLOSE, .body = ENGINE_INFO},
         "docker",
         "cgroupfs",
         NULL},
        {{.body = "{\"Version\":\"4.3\",\"Components\":[{\"Name\":\"Podman Engine\"}]}"},
         {.body = "{\"CgroupDriver\":\"systemd\"}"},
         "podman",
         "systemd",
         NULL},
        {{.body = ENGINE_VERSION},
         {.status = 500, .body = "{}"},
         "docker",
         NULL,
         "HTTP status 500"},
        {{.body = ENGINE_VERSION}, {.body = "[]"}, "docker", NULL, "/info"},
        {{.status = 404}, {.body = ENGINE_INFO}, NULL, NULL, NULL},
        {{.body = "<html>"}, {.body = ENGINE_INFO}, NULL, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct http_answer script[] = {table[i].version, table[i].info};
        struct docker_rig rig;
        struct client_reply r;

        script[0].path = "/version";
        script[1].path = "/info";
        DOCKER_RIG_OPEN(&rig, script);
        assert_int_equal(client_get_identity(rig.client, &rig.arena, NULL), 0);
        assert_int_equal(client_pending(rig.client), 1);
        docker_rig_reply(&rig, &r);
        assert_int_equal(client_pending(rig.client), 0);
        assert_int_equal(r.kind, CLIENT_IDENTITY);
        assert_int_equal(r.kind, CLIENT_IDENTITY);
        if (!table[i].name) {
            assert_true(r.rc < 0);
            assert_int_equal(r.err.kind, ERR_RUNTIME);
            docker_rig_close(&rig);
            continue;
        }
        assert_int_equal(r.rc, 0);
        assert_string_equal(r.runtime.name, table[i].name);
        assert_string_equal(r.runtime.api, "docker");
        assert_true(table[i].driver ? strcmp(r.runtime.cgroup_driver, table[i].driver) == 0
                                    : !r.runtime.cgroup_driver);
        assert_true(table[i].status_error
                        ? strstr(r.runtime.status_error, table[i].status_error) != NULL
                        : !r.runtime.status_error);
        docker_rig_close(&rig);
    }
}

/* What may come for one inspection, among others that are fine. */
static void each_fault_of_an_inspection_has_its_error(void **state)
{
    static const struct {
        const char *name;
        struct http_answer answer;
        int rc;
        bool gone;
        const char *error;
    } table[] = {
        {"with a length", {.body = ENGINE_INSPECT("bad")}, 0, false, NULL},
        {"in chunks", {.how = HTTP_CHUNKED, .body = ENGINE_INSPECT("bad")}, 0, false, NULL},
        {"up to the end", {.how = HTTP_CLOSE, .body = ENGINE_INSPECT("bad")}, 0, false, NULL},
        {"cut once", {.how = HTTP_CUT_ONCE, .body = ENGINE_INSPECT("bad")}, 0, false, NULL},
        {"always cut",
         {.how = HTTP_CUT, .body = ENGINE_INSPECT("bad")},
         -ECONNRESET,
         false,
         "/bad/json"},
        {"closed without a word", {.how = HTTP_RAW, .body = ""}, -ECONNRESET, false, "/bad/json"},
        {"gone",
         {.status = 404, .body = "{\"message\":\"No such container: bad\"}"},
         -ENOENT,
         true,
         "No such container: bad"},
        {"server error",
         {.status = 500, .body = "{\"message\":\"boo\"}"},
         -EPROTO,
         false,
         "HTTP status 500: boo"},
        {"server error without words",
         {.status = 500, .body = "\x01\xff"},
         -EPROTO,
         false,
         "HTTP status 500"},
        {"refused",
         {.status = 403, .body = "{\"message\":\"no\"}"},
         -EPROTO,
         false,
         "HTTP status 403: no"},
        {"a redirect is not followed",
         {.status = 301, .body = "/containers/a0/json"},
         -EPROTO,
         false,
         "HTTP status 301"},
        {"no HTTP",
         {.how = HTTP_RAW, .body = "SSH-2.0-OpenSSH_9.2\r\n"},
         -EPROTO,
         false,
         "/bad/json"},
        {"bytes",
         {.how = HTTP_RAW, .body = "\0\1\2\3\0\0\0\0", .n = 8},
         -EPROTO,
         false,
         "/bad/json"},
        {"a length that is none",
         {.how = HTTP_RAW, .body = "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}"},
         -EPROTO,
         false,
         ""},
        {"no JSON", {.body = "{\"Id\":\"bad\""}, -EPROTO, false, ""},
        {"empty", {.body = ""}, -EPROTO, false, ""},
        {"another's", {.body = ENGINE_INSPECT("a0")}, -EPROTO, false, "it answered of a0"},
        {"a wrong type",
         {.body = "{\"Id\":\"bad\",\"State\":[]}"},
         -EPROTO,
         false,
         "State is not an object"},
        {"endless", {.how = HTTP_ENDLESS}, -EFBIG, false, "more than 16777216 bytes"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct http_answer script[] = {
            table[i].answer, {.path = "/containers/a0/json", .body = ENGINE_INSPECT("a0")}};
        struct client_reply good, bad;
        struct docker_rig rig;

        print_message("  %s\n", table[i].name);
        script[0].path = "/containers/bad/json";
        DOCKER_RIG_OPEN(&rig, script);
        assert_int_equal(client_get_container(rig.client, "bad", &rig.arena, NULL), 0);
        assert_int_equal(client_get_container(rig.client, "a0", &rig.arena, NULL), 0);
        docker_rig_reply(&rig, &good);
        docker_rig_reply(&rig, &bad);
        if (strcmp(good.container.id, "bad") == 0) {
            struct client_reply swap = good;

            good = bad;
            bad = swap;
        }
        assert_int_equal(good.rc, 0);
        assert_string_equal(good.container.id, "a0");
        assert_int_equal(good.container.status, VIEW_STATUS_OK);
        assert_string_equal(bad.container.id, "bad");
        assert_int_equal(bad.gone, table[i].gone);
        assert_int_equal(bad.container.status, table[i].rc == 0 ? VIEW_STATUS_OK
                                               : table[i].gone  ? VIEW_STATUS_GONE
                                                                : VIEW_STATUS_FAILED);
        if (bad.rc != table[i].rc || (table[i].error && !strstr(bad.err.text, table[i].error))) {
            fail_msg("%d: %s", bad.rc, bad.err.text);
        }
        assert_int_equal(bad.container.error != NULL, bad.container.status == VIEW_STATUS_FAILED);
        assert_int_equal(client_pending(rig.client), 0);
        docker_rig_close(&rig);
    }
}

static void a_sandbox_is_inspected_as_a_container(void **state)
{
    struct http_answer script[] = {
        {.path = "/containers/5a/json",
         .body = "{\"Id\":\"5a\",\"State\":{\"Status\":\"running\",\"Pid\":9},"
                 "\"HostConfig\":{\"CgroupParent\":\"/kubepods/podu1\"},\"Config\":{\"Labels\":{"
                 "\"io.kubernetes.docker.type\":\"podsandbox\",\"io.kubernetes.pod.uid\":\"u1\","
                 "\"io.kubernetes.pod.name\":\"web\",\"io.kubernetes.pod.namespace\":\"prod\"}}}"},
        {.path = "/version", .body = ENGINE_VERSION},
        {.path = "/info", .body = ENGINE_INFO}};
    struct view_pod row;
    struct view v = {.pods = &row, .n_pods = 1};
    struct client_reply r;
    struct docker_rig rig;

    (void)state;
    DOCKER_RIG_OPEN(&rig, script);
    client_get_identity(rig.client, &rig.arena, NULL);
    docker_rig_reply(&rig, &r);
    client_get_pod(rig.client, "5a", &rig.arena, NULL);
    docker_rig_reply(&rig, &r);
    assert_int_equal(r.kind, CLIENT_POD);
    assert_int_equal(r.rc, 0);
    assert_int_equal(r.pod.status, VIEW_STATUS_OK);
    assert_int_equal(r.pod.pid, 9);
    row = r.pod;
    assert_int_equal(client_settle(rig.client, &v, &rig.arena), 0);
    assert_int_equal(v.n_pods, 1);
    assert_string_equal(v.pods[0].cgroups_path, "/kubepods/podu1/5a");
    client_get_pod(rig.client, "none", &rig.arena, NULL);
    docker_rig_reply(&rig, &r);
    assert_true(r.gone);
    assert_int_equal(r.pod.status, VIEW_STATUS_GONE);
    assert_string_equal(r.pod.id, "none");
    docker_rig_close(&rig);
}

static void lists_are_read(void **state)
{
    struct http_answer script[] = {{.path = "/containers/json?all=1",
                                    .how = HTTP_CHUNKED,
                                    .body = "[{\"Id\":\"b\"},{\"Id\":\"a\"}]"}};
    struct http_answer broken[] = {{.path = "/containers/json?all=1", .body = "{}"}};
    struct client_reply r;
    struct docker_rig rig;

    (void)state;
    DOCKER_RIG_OPEN(&rig, script);
    client_get_list(rig.client, &rig.arena, NULL);
    docker_rig_reply(&rig, &r);
    assert_int_equal(r.rc, 0);
    assert_int_equal(r.list.n_containers, 2);
    assert_string_equal(r.list.containers[0].id, "a");
    docker_rig_close(&rig);
    DOCKER_RIG_OPEN(&rig, broken);
    client_get_list(rig.client, &rig.arena, NULL);
    docker_rig_reply(&rig, &r);
    assert_int_equal(r.rc, -EPROTO);
    docker_rig_close(&rig);
}

static void an_invalid_id_is_never_sent(void **state)
{
    static const char *const ids[] = {"../json", "a/b", "", ".", "a?b", "a b", "a\r\nX: y"};
    struct http_answer script[] = {{.body = "{}"}};
    struct client_reply r;
    struct docker_rig rig;

    (void)state;
    DOCKER_RIG_OPEN(&rig, script);
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        assert_int_equal(client_get_container(rig.client, ids[i], &rig.arena, NULL), 0);
        docker_rig_reply(&rig, &r);
        assert_int_equal(r.rc, -EINVAL);
        assert_int_equal(r.container.status, VIEW_STATUS_FAILED);
    }
    assert_int_equal(http_server_requests(rig.server), 0);
    docker_rig_close(&rig);
}

static void events_are_noticed(void **state)
{
    struct http_answer script[] = {{.path = "/containers/a0/json", .body = ENGINE_INSPECT("a0")},
                                   {.how = HTTP_OPEN, .body = "{\"Action\":\"start\"}\n"}};
    struct view_runtime who = {0};
    struct client_reply r;
    struct docker_rig rig;

    (void)state;
    DOCKER_RIG_OPEN(&rig, script);
    assert_true(client_watch_events(rig.client, &who));
    docker_rig_reply(&rig, &r);
    assert_int_equal(r.kind, CLIENT_EVENT);
    assert_int_equal(client_pending(rig.client), 0);
    client_get_container(rig.client, "a0", &rig.arena, NULL);
    docker_rig_reply(&rig, &r);
    assert_int_equal(r.kind, CLIENT_CONTAINER);
    client_cancel(rig.client);
    http_server_end_open(rig.server);
    docker_rig_reply(&rig, &r);
    assert_int_equal(r.kind, CLIENT_EVENTS_END);
    docker_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identities_are_read),
        cmocka_unit_test(each_fault_of_an_inspection_has_its_error),
        cmocka_unit_test(a_sandbox_is_inspected_as_a_container),
        cmocka_unit_test(lists_are_read),
        cmocka_unit_test(an_invalid_id_is_never_sent),
        cmocka_unit_test(events_are_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
