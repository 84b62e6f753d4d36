/* What a name or an id on the command line finds. */
#include <stdlib.h>
#include <string.h>

#include "test/support/snap.h"
#include "test/support/unit.h"

/* ids are told apart by their first two digits. */
static void assert_found(const struct podpid_snapshot *s, const char *name, const char *ids)
{
    const struct podpid_container **found = NULL;
    char text[64] = "";
    size_t n = 0;

    assert_int_equal(podpid_snapshot_find(s, name, &found, &n, NULL), PODPID_OK);
    for (size_t i = 0; i < n; i++) {
        strncat(strcat(text, i ? " " : ""), found[i]->id, 2);
    }
    assert_string_equal(text, ids);
    free(found);
}

static void assert_not_found(const struct podpid_snapshot *s, const char *name, int code,
                             const char *words)
{
    struct podpid_error error = PODPID_ERROR_INIT;
    const struct podpid_container **found = NULL;
    size_t n = 0;

    assert_int_equal(podpid_snapshot_find(s, name, &found, &n, &error), code);
    assert_null(found);
    if (!strstr(error.message, words)) {
        fail_msg("'%s' does not say '%s'", error.message, words);
    }
}

static void names_find_what_runs(void **state)
{
    struct podpid_snapshot *s = snap_zoo();

    (void)state;
    assert_found(s, "prod/web-7d9f", "a0 a1 a2");
    assert_found(s, "prod/web-7d9f/app", "a0");
    assert_found(s, "prod/db-0", "d0 d2"); /* not the exited one */
    assert_found(s, "prod/db-0/init", "d1");
    assert_not_found(s, "prod/web", PODPID_ERR_ANSWER, "no pod prod/web on this node");
    assert_not_found(s, "dev/web-7d9f", PODPID_ERR_ANSWER, "no pod dev/web-7d9f");
    assert_not_found(s, "prod/web-7d9f/nginx", PODPID_ERR_ANSWER,
                     "no container prod/web-7d9f/nginx");
    assert_not_found(s, "prod/", PODPID_ERR_USAGE, "'prod/'");
    assert_not_found(s, "/web", PODPID_ERR_USAGE, "'/web'");
    assert_not_found(s, "a/b/c/d", PODPID_ERR_USAGE, "'a/b/c/d'");
    assert_not_found(s, "web-7d9f", PODPID_ERR_USAGE, "'web-7d9f' is no NAMESPACE/POD");
    assert_not_found(s, "", PODPID_ERR_USAGE, "''");
    podpid_snapshot_free(s);
}

static void the_only_ready_sandbox_counts(void **state)
{
    struct podpid_snapshot *s = snap_new();
    struct podpid_pod *old = snap_pod(s, "ns", "p", "u1"), *new, *other;

    (void)state;
    old->ready = false;
    snap_container(s, old, "c", snap_id(s, "a0"), 10);
    assert_not_found(s, "ns/p", PODPID_ERR_ANSWER, "pod ns/p is not ready");
    new = snap_pod(s, "ns", "p", "u1");
    new->attempt = 1;
    snap_container(s, new, "c", snap_id(s, "a1"), 11);
    assert_found(s, "ns/p", "a1");
    old->ready = true; /* one uid, two ready: the later attempt */
    assert_found(s, "ns/p/c", "a1");
    other = snap_pod(s, "ns", "p", "u2");
    assert_not_found(s, "ns/p", PODPID_ERR_ANSWER, "uid u1 and u2");
    old->ready = new->ready = false;
    assert_not_found(s, "ns/p", PODPID_ERR_ANSWER, "pod ns/p has no running container");
    snap_container(s, other, "c", snap_id(s, "a2"), 12);
    assert_found(s, "ns/p", "a2");
    podpid_snapshot_free(s);
}

static void the_newest_attempt_counts(void **state)
{
    struct podpid_snapshot *s = snap_new();
    struct podpid_pod *p = snap_pod(s, "ns", "p", "u1");
    struct podpid_container *c;

    (void)state;
    c = snap_container(s, p, "c", snap_id(s, "a0"), 0);
    snap_verdict(c, PODPID_STATE_EXITED, PODPID_VERDICT_EXITED, "exited");
    c = snap_container(s, p, "c", snap_id(s, "a2"), 0);
    c->attempt = 2;
    snap_verdict(c, PODPID_STATE_EXITED, PODPID_VERDICT_EXITED, "exited");
    c = snap_container(s, p, "c", snap_id(s, "a1"), 0);
    c->attempt = 1;
    snap_verdict(c, PODPID_STATE_EXITED, PODPID_VERDICT_EXITED, "exited");
    assert_found(s, "ns/p/c", "a2");
    podpid_snapshot_free(s);
}

static void ids_may_be_short_and_carry_a_scheme(void **state)
{
    struct podpid_snapshot *s = snap_new();
    struct podpid_pod *p = snap_pod(s, "ns", "p", "u1");
    struct podpid_container *c;
    const char *full = snap_id(s, "abcd01");
    char url[100];

    (void)state;
    snap_container(s, p, "one", full, 10);
    snap_container(s, p, "two", snap_id(s, "abcd02"), 11);
    c = snap_container(s, p, "gone", snap_id(s, "abcd03"), 0);
    snap_verdict(c, PODPID_STATE_EXITED, PODPID_VERDICT_EXITED, "exited");
    c = snap_container(s, p, "gone2", snap_id(s, "ef0123"), 0);
    snap_verdict(c, PODPID_STATE_EXITED, PODPID_VERDICT_EXITED, "exited");
    c = snap_container(s, p, "live", snap_id(s, "ef0456"), 13);
    snap_container(s, p, "odd", "abc", 14);

    assert_found(s, full, "ab");
    assert_found(s, "abcd01", "ab");
    assert_found(s, "containerd://abcd02", "ab");
    assert_found(s, "docker://abcd01", "ab");
    assert_found(s, "cri-o://abcd03", "ab"); /* nothing that runs begins so */
    assert_found(s, "ef0", "ef");
    assert_found(s, "ef01", "ef");
    assert_found(s, "abc", "ab"); /* a whole id, though others begin so */
    strcat(strcpy(url, "containerd://"), full);
    assert_found(s, url, "ab");

    assert_not_found(s, "abcd", PODPID_ERR_ANSWER, "abcd names 2 containers");
    assert_not_found(s, "abcd00", PODPID_ERR_ANSWER, "no container with id abcd00");
    assert_not_found(s, "ab", PODPID_ERR_USAGE, "3 digits or more");
    assert_not_found(s, "5a0", PODPID_ERR_ANSWER, "pod sandbox");
    assert_not_found(s, "containerd://", PODPID_ERR_USAGE, "''");
    assert_not_found(s, "ABCD01", PODPID_ERR_USAGE, "'ABCD01'");
    podpid_snapshot_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_find_what_runs),
        cmocka_unit_test(the_only_ready_sandbox_counts),
        cmocka_unit_test(the_newest_attempt_counts),
        cmocka_unit_test(ids_may_be_short_and_carry_a_scheme),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
