/* The CRI client against a scripted server: what real runtimes answered when they were recorded,
 * and which version of CRI is spoken. */
#include <errno.h>
#include <string.h>

#include "test/support/cri_rig.h"
#include "test/support/unit.h"

static void recorded_runtimes_are_read(void **state)
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
        v = rig_ask_all(&r);
        who = &rig_reply(&r, CLIENT_IDENTITY)->runtime;
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

        c = rig_status_named(&r, "facts-a1");
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
        c = rig_status_named(&r, "facts-a3");
        assert_int_equal(c->state, VIEW_EXITED);
        assert_int_equal(c->exit_code, 3);
        assert_int_equal(c->pid, cases[i].exited);
        c = rig_status_named(&r, "facts-a5");
        assert_int_equal(c->state, VIEW_CREATED);
        assert_int_equal(c->started_at, 0);
        assert_int_equal(c->pid, cases[i].created);

        for (size_t k = 0; k < v->n_pods; k++) {
            const struct client_reply *p = rig_reply_of(&r, v->pods[k].id);

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

static void a_removed_container_is_gone(void **state)
{
    static const char gone[] = "f8394e0f574cb76a429ecce43c16e64eb8c5530d74079a61ddca95b301ad64bc";
    static const char *const runtimes[] = {"containerd-1.6.20", "cri-dockerd-0.3.4"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct rig r;

        rig_open_runtime(&r, runtimes[i]);
        client_get_container(r.client, gone, &r.arena, &r.err);
        client_get_pod(r.client, "00", &r.arena, &r.err);
        rig_run(&r);
        assert_true(rig_reply_of(&r, gone)->gone);
        assert_int_equal(rig_reply_of(&r, gone)->rc, -ENOENT);
        assert_int_equal(rig_reply_of(&r, gone)->container.status, VIEW_STATUS_GONE);
        assert_string_equal(rig_reply_of(&r, gone)->container.id, gone);
        assert_true(rig_reply_of(&r, "00")->gone);
        assert_int_equal(rig_reply_of(&r, "00")->pod.status, VIEW_STATUS_GONE);
        rig_close(&r);
    }
}

static void falls_back_to_v1alpha2_once(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, "{'api': ['v1alpha2'], 'replies': {" SCRIPT_BASE
                 ", 'RuntimeConfig': {}, 'ContainerStatus': {'c': {'status': {'id': 'c'}}}}}");
    rig_ask(&r); /* all of it is on its way before the first answer */
    client_get_container(r.client, "c", &r.arena, &r.err);
    rig_run(&r);
    assert_int_equal(r.rc, 0);
    assert_string_equal(rig_reply(&r, CLIENT_IDENTITY)->runtime.api, "cri/v1alpha2");
    assert_string_equal(rig_reply(&r, CLIENT_IDENTITY)->runtime.name, "containerd");
    assert_int_equal(rig_reply(&r, CLIENT_IDENTITY)->runtime.n_conditions, 1);
    assert_int_equal(rig_reply(&r, CLIENT_LIST)->rc, 0);
    assert_int_equal(rig_reply_of(&r, "c")->rc, 0);
    assert_int_equal(fake_cri_calls(r.fake, "v1/Version"), 1);
    assert_int_equal(fake_cri_calls(r.fake, "v1alpha2/Version"), 1);
    assert_int_equal(fake_cri_calls(r.fake, "v1alpha2/RuntimeConfig"), 0);
    client_get_identity(r.client, &r.arena, &r.err);
    rig_run(&r);
    assert_int_equal(r.replies[r.n_replies - 1].kind, CLIENT_IDENTITY);
    assert_int_equal(r.replies[r.n_replies - 1].rc, 0);
    assert_int_equal(fake_cri_calls(r.fake, "v1/Version"), 1);
    assert_false(client_watch_events(r.client, &r.replies[r.n_replies - 1].runtime));
    rig_close(&r);
}

static void v1_is_preferred_to_v1alpha2(void **state)
{
    struct rig r;

    (void)state;
    rig_open_runtime(&r, "containerd-1.6.20");
    rig_ask_all(&r);
    assert_int_equal(fake_cri_calls(r.fake, "v1alpha2/Version"), 0);
    rig_close(&r);
}

static void a_peer_without_cri_is_an_error(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, "{'api': []}");
    rig_ask(&r);
    rig_run(&r);
    assert_int_equal(r.rc, -EOPNOTSUPP);
    assert_int_equal(r.err.kind, ERR_RUNTIME);
    assert_non_null(strstr(r.err.text, "serves no CRI"));
    assert_non_null(strstr(r.err.text, "unknown service runtime.v1alpha2.RuntimeService"));
    assert_non_null(strstr(r.err.hint, "disabled_plugins"));
    assert_int_equal(r.n_replies, 0);
    rig_close(&r);
}

static void overlong_ids_are_refused(void **state)
{
    struct rig r;
    char id[2000];

    (void)state;
    memset(id, 'a', sizeof(id));
    id[sizeof(id) - 1] = '\0';
    rig_open(&r, "{}");
    assert_int_equal(client_get_container(r.client, id, &r.arena, &r.err), -EINVAL);
    assert_int_equal(client_pending(r.client), 0);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_runtimes_are_read),
        cmocka_unit_test(a_removed_container_is_gone),
        cmocka_unit_test(falls_back_to_v1alpha2_once),
        cmocka_unit_test(v1_is_preferred_to_v1alpha2),
        cmocka_unit_test(a_peer_without_cri_is_an_error),
        cmocka_unit_test(overlong_ids_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
