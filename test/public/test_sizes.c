/* Structs of other versions of the header: a smaller one is an older caller's, a larger one a newer
 * caller's. */
#include <stdlib.h>
#include <string.h>

#include "resolver/arguments.h"
#include "test/support/snap.h"
#include "test/support/unit.h"

struct newer {
    size_t size;
    const char *known;
    long unknown[2];
};

struct present {
    size_t size;
    const char *known;
};

static void an_older_struct_is_completed_with_zero(void **state)
{
    struct newer to;
    const struct present from = {sizeof(from), "text"};
    struct err err = {0};

    (void)state;
    memset(&to, 0xff, sizeof(to));
    assert_int_equal(SIZED_COPY(&to, &from, &err), 0);
    assert_int_equal(to.size, sizeof(to));
    assert_string_equal(to.known, "text");
    assert_int_equal(to.unknown[0], 0);
    assert_int_equal(to.unknown[1], 0);
}

static void a_newer_struct_is_taken_if_its_tail_is_zero(void **state)
{
    struct present to;
    struct newer from = {sizeof(from), "text", {0, 0}};
    struct err err = {0};

    (void)state;
    assert_int_equal(SIZED_COPY(&to, &from, &err), 0);
    assert_int_equal(to.size, sizeof(to));
    assert_string_equal(to.known, "text");
    from.unknown[1] = 1;
    assert_true(SIZED_COPY(&to, &from, &err) < 0);
    assert_int_equal(err.kind, ERR_USAGE);
}

static void a_struct_without_a_size_is_refused(void **state)
{
    struct present to;
    const struct present from = {0, "text"};
    const struct present *none = NULL;
    struct err err = {0};

    (void)state;
    assert_true(SIZED_COPY(&to, &from, &err) < 0);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_non_null(strstr(err.text, "from"));
    assert_true(SIZED_COPY(&to, none, NULL) < 0);
}

/* ---- The structs of podpid.h ----------------------------------------------------------------- */

/* Makes an object from a struct that the caller has allocated. 0 or a public code. */
typedef int (*use_fn)(const void *sized, struct podpid_error *error);

static int use_options(const void *sized, struct podpid_error *error)
{
    struct podpid_snapshot *s = NULL;
    int rc = podpid_look_run(sized, -1, &s, error);

    podpid_snapshot_free(s);
    return rc;
}

static int use_selector(const void *sized, struct podpid_error *error)
{
    return podpid_selector_check(sized, error);
}

static int use_target(const void *sized, struct podpid_error *error)
{
    struct podpid_targets *t = NULL;
    int rc = podpid_targets_new(&t, error);

    assert_int_equal(rc, 0);
    rc = podpid_targets_add_selector(t, sized, error);
    podpid_targets_free(t);
    return rc;
}

static int use_preflight(const void *sized, struct podpid_error *error)
{
    struct podpid_preflight *p = NULL;
    int rc = podpid_preflight_new(sized, &p, error);

    podpid_preflight_free(p);
    return rc;
}

static int use_watch(const void *sized, struct podpid_error *error)
{
    struct podpid_watch *w = NULL;
    int rc = podpid_watch_new(sized, &w, error);

    podpid_watch_free(w);
    return rc;
}

/* least: the size of the oldest version that the call can be made with. */
static void check_struct(use_fn use, const void *sized, size_t size, size_t least)
{
    struct podpid_error error = PODPID_ERROR_INIT;
    size_t larger = size + 24;
    unsigned char *copy = calloc(1, larger);

    assert_non_null(copy);
    memcpy(copy, sized, size);
    assert_int_equal(use(copy, &error), 0);
    memcpy(copy, &larger, sizeof(larger));
    assert_int_equal(use(copy, &error), 0);
    for (size_t i = size; i < larger; i++) {
        copy[i] = 1;
        assert_int_equal(use(copy, &error), PODPID_ERR_USAGE);
        copy[i] = 0;
    }
    /* An older caller's struct ends where its size says: what follows is another variable. */
    memset(copy + least, 0xff, larger - least);
    memcpy(copy, &least, sizeof(least));
    assert_int_equal(use(copy, &error), 0);
    memset(copy, 0, sizeof(size_t));
    assert_int_equal(use(copy, &error), PODPID_ERR_USAGE);
    assert_int_equal(use(NULL, &error), PODPID_ERR_USAGE);
    free(copy);
}

static void every_public_struct_may_be_of_another_version(void **state)
{
    struct podpid_options look = PODPID_OPTIONS_INIT;
    struct podpid_selector selector = PODPID_SELECTOR_INIT;
    struct podpid_preflight_options preflight = PODPID_PREFLIGHT_OPTIONS_INIT;
    struct podpid_watch_options watch = PODPID_WATCH_OPTIONS_INIT;

    (void)state;
    look.replay = TEST_DIR "/fixtures/captures/demo";
    check_struct(use_options, &look, sizeof(look), offsetof(struct podpid_options, no_runtime));
    look.replay = NULL;
    look.proc = TEST_DIR "/fixtures/captures/demo/proc";
    selector.namespace_ = "prod";
    check_struct(use_selector, &selector, sizeof(selector), offsetof(struct podpid_selector, pod));
    check_struct(use_target, &selector, sizeof(selector), offsetof(struct podpid_selector, pod));
    preflight.look = &look;
    check_struct(use_preflight, &preflight, sizeof(preflight),
                 offsetof(struct podpid_preflight_options, targets));
    watch.look = &look;
    check_struct(use_watch, &watch, sizeof(watch), offsetof(struct podpid_watch_options, targets));
}

/* The options of a look, inside those of a preflight or a watch. */
static void options_inside_options_are_checked_as_well(void **state)
{
    struct podpid_options look = PODPID_OPTIONS_INIT;
    struct podpid_preflight_options preflight = PODPID_PREFLIGHT_OPTIONS_INIT;
    struct podpid_watch_options watch = PODPID_WATCH_OPTIONS_INIT;
    struct podpid_error error = PODPID_ERROR_INIT;

    (void)state;
    assert_int_equal(use_preflight(&preflight, &error), PODPID_ERR_USAGE);
    assert_int_equal(use_watch(&watch, &error), PODPID_ERR_USAGE);
    preflight.look = &look;
    watch.look = &look;
    look.size = 0;
    assert_int_equal(use_preflight(&preflight, &error), PODPID_ERR_USAGE);
    assert_int_equal(use_watch(&watch, &error), PODPID_ERR_USAGE);
}

/* It is copied: the caller's may go once the object is made. */
static void the_struct_may_go_once_the_object_is_made(void **state)
{
    struct podpid_options *look = calloc(1, sizeof(*look));
    struct podpid_look *k = NULL;
    int rc;

    (void)state;
    assert_non_null(look);
    look->size = sizeof(*look);
    look->replay = TEST_DIR "/fixtures/captures/demo";
    assert_int_equal(podpid_look_new(look, &k, NULL), 0);
    memset(look, 0xff, sizeof(*look));
    free(look);
    do {
        rc = podpid_look_step(k, 1, NULL);
    } while (rc == 0);
    assert_int_equal(rc, 1);
    podpid_look_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_older_struct_is_completed_with_zero),
        cmocka_unit_test(a_newer_struct_is_taken_if_its_tail_is_zero),
        cmocka_unit_test(a_struct_without_a_size_is_refused),
        cmocka_unit_test(every_public_struct_may_be_of_another_version),
        cmocka_unit_test(options_inside_options_are_checked_as_well),
        cmocka_unit_test(the_struct_may_go_once_the_object_is_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
