/* What podpid.h offers beside its objects: versions, names, exit statuses, errors of other sizes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/error.h"
#include "resolver/podpid.h"
#include "test/support/unit.h"

static void the_versions_of_header_library_and_build_agree(void **state)
{
    char numbers[64];

    (void)state;
    snprintf(numbers, sizeof(numbers), "%d.%d.%d", PODPID_VERSION_MAJOR, PODPID_VERSION_MINOR,
             PODPID_VERSION_PATCH);
    assert_string_equal(numbers, PODPID_VERSION);
    assert_string_equal(podpid_version(), PODPID_VERSION);
    assert_string_equal(BUILD_VERSION, PODPID_VERSION);
}

/* Calls one of the name functions through int, so that any value can be asked for. */
typedef const char *(*name_fn)(int value);

static const char *verdict(int value)
{
    return podpid_verdict_name((enum podpid_verdict)value);
}

static const char *role(int value)
{
    return podpid_role_name((enum podpid_role)value);
}

static const char *state_of(int value)
{
    return podpid_state_name((enum podpid_state)value);
}

static const char *style(int value)
{
    return podpid_json_style_name((enum podpid_json_style)value);
}

static const char *result(int value)
{
    return podpid_result_name((enum podpid_result)value);
}

static const char *event(int value)
{
    return podpid_event_name((enum podpid_event_kind)value);
}

/* All values from first to last have names, no two the same; the values around them have none. */
static void check_names(name_fn name, int first, int last)
{
    static const int outside[] = {INT32_MIN, INT32_MAX, 4711, -4711};

    for (int i = first; i <= last; i++) {
        assert_string_not_equal(name(i), "?");
        for (int k = first; k < i; k++) {
            assert_string_not_equal(name(i), name(k));
        }
    }
    assert_string_equal(name(first - 1), "?");
    assert_string_equal(name(last + 1), "?");
    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
        assert_string_equal(name(outside[i]), "?");
    }
}

static void every_enumerator_has_a_name(void **unused)
{
    (void)unused;
    check_names(podpid_code_name, PODPID_ERR_INTERNAL, PODPID_OK);
    check_names(verdict, PODPID_VERDICT_ERROR, PODPID_VERDICT_ABSENT);
    check_names(role, PODPID_ROLE_MAIN, PODPID_ROLE_HOST);
    check_names(state_of, PODPID_STATE_CREATED, PODPID_STATE_UNKNOWN);
    check_names(style, PODPID_JSON_DOCUMENT, PODPID_JSON_LINES);
    check_names(result, PODPID_RESULT_PASS, PODPID_RESULT_SKIP);
    check_names(event, PODPID_EVENT_SNAPSHOT, PODPID_EVENT_RUNTIME);
    assert_string_equal(podpid_code_name(PODPID_ERR_USAGE), "usage");
    assert_string_equal(verdict(PODPID_VERDICT_NO_PROCESS), "no-process");
}

static void exit_statuses_are_those_of_the_program(void **state)
{
    (void)state;
    assert_int_equal(podpid_exit_status(PODPID_OK), 0);
    assert_int_equal(podpid_exit_status(PODPID_ERR_ANSWER), 1);
    assert_int_equal(podpid_exit_status(PODPID_ERR_INPUT), 2);
    assert_int_equal(podpid_exit_status(PODPID_ERR_RUNTIME), 3);
    assert_int_equal(podpid_exit_status(-4711), 3);
    assert_int_equal(podpid_exit_status(1), 0);
}

/* ---- Errors ---------------------------------------------------------------------------------- */

/* Publish an error into a struct of that size, and see that nothing behind it is written. */
static void publish_into(size_t size, struct podpid_error *ret)
{
    struct err err = {0};
    unsigned char *room = malloc(sizeof(*ret) + 64);

    assert_non_null(room);
    memset(room, 0xa5, sizeof(*ret) + 64);
    memcpy(room, &size, sizeof(size));
    err_set(&err, ERR_USAGE, 22, "%s", "a message that is longer than a few bytes");
    err_hint(&err, "%s", "a hint");
    assert_int_equal(error_publish(&err, (void *)room), PODPID_ERR_USAGE);
    for (size_t i = size < sizeof(size) ? sizeof(size) : size; i < sizeof(*ret) + 64; i++) {
        assert_int_equal(room[i], 0xa5);
    }
    assert_memory_equal(room, &size, sizeof(size));
    memcpy(ret, room, sizeof(*ret));
    free(room);
}

static void an_error_is_filled_as_far_as_it_goes(void **state)
{
    struct podpid_error e;

    (void)state;
    for (size_t size = 0; size <= sizeof(e); size++) {
        publish_into(size, &e);
    }
    assert_int_equal(e.code, PODPID_ERR_USAGE);
    assert_int_equal(e.system_errno, 22);
    assert_string_equal(e.hint, "a hint");
    publish_into(offsetof(struct podpid_error, message), &e);
    assert_int_equal(e.code, PODPID_ERR_USAGE);
}

static void a_text_that_is_cut_short_ends_with_nul(void **state)
{
    struct podpid_error e;

    (void)state;
    publish_into(offsetof(struct podpid_error, message) + 10, &e);
    assert_string_equal(e.message, "a message");
}

static void what_a_larger_error_has_beyond_ours_stays(void **state)
{
    struct {
        struct podpid_error known;
        long more;
    } newer = {PODPID_ERROR_INIT, 42};
    struct err err = {0};

    (void)state;
    newer.known.size = sizeof(newer);
    err_set(&err, ERR_INPUT, 0, "text");
    assert_int_equal(error_publish(&err, &newer.known), PODPID_ERR_INPUT);
    assert_string_equal(newer.known.message, "text");
    assert_int_equal(newer.known.size, sizeof(newer));
    assert_int_equal(newer.more, 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_versions_of_header_library_and_build_agree),
        cmocka_unit_test(every_enumerator_has_a_name),
        cmocka_unit_test(exit_statuses_are_those_of_the_program),
        cmocka_unit_test(an_error_is_filled_as_far_as_it_goes),
        cmocka_unit_test(a_text_that_is_cut_short_ends_with_nul),
        cmocka_unit_test(what_a_larger_error_has_beyond_ours_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
