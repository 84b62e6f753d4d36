/* The YAML reader: places and kinds of values, and texts that are refused. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "resolver/format/yaml.h"
#include "test/support/unit.h"

static int parse(const char *text, struct arena *a, struct yaml_stream *s, struct err *err)
{
    return yaml_parse(str_of(text), "f", 1000, a, s, err);
}

static void values_have_line_and_column(void **state)
{
    struct arena a = {0};
    struct yaml_stream s;
    const struct yaml_value *v;
    struct err err;

    (void)state;
    assert_int_equal(parse("a: {b: [x, 'y']}\nc: 5\n---\n- 1\n", &a, &s, &err), 0);
    assert_int_equal(s.n, 2);
    v = yaml_path(s.roots[0], "a", "b", NULL);
    assert_non_null(v);
    assert_int_equal(v->kind, YAML_LIST);
    assert_int_equal(v->n, 2);
    assert_int_equal(v->line, 1);
    assert_int_equal(v->column, 8);
    assert_string_equal(yaml_string(v->items[1]), "y");
    assert_null(yaml_string(yaml_get(s.roots[0], "c")));
    assert_string_equal(yaml_kind_name(yaml_get(s.roots[0], "c")), "a number");
    assert_null(yaml_get(s.roots[0], "d"));
    assert_null(yaml_path(s.roots[0], "c", "b", NULL));
    assert_int_equal(s.roots[1]->kind, YAML_LIST);
    assert_int_equal(s.roots[1]->line, 4);
    arena_free(&a);
}

static void json_is_yaml(void **state)
{
    struct arena a = {0};
    struct yaml_stream s;
    struct err err;

    (void)state;
    assert_int_equal(
        parse("{\"a\":{\"b\":[1,\"x\\u003cy\\/z\"],\n\t\"e\":\"\",\"n\":null}}", &a, &s, &err), 0);
    assert_string_equal(yaml_string(yaml_path(s.roots[0], "a", "b", NULL)->items[1]), "x<y/z");
    assert_string_equal(yaml_string(yaml_path(s.roots[0], "a", "e", NULL)), "");
    assert_null(yaml_path(s.roots[0], "a", "n", NULL));
    arena_free(&a);
}

static void plain_texts_have_kinds(void **state)
{
    static const struct {
        const char *text, *kind;
    } cases[] = {
        {"x", "a text"},      {"'5'", "a text"},   {"5", "a number"}, {"-1.5", "a number"},
        {"0640", "a number"}, {"1.2.3", "a text"}, {"5s", "a text"},  {"true", "true or false"},
        {"'true'", "a text"}, {"~", "nothing"},    {"''", "a text"},  {"yes", "a text"},
        {"-", "a text"},      {"nan", "a text"},   {"[]", "a list"},  {"{}", "a map"},
    };

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        struct arena a = {0};
        struct yaml_stream s;
        struct err err;
        char text[64];

        snprintf(text, sizeof(text), "[%s]", cases[i].text);
        if (strcmp(cases[i].text, "-") == 0) {
            snprintf(text, sizeof(text), "['-']");
        }
        assert_int_equal(parse(text, &a, &s, &err), 0);
        assert_string_equal(yaml_kind_name(s.roots[0]->items[0]), cases[i].kind);
        arena_free(&a);
    }
}

static void bad_texts_are_refused_with_their_place(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"a: 1\nb: 2\na: 3\n", "f:3:1: duplicate key \"a\": first in line 1"},
        {"{a: 1, a: 2}", "f:1:8: duplicate key \"a\": first in line 1"},
        {"a:\n\tb: 1\n", "f:2:1: expected spaces: tabs cannot indent YAML"},
        {"? [x]\n: 1\n", "f:1:3: expected a text as key"},
        {"a: *b\n", "f:1:4: an alias without an anchor before it"},
        {"a: &b [*b]\n", "f:1:8: an alias inside its own anchor"},
        {"a: \"x\\0y\"\n", "f:1:4: expected a text without NUL characters"},
        {"a: \xff\n", "f:1:4: expected UTF-8 text: invalid leading UTF-8 octet"},
    };

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        struct arena a = {0};
        struct yaml_stream s;
        struct err err;

        assert_int_equal(parse(cases[i].text, &a, &s, &err), -EINVAL);
        assert_string_equal(err.text, cases[i].message);
        assert_int_equal(err.kind, ERR_INPUT);
        arena_free(&a);
    }
}

static void syntax_errors_name_the_place(void **state)
{
    static const char *const texts[] = {"a: [1, 2\nb: 3\n", "a: b: c\n", "}", "a: 'x\n",
                                        "%YAML 9.9\n---\na\n"};

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(texts); i++) {
        struct arena a = {0};
        struct yaml_stream s;
        struct err err;

        assert_true(parse(texts[i], &a, &s, &err) < 0);
        assert_non_null(strstr(err.text, "expected YAML: "));
        assert_int_equal(strncmp(err.text, "f:", 2), 0);
        arena_free(&a);
    }
}

static void aliases_that_expand_to_too_many_values_are_refused(void **state)
{
    struct arena a = {0};
    struct yaml_stream s;
    struct buf text = {0};
    struct err err;

    (void)state;
    buf_puts(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 20; i++) {
        buf_printf(&text, "a%d: &a%d [", i, i);
        for (int k = 0; k < 9; k++) {
            buf_printf(&text, "%s*a%d", k ? "," : "", i - 1);
        }
        buf_puts(&text, "]\n");
    }
    assert_true(yaml_parse((struct str){text.p, text.n}, "f", 20000, &a, &s, &err) < 0);
    assert_non_null(strstr(err.text, "too many values once its aliases are expanded"));
    arena_free(&a);
    buf_free(&text);
}

static void depth_and_number_of_values_are_limited(void **state)
{
    struct arena a = {0};
    struct yaml_stream s;
    char deep[5000];
    struct buf wide = {0};
    struct err err;

    (void)state;
    memset(deep, '[', sizeof(deep));
    assert_true(yaml_parse((struct str){deep, sizeof(deep)}, "f", 100000, &a, &s, &err) < 0);
    assert_string_equal(err.text, "f:1:65: too deep");
    arena_free(&a);
    for (int i = 0; i < 1001; i++) {
        buf_puts(&wide, "- x\n");
    }
    assert_true(yaml_parse((struct str){wide.p, wide.n}, "f", 1000, &a, &s, &err) < 0);
    assert_string_equal(err.text, "f:1000:3: too many values");
    arena_free(&a);
    buf_free(&wide);
}

static void a_stream_without_values_is_no_error(void **state)
{
    static const char *const texts[] = {"", "\n\n", "# nothing\n", "---\n---\n", "~\n"};

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(texts); i++) {
        struct arena a = {0};
        struct yaml_stream s;
        struct err err;

        assert_int_equal(parse(texts[i], &a, &s, &err), 0);
        assert_int_equal(s.n, 0);
        arena_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_line_and_column),
        cmocka_unit_test(json_is_yaml),
        cmocka_unit_test(plain_texts_have_kinds),
        cmocka_unit_test(bad_texts_are_refused_with_their_place),
        cmocka_unit_test(syntax_errors_name_the_place),
        cmocka_unit_test(aliases_that_expand_to_too_many_values_are_refused),
        cmocka_unit_test(depth_and_number_of_values_are_limited),
        cmocka_unit_test(a_stream_without_values_is_no_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
