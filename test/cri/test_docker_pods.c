/* Pods out of Docker's containers: what the labels claim, and what of it holds. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cri/docker/json.h"
#include "cri/docker/pods.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

#define UID "4b0d8545-aea0-4393-a928-b6fc3c4c2939"
#define UID_ "4b0d8545_aea0_4393_a928_b6fc3c4c2939"
#define OTHER_UID "99999999-aea0-4393-a928-b6fc3c4c2939"
#define PARENT "/kubepods/besteffort/pod" UID
#define SLICE "kubepods-besteffort-pod" UID_ ".slice"

/* One container, as the engine describes it. NULL: not given. */
struct box {
    const char *id, *type, *namespace_, *pod, *uid, *sandbox, *container;
    const char *parent, *network, *ipc, *name;
    enum view_status status; /* NONE here: OK */
};

static const struct box sandbox = {.id = "5a4d",
                                   .type = "podsandbox",
                                   .namespace_ = "prod",
                                   .pod = "web",
                                   .uid = UID,
                                   .container = "POD",
                                   .parent = PARENT,
                                   .network = "none",
                                   .ipc = "shareable",
                                   .name = "k8s_POD_web_prod_" UID "_2"};
static const struct box app = {.id = "a99",
                               .type = "container",
                               .namespace_ = "prod",
                               .pod = "web",
                               .uid = UID,
                               .sandbox = "5a4d",
                               .container = "app",
                               .parent = PARENT,
                               .network = "container:5a4d",
                               .ipc = "container:5a4d",
                               .name = "k8s_app_web_prod_" UID "_3"};

static void add_label(struct arena *a, struct docker_facts *f, const char *key, const char *value)
{
    struct view_label *labels = arena_calloc(a, f->n_labels + 1, sizeof(*labels));

    if (!value) {
        return;
    }
    assert_non_null(labels);
    if (f->n_labels) {
        memcpy(labels, f->labels, f->n_labels * sizeof(*labels));
    }
    labels[f->n_labels++] = (struct view_label){key, value};
    f->labels = labels;
}

static struct view_container *make(struct arena *a, const struct box *b)
{
    struct view_container *c = arena_alloc(a, sizeof(*c));
    struct docker_facts *f = arena_alloc(a, sizeof(*f));

    assert_non_null(c);
    assert_non_null(f);
    *f = (struct docker_facts){.name = b->name,
                               .cgroup_parent = b->parent,
                               .network_mode = b->network,
                               .ipc_mode = b->ipc};
    add_label(a, f, "io.kubernetes.docker.type", b->type);
    add_label(a, f, "io.kubernetes.pod.namespace", b->namespace_);
    add_label(a, f, "io.kubernetes.pod.name", b->pod);
    add_label(a, f, "io.kubernetes.pod.uid", b->uid);
    add_label(a, f, "io.kubernetes.sandbox.id", b->sandbox);
    add_label(a, f, "io.kubernetes.container.name", b->container);
    add_label(a, f, "app", "web");
    *c = (struct view_container){.id = b->id,
                                 .state = VIEW_RUNNING,
                                 .status = b->status ? b->status : VIEW_STATUS_OK,
                                 .pid = 77,
                                 .docker = f};
    docker_claim(c);
    return c;
}

static void add(struct arena *a, struct view *v, const struct box *b)
{
    struct view_container *c = make(a, b);

    if (docker_claims_sandbox(c)) {
        docker_pod_of(c, &v->pods[v->n_pods++]);
    } else {
        v->containers[v->n_containers++] = *c;
    }
}

static const struct view_runtime docker = {
    .name = "docker", .version = "1", .api = "docker", .cgroup_driver = "cgroupfs"};

static void settle(struct arena *a, const struct box *boxes, size_t n, struct view *ret)
{
    *ret = (struct view){.pods = arena_calloc(a, n, sizeof(*ret->pods)),
                         .containers = arena_calloc(a, n, sizeof(*ret->containers))};
    for (size_t i = 0; i < n; i++) {
        add(a, ret, &boxes[i]);
    }
    view_sort(ret);
    assert_int_equal(docker_settle(&docker, ret, a), 0);
}

static void a_proven_pod_is_kept(void **state)
{
    const struct box boxes[] = {app, sandbox};
    struct arena a = {0};
    struct view v;

    (void)state;
    settle(&a, boxes, 2, &v);
    assert_int_equal(v.n_warnings, 0);
    assert_int_equal(v.n_pods, 1);
    assert_string_equal(v.pods[0].namespace_, "prod");
    assert_string_equal(v.pods[0].name, "web");
    assert_string_equal(v.pods[0].uid, UID);
    assert_int_equal(v.pods[0].attempt, 2);
    assert_true(v.pods[0].ready);
    assert_int_equal(v.pods[0].pid, 77);
    assert_string_equal(v.pods[0].cgroups_path, PARENT "/5a4d");
    assert_null(view_label(v.pods[0].labels, v.pods[0].n_labels, "io.kubernetes.docker.type"));
    assert_null(view_label(v.pods[0].labels, v.pods[0].n_labels, "io.kubernetes.container.name"));
    assert_string_equal(view_label(v.pods[0].labels, v.pods[0].n_labels, "app"), "web");
    assert_int_equal(v.n_containers, 1);
    assert_string_equal(v.containers[0].sandbox_id, "5a4d");
    assert_string_equal(v.containers[0].name, "app");
    assert_int_equal(v.containers[0].attempt, 3);
    assert_string_equal(v.containers[0].cgroups_path, PARENT "/a99");
    assert_null(
        view_label(v.containers[0].labels, v.containers[0].n_labels, "io.kubernetes.sandbox.id"));
    arena_free(&a);
}

/* What is changed of the true pair, and what must come of it. */
static void unproven_claims_are_refused(void **state)
{
    static const struct {
        const char *name;
        struct box sandbox, app; /* what is not NULL replaces the true value; "" removes it */
        bool pod, in_pod;        /* expected */
        size_t warnings;
    } table[] = {
        {"host networking", {.network = "host"}, {.network = "host"}, true, true, 0},
        {"joined the network only", {0}, {.ipc = "private"}, true, true, 0},
        {"systemd's slice", {.parent = SLICE}, {.parent = SLICE}, true, true, 0},
        {"a path of slices",
         {.parent = "/kubepods.slice/" SLICE},
         {.parent = "/kubepods.slice/" SLICE},
         true,
         true,
         0},

        {"image with a container's labels",
         {0},
         {.parent = "", .network = "default", .ipc = ""},
         true,
         false,
         1},
        {"the right labels, another pod's cgroup",
         {0},
         {.parent = "/kubepods/besteffort/pod" OTHER_UID},
         true,
         false,
         1},
        {"the right labels and cgroup, no namespace shared",
         {0},
         {.network = "bridge", .ipc = "private"},
         true,
         false,
         1},
        {"joined another container",
         {0},
         {.network = "container:5a4", .ipc = "container:5a4d5"},
         true,
         false,
         1},
        {"a sandbox that is not listed", {0}, {.sandbox = "beef"}, true, false, 1},
        {"another namespace", {0}, {.namespace_ = "dev"}, true, false, 1},
        {"another pod's name", {0}, {.pod = "db"}, true, false, 1},
        {"another uid", {0}, {.uid = OTHER_UID}, true, false, 1},
        {"no uid", {0}, {.uid = ""}, true, false, 1},
        {"the uid in the wrong place of the parent",
         {0},
         {.parent = "/kubepods/pod" UID "/x"},
         true,
         false,
         1},
        {"the uid with more before it", {0}, {.parent = "/kubepods/xpod" UID}, true, false, 1},
        {"the uid with more after it", {0}, {.parent = "/kubepods/pod" UID "0"}, true, false, 1},
        {"no type: no claim", {0}, {.type = ""}, true, false, 0},
        {"an unknown type: no claim", {0}, {.type = "pause"}, true, false, 0},
        {"no sandbox id: no claim", {0}, {.sandbox = ""}, true, false, 0},

        {"image with a sandbox's labels", {.parent = ""}, {0}, false, false, 2},
        {"a sandbox in another pod's cgroup",
         {.parent = "/kubepods/besteffort/pod" OTHER_UID},
         {0},
         false,
         false,
         2},
        {"a sandbox without uid", {.uid = ""}, {0}, false, false, 2},
        {"a sandbox without name", {.pod = ""}, {0}, false, false, 2},
        {"a sandbox whose status failed", {.status = VIEW_STATUS_FAILED}, {0}, false, false, 2},
        {"a sandbox that went away", {.status = VIEW_STATUS_GONE}, {0}, true, false, 1},
        {"a container whose status failed stays",
         {0},
         {.status = VIEW_STATUS_FAILED, .parent = "", .network = "", .ipc = ""},
         true,
         true,
         0},
        {"a failed one of another pod does not",
         {0},
         {.status = VIEW_STATUS_FAILED, .namespace_ = "dev"},
         true,
         false,
         1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct box boxes[2] = {sandbox, app};
        const struct box *change[2] = {&table[i].sandbox, &table[i].app};
        struct arena a = {0};
        struct view v;
        const struct view_container *c;

        print_message("  %s\n", table[i].name);
        for (size_t k = 0; k < 2; k++) {
            const char *const *from = (const char *const *)(const void *)change[k];
            const char **to = (const char **)(void *)&boxes[k];

            for (size_t m = 0; m < offsetof(struct box, status) / sizeof(*to); m++) {
                to[m] = from[m] ? *from[m] ? from[m] : NULL : to[m];
            }
            boxes[k].status = change[k]->status;
        }
        settle(&a, boxes, 2, &v);
        assert_int_equal(v.n_pods, table[i].pod);
        assert_int_equal(v.n_containers, table[i].pod ? 1 : 2);
        c = view_find_container(&v, app.id);
        assert_non_null(c);
        assert_int_equal(c->sandbox_id != NULL, table[i].in_pod);
        if (v.n_warnings != table[i].warnings) {
            fail_msg("%zu warnings: %s", v.n_warnings, v.n_warnings ? v.warnings[0] : "");
        }
        if (!table[i].in_pod) {
            assert_string_equal(c->name, app.name);
        }
        if (!table[i].pod) {
            c = view_find_container(&v, sandbox.id);
            assert_non_null(c);
            assert_null(c->sandbox_id);
            assert_string_equal(c->name, sandbox.name);
            assert_int_equal(c->status,
                             table[i].sandbox.status ? table[i].sandbox.status : VIEW_STATUS_OK);
        }
        arena_free(&a);
    }
}

static void cgroup_paths_are_made(void **state)
{
    static const struct {
        const char *name, *driver, *parent, *expect;
    } table[] = {
        {"docker", "cgroupfs", NULL, NULL},
        {"docker", "cgroupfs", PARENT, PARENT "/abc"},
        {"docker", "cgroupfs", "/x/", "/x/abc"},
        {"docker", "cgroupfs", "relative", NULL},
        {"docker", "systemd", NULL, NULL},
        {"docker", "systemd", SLICE, SLICE ":docker:abc"},
        {"docker", "systemd", "/kubepods.slice/" SLICE, SLICE ":docker:abc"},
        {"docker", "none", NULL, NULL},
        {"docker", NULL, PARENT, NULL},
        {"podman", "cgroupfs", NULL, "/libpod_parent/libpod-abc"},
        {"podman", "cgroupfs", "/libpod_parent/p0d", "/libpod_parent/p0d/libpod-abc"},
        {"podman", "systemd", NULL, "machine.slice:libpod:abc"},
        {"podman", "systemd", "machine.slice/machine-libpod_pod_1.slice",
         "machine-libpod_pod_1.slice:libpod:abc"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct view_runtime who = {.name = table[i].name, .cgroup_driver = table[i].driver};
        struct arena a = {0};
        const char *path = "unset";

        assert_int_equal(docker_cgroups_path(&who, table[i].parent, "abc", &a, &path), 0);
        if (table[i].expect) {
            assert_string_equal(path, table[i].expect);
        } else {
            assert_null(path);
        }
        arena_free(&a);
    }
}

static void attempts_are_read_from_names(void **state)
{
    static const struct {
        const char *name;
        uint32_t attempt;
    } table[] = {
        {"k8s_app_web_prod_uid_7", 7},
        {"k8s_app_web_prod_uid_4294967295", UINT32_MAX},
        {"k8s_app_web_prod_uid_4294967296", 0},
        {"k8s_app_web_prod_uid_", 0},
        {"k8s_app_web_prod_uid_x", 0},
        {"k8s_app_7", 0},
        {"k8s_a_b_c_d_e_7", 0},
        {"other_app_web_prod_uid_7", 0},
        {NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct arena a = {0};
        struct box b = app;

        b.name = table[i].name;
        assert_int_equal(make(&a, &b)->attempt, table[i].attempt);
        arena_free(&a);
    }
}

/* Recorded from a node: the inspections of one pod, settled. */
static void a_recorded_pod_is_settled(void **state)
{
    static const char *const files[] = {
        "docker28/inspect-sandbox.json",   "docker28/inspect-a1.json",
        "docker28/inspect-a3exited.json",  "docker28/inspect-a4-paused.json",
        "docker28/inspect-a5created.json",
    };
    enum { N = sizeof(files) / sizeof(files[0]) };
    struct view_container rows[N];
    struct arena a = {0};
    struct view v = {.pods = arena_calloc(&a, N, sizeof(*v.pods)),
                     .containers = arena_calloc(&a, N, sizeof(*v.containers))};

    (void)state;
    for (size_t i = 0; i < N; i++) {
        struct err err = {0};
        struct buf b = {0};

        assert_true(scratch_read(TEST_DIR "/fixtures/runtimes", files[i], &b));
        assert_int_equal(docker_parse_inspect((struct str){b.p, b.n}, &a, &rows[i], &err), 0);
        buf_free(&b);
        if (docker_claims_sandbox(&rows[i])) {
            docker_pod_of(&rows[i], &v.pods[v.n_pods++]);
        } else {
            v.containers[v.n_containers++] = rows[i];
        }
    }
    view_sort(&v);
    assert_int_equal(docker_settle(&docker, &v, &a), 0);
    assert_int_equal(v.n_warnings, 0);
    assert_int_equal(v.n_pods, 1);
    assert_string_equal(v.pods[0].name, "facts-a");
    assert_int_equal(v.pods[0].pid, 22066);
    assert_int_equal(v.n_containers, N - 1);
    for (size_t i = 0; i < v.n_containers; i++) {
        assert_string_equal(v.containers[i].sandbox_id, v.pods[0].id);
        assert_memory_equal(v.containers[i].cgroups_path, PARENT "/", strlen(PARENT "/"));
    }
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_proven_pod_is_kept),      cmocka_unit_test(unproven_claims_are_refused),
        cmocka_unit_test(cgroup_paths_are_made),     cmocka_unit_test(attempts_are_read_from_names),
        cmocka_unit_test(a_recorded_pod_is_settled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
