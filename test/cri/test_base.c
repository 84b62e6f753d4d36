/* Arena, text, errors: the pieces that everything else stands on. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cri/base/arena.h"
#include "cri/base/clock.h"
#include "cri/base/error.h"
#include "cri/base/file.h"
#include "cri/base/hash.h"
#include "cri/base/text.h"
#include "test/support/unit.h"

static void arena_memory_stays_valid(void **state)
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

static void durations_are_parsed(void **state)
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

static void numbers_are_parsed(void **state)
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

static void utf8_is_checked_and_repaired(void **state)
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

static void text_is_cut_into_lines(void **state)
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

struct pair {
    int a, b;
};

static void arrays_and_texts_grow_in_an_arena(void **state)
{
    struct arena a = {0};
    struct pair *pairs = NULL;
    struct texts texts = {0};
    size_t n = 0, cap = 0;

    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(ARENA_APPEND(&a, pairs, n, cap, (struct pair){i, -i}), 0);
        assert_int_equal(texts_add(&texts, &a, arena_printf(&a, "%d", i)), 0);
    }
    assert_int_equal(texts_add(&texts, &a, NULL), -ENOMEM);
    assert_int_equal(n, 100);
    assert_int_equal(texts.n, 100);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(pairs[i].a, i);
        assert_int_equal(pairs[i].b, -i);
        assert_int_equal(atoi(texts.items[i]), i);
    }
    arena_free(&a);
}

/* What CPython 3.11 gives as hash(bytes) with PYTHONHASHSEED=0: SipHash-1-3 with a key of zeros. */
static void keyed_hash_is_siphash(void **state)
{
    const struct hash_seed zero = {{0, 0}};

    (void)state;
    assert_true(hash_keyed(zero, STR("abc")) == UINT64_C(0xc03bc3a0042630f2));
    assert_true(hash_keyed(zero, STR("0::/kubepods.slice/x")) == UINT64_C(0x4eedce69972c787c));
    assert_true(hash_keyed(zero, STR("12345678")) == UINT64_C(0x3489982430560a87));
}

static void index_finds_all_items_of_a_hash(void **state)
{
    struct arena a = {0};
    struct hash_index x = {0};
    uint32_t item, want = 0;

    (void)state;
    for (size_t at = hash_index_start(&x, 7); hash_index_next(&x, &at, &item);) {
        fail_msg("an empty index has an item");
    }
    assert_int_equal(hash_index_init(&x, 1000, &a), 0);
    assert_true(hash_index_room(&x) >= 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        hash_index_add(&x, hash_number(i % 10), i);
    }
    for (size_t at = hash_index_start(&x, hash_number(3)); hash_index_next(&x, &at, &item);) {
        if (item % 10 == 3) {
            assert_int_equal(item, want * 10 + 3);
            want++;
        }
    }
    assert_int_equal(want, 100);
    assert_int_equal(hash_index_init(&x, SIZE_MAX / 2, &a), -ENOMEM);
    arena_free(&a);
}

static void files_are_read_and_written_whole(void **state)
{
    static char text[100000];
    struct buf b = {0};
    int fd = memfd_create("test", MFD_CLOEXEC);

    (void)state;
    memset(text, 'x', sizeof(text));
    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, text, sizeof(text)), 0);
    assert_int_equal(file_read_all(fd, sizeof(text), &b), 0);
    assert_int_equal(b.n, 0); /* the position is at the end */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(file_read_again(fd, sizeof(text), i == 0, &b), 0);
        assert_int_equal(b.n, sizeof(text));
        assert_memory_equal(b.p, text, sizeof(text));
    }
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(file_read_all(fd, 2 * sizeof(text), &b), 0);
    assert_int_equal(b.n, 2 * sizeof(text));
    assert_int_equal(file_read_again(fd, sizeof(text) - 1, false, &b), -EFBIG);
    close(fd);
    assert_int_equal(file_read_again(fd, 10, true, &b), -EBADF);
    assert_int_equal(file_read_all(fd, 10, &b), -EBADF);
    assert_int_equal(file_write_all(fd, "x", 1), -EBADF);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_memory_stays_valid),
        cmocka_unit_test(arena_refuses_sizes_that_overflow),
        cmocka_unit_test(arena_large_block_leaves_room_usable),
        cmocka_unit_test(durations_are_parsed),
        cmocka_unit_test(times_go_both_ways),
        cmocka_unit_test(numbers_are_parsed),
        cmocka_unit_test(utf8_is_checked_and_repaired),
        cmocka_unit_test(text_is_cut_into_lines),
        cmocka_unit_test(errors_never_carry_control_bytes),
        cmocka_unit_test(arrays_and_texts_grow_in_an_arena),
        cmocka_unit_test(keyed_hash_is_siphash),
        cmocka_unit_test(index_finds_all_items_of_a_hash),
        cmocka_unit_test(files_are_read_and_written_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
