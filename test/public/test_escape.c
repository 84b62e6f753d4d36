/* Text made safe for a terminal; names; durations. */
#include <stdlib.h>
#include <string.h>

#include "resolver/podpid.h"
#include "test/support/unit.h"

static void what_a_terminal_obeys_is_spelled_out(void **state)
{
    static const struct {
        const char *text, *safe;
    } cases[] = {
        {"", ""},
        {"web-7d9f", "web-7d9f"},
        {"a\\b", "a\\b"},
        {"\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"},
        {"two\nlines\tand\ra tab", "two\\nlines\\tand\\x0da tab"},
        {"del\x7f", "del\\x7f"},
        {"\xff\xfe", "\\xff\\xfe"},
        {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
        {"cut \xc3", "cut \\xc3"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* a surrogate */
        {"\xc0\x80", "\\xc0\\x80"},          /* an overlong NUL */
        {"csi \xc2\x9b"
         "31m",
         "csi \\u{9b}31m"},
        {"bidi \xe2\x80\xae"
         "dcba",
         "bidi \\u{202e}dcba"},
        {"isolate \xe2\x81\xa6", "isolate \\u{2066}"},
        {"zero\xe2\x80\x8bwidth", "zero\\u{200b}width"},
        {"bom \xef\xbb\xbf", "bom \\u{feff}"},
        {"tag \xf3\xa0\x81\x81", "tag \\u{e0041}"},
        {"\xf0\x9f\x90\xb3", "\xf0\x9f\x90\xb3"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *safe = podpid_escape(cases[i].text);

        assert_string_equal(safe, cases[i].safe);
        free(safe);
    }
}

static void every_byte_comes_out_printable(void **state)
{
    (void)state;
    for (unsigned c = 1; c < 256; c++) {
        char text[2] = {(char)c, '\0'};
        char *safe = podpid_escape(text);

        for (const char *p = safe; *p; p++) {
            assert_in_range((unsigned char)*p, 0x20, 0x7e);
        }
        free(safe);
    }
}

static void values_that_nobody_knows_have_a_name_too(void **state)
{
    (void)state;
    assert_string_equal(podpid_verdict_name(PODPID_VERDICT_ERROR), "error");
    assert_string_equal(podpid_verdict_name(PODPID_VERDICT_NO_PROCESS), "no-process");
    assert_string_equal(podpid_verdict_name(PODPID_VERDICT_ABSENT), "absent");
    assert_string_equal(podpid_verdict_name((enum podpid_verdict)0), "?");
    assert_string_equal(podpid_verdict_name((enum podpid_verdict)1000), "?");
    assert_string_equal(podpid_role_name(PODPID_ROLE_HOST), "host");
    assert_string_equal(podpid_role_name((enum podpid_role)0), "?");
    assert_string_equal(podpid_state_name(PODPID_STATE_UNKNOWN), "unknown");
    assert_string_equal(podpid_state_name((enum podpid_state)9), "?");
    for (int v = PODPID_VERDICT_ERROR; v <= PODPID_VERDICT_ABSENT; v++) {
        assert_string_not_equal(podpid_verdict_name((enum podpid_verdict)v), "?");
    }
}

static void durations_are_read_or_explained(void **state)
{
    struct podpid_error error = PODPID_ERROR_INIT;
    int64_t ns = 7;

    (void)state;
    assert_int_equal(podpid_parse_duration("1m30s", &ns, &error), PODPID_OK);
    assert_true(ns == INT64_C(90000000000));
    assert_int_equal(podpid_parse_duration("soon", &ns, &error), PODPID_ERR_USAGE);
    assert_true(ns == INT64_C(90000000000));
    assert_non_null(strstr(error.message, "'soon'"));
    assert_int_equal(podpid_parse_duration("-1s", &ns, NULL), PODPID_ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_terminal_obeys_is_spelled_out),
        cmocka_unit_test(every_byte_comes_out_printable),
        cmocka_unit_test(values_that_nobody_knows_have_a_name_too),
        cmocka_unit_test(durations_are_read_or_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
