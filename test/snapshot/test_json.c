/* The document podpid/v1: to the byte for a node with a bit of everything, valid whatever the text
 * in it, and honest about writes that fail. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cri/base/text.h"
#include "test/support/golden.h"
#include "test/support/schema.h"
#include "test/support/snap.h"
#include "test/support/unit.h"

#define SCHEMA(name) TEST_DIR "/../resolver/schema/" name

static int into_buf(void *context, const char *data, size_t n)
{
    buf_append(context, data, n);
    return 0;
}

static void write_all(const struct podpid_snapshot *s, enum podpid_json_style style,
                      struct buf *text)
{
    *text = (struct buf){0};
    assert_int_equal(podpid_snapshot_to_json(s, style, into_buf, text, NULL), PODPID_OK);
    assert_false(text->failed);
}

static void assert_valid(const char *schema_path, const struct buf *text, bool lines)
{
    struct schema *schema = schema_open(schema_path);
    char why[512] = "";

    assert_non_null(schema);
    if (!schema_holds_text(schema, text->p, text->n, lines, why, sizeof(why))) {
        fail_msg("%s", why);
    }
    schema_close(schema);
}

static void the_document_is_as_it_always_was(void **state)
{
    struct podpid_snapshot *s = snap_zoo();
    struct buf text, compact;
    json_t *a, *b;

    (void)state;
    write_all(s, PODPID_JSON_DOCUMENT, &text);
    assert_valid(SCHEMA("podpid.v1.json"), &text, false);
    assert_golden("zoo.json", text.p, text.n);
    write_all(s, PODPID_JSON_COMPACT, &compact);
    assert_ptr_equal(strchr(compact.p, '\n'), compact.p + compact.n - 1);
    a = json_loads(text.p, 0, NULL);
    b = json_loads(compact.p, 0, NULL);
    assert_true(json_equal(a, b));
    json_decref(a);
    json_decref(b);
    buf_free(&text);
    buf_free(&compact);
    podpid_snapshot_free(s);
}

static void lines_carry_their_pod(void **state)
{
    struct podpid_snapshot *s = snap_zoo();
    struct buf text;

    (void)state;
    write_all(s, PODPID_JSON_LINES, &text);
    assert_valid(SCHEMA("podpid.container.v1.json"), &text, true);
    assert_golden("zoo.jsonl", text.p, text.n);
    buf_free(&text);
    podpid_snapshot_free(s);
}

static void a_node_with_nothing_known_is_a_document_too(void **state)
{
    struct podpid_snapshot *s = snap_new();
    struct podpid_pod *p;
    struct podpid_container *c;
    struct buf text;
    json_t *doc;

    (void)state;
    s->runtime = NULL;
    s->node = (struct podpid_node){0};
    s->taken_at = s->took = 0;
    write_all(s, PODPID_JSON_DOCUMENT, &text);
    assert_valid(SCHEMA("podpid.v1.json"), &text, false);
    assert_non_null(strstr(text.p, "\"pods\": [],\n"));
    buf_free(&text);

    /* Without a runtime: a pod by its uid, a container by its id. */
    p = snap_pod(s, NULL, NULL, "u1");
    c = snap_container(s, p, NULL, snap_id(s, "a0"), 0);
    c->state = 0;
    c->verdict = PODPID_VERDICT_INFERRED;
    c->inferred_pid = 77;
    c->image = c->reason = c->cgroup_path = NULL;
    c->created_at = c->started_at = 0;
    write_all(s, PODPID_JSON_DOCUMENT, &text);
    assert_valid(SCHEMA("podpid.v1.json"), &text, false);
    doc = json_loads(text.p, 0, NULL);
    json_t *pod = json_array_get(json_object_get(doc, "pods"), 0);
    json_t *row = json_array_get(json_object_get(pod, "containers"), 0);
    assert_true(json_is_null(json_object_get(pod, "state")));
    assert_true(json_is_null(json_object_get(row, "state")));
    assert_true(json_is_null(json_object_get(row, "attempt")));
    assert_true(json_is_null(json_object_get(row, "pid")));
    assert_int_equal(json_integer_value(json_object_get(row, "inferred_pid")), 77);
    json_decref(doc);
    buf_free(&text);
    podpid_snapshot_free(s);
}

static void hostile_text_stays_inside_its_string(void **state)
{
    static char megabyte[1 << 20];
    static const char *const texts[] = {"\xff\xfe broken \xc3",
                                        "\"},{\"pid\": 1",
                                        "\x1b]0;x\x07",
                                        "new\nline\r\ttab",
                                        "\xed\xa0\x80",
                                        "",
                                        megabyte};
    struct podpid_snapshot *s = snap_new();
    struct buf text;
    json_t *doc;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct podpid_pod *p = snap_pod(s, texts[i], texts[i], texts[i]);
        struct podpid_container *c = snap_container(s, p, texts[i], texts[i], 10);

        snap_label(s, p, texts[i], texts[i]);
        snap_process(s, c, 11, 10, texts[i], PODPID_ROLE_CHILD);
        c->image = c->reason = texts[i];
        snap_warn(s, texts[i]);
    }
    memset(megabyte, 0xfe, sizeof(megabyte) - 1);
    snap_container(s, snap_pod(s, "ns", megabyte, "u"), "c", snap_id(s, "aa"), 12);
    write_all(s, PODPID_JSON_DOCUMENT, &text);
    assert_true(text_is_utf8(text.p, text.n));
    doc = json_loadb(text.p, text.n, 0, NULL);
    assert_non_null(doc);
    assert_int_equal(json_array_size(json_object_get(doc, "pods")),
                     sizeof(texts) / sizeof(texts[0]) + 1);
    json_decref(doc);
    buf_free(&text);
    write_all(s, PODPID_JSON_LINES, &text);
    assert_valid(SCHEMA("podpid.container.v1.json"), &text, true);
    buf_free(&text);
    podpid_snapshot_free(s);
}

static int until(void *context, const char *data, size_t n)
{
    size_t *left = context;

    (void)data;
    if (n > *left) {
        return -1;
    }
    *left -= n;
    return 0;
}

static void a_write_that_fails_is_said(void **state)
{
    struct podpid_snapshot *s = snap_zoo();
    struct buf whole;

    (void)state;
    write_all(s, PODPID_JSON_DOCUMENT, &whole);
    for (size_t room = 0; room <= whole.n; room += 97) {
        struct podpid_error error = PODPID_ERROR_INIT;
        size_t left = room;

        assert_int_equal(podpid_snapshot_to_json(s, PODPID_JSON_DOCUMENT, until, &left, &error),
                         PODPID_ERR_WRITE);
        assert_int_equal(error.code, PODPID_ERR_WRITE);
        left = room;
        if (room < 1000) {
            assert_int_equal(podpid_snapshot_to_json(s, PODPID_JSON_LINES, until, &left, NULL),
                             PODPID_ERR_WRITE);
        }
    }
    buf_free(&whole);
    podpid_snapshot_free(s);
}

static void the_schema_notices(void **state)
{
    static const struct {
        const char *from, *to, *why;
    } cases[] = {
        {"\"pid\": 6637", "\"pid\": \"6637\"", "pid"},
        {"\"pid\": 6637", "\"pid\": 0", "too small"},
        {"\"pid\": 6637", "\"pdi\": 1, \"pid\": 6637", "pdi"},
        {"\"complete\": false,", "", "lacks complete"},
        {"\"cgroup_mode\": \"v2\"", "\"cgroup_mode\": \"v3\"", "cgroup_mode"},
        {"\"taken_at\": \"2026", "\"taken_at\": \"26", "taken_at"},
    };
    struct podpid_snapshot *s = snap_zoo();
    struct schema *schema = schema_open(SCHEMA("podpid.v1.json"));
    struct buf text;

    (void)state;
    write_all(s, PODPID_JSON_DOCUMENT, &text);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf changed = {0};
        char *at = strstr(text.p, cases[i].from), why[512] = "";

        assert_non_null(at);
        buf_append(&changed, text.p, (size_t)(at - text.p));
        buf_puts(&changed, cases[i].to);
        buf_puts(&changed, at + strlen(cases[i].from));
        assert_false(schema_holds_text(schema, changed.p, changed.n, false, why, sizeof(why)));
        if (!strstr(why, cases[i].why)) {
            fail_msg("'%s' does not say '%s'", why, cases[i].why);
        }
        buf_free(&changed);
    }
    buf_free(&text);
    schema_close(schema);
    podpid_snapshot_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_document_is_as_it_always_was),
        cmocka_unit_test(lines_carry_their_pod),
        cmocka_unit_test(a_node_with_nothing_known_is_a_document_too),
        cmocka_unit_test(hostile_text_stays_inside_its_string),
        cmocka_unit_test(a_write_that_fails_is_said),
        cmocka_unit_test(the_schema_notices),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
