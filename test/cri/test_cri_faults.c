/* The CRI client when something goes wrong: with one request, with the connection, or in an answer
 * that makes no sense. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "test/support/cri_rig.h"
#include "test/support/unit.h"

static void identity_needs_no_status(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, "{'replies': {" SCRIPT_BASE "}, 'faults': {'Status': {'code': 2, 'message': 'cni: "
                 "\\u00e4 100% \\n broken'}}}");
    rig_ask(&r);
    rig_run(&r);
    assert_int_equal(rig_reply(&r, CLIENT_IDENTITY)->rc, 0);
    assert_non_null(strstr(rig_reply(&r, CLIENT_IDENTITY)->runtime.status_error,
                           "cni: \xc3\xa4 100% ? broken"));
    assert_null(rig_reply(&r, CLIENT_IDENTITY)->runtime.cgroup_driver);
    rig_close(&r);
}

/* What goes wrong with one request fails that request alone. */
static void a_failed_call_fails_its_request_alone(void **state)
{
    static const struct {
        const char *fault, *words;
        int rc;
        bool gone;
    } cases[] = {
        {"'code': 2, 'message': 'cannot load task'", "cannot load task (Unknown)", -EREMOTEIO,
         false},
        {"'code': 2, 'message': 'container c does not exist'", "does not exist", -ENOENT, true},
        {"'code': 5, 'message': 'x'", "(NotFound)", -ENOENT, true},
        {"'code': 7, 'message': 'no'", "(PermissionDenied)", -EACCES, false},
        {"'code': 4, 'message': 'slow'", "(DeadlineExceeded)", -ETIMEDOUT, false},
        {"'code': 12, 'message': ''", "(Unimplemented)", -EOPNOTSUPP, false},
        {"'code': 99, 'message': 'odd'", "odd (?)", -EREMOTEIO, false},
        {"'rst': 2", "reset (INTERNAL_ERROR)", -EREMOTEIO, false},
        {"'rst': 8", "reset (CANCEL)", -EREMOTEIO, false},
        {"'rst': 7", "reset (REFUSED_STREAM)", -EREMOTEIO, false},
        {"'http_status': 503", "HTTP status 503", -EREMOTEIO, false},
        {"'http_status': 403", "HTTP status 403", -EACCES, false},
        {"'content_type': 'text/html'", "another content type", -EREMOTEIO, false},
        {"'content_type': 'application/grpcx'", "another content type", -EREMOTEIO, false},
        {"'compressed': true", "compressed", -EREMOTEIO, false},
        {"'half': true", "middle of a message", -EREMOTEIO, false},
        {"'twice': true", "more than one message", -EREMOTEIO, false},
        {"'no_status': true", "without a status", -EREMOTEIO, false},
        {"'pad': 67108864", "more than 64 MiB", -EREMOTEIO, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct client_reply *reply;
        char script[2048];
        struct rig r;

        snprintf(script, sizeof(script),
                 "{'replies': {" SCRIPT_BASE
                 ", 'ContainerStatus': {'c': {'status': {'id': 'c'}}, 'd': "
                 "{'status': {'id': 'd'}}}}, 'faults': {'ContainerStatus c': {%s}}}",
                 cases[i].fault);
        rig_open(&r, script);
        rig_ask(&r);
        client_get_container(r.client, "c", &r.arena, &r.err);
        client_get_container(r.client, "d", &r.arena, &r.err);
        rig_run(&r);
        assert_int_equal(r.rc, 0);
        reply = rig_reply_of(&r, "c");
        if (reply->rc != cases[i].rc || !strstr(reply->err.text, cases[i].words)) {
            fail_msg("%s: %d \"%s\"", cases[i].fault, reply->rc, reply->err.text);
        }
        assert_int_equal(reply->gone, cases[i].gone);
        assert_int_equal(reply->container.status,
                         cases[i].gone ? VIEW_STATUS_GONE : VIEW_STATUS_FAILED);
        assert_string_equal(reply->container.error, reply->err.text);
        assert_int_equal(rig_reply_of(&r, "d")->rc, 0);
        assert_int_equal(rig_reply(&r, CLIENT_LIST)->rc, 0);
        rig_close(&r);
    }
}

static void a_failed_list_has_one_reply(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r,
             "{'replies': {" SCRIPT_BASE "}, 'faults': {'ListPodSandbox': {'code': 2, 'message': "
             "'server is not initialized yet'}, 'ListContainers': {'code': 2, 'message': "
             "'server is not initialized yet'}}}");
    rig_ask(&r);
    rig_run(&r);
    assert_int_equal(r.rc, 0);
    assert_int_equal(r.n_replies, 2);
    assert_int_equal(rig_reply(&r, CLIENT_LIST)->rc, -EREMOTEIO);
    assert_non_null(strstr(rig_reply(&r, CLIENT_LIST)->err.hint, "still starting"));
    assert_int_equal(rig_reply(&r, CLIENT_IDENTITY)->rc, 0);
    rig_close(&r);
}

/* What goes wrong with the connection ends it, each in its own words. */
static void a_lost_connection_says_where(void **state)
{
    static const struct {
        const char *script, *words;
        int rc;
    } cases[] = {
        {"'hang_up': true", "without an answer", -ECONNRESET},
        {"'greeting': 'SSH-2.0-x\\r\\n'", "begins with \"SSH-2.0-x\\r\\n\"", -EPROTO},
        {"'greeting': 'SSH-2.0-x\\r\\n', 'piece': 1", "neither gRPC nor HTTP", -EPROTO},
        {"'greeting': 'HTTP/1.1 400 Bad Request\\r\\n\\r\\n'", "answers HTTP/1, not gRPC",
         -EPROTONOSUPPORT},
        {"'greeting': 'HTTP/1.1 301 x', 'piece': 1", "answers HTTP/1", -EPROTONOSUPPORT},
        {"'greeting': 'HTTP/', 'hang_up': true", "after \"HTTP/\"", -ECONNRESET},
        {"'faults': {'ListContainers': {'close': 'before'}}", "still to be answered", -ECONNRESET},
        {"'faults': {'ListContainers': {'close': 'middle'}}", "middle of an answer", -ECONNRESET},
        {"'faults': {'ListContainers': {'garbage': true}}", "broke the HTTP/2 protocol", -EPROTO},
        {"'faults': {'Version': {'goaway': true}}", "shut the connection down", -ESHUTDOWN},
        {"'faults': {'ListContainers': {'goaway': true}}", "graceful_stop", -ESHUTDOWN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char script[2048];
        struct rig r;

        snprintf(script, sizeof(script),
                 "{'replies': {" SCRIPT_VERSION ", " SCRIPT_STATUS
                 ", 'ListPodSandbox': {}, 'ListContainers': "
                 "{'containers': [{'id': 'abc'}]}}, %s}",
                 cases[i].script);
        rig_open(&r, script);
        rig_ask(&r);
        rig_run(&r);
        if (r.rc != cases[i].rc || !strstr(r.err.text, cases[i].words)) {
            fail_msg("%s: %d \"%s\"", cases[i].script, r.rc, r.err.text);
        }
        assert_int_equal(r.err.kind, ERR_RUNTIME);
        assert_null(rig_reply(&r, CLIENT_LIST));
        rig_close(&r);
    }
}

static void bad_rows_of_lists_are_dropped_with_warnings(void **state)
{
    const struct view *v;
    struct rig r;

    (void)state;
    rig_open(&r,
             "{'replies': {" SCRIPT_VERSION
             ", 'ListPodSandbox': {'items': [{'id': 'p2'}, {'id': ''}, "
             "{'id': 'p1', 'metadata': {'name': 'n', 'uid': 'u', 'attempt': 2}, 'annotations': "
             "{'kubernetes.io/config.hash': 'h'}}, {'id': 'p2', 'state': 1}]}, 'ListContainers': "
             "{'containers': [{'id': 'c3', 'pod_sandbox_id': 'nowhere', 'state': 3}, "
             "{'id': 'c1', 'pod_sandbox_id': 'p1', 'state': 77, 'created_at': -5, 'image': "
             "{'image': 'sha256:1', 'user_specified_image': 'nginx:1'}}, {}, {'id': 'c2'}, "
             "{'id': 'c1', 'pod_sandbox_id': 'p1'}]}}}");
    rig_ask(&r);
    rig_run(&r);
    v = &rig_reply(&r, CLIENT_LIST)->list;
    assert_int_equal(v->n_pods, 2);
    assert_string_equal(v->pods[0].id, "p1");
    assert_string_equal(v->pods[0].config_hash, "h");
    assert_int_equal(v->pods[0].attempt, 2);
    assert_null(v->pods[0].namespace_);
    assert_null(v->pods[1].name);
    assert_int_equal(v->n_containers, 3);
    assert_string_equal(v->containers[0].id, "c1");
    assert_int_equal(v->containers[0].state, VIEW_UNKNOWN);
    assert_int_equal(v->containers[0].created_at, 0);
    assert_string_equal(v->containers[0].image, "nginx:1");
    assert_null(v->containers[1].sandbox_id);
    assert_string_equal(v->containers[2].sandbox_id, "nowhere");
    assert_int_equal(v->containers[2].state, VIEW_UNKNOWN);
    assert_int_equal(v->n_warnings, 6);
    rig_close(&r);
}

static void contradictory_statuses_fail(void **state)
{
    static const struct {
        const char *reply, *words;
    } cases[] = {
        {"{'status': {'id': 'another'}}", "of \"another\""},
        {"{}", "no ContainerStatusResponse"},
        {"{'status': {'id': 'c'}, 'info': {'info': '{\\\"pid\\\": -4}'}}", "-4 as pid"},
        {"{'status': {'id': 'c'}, 'info': {'info': '{\\\"pid\\\": 4'}}", "no valid JSON"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct client_reply *reply;
        char script[512];
        struct rig r;

        snprintf(script, sizeof(script), "{'replies': {'ContainerStatus': {'c': %s}}}",
                 cases[i].reply);
        rig_open(&r, script);
        client_get_container(r.client, "c", &r.arena, &r.err);
        rig_run(&r);
        reply = rig_reply_of(&r, "c");
        assert_int_equal(reply->rc, -EBADMSG);
        assert_int_equal(reply->container.status, VIEW_STATUS_FAILED);
        if (!strstr(reply->container.error, cases[i].words)) {
            fail_msg("%s: \"%s\"", cases[i].reply, reply->container.error);
        }
        rig_close(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identity_needs_no_status),
        cmocka_unit_test(a_failed_call_fails_its_request_alone),
        cmocka_unit_test(a_failed_list_has_one_reply),
        cmocka_unit_test(a_lost_connection_says_where),
        cmocka_unit_test(bad_rows_of_lists_are_dropped_with_warnings),
        cmocka_unit_test(contradictory_statuses_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
