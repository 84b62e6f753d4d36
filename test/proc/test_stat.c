/* The parsers of /proc/<pid>/stat and status: the fields of good texts, and bad texts are refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/proc/procfs.h"
#include "resolver/proc/stat.h"
#include "test/support/unit.h"

/* The fields after ppid as a kernel writes them: session 41, 9 threads, start 4711. */
#define AFTER_PPID                                                                                 \
    " 42 41 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 4711 1000 200 18446744073709551615 1\n"

/* Parse a copy of the text in a block of exactly its size, so that the address sanitizer sees a
 * read beyond its end. */
static bool parse(const char *text, size_t n, struct stat_line *ret)
{
    char *exact = malloc(n ? n : 1);
    bool good;

    assert_non_null(exact);
    memcpy(exact, text, n);
    good = stat_parse((struct str){exact, n}, ret);
    free(exact);
    return good;
}

static void stat_of_every_form_is_parsed(void **state)
{
    static const struct {
        const char *text, *comm;
        char state;
        int32_t pid, ppid, session;
    } cases[] = {
        {"7 (sh) S 5" AFTER_PPID, "sh", 'S', 7, 5, 41},
        {"7 (a) Z 1 (b) R 5" AFTER_PPID, "a) Z 1 (b", 'R', 7, 5, 41},
        {"7 () I 2" AFTER_PPID, "", 'I', 7, 2, 41},
        {"7 ()) t 2" AFTER_PPID, ")", 't', 7, 2, 41},
        {"7 (() S 2" AFTER_PPID, "(", 'S', 7, 2, 41},
        {"7 (a\nb) S 5" AFTER_PPID, "a\nb", 'S', 7, 5, 41},
        {"7 (\x1b[31m\xff) Z 5" AFTER_PPID, "\x1b[31m\xff", 'Z', 7, 5, 41},
        {"7 (kworker/u8:2+events_unbound_and_more) I 2" AFTER_PPID,
         "kworker/u8:2+events_unbound_and_more", 'I', 7, 2, 41},
        {"2147483647 (x) X 0" AFTER_PPID, "x", 'X', INT32_MAX, 0, 41},
        {"7 (0123456789012345678901234567890123456789012345678901234567890123456789) S "
         "5" AFTER_PPID,
         "012345678901234567890123456789012345678901234567890123456789012", 'S', 7, 5, 41},
    };

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        struct stat_line s;

        print_message("%zu\n", i);
        assert_true(parse(cases[i].text, strlen(cases[i].text), &s));
        assert_string_equal(s.comm, cases[i].comm);
        assert_int_equal(s.state, cases[i].state);
        assert_int_equal(s.pid, cases[i].pid);
        assert_int_equal(s.ppid, cases[i].ppid);
        assert_int_equal(s.session, cases[i].session);
        assert_int_equal(s.threads, 9);
        assert_int_equal(s.start, 4711);
    }
}

static void bad_stat_is_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "\n",
        "7",
        "7 (",
        "7 (sh",
        "7 (sh)",
        "7 (sh) ",
        "7 sh) S 5" AFTER_PPID,
        ") 7 (sh S 5" AFTER_PPID,
        "(sh) S 5" AFTER_PPID,
        " (sh) S 5" AFTER_PPID,
        "7(sh) S 5" AFTER_PPID,
        "7x (sh) S 5" AFTER_PPID,
        "2147483648 (sh) S 5" AFTER_PPID,
        "99999999999999999999999 (sh) S 5" AFTER_PPID,
        "7 (sh)S 5" AFTER_PPID,
        "7 (sh)  S 5" AFTER_PPID,
        "7 (sh) SS 5" AFTER_PPID,
        "7 (sh) 1 5" AFTER_PPID,
        "7 (sh) S 4294967296" AFTER_PPID,
        "7 (sh) S five" AFTER_PPID,
        "7 (sh) S 5",
        "7 (sh) S 5 6 7\n",
        "7 (sh) S 5 42 41 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 -1 0 4711 1\n",
        "7 (sh) S 5 42 41 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 4294967296 0 4711 1\n",
        "7 (sh) S 5 42 41 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 -4711 1\n",
        "7 (sh) S 5 42 41 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 18446744073709551616 1\n",
        "7 (sh) S 5 42 41 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711", /* cut, may have been 47110
                                                                        */
    };

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        struct stat_line s = {.pid = -1};

        print_message("%zu\n", i);
        assert_false(parse(cases[i], strlen(cases[i]), &s));
        assert_int_equal(s.pid, -1);
    }
}

static void stat_that_was_cut_is_refused(void **state)
{
    static const char text[] = "7 (a) R 1 (b) S 5" AFTER_PPID;
    const size_t whole = (size_t)(strstr(text, "4711 ") - text) + 5;
    struct stat_line s;

    (void)state;
    for (size_t n = 0; n < whole; n++) {
        assert_false(parse(text, n, &s));
    }
    for (size_t n = whole; n < sizeof(text); n++) {
        assert_true(parse(text, n, &s));
    }
    assert_false(stat_parse((struct str){NULL, 0}, &s));
}

static void zombie_with_threads_is_an_exited_leader(void **state)
{
    (void)state;
    assert_true(stat_leader_exited(&(struct stat_line){.state = 'Z', .threads = 2}));
    assert_false(stat_leader_exited(&(struct stat_line){.state = 'Z', .threads = 1}));
    assert_false(stat_leader_exited(&(struct stat_line){.state = 'S', .threads = 2}));
}

/* As parse(), for status. */
static bool parse_status(const char *text, size_t n, struct status_text *ret)
{
    char *exact = malloc(n ? n : 1);
    bool good;

    assert_non_null(exact);
    memcpy(exact, text, n);
    good = status_parse((struct str){exact, n}, ret);
    free(exact);
    return good;
}

#define STATUS "Name:\tsh\nState:\tS (sleeping)\nTgid:\t7\nPid:\t7\nPPid:\t5\n"

static void status_of_every_form_is_parsed(void **state)
{
    static const struct {
        const char *text;
        unsigned n_nspid;
        int32_t last;
        uint32_t threads;
        bool kthread;
    } cases[] = {
        {STATUS, 0, 0, 0, false},
        {STATUS "NSpid:\t7\nThreads:\t3\n", 1, 7, 3, false},
        {STATUS "Threads:\t1\nKthread:\t0\nNSpid:\t7\t12\t1\n", 3, 1, 1, false},
        {STATUS "Kthread:\t1\n", 0, 0, 0, true},
        {STATUS "NSpid:\t7\t1\nVmPeak:\t 123 kB\nno colon\n\n:\n", 2, 1, 0, false},
        {STATUS "NSpid:\t7\t1\nNSpid:\t7\n", 1, 7, 0, false},
        {STATUS "NSpid:\t7\t1", 0, 0, 0, false}, /* cut, may have been 17 */
        {"Name:\tPid\nName:\tPid:\\t9\n" STATUS, 0, 0, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        struct status_text s;

        print_message("%zu\n", i);
        assert_true(parse_status(cases[i].text, strlen(cases[i].text), &s));
        assert_int_equal(s.tgid, 7);
        assert_int_equal(s.pid, 7);
        assert_int_equal(s.ppid, 5);
        assert_int_equal(s.state, 'S');
        assert_int_equal(s.n_nspid, cases[i].n_nspid);
        if (s.n_nspid) {
            assert_int_equal(s.nspid[s.n_nspid - 1], cases[i].last);
        }
        assert_int_equal(s.threads, cases[i].threads);
        assert_int_equal(s.kthread, cases[i].kthread);
    }
}

static void bad_status_is_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "\n",
        "Name:\tsh\n",
        "State:\tS (sleeping)\nTgid:\t7\nPid:\t7\n",
        "State:\tS (sleeping)\nTgid:\t7\nPPid:\t7\n",
        "Tgid:\t7\nPid:\t7\nPPid:\t7\n",
        STATUS "Pid:\tx\n",
        STATUS "Pid:\t\n",
        STATUS "PPid:\t2147483648\n",
        STATUS "Threads:\t-1\n",
        STATUS "State:\t\n",
        STATUS "NSpid:\n",
        STATUS "NSpid:\t7\tx\n",
        STATUS "NSpid:\t1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n",
    };

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        struct status_text s = {.pid = -1};

        print_message("%zu\n", i);
        assert_false(parse_status(cases[i], strlen(cases[i]), &s));
        assert_int_equal(s.pid, -1);
    }
    assert_false(status_parse((struct str){NULL, 0}, &(struct status_text){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stat_of_every_form_is_parsed),
        cmocka_unit_test(bad_stat_is_refused),
        cmocka_unit_test(stat_that_was_cut_is_refused),
        cmocka_unit_test(zombie_with_threads_is_an_exited_leader),
        cmocka_unit_test(status_of_every_form_is_parsed),
        cmocka_unit_test(bad_status_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
