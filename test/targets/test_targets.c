/* Targets compared with a snapshot made by hand: which findings there are, each of them once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/targets/targets.h"
#include "test/support/rows.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

#define POLICY(targets) "apiVersion: podpid/v1\nkind: PreflightPolicy\ntargets:\n" targets
#define POD(head, status)                                                                          \
    "apiVersion: v1\nkind: Pod\nmetadata: {" head "}\nspec: {containers: [{name: app}]}\n"         \
    "status: {" status "}\n"

static const struct row_line node[] = {
    {"prod", "db", "u-db", "s1", "db", "aa01", PODPID_VERDICT_VERIFIED, 10, 1, 0, "db", NULL, NULL},
    {"prod", "db", "u-db", "s1", "init", "aa02", PODPID_VERDICT_EXITED, 0, 1, 0, "db", NULL, NULL},
    {"prod", "job", "u-job", "-s9", "run", "aa09", PODPID_VERDICT_EXITED, 0, 1, 0, NULL, NULL,
     NULL},
    {"prod", "web-0", "u-w0", "-s2", "app", "bb01", PODPID_VERDICT_EXITED, 0, 1, 137, "web", NULL,
     NULL},
    {"prod", "web-0", "u-w0", "s3", "app", "bb02", PODPID_VERDICT_VERIFIED, 11, 2, 0, "web", NULL,
     NULL},
    {"prod", "web-0", "u-w0", "s3", "log", "bb03", PODPID_VERDICT_VERIFIED, 12, 2, 0, "web", NULL,
     NULL},
    {"prod", "web-1", "u-w1", "s4", "app", "bb04", PODPID_VERDICT_DEAD, 13, 2, 0, "web",
     "no process 13", NULL},
    {"prod", "web-1", "u-w1", "s4", "log", "bb05", PODPID_VERDICT_EXITED, 0, 2, 1, "web", NULL,
     NULL},
    {"prod", "web-2", "u-w2", "s5", "app", "bb06", PODPID_VERDICT_INFERRED, 14, 2, 0, "canary",
     NULL, NULL},
    {"kube-system", "etcd", "0123456789abcdef0123456789abcdef", "s6", "etcd", "cc01",
     PODPID_VERDICT_VERIFIED, 15, 1, 0, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, "plain", "dd01", PODPID_VERDICT_VERIFIED, 16, 1, 0, NULL, NULL, NULL},
};

struct result {
    struct podpid_targets *t;
    struct podpid_snapshot *s;
    struct arena a;
    struct targets_result r;
};

static void check_text(struct result *x, const char *text, const struct targets_options *o)
{
    char *dir = scratch_new(), path[512];
    struct podpid_error error = PODPID_ERROR_INIT;
    struct err err;

    *x = (struct result){0};
    scratch_puts(dir, "f.yaml", text);
    snprintf(path, sizeof(path), "%s/f.yaml", dir);
    assert_int_equal(podpid_targets_new(&x->t, NULL), 0);
    if (podpid_targets_add_file(x->t, path, "node-a", &error) != 0) {
        fail_msg("%s", error.message);
    }
    scratch_remove(dir);
    x->s = rows_snapshot(node, N_ELEMENTS(node), &rows_runtime);
    assert_int_equal(targets_check(x->t, x->s, o, &x->a, &x->r, &err), 0);
}

static void free_result(struct result *x)
{
    arena_free(&x->a);
    podpid_snapshot_free(x->s);
    podpid_targets_free(x->t);
}

static void findings_of_each_kind(void **state)
{
    static const struct {
        const char *text;
        struct targets_options o;
        size_t containers;
        const char *findings[4]; /* how they begin */
    } cases[] = {
        /* no finding: the exited init container of db is fine where no names are given */
        {POLICY("- {namespace: prod, pod: db}\n"), {0}, 1, {NULL}},
        /* the newest attempt counts, whatever became of older ones */
        {POLICY("- {pod: web-0}\n"), {0}, 2, {NULL}},
        {POLICY("- {selector: {app: db}, containers: [db]}\n"), {0}, 1, {NULL}},
        /* a container that a target names must run */
        {POLICY("- {pod: db, containers: [init]}\n"),
         {0},
         1,
         {"prod/db/init: exited with status 0"}},
        {POLICY("- {pod: db, containers: [db, cache]}\n"),
         {0},
         1,
         {"prod/db/cache: no such container in the pod"}},
        {POLICY("- {pod: web-1}\n"),
         {0},
         2,
         {"prod/web-1/app: dead: no process 13", "prod/web-1/log: exited with status 1"}},
        /* one finding for each container, although two targets name it */
        {POLICY("- {pod: web-1}\n- {pod: 'web-[1]', containers: [app]}\n"),
         {0},
         2,
         {"prod/web-1/app: dead: no process 13", "prod/web-1/log: exited with status 1"}},
        {POLICY("- {pod: web-0, minPods: 2}\n"), {0}, 2, {"*/web-0 (/"}},
        {POLICY("- {pod: none}\n"), {0}, 0, {"*/none (/"}},
        {POLICY("- {pod: job}\n"), {0}, 0, {"*/job (/"}},
        {POLICY("- {pod: 'web-*', selector: {app: none}}\n"), {0}, 0, {"*/web-* with app=none (/"}},
        {POLICY("- {containers: [plain]}\n"), {0}, 1, {NULL}},
        {POLICY("- {containers: [etcd, db]}\n"), {0}, 2, {NULL}},
        {POLICY("- {containers: [none]}\n"), {0}, 0, {"*/* (/"}},
        {POLICY("- {pod: web-2}\n"), {0}, 1, {"prod/web-2/app: inferred"}},
        {POLICY("- {pod: web-2}\n"), {.allow_inferred = true}, 1, {NULL}},
        /* manifests */
        {POD("name: web-0, namespace: prod, uid: u-w0",
             "containerStatuses: [{name: app, containerID: 'containerd://bb02'}]"),
         {0},
         1,
         {NULL}},
        {POD("name: web-0, namespace: prod, uid: u-w0",
             "containerStatuses: [{name: app, containerID: 'containerd://bb01'}]"),
         {0},
         1,
         {"prod/web-0/app: restarted as bb02: "}},
        {POD("name: web-0, namespace: prod, uid: u-w0",
             "containerStatuses: [{name: app, containerID: 'containerd://bb00'}]"),
         {0},
         1,
         {"prod/web-0/app: restarted as bb02: "}},
        {POD("name: web-0, namespace: prod, uid: u-w0",
             "containerStatuses: [{name: app, containerID: 'containerd://bb00'}]"),
         {.follow_restarts = true},
         1,
         {NULL}},
        {POD("name: web-0, namespace: prod, uid: u-w0",
             "containerStatuses: [{name: gone, containerID: 'containerd://bb77'}, "
             "{name: app, containerID: 'containerd://bb02'}]"),
         {0},
         1,
         {"prod/web-0/gone: absent: no container bb77 here"}},
        {POD("name: web-0, namespace: prod, uid: u-w0", "containerStatuses: [{name: app}]"),
         {0},
         0,
         {"prod/web-0/app: not started: "}},
        {POD("name: web-0, namespace: prod, uid: u-w0", "phase: Pending"),
         {0},
         0,
         {"prod/web-0/app: not started: "}},
        {POD("name: x, namespace: prod, uid: u-x",
             "containerStatuses: [{name: app, containerID: 'containerd://ee01'}]"),
         {0},
         0,
         {"prod/x: absent: none of its container ids is known here: is it a pod of another "
          "node?"}},
        /* the runtime knows a mirror pod by its hash as uid */
        {POD("name: etcd-node-a, namespace: kube-system, uid: u-other, annotations: "
             "{kubernetes.io/config.hash: 0123456789abcdef0123456789abcdef}",
             "containerStatuses: [{name: app, containerID: 'containerd://cc01'}]"),
         {0},
         1,
         {NULL}},
        {POD("name: etcd-node-a, namespace: kube-system, uid: u-other, annotations: "
             "{kubernetes.io/config.hash: 0123456789abcdef0123456789abcdef}",
             "containerStatuses: [{name: app, containerID: 'containerd://cc02'}, "
             "{name: etcd, containerID: 'containerd://cc00'}]"),
         {0},
         1,
         {"kube-system/etcd-node-a/app: absent: no container cc02 here",
          "kube-system/etcd-node-a/etcd: restarted as cc01: "}},
        {POD("name: web-1, namespace: prod, uid: u-w1",
             "containerStatuses: [{name: app, containerID: 'containerd://bb04'}, "
             "{name: log, containerID: 'containerd://bb05'}]"),
         {0},
         2,
         {"prod/web-1/app: dead: no process 13", "prod/web-1/log: exited with status 1"}},
    };

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        struct result x;
        size_t n = 0;

        check_text(&x, cases[i].text, &cases[i].o);
        while (n < 4 && cases[i].findings[n]) {
            if (n >= x.r.n_findings ||
                strncmp(x.r.findings[n], cases[i].findings[n], strlen(cases[i].findings[n])) != 0) {
                fail_msg("%s: finding %zu: %s", cases[i].text, n,
                         n < x.r.n_findings ? x.r.findings[n] : "none");
            }
            n++;
        }
        if (x.r.n_findings != n || x.r.n_containers != cases[i].containers) {
            fail_msg("%s: %zu findings, %zu containers, last: %s", cases[i].text, x.r.n_findings,
                     x.r.n_containers, x.r.n_findings ? x.r.findings[x.r.n_findings - 1] : "none");
        }
        free_result(&x);
    }
}

static void a_finding_counts_ready_pods(void **state)
{
    struct result x;

    (void)state;
    check_text(&x, POLICY("- {namespace: prod, pod: 'web-*', minPods: 4}\n- {pod: job}\n"),
               &(struct targets_options){0});
    assert_non_null(strstr(x.r.findings[x.r.n_findings - 2],
                           "f.yaml:4): 3 ready pods, expected at least 4, and 1 not ready"));
    assert_non_null(strstr(x.r.findings[x.r.n_findings - 1],
                           "f.yaml:5): 0 ready pods, expected at least 1, and 1 not ready"));
    free_result(&x);
}

static void match_selects_what_targets_name(void **state)
{
    struct result x;
    size_t n = 0;

    (void)state;
    check_text(&x, POLICY("- {pod: 'web-*', containers: [app]}\n"), &(struct targets_options){0});
    for (size_t i = 0; i < x.s->n_pods; i++) {
        for (size_t k = 0; k < x.s->pods[i]->n_containers; k++) {
            const struct podpid_container *c = x.s->pods[i]->containers[k];
            bool web_app = c->pod->name && strncmp(c->pod->name, "web-", 4) == 0 &&
                           strcmp(c->name, "app") == 0;

            assert_int_equal(podpid_targets_match(x.t, c), web_app);
            n += web_app ? 1 : 0;
        }
    }
    assert_int_equal(n, 4);
    assert_false(targets_result_has(&x.r, x.s->pods[0]->containers[0]));
    assert_true(targets_result_has(&x.r, x.s->pods[3]->containers[0]));
    free_result(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_of_each_kind),
        cmocka_unit_test(a_finding_counts_ready_pods),
        cmocka_unit_test(match_selects_what_targets_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
