/* Which containers a selector keeps, and what is left of a snapshot. */
#include <stdlib.h>
#include <string.h>

#include "test/support/snap.h"
#include "test/support/unit.h"

static bool keep(void *context, const struct podpid_container *c)
{
    return podpid_selector_matches(context, c);
}

static bool keep_pod(void *context, const struct podpid_pod *p)
{
    return podpid_selector_matches_pod(context, p);
}

/* The names of what is kept, in order, with a space after each. */
static void assert_kept(const struct podpid_snapshot *s, unsigned flags,
                        struct podpid_selector selector, const char *names)
{
    struct podpid_snapshot *kept = NULL;
    char text[256] = "";
    size_t n;
    const struct podpid_pod *const *pods;

    selector.size = sizeof(selector);
    assert_int_equal(podpid_snapshot_select(s, flags, keep, NULL, &selector, &kept, NULL),
                     PODPID_OK);
    pods = podpid_snapshot_pods(kept, &n);
    for (size_t i = 0; i < n; i++) {
        assert_true(pods[i]->n_containers > 0);
        for (size_t k = 0; k < pods[i]->n_containers; k++) {
            strcat(strcat(text, pods[i]->containers[k]->name), " ");
        }
    }
    assert_string_equal(text, names);
    podpid_snapshot_free(kept);
}

static void selectors_hold_together(void **state)
{
    struct podpid_snapshot *s = snap_zoo();
    const unsigned all = PODPID_SELECT_ALL_STATES;
    struct {
        unsigned flags;
        struct podpid_selector selector;
        const char *names;
    } cases[] = {
        {0, {0}, "postgres backup app sidecar broken registry "},
        {all, {0}, "postgres init backup app sidecar broken registry "},
        {0, {.namespace_ = "prod"}, "postgres backup app sidecar broken "},
        {0, {.namespace_ = "pro*"}, ""},
        {0, {.pod = "web-*"}, "app sidecar broken "},
        {0, {.pod = "*"}, "postgres backup app sidecar broken "},
        {0, {.pod = "web-*", .container = "[as]*"}, "app sidecar "},
        {0, {.container = "registry"}, "registry "},
        {0, {.labels = "app=web"}, "app sidecar broken "},
        {0, {.labels = "app==web"}, "app sidecar broken "},
        {0, {.labels = "app"}, "postgres backup app sidecar broken "},
        {0, {.labels = "app,tier"}, "app sidecar broken "},
        {0, {.labels = "tier="}, "app sidecar broken "},
        {0, {.labels = "app=web,tier=front"}, ""},
        {0, {.labels = "app="}, ""},
        {0, {.uid = "22222222-0000-0000-0000-000000000000"}, "postgres backup "},
        {0, {.uid = "2222"}, ""},
        {0, {.namespace_ = "dev", .pod = "web-*"}, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_kept(s, cases[i].flags, cases[i].selector, cases[i].names);
    }
    podpid_snapshot_free(s);
}

static void selectors_that_make_no_sense_are_refused(void **state)
{
    static const struct {
        const char *labels;
        int code;
    } cases[] = {
        {NULL, PODPID_OK},           {"a=b", PODPID_OK},         {"a", PODPID_OK},
        {"a=b,c=", PODPID_OK},       {"a.b/c-d=e_f", PODPID_OK}, {"", PODPID_ERR_USAGE},
        {"=b", PODPID_ERR_USAGE},    {"a=b,", PODPID_ERR_USAGE}, {",a=b", PODPID_ERR_USAGE},
        {"a!=b", PODPID_ERR_USAGE},  {"!a", PODPID_ERR_USAGE},   {"a in (b,c)", PODPID_ERR_USAGE},
        {"a=b=c", PODPID_ERR_USAGE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct podpid_selector selector = PODPID_SELECTOR_INIT;

        selector.labels = cases[i].labels;
        assert_int_equal(podpid_selector_check(&selector, NULL), cases[i].code);
    }
}

static void pods_without_containers_stay_if_wanted(void **state)
{
    struct podpid_snapshot *s = snap_new(), *kept;
    struct podpid_selector selector = PODPID_SELECTOR_INIT;
    size_t n;

    (void)state;
    snap_pod(s, "a", "empty", "u1");
    snap_pod(s, "b", "empty", "u2");
    selector.namespace_ = "b";
    assert_int_equal(podpid_snapshot_select(s, 0, keep, NULL, &selector, &kept, NULL), PODPID_OK);
    podpid_snapshot_pods(kept, &n);
    assert_int_equal(n, 0);
    podpid_snapshot_free(kept);
    assert_int_equal(podpid_snapshot_select(s, 0, keep, keep_pod, &selector, &kept, NULL),
                     PODPID_OK);
    assert_string_equal(podpid_snapshot_pods(kept, &n)[0]->namespace_, "b");
    assert_int_equal(n, 1);
    podpid_snapshot_free(kept);
    podpid_snapshot_free(s);
}

static void findings_and_completeness_follow(void **state)
{
    struct podpid_snapshot *s = snap_zoo(), *kept;
    struct podpid_selector web = PODPID_SELECTOR_INIT, db = PODPID_SELECTOR_INIT;
    size_t n;

    (void)state;
    web.labels = "app=web";
    db.labels = "app=db";
    assert_int_equal(podpid_snapshot_select(s, 0, keep, NULL, &web, &kept, NULL), PODPID_OK);
    assert_false(podpid_snapshot_complete(kept)); /* the broken one is in there */
    podpid_snapshot_strays(kept, &n);
    assert_int_equal(n, 1);
    podpid_snapshot_warnings(kept, &n);
    assert_int_equal(n, 1);
    podpid_snapshot_free(kept);
    assert_int_equal(
        podpid_snapshot_select(s, PODPID_SELECT_NO_FINDINGS, keep, NULL, &db, &kept, NULL),
        PODPID_OK);
    assert_true(podpid_snapshot_complete(kept));
    podpid_snapshot_strays(kept, &n);
    assert_int_equal(n, 0);
    podpid_snapshot_foreign(kept, &n);
    assert_int_equal(n, 0);
    podpid_snapshot_free(kept);
    podpid_snapshot_free(s);
}

static void names_of_a_megabyte_do_no_harm(void **state)
{
    struct podpid_snapshot *s = snap_new(), *kept;
    struct podpid_selector selector = PODPID_SELECTOR_INIT;
    size_t n;
    char *name = malloc(1 << 20);

    (void)state;
    assert_non_null(name);
    memset(name, 'a', (1 << 20) - 1);
    name[(1 << 20) - 1] = '\0';
    snap_container(s, snap_pod(s, "ns", name, "u"), name, snap_id(s, "aa"), 5);
    selector.pod = "*a*a*a*a*a*a*a*a*";
    selector.container = "*";
    assert_int_equal(podpid_snapshot_select(s, 0, keep, NULL, &selector, &kept, NULL), PODPID_OK);
    podpid_snapshot_pods(kept, &n);
    assert_int_equal(n, 1);
    podpid_snapshot_free(kept);
    selector.pod = "*a*a*a*a*a*a*a*b";
    assert_int_equal(podpid_snapshot_select(s, 0, keep, NULL, &selector, &kept, NULL), PODPID_OK);
    podpid_snapshot_pods(kept, &n);
    assert_int_equal(n, 0);
    podpid_snapshot_free(kept);
    podpid_snapshot_free(s);
    free(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selectors_hold_together),
        cmocka_unit_test(selectors_that_make_no_sense_are_refused),
        cmocka_unit_test(pods_without_containers_stay_if_wanted),
        cmocka_unit_test(findings_and_completeness_follow),
        cmocka_unit_test(names_of_a_megabyte_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
