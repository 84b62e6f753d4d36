/* Arena, text, errors: the pieces that everything else stands on. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cri/base/arena.h"
#include "cri/base/clock.h"
#include "cri/base/error.h"
#include "cri/base/text.h"

static void arena_keeps_what_it_gave(void **state)
{
    struct arena a = {0};
    char *all[2000];

    (void)state;
    for (size_t i = 0; i < 2000; i++) {
        all[i] = arena_alloc(&a, i % 300);
        assert_non_null(all[i]);
        assert_int_equal((uintptr_t)all[i] % _Alignof(max_align_t), 0);
        memset(all[i], (int)(i & 0xff), i % 300);
    }
    for (size_t i = 0; i < 2000; i++) {
        for (size_t k = 0; k < i % 300; k++) {
            assert_int_equal((unsigned char)all[i][k], i & 0xff);
        }
    }
    arena_free(&a);
    assert_int_equal(a.bytes, 0);
}

static void arena_refuses_sizes_that_overflow(void **state)
{
    struct arena a = {0};

    (void)state;
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_alloc(&a, SIZE_MAX - 20));
    assert_null(arena_calloc(&a, SIZE_MAX / 2, 3));
    assert_null(arena_strndup(&a, "x", SIZE_MAX));
    arena_free(&a);
}

static void arena_large_block_leaves_room_usable(void **state)
{
    struct arena a = {0};
    char *small = arena_alloc(&a, 16);
    size_t before;

    (void)state;
    assert_non_null(small);
    assert_non_null(arena_alloc(&a, 1024 * 1024));
    before = a.bytes;
    assert_non_null(arena_alloc(&a, 16));
    assert_int_equal(a.bytes, before);
    arena_free(&a);
}

static void durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ns; /* -1: refused */
    } cases[] = {
        {"10s", 10 * NSEC_PER_SEC},
        {"500ms", 500 * NSEC_PER_MSEC},
        {"1m30s", 90 * NSEC_PER_SEC},
        {"2h", 7200 * NSEC_PER_SEC},
        {"7", 7 * NSEC_PER_SEC},
        {"0", 0},
        {"", -1},
        {"-1s", -1},
        {"s", -1},
        {"10 s", -1},
        {"10x", -1},
        {"1s5", -1},
        {"99999999999999999999s", -1},
        {"9223372037s", -1},
        {"1mms", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ns = -1;

        text_to_duration(cases[i].text, &ns);
        if (ns != cases[i].ns) {
            fail_msg("%s: %lld, not %lld", cases[i].text, (long long)ns, (long long)cases[i].ns);
        }
    }
}

static void times_go_both_ways(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
        const char *again;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"},
        {"2026-11-23T12:01:34.6Z", INT64_C(1795435294600000000), "2026-11-23T12:01:34.6Z"},
        {"2026-11-23T12:01:34.000000001Z", INT64_C(1795435294000000001),
         "2026-11-23T12:01:34.000000001Z"},
        {"2026-11-23T13:01:34+01:00", INT64_C(1795435294000000000), "2026-11-23T12:01:34Z"},
        {"1969-12-31T23:59:59.5Z", -500000000, "1969-12-31T23:59:59.5Z"},
    };
    static const char *const bad[] = {"",
                                      "2026",
                                      "2026-11-23 12:01:34Z",
                                      "2026-13-23T12:01:34Z",
                                      "2026-11-23T25:01:34Z",
                                      "2026-11-23T12:01:34",
                                      "2026-11-23T12:01:34.Z",
                                      "9999-11-23T12:01:34Z",
                                      "2026-11-23T12:01:34+1:00"};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char buf[40];
        int64_t ns = -1;

        assert_true(text_to_time(cases[i].text, &ns));
        assert_true(ns == cases[i].ns);
        text_time(ns, buf, sizeof(buf));
        assert_string_equal(buf, cases[i].again);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t ns = 7;

        if (text_to_time(bad[i], &ns)) {
            fail_msg("taken for a time: %s", bad[i]);
        }
        assert_int_equal(ns, 7);
    }
}

static void numbers(void **state)
{
    uint64_t u = 7;
    int32_t i = 7;

    (void)state;
    assert_true(str_to_u64(STR("18446744073709551615"), &u));
    assert_true(u == UINT64_MAX);
    assert_false(str_to_u64(STR("18446744073709551616"), &u));
    assert_false(str_to_u64(STR(""), &u));
    assert_false(str_to_u64(STR("1 "), &u));
    assert_true(str_to_i32(STR("-2147483648"), &i));
    assert_int_equal(i, INT_MIN);
    assert_false(str_to_i32(STR("2147483648"), &i));
    assert_false(str_to_i32(STR("-"), &i));
}

static void utf8(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"plain", "plain"},
        {"gr\xc3\xb6\xc3\x9f", "gr\xc3\xb6\xc3\x9f"},
        {"a\xff"
         "b",
         "a\xef\xbf\xbd"
         "b"},
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf b = {0};

        buf_put_utf8(&b, cases[i].in, strlen(cases[i].in));
        assert_string_equal(b.p, cases[i].out);
        assert_true(text_is_utf8(b.p, b.n));
        assert_int_equal(text_is_utf8(cases[i].in, strlen(cases[i].in)),
                         strcmp(cases[i].in, cases[i].out) == 0);
        buf_free(&b);
    }
}

static void lines(void **state)
{
    struct str text = STR("a\n\nb"), line;

    (void)state;
    assert_true(str_next_line(&text, &line));
    assert_true(str_is(line, "a"));
    assert_true(str_next_line(&text, &line));
    assert_true(str_is(line, ""));
    assert_true(str_next_line(&text, &line));
    assert_true(str_is(line, "b"));
    assert_false(str_next_line(&text, &line));
}

static void errors_never_carry_control_bytes(void **state)
{
    struct err e = {0};

    (void)state;
    assert_int_equal(err_set(&e, ERR_RUNTIME, EPROTO, "said \"%s\"", "\x1b[31m\n"), -EPROTO);
    assert_string_equal(e.text, "said \"?[31m?\"");
    assert_int_equal(err_set(NULL, ERR_RUNTIME, EIO, "nobody reads this"), -EIO);
    assert_true(err_is_gone(-ESRCH));
    assert_true(err_is_gone(-ENOENT));
    assert_false(err_is_gone(-EACCES));
    assert_false(err_is_gone(0));
    assert_true(err_is_shortage(-EMFILE));
    assert_false(err_is_shortage(-ESRCH));
    assert_false(err_is_shortage(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_keeps_what_it_gave),
        cmocka_unit_test(arena_refuses_sizes_that_overflow),
        cmocka_unit_test(arena_large_block_leaves_room_usable),
        cmocka_unit_test(durations),
        cmocka_unit_test(times_go_both_ways),
        cmocka_unit_test(numbers),
        cmocka_unit_test(utf8),
        cmocka_unit_test(lines),
        cmocka_unit_test(errors_never_carry_control_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
