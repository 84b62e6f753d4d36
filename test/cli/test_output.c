/* What the program prints: to the byte for a node with a bit of everything, and still a table or a
 * tree when the text in it is hostile. */
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cri/base/text.h"
#include "resolver/cli/format.h"
#include "test/support/golden.h"
#include "test/support/snap.h"
#include "test/support/unit.h"

typedef int (*out_fn)(const struct cli *cli, const struct podpid_snapshot *s);

/* Run write with standard output going into text. */
static void capture(out_fn write, const struct cli *cli, const struct podpid_snapshot *s,
                    struct buf *text)
{
    int saved = dup(STDOUT_FILENO), file = memfd_create("stdout", MFD_CLOEXEC), status;
    char chunk[4096];
    ssize_t n;

    *text = (struct buf){0};
    assert_true(saved >= 0 && file >= 0);
    fflush(stdout);
    dup2(file, STDOUT_FILENO);
    status = write(cli, s);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    assert_int_equal(status, CLI_OK);
    assert_int_equal(lseek(file, 0, SEEK_SET), 0);
    while ((n = read(file, chunk, sizeof(chunk))) > 0) {
        buf_append(text, chunk, (size_t)n);
    }
    close(file);
    buf_append(text, "", 0);
}

static void every_format_is_as_it_always_was(void **state)
{
    static const struct {
        const char *golden;
        out_fn write;
        struct cli cli;
    } cases[] = {
        {"zoo.table", out_table, {.utf8 = true}},
        {"zoo-60-columns.table", out_table, {.utf8 = true, .termwidth = 60}},
        {"zoo-color.table", out_table, {.utf8 = true, .termwidth = 120, .color = true}},
        {"zoo.wide", out_wide, {.utf8 = true}},
        {"zoo.tree", out_tree, {.utf8 = true}},
        {"zoo-60-columns.tree", out_tree, {.utf8 = true, .termwidth = 60}},
        {"zoo.yaml", out_yaml, {.utf8 = true}},
        {"zoo.pid", out_pid, {.utf8 = true}},
        {"zoo.prom", out_prom, {.utf8 = true}},
        {"zoo.json", out_json, {.utf8 = true}},
        {"zoo.jsonl", out_jsonl, {.utf8 = true}},
    };
    struct podpid_snapshot *s = snap_zoo();

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf text;

        capture(cases[i].write, &cases[i].cli, s, &text);
        assert_golden(cases[i].golden, text.p, text.n);
        buf_free(&text);
    }
    podpid_snapshot_free(s);
}

static void nothing_to_show_prints_nothing(void **state)
{
    static const out_fn formats[] = {out_table, out_wide, out_tree, out_pid, out_jsonl};
    const struct cli cli = {.utf8 = true};
    struct podpid_snapshot *s = snap_new();

    (void)state;
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct buf text;

        capture(formats[i], &cli, s, &text);
        assert_int_equal(text.n, 0);
        buf_free(&text);
    }
    podpid_snapshot_free(s);
}

static struct podpid_snapshot *hostile(void)
{
    static const char *const texts[] = {"\x1b[2J\x1b]0;owned\x07",
                                        "two\nlines",
                                        "tab\tand\rreturn",
                                        "\xff\xfe\xc3",
                                        "csi \xc2\x9b[31m",
                                        "bidi\xe2\x80\xae",
                                        "\\x1b",
                                        "\"quote\" \\ {",
                                        ""};
    static char megabyte[1 << 20];
    struct podpid_snapshot *s = snap_new();
    struct podpid_pod *p;

    memset(megabyte, 'm', sizeof(megabyte) - 1);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct podpid_container *c;

        p = snap_pod(s, texts[i], texts[i], texts[i]);
        c = snap_container(s, p, texts[i], snap_id(s, "ab"), 10 + (pid_t)i);
        c->image = texts[i];
        c->processes = NULL;
        c->n_processes = 0;
        c->verdict = PODPID_VERDICT_MISMATCH;
        c->reason = texts[i];
    }
    p = snap_pod(s, megabyte, megabyte, megabyte);
    snap_container(s, p, megabyte, megabyte, 9)->image = megabyte;
    return s;
}

static size_t count_lines(const struct buf *text)
{
    size_t n = 0;

    for (size_t i = 0; i < text->n; i++) {
        n += text->p[i] == '\n';
    }
    return n;
}

static void assert_harmless(const struct buf *text)
{
    for (size_t i = 0; i < text->n; i++) {
        unsigned char c = (unsigned char)text->p[i];

        if (c != '\n' && (c < 0x20 || c == 0x7f)) {
            fail_msg("byte %u at %zu", c, i);
        }
    }
    assert_true(text_is_utf8(text->p, text->n));
    assert_null(strstr(text->p, "\xc2\x9b"));
    assert_null(strstr(text->p, "\xe2\x80\xae"));
}

static void hostile_text_breaks_no_format(void **state)
{
    enum { ROWS = 10 };
    static const struct {
        out_fn write;
        size_t lines; /* 0: as many as it takes */
    } cases[] = {
        {out_table, 1 + ROWS},
        {out_wide, 1 + ROWS},
        {out_tree, 1 + 2 * ROWS + 1}, /* one has a process */
        {out_jsonl, ROWS},
        {out_prom, 0},
        {out_yaml, 0},
        {out_json, 0},
    };
    struct podpid_snapshot *s = hostile();

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int utf8 = 0; utf8 < 2; utf8++) {
            const struct cli cli = {.utf8 = utf8 != 0};
            struct buf text;

            capture(cases[i].write, &cli, s, &text);
            assert_harmless(&text);
            if (cases[i].lines) {
                assert_int_equal(count_lines(&text), cases[i].lines);
            }
            buf_free(&text);
        }
    }
    podpid_snapshot_free(s);
}

static void tables_fit_the_terminal(void **state)
{
    static const out_fn formats[] = {out_table, out_tree};
    struct podpid_snapshot *s = hostile();

    (void)state;
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        const struct cli cli = {.utf8 = true, .termwidth = 100};
        struct buf text;

        capture(formats[i], &cli, s, &text);
        for (char *line = text.p, *end; (end = strchr(line, '\n')); line = end + 1) {
            if (end - line > 100 + 40) { /* in bytes: the tree is drawn with longer ones */
                fail_msg("%td columns: %.*s", end - line, (int)(end - line), line);
            }
        }
        buf_free(&text);
    }
    podpid_snapshot_free(s);
}

static void strays_do_not_flood(void **state)
{
    const struct cli cli = {.utf8 = true};
    struct podpid_snapshot *s = snap_new();
    struct buf text;

    (void)state;
    for (int i = 0; i < 12; i++) {
        snap_stray(s, snap_id(s, "aa"), "11111111-2222-3333-4444-555555555555", 100 + i);
    }
    capture(out_table, &cli, s, &text);
    assert_int_equal(count_lines(&text), 1 + 10 + 1);
    assert_non_null(strstr(text.p, "and 2 more strays"));
    buf_free(&text);
    capture(out_wide, &cli, s, &text);
    assert_int_equal(count_lines(&text), 1 + 12);
    buf_free(&text);
    podpid_snapshot_free(s);
}

/* Half a name must not look like a whole one. */
static void what_is_cut_says_so(void **state)
{
    static const struct {
        bool utf8;
        size_t termwidth;
        const char *expected;
    } cases[] = {
        {true, 0, "team-a    a-name-that-is-long-enough app       "},
        {true, 100, "team-a    a-name-that-is-long-enough app       "},
        {true, 64, "team-a    a-name-that-is-l… app       "},
        {false, 64, "team-a    a-name-that-is... app       "},
        {true, 10, "team-a    a-name-that… app       "}, /* no narrower than that */
    };
    struct podpid_snapshot *s = snap_new();

    (void)state;
    snap_container(s, snap_pod(s, "team-a", "a-name-that-is-long-enough", "u"), "app",
                   snap_id(s, "aa"), 4711);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct cli cli = {.utf8 = cases[i].utf8, .termwidth = cases[i].termwidth};
        struct buf text;

        capture(out_table, &cli, s, &text);
        if (!strstr(text.p, cases[i].expected)) {
            fail_msg("at %zu columns: %s", cases[i].termwidth, text.p);
        }
        buf_free(&text);
    }
    podpid_snapshot_free(s);
}

/* Parents that come later, are their own or are there twice: a capture may say so. */
static void trees_of_nonsense_end(void **state)
{
    const struct cli cli = {.utf8 = true};
    struct podpid_snapshot *s = snap_new();
    struct podpid_container *c =
        snap_container(s, snap_pod(s, "ns", "p", "u"), "c", snap_id(s, "aa"), 0);
    struct buf text;

    (void)state;
    snap_process(s, c, 10, 11, "a", PODPID_ROLE_CHILD);
    snap_process(s, c, 11, 10, "b", PODPID_ROLE_CHILD);
    snap_process(s, c, 12, 12, "c", PODPID_ROLE_CHILD);
    snap_process(s, c, 12, 11, "d", PODPID_ROLE_CHILD);
    for (int i = 100; i < 2100; i++) {
        snap_process(s, c, i, i - 1, "deep", PODPID_ROLE_CHILD);
    }
    capture(out_tree, &cli, s, &text);
    assert_int_equal(count_lines(&text), 3 + 4 + 2000);
    buf_free(&text);
    podpid_snapshot_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_is_as_it_always_was),
        cmocka_unit_test(nothing_to_show_prints_nothing),
        cmocka_unit_test(hostile_text_breaks_no_format),
        cmocka_unit_test(tables_fit_the_terminal),
        cmocka_unit_test(what_is_cut_says_so),
        cmocka_unit_test(strays_do_not_flood),
        cmocka_unit_test(trees_of_nonsense_end),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
