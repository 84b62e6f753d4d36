/* Looks at a Docker node: whether a container belongs to a pod, as its labels claim, is decided for
 * exited containers, too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/clock.h"
#include "cri/base/text.h"
#include "resolver/podpid.h"
#include "test/support/http.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

#define UID "11111111-2222-3333-4444-555555555555"
#define LABELS(type)                                                                               \
    "\"Labels\":{\"io.kubernetes.docker.type\":\"" type "\","                                      \
    "\"io.kubernetes.pod.namespace\":\"prod\",\"io.kubernetes.pod.name\":\"job\","                 \
    "\"io.kubernetes.pod.uid\":\"" UID "\",\"io.kubernetes.container.name\":\"main\","             \
    "\"io.kubernetes.sandbox.id\":\"5a\"}"
#define ROW(id, type)                                                                              \
    "{\"Id\":\"" id "\",\"Names\":[\"/n" id                                                        \
    "\"],\"State\":\"exited\",\"Created\":1700000000," LABELS(type) "}"
#define EXITED(id, parent, network, type)                                                          \
    "{\"Id\":\"" id "\",\"State\":{\"Status\":\"exited\",\"Pid\":0,\"ExitCode\":3},"               \
    "\"Name\":\"/n" id "\",\"HostConfig\":{\"CgroupParent\":\"" parent "\","                       \
    "\"NetworkMode\":\"" network "\"},\"Config\":{" LABELS(type) "}}"
#define POD "/kubepods/besteffort/pod" UID

struct node {
    char *dir;
    char socket[100], endpoint[128], proc[128];
    struct podpid_snapshot *snapshot;
};

static void node_look(struct node *n, const char *sandbox, const char *container)
{
    struct http_answer script[] = {
        {.path = "/version", .body = "{\"Version\":\"20.10\"}"},
        {.path = "/info", .body = "{\"CgroupDriver\":\"cgroupfs\"}"},
        {.path = "/containers/json?all=1",
         .body = "[" ROW("5a", "podsandbox") "," ROW("c1", "container") "]"},
        {.path = "/containers/5a/json", .body = sandbox},
        {.path = "/containers/c1/json", .body = container}};
    struct podpid_options options = PODPID_OPTIONS_INIT;
    struct podpid_error error = PODPID_ERROR_INIT;
    struct http_server *server;
    struct podpid_look *look;
    nsec now = NSEC_PER_SEC;
    int rc;

    *n = (struct node){.dir = scratch_new()};
    snprintf(n->socket, sizeof(n->socket), "%s/s", n->dir);
    snprintf(n->endpoint, sizeof(n->endpoint), "unix://%s", n->socket);
    snprintf(n->proc, sizeof(n->proc), "%s/proc", n->dir);
    scratch_puts(n->dir, "proc/stat", "btime 1699999900\n");
    scratch_puts(n->dir, "proc/1/cgroup", "0::/\n");
    scratch_puts(n->dir, "proc/1/stat",
                 "1 (init) S 0 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 1 0 0\n");
    options.endpoint = n->endpoint;
    options.proc = n->proc;
    options.no_environment = true;
    server = http_server_new(n->socket, script, N_ELEMENTS(script));
    assert_int_equal(podpid_look_new(&options, &look, &error), 0);
    for (rc = 0; rc == 0 && now < 20 * NSEC_PER_SEC; now += NSEC_PER_MSEC) {
        http_server_step(server);
        rc = podpid_look_step(look, now, &error);
    }
    if (rc != 1) {
        fail_msg("%d: %s", rc, error.message);
    }
    n->snapshot = podpid_look_take(look);
    podpid_look_free(look);
    http_server_free(server);
}

static void node_done(struct node *n)
{
    podpid_snapshot_free(n->snapshot);
    scratch_remove(n->dir);
}

static size_t count_warnings(const struct podpid_snapshot *s, const char *words)
{
    size_t n, found = 0;
    const char *const *w = podpid_snapshot_warnings(s, &n);

    for (size_t i = 0; i < n; i++) {
        found += strstr(w[i], words) ? 1 : 0;
    }
    return found;
}

static void an_exited_pod_whose_claims_hold(void **state)
{
    const struct podpid_pod *const *pods;
    struct node n;
    size_t n_pods;

    (void)state;
    node_look(&n, EXITED("5a", POD, "none", "podsandbox"),
              EXITED("c1", POD, "container:5a", "container"));
    pods = podpid_snapshot_pods(n.snapshot, &n_pods);
    assert_int_equal(n_pods, 1);
    assert_string_equal(pods[0]->name, "job");
    assert_false(pods[0]->ready);
    assert_int_equal(pods[0]->n_containers, 1);
    assert_string_equal(pods[0]->containers[0]->name, "main");
    assert_int_equal(pods[0]->containers[0]->verdict, PODPID_VERDICT_EXITED);
    assert_int_equal(count_warnings(n.snapshot, "claims"), 0);
    node_done(&n);
}

/* An image may carry the kubelet's labels. Its containers are listed without a pod. */
static void an_exited_container_with_false_labels(void **state)
{
    const struct podpid_pod *const *pods;
    struct node n;
    size_t n_pods;

    (void)state;
    node_look(&n, EXITED("5a", "", "host", "podsandbox"),
              EXITED("c1", POD, "container:5a", "container"));
    pods = podpid_snapshot_pods(n.snapshot, &n_pods);
    assert_int_equal(n_pods, 1);
    assert_null(pods[0]->name);
    assert_null(pods[0]->sandbox_id);
    assert_int_equal(pods[0]->n_containers, 2);
    assert_int_equal(count_warnings(n.snapshot, "its cgroup parent is not that pod's"), 1);
    assert_int_equal(count_warnings(n.snapshot, "there is no such sandbox"), 1);
    node_done(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exited_pod_whose_claims_hold),
        cmocka_unit_test(an_exited_container_with_false_labels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
