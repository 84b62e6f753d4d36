/* The CRI client against a scripted server: real runtimes' recorded answers, and everything that
 * can go wrong on the wire. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cri/cri_rpc.h"
#include "cri_rig.h"

enum { IDENTITY = 1, LIST = 2, POD = 10, CONTAINER = 1000 };

#define VERSION "'Version': {'runtime_name': 'containerd', 'runtime_version': '2.1.9'}"
#define LISTS "'ListPodSandbox': {}, 'ListContainers': {}"
#define STATUS "'Status': {'status': {'conditions': [{'type': 'RuntimeReady', 'status': true}]}}"
#define BASE VERSION ", " STATUS ", " LISTS

static void ask(struct rig *r)
{
    assert_int_equal(client_get_identity(r->client, &r->arena, IDENTITY, &r->err), 0);
    assert_int_equal(client_get_list(r->client, &r->arena, LIST, &r->err), 0);
}

/* Identity, list, and every status: tags POD + i and CONTAINER + i, in the list's order. */
static const struct view *look(struct rig *r)
{
    const struct client_reply *list;

    ask(r);
    rig_run(r);
    assert_int_equal(r->rc, 0);
    list = rig_reply(r, LIST);
    assert_non_null(list);
    assert_int_equal(list->rc, 0);
    for (size_t i = 0; i < list->list.n_pods; i++) {
        client_get_pod(r->client, list->list.pods[i].id, &r->arena, POD + i, &r->err);
    }
    for (size_t i = 0; i < list->list.n_containers; i++) {
        client_get_container(r->client, list->list.containers[i].id, &r->arena, CONTAINER + i,
                             &r->err);
    }
    rig_run(r);
    assert_int_equal(r->rc, 0);
    return &rig_reply(r, LIST)->list;
}

static const struct view_container *status_named(const struct rig *r, const char *name)
{
    for (size_t i = 0; i < r->n_replies; i++) {
        const struct client_reply *reply = &r->replies[i];

        if (reply->kind == CLIENT_CONTAINER && reply->rc == 0 &&
            strcmp(reply->container.name, name) == 0) {
            return &reply->container;
        }
    }
    fail_msg("no status of %s", name);
    return NULL;
}

static void real_runtimes(void **state)
{
    static const struct {
        const char *folder, *name, *version, *driver, *runtime_type;
        int32_t running, exited, created; /* PIDs */
        size_t pod_pids;
        bool cgroups_path;
    } cases[] = {
        {"containerd-1.6.20", "containerd", "1.6.20~ds1", NULL, "io.containerd.runc.v2", 24697, 0,
         0, 3, true},
        {"containerd-2.1.9", "containerd", "2.1.9+unknown", "cgroupfs", "io.containerd.runc.v2",
         27498, 0, 0, 3, true},
        /* CRI-O keeps the PID of what has exited, gives that of runc init for what is only created,
         * and has a process only in the pod that shares its PID namespace. */
        {"crio-1.37", "cri-o", "1.37.0", "cgroupfs", NULL, 19901, 20015, 20128, 1, true},
        /* No PID with a sandbox's status, but with that of the container that a sandbox is. */
        {"cri-dockerd-0.3.4", "docker", "20.10.24+dfsg1", NULL, NULL, 21155, 0, 0, 3, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig r;
        const struct view *v;
        const struct view_runtime *who;
        const struct view_container *c;
        size_t pod_pids = 0;

        rig_open_runtime(&r, cases[i].folder);
        v = look(&r);
        who = &rig_reply(&r, IDENTITY)->runtime;
        assert_string_equal(who->name, cases[i].name);
        assert_string_equal(who->version, cases[i].version);
        assert_string_equal(who->api, "cri/v1");
        assert_null(who->status_error);
        assert_int_equal(who->n_conditions, 2);
        assert_string_equal(who->conditions[0].type, "RuntimeReady");
        assert_true(who->conditions[0].status);
        if (cases[i].driver) {
            assert_string_equal(who->cgroup_driver, cases[i].driver);
        } else {
            assert_null(who->cgroup_driver);
        }
        assert_int_equal(v->n_pods, 3);
        assert_int_equal(v->n_containers, 7);
        assert_int_equal(v->n_warnings, 0);

        c = status_named(&r, "facts-a1");
        assert_int_equal(c->status, VIEW_STATUS_OK);
        assert_int_equal(c->state, VIEW_RUNNING);
        assert_int_equal(c->pid, cases[i].running);
        assert_int_equal(c->finished_at, 0);
        assert_true(c->started_at > INT64_C(1700000000) * NSEC_PER_SEC);
        assert_non_null(strstr(c->image, "bb:latest"));
        assert_int_equal(c->cgroups_path != NULL, cases[i].cgroups_path);
        if (c->cgroups_path) {
            assert_non_null(strstr(c->cgroups_path, c->id));
        }
        if (cases[i].runtime_type) {
            assert_string_equal(c->runtime_type, cases[i].runtime_type);
        } else {
            assert_null(c->runtime_type);
        }
        assert_string_equal(view_label(c->labels, c->n_labels, "io.kubernetes.pod.name"),
                            "facts-a");
        c = status_named(&r, "facts-a3");
        assert_int_equal(c->state, VIEW_EXITED);
        assert_int_equal(c->exit_code, 3);
        assert_int_equal(c->pid, cases[i].exited);
        c = status_named(&r, "facts-a5");
        assert_int_equal(c->state, VIEW_CREATED);
        assert_int_equal(c->started_at, 0);
        assert_int_equal(c->pid, cases[i].created);

        for (size_t k = 0; k < v->n_pods; k++) {
            const struct client_reply *p = rig_reply(&r, POD + k);

            assert_int_equal(p->rc, 0);
            assert_string_equal(p->pod.id, v->pods[k].id);
            assert_string_equal(p->pod.namespace_, "facts");
            pod_pids += p->pod.pid > 0 ? 1 : 0;
            assert_int_equal(p->pod.cgroup_parent != NULL, cases[i].cgroups_path);
            if (p->pod.cgroup_parent) {
                assert_non_null(strstr(p->pod.cgroup_parent, p->pod.uid));
            }
        }
        assert_int_equal(pod_pids, cases[i].pod_pids);
        rig_close(&r);
    }
}

static void removed_meanwhile(void **state)
{
    static const char gone[] = "f8394e0f574cb76a429ecce43c16e64eb8c5530d74079a61ddca95b301ad64bc";
    static const char *const runtimes[] = {"containerd-1.6.20", "cri-dockerd-0.3.4"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct rig r;

        rig_open_runtime(&r, runtimes[i]);
        client_get_container(r.client, gone, &r.arena, CONTAINER, &r.err);
        client_get_pod(r.client, "00", &r.arena, POD, &r.err);
        rig_run(&r);
        assert_true(rig_reply(&r, CONTAINER)->gone);
        assert_int_equal(rig_reply(&r, CONTAINER)->rc, -ENOENT);
        assert_int_equal(rig_reply(&r, CONTAINER)->container.status, VIEW_STATUS_GONE);
        assert_string_equal(rig_reply(&r, CONTAINER)->container.id, gone);
        assert_true(rig_reply(&r, POD)->gone);
        assert_int_equal(rig_reply(&r, POD)->pod.status, VIEW_STATUS_GONE);
        rig_close(&r);
    }
}

static void falls_back_to_v1alpha2_once(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, "{'api': ['v1alpha2'], 'replies': {" BASE
                 ", 'RuntimeConfig': {}, 'ContainerStatus': {'c': {'status': {'id': 'c'}}}}}");
    ask(&r); /* all of it is on its way before the first answer */
    client_get_container(r.client, "c", &r.arena, CONTAINER, &r.err);
    rig_run(&r);
    assert_int_equal(r.rc, 0);
    assert_string_equal(rig_reply(&r, IDENTITY)->runtime.api, "cri/v1alpha2");
    assert_string_equal(rig_reply(&r, IDENTITY)->runtime.name, "containerd");
    assert_int_equal(rig_reply(&r, IDENTITY)->runtime.n_conditions, 1);
    assert_int_equal(rig_reply(&r, LIST)->rc, 0);
    assert_int_equal(rig_reply(&r, CONTAINER)->rc, 0);
    assert_int_equal(fake_cri_calls(r.fake, "v1/Version"), 1);
    assert_int_equal(fake_cri_calls(r.fake, "v1alpha2/Version"), 1);
    assert_int_equal(fake_cri_calls(r.fake, "v1alpha2/RuntimeConfig"), 0);
    client_get_identity(r.client, &r.arena, 3, &r.err);
    rig_run(&r);
    assert_int_equal(rig_reply(&r, 3)->rc, 0);
    assert_int_equal(fake_cri_calls(r.fake, "v1/Version"), 1);
    assert_false(client_watch_events(r.client, &rig_reply(&r, 3)->runtime));
    rig_close(&r);
}

static void v1_is_taken_where_both_are(void **state)
{
    struct rig r;

    (void)state;
    rig_open_runtime(&r, "containerd-1.6.20");
    look(&r);
    assert_int_equal(fake_cri_calls(r.fake, "v1alpha2/Version"), 0);
    rig_close(&r);
}

static void no_cri_at_all(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, "{'api': []}");
    ask(&r);
    rig_run(&r);
    assert_int_equal(r.rc, -EOPNOTSUPP);
    assert_int_equal(r.err.kind, ERR_RUNTIME);
    assert_non_null(strstr(r.err.text, "serves no CRI"));
    assert_non_null(strstr(r.err.text, "unknown service runtime.v1alpha2.RuntimeService"));
    assert_non_null(strstr(r.err.hint, "disabled_plugins"));
    assert_int_equal(r.n_replies, 0);
    rig_close(&r);
}

static void identity_stands_without_status(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, "{'replies': {" BASE "}, 'faults': {'Status': {'code': 2, 'message': 'cni: "
                 "\\u00e4 100% \\n broken'}}}");
    ask(&r);
    rig_run(&r);
    assert_int_equal(rig_reply(&r, IDENTITY)->rc, 0);
    assert_non_null(
        strstr(rig_reply(&r, IDENTITY)->runtime.status_error, "cni: \xc3\xa4 100% ? broken"));
    assert_null(rig_reply(&r, IDENTITY)->runtime.cgroup_driver);
    rig_close(&r);
}

/* What goes wrong with one request fails that request alone. */
static void one_failed_request(void **state)
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
                 "{'replies': {" BASE ", 'ContainerStatus': {'c': {'status': {'id': 'c'}}, 'd': "
                 "{'status': {'id': 'd'}}}}, 'faults': {'ContainerStatus c': {%s}}}",
                 cases[i].fault);
        rig_open(&r, script);
        ask(&r);
        client_get_container(r.client, "c", &r.arena, CONTAINER, &r.err);
        client_get_container(r.client, "d", &r.arena, CONTAINER + 1, &r.err);
        rig_run(&r);
        assert_int_equal(r.rc, 0);
        reply = rig_reply(&r, CONTAINER);
        if (reply->rc != cases[i].rc || !strstr(reply->err.text, cases[i].words)) {
            fail_msg("%s: %d \"%s\"", cases[i].fault, reply->rc, reply->err.text);
        }
        assert_int_equal(reply->gone, cases[i].gone);
        assert_int_equal(reply->container.status,
                         cases[i].gone ? VIEW_STATUS_GONE : VIEW_STATUS_FAILED);
        assert_string_equal(reply->container.error, reply->err.text);
        assert_int_equal(rig_reply(&r, CONTAINER + 1)->rc, 0);
        assert_int_equal(rig_reply(&r, LIST)->rc, 0);
        rig_close(&r);
    }
}

static void failed_lists_fail_once(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, "{'replies': {" BASE "}, 'faults': {'ListPodSandbox': {'code': 2, 'message': "
                 "'server is not initialized yet'}, 'ListContainers': {'code': 2, 'message': "
                 "'server is not initialized yet'}}}");
    ask(&r);
    rig_run(&r);
    assert_int_equal(r.rc, 0);
    assert_int_equal(r.n_replies, 2);
    assert_int_equal(rig_reply(&r, LIST)->rc, -EREMOTEIO);
    assert_non_null(strstr(rig_reply(&r, LIST)->err.hint, "still starting"));
    assert_int_equal(rig_reply(&r, IDENTITY)->rc, 0);
    rig_close(&r);
}

/* What goes wrong with the connection ends it, each in its own words. */
static void lost_connections(void **state)
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
                 "{'replies': {" VERSION ", " STATUS ", 'ListPodSandbox': {}, 'ListContainers': "
                 "{'containers': [{'id': 'abc'}]}}, %s}",
                 cases[i].script);
        rig_open(&r, script);
        ask(&r);
        rig_run(&r);
        if (r.rc != cases[i].rc || !strstr(r.err.text, cases[i].words)) {
            fail_msg("%s: %d \"%s\"", cases[i].script, r.rc, r.err.text);
        }
        assert_int_equal(r.err.kind, ERR_RUNTIME);
        assert_null(rig_reply(&r, LIST));
        rig_close(&r);
    }
}

static void a_silent_peer_only_keeps_waiting(void **state)
{
    static const char *const scripts[] = {
        "{'silent': true}", "{'replies': {" BASE "}, 'faults': {'ListContainers': {'never': 1}}}"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct rig r;

        rig_open(&r, scripts[i]);
        ask(&r);
        rig_rounds(&r, 1000);
        assert_int_equal(r.rc, 0);
        assert_int_equal(client_pending(r.client), i == 0 ? 2 : 1);
        assert_true(client_deadline(r.client) == NSEC_NEVER);
        rig_close(&r);
    }
}

static void a_slow_answer_comes(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, "{'replies': {" BASE "}, 'faults': {'ListContainers': {'hold': 300}}}");
    ask(&r);
    rig_run(&r);
    assert_int_equal(rig_reply(&r, LIST)->rc, 0);
    assert_true(r.now > NSEC_PER_SEC + 300 * NSEC_PER_MSEC);
    rig_close(&r);
}

static void in_single_bytes(void **state)
{
    struct rig r;

    (void)state;
    rig_open_runtime(&r, "containerd-2.1.9");
    json_object_set_new(fake_cri_script(r.fake), "piece", json_integer(1));
    look(&r);
    assert_int_equal(status_named(&r, "facts-a1")->pid, 27498);
    rig_close(&r);
}

static void ask_for_many(struct rig *r, unsigned n)
{
    json_t *statuses = json_object();

    for (unsigned i = 0; i < n; i++) {
        char id[16];

        snprintf(id, sizeof(id), "c%u", i);
        json_object_set_new(statuses, id, json_pack("{s:{s:s}}", "status", "id", id));
        assert_int_equal(client_get_container(r->client, id, &r->arena, CONTAINER + i, &r->err), 0);
    }
    json_object_set_new(fake_cri_script(r->fake), "replies",
                        json_pack("{s:o}", "ContainerStatus", statuses));
}

static void many_at_once_but_not_too_many(void **state)
{
    static const struct {
        const char *script;
        unsigned peak;
    } cases[] = {{"{}", GRPC_STREAMS_MOST}, {"{'max_streams': 7}", 7}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct rig r;

        rig_open(&r, cases[i].script);
        ask_for_many(&r, 450);
        rig_run(&r);
        assert_int_equal(r.rc, 0);
        assert_int_equal(r.n_replies, 450);
        for (unsigned k = 0; k < 450; k++) {
            assert_int_equal(rig_reply(&r, CONTAINER + k)->rc, 0);
        }
        assert_true(fake_cri_peak(r.fake) > 5);
        assert_true(fake_cri_peak(r.fake) <= cases[i].peak);
        rig_close(&r);
    }
}

static void a_reply_of_nearly_64_mib(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, "{'replies': {" BASE "}, 'faults': {'ListContainers': {'pad': 67108000}}}");
    ask(&r);
    rig_run(&r);
    assert_int_equal(r.rc, 0);
    assert_int_equal(rig_reply(&r, LIST)->rc, 0);
    rig_close(&r);
}

static void what_is_cancelled_is_never_answered(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, "{'replies': {" BASE ", 'ContainerStatus': {'d': {'status': {'id': 'd'}}}}, "
                 "'faults': {'ContainerStatus c': {'hold': 50}, 'ListContainers': {'never': 1}}}");
    ask(&r);
    client_get_container(r.client, "c", &r.arena, CONTAINER, &r.err);
    rig_rounds(&r, 5);
    assert_int_equal(client_pending(r.client), 2);
    client_cancel(r.client);
    assert_int_equal(client_pending(r.client), 0);
    client_get_container(r.client, "d", &r.arena, CONTAINER + 1, &r.err);
    rig_rounds(&r, 200);
    assert_int_equal(r.rc, 0);
    assert_int_equal(r.n_replies, 2);
    assert_non_null(rig_reply(&r, IDENTITY));
    assert_int_equal(rig_reply(&r, CONTAINER + 1)->rc, 0);
    rig_close(&r);
}

static void lists_that_make_no_sense(void **state)
{
    const struct view *v;
    struct rig r;

    (void)state;
    rig_open(&r,
             "{'replies': {" VERSION ", 'ListPodSandbox': {'items': [{'id': 'p2'}, {'id': ''}, "
             "{'id': 'p1', 'metadata': {'name': 'n', 'uid': 'u', 'attempt': 2}, 'annotations': "
             "{'kubernetes.io/config.hash': 'h'}}, {'id': 'p2', 'state': 1}]}, 'ListContainers': "
             "{'containers': [{'id': 'c3', 'pod_sandbox_id': 'nowhere', 'state': 3}, "
             "{'id': 'c1', 'pod_sandbox_id': 'p1', 'state': 77, 'created_at': -5, 'image': "
             "{'image': 'sha256:1', 'user_specified_image': 'nginx:1'}}, {}, {'id': 'c2'}, "
             "{'id': 'c1', 'pod_sandbox_id': 'p1'}]}}}");
    ask(&r);
    rig_run(&r);
    v = &rig_reply(&r, LIST)->list;
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

static void statuses_that_make_no_sense(void **state)
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
        client_get_container(r.client, "c", &r.arena, CONTAINER, &r.err);
        rig_run(&r);
        reply = rig_reply(&r, CONTAINER);
        assert_int_equal(reply->rc, -EBADMSG);
        assert_int_equal(reply->container.status, VIEW_STATUS_FAILED);
        if (!strstr(reply->container.error, cases[i].words)) {
            fail_msg("%s: \"%s\"", cases[i].reply, reply->container.error);
        }
        rig_close(&r);
    }
}

static void events(void **state)
{
    struct view_runtime who;
    struct rig r;

    (void)state;
    rig_open_runtime(&r, "containerd-2.1.9");
    look(&r);
    who = rig_reply(&r, IDENTITY)->runtime;
    assert_true(client_watch_events(r.client, &who));
    assert_false(client_watch_events(r.client, &who)); /* one stream is enough */
    rig_rounds(&r, 10);
    assert_true(rig_count(&r, CLIENT_EVENT) >= 1);
    assert_int_equal(rig_count(&r, CLIENT_EVENTS_END), 0);
    client_cancel(r.client); /* requests only: the stream goes on */
    assert_int_equal(client_get_identity(r.client, &r.arena, 5, &r.err), 0);
    rig_run(&r);
    assert_int_equal(rig_count(&r, CLIENT_EVENTS_END), 0);
    rig_close(&r);

    rig_open_runtime(&r, "crio-1.37"); /* with pod events off */
    look(&r);
    assert_true(client_watch_events(r.client, &rig_reply(&r, IDENTITY)->runtime));
    rig_rounds(&r, 10);
    assert_int_equal(r.rc, 0);
    assert_int_equal(rig_count(&r, CLIENT_EVENTS_END), 1);
    assert_int_equal(r.replies[r.n_replies - 1].rc, 0);
    rig_close(&r);

    rig_open(&r, "{'replies': {" BASE "}}");
    look(&r);
    assert_true(client_watch_events(r.client, &rig_reply(&r, IDENTITY)->runtime));
    rig_rounds(&r, 10);
    assert_int_equal(r.replies[r.n_replies - 1].kind, CLIENT_EVENTS_END);
    assert_int_equal(r.replies[r.n_replies - 1].rc, -EOPNOTSUPP);
    rig_close(&r);
}

static void whose_events_may_be_read(void **state)
{
    static const struct {
        const char *name, *version;
        bool safe;
    } cases[] = {
        {"containerd", "1.6.20~ds1", false}, {"containerd", "1.7.24", false},
        {"containerd", "2.0.0", true},       {"containerd", "v2.1.9+unknown", true},
        {"containerd", "10.0", true},        {"containerd", "", false},
        {"containerd", NULL, false},         {"containerd", "x", false},
        {"cri-o", "1.26.0", true},           {"docker", "28.5.1", false},
        {"another", "9.9", false},           {NULL, NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(cri_rpc_events_are_safe(cases[i].name, cases[i].version), cases[i].safe);
    }
}

static void ids_that_no_runtime_has(void **state)
{
    struct rig r;
    char id[2000];

    (void)state;
    memset(id, 'a', sizeof(id));
    id[sizeof(id) - 1] = '\0';
    rig_open(&r, "{}");
    assert_int_equal(client_get_container(r.client, id, &r.arena, 1, &r.err), -EINVAL);
    assert_int_equal(client_pending(r.client), 0);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_runtimes),
        cmocka_unit_test(removed_meanwhile),
        cmocka_unit_test(falls_back_to_v1alpha2_once),
        cmocka_unit_test(v1_is_taken_where_both_are),
        cmocka_unit_test(no_cri_at_all),
        cmocka_unit_test(identity_stands_without_status),
        cmocka_unit_test(one_failed_request),
        cmocka_unit_test(failed_lists_fail_once),
        cmocka_unit_test(lost_connections),
        cmocka_unit_test(a_silent_peer_only_keeps_waiting),
        cmocka_unit_test(a_slow_answer_comes),
        cmocka_unit_test(in_single_bytes),
        cmocka_unit_test(many_at_once_but_not_too_many),
        cmocka_unit_test(a_reply_of_nearly_64_mib),
        cmocka_unit_test(what_is_cancelled_is_never_answered),
        cmocka_unit_test(lists_that_make_no_sense),
        cmocka_unit_test(statuses_that_make_no_sense),
        cmocka_unit_test(events),
        cmocka_unit_test(whose_events_may_be_read),
        cmocka_unit_test(ids_that_no_runtime_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
