/* The verbose info: each runtime's shape, and text that no runtime should give. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "cri/rpc/info.h"
#include "cri/rpc/json_cursor.h"
#include "test/support/unit.h"

static void same(const char *got, const char *wanted)
{
    if (!wanted) {
        assert_null(got);
    } else {
        assert_non_null(got);
        assert_string_equal(got, wanted);
    }
}

static void each_runtimes_shape_is_read(void **state)
{
    static const struct {
        const char *text;
        struct info info;
    } cases[] = {
        {"{\"sandboxID\":\"d6\",\"pid\":21155}", {.pid = 21155}},
        {"{\"pid\":0}", {0}},
        {"{\"pid\":null}", {0}},
        {"{\"pid\":2147483647}", {.pid = 2147483647}},
        {"{}", {0}},
        {" { } \n", {0}},
        {"", {0}},
        {"no JSON at all", {0}},
        {"[1,2]", {0}},
        {"null", {0}},
        {"{\"x\":{\"pid\":3},\"y\":[{\"pid\":4}],\"pid\":5}", {.pid = 5}},
        {"{\"a\":\"}\\\"{\",\"pid\":5}", {.pid = 5}},
        {"{\"runtimeSpec\":null,\"config\":7,\"runtimeType\":null,\"pid\":5}", {.pid = 5}},
        {"{\"runtimeSpec\":{\"linux\":{\"cgroupsPath\":\"system.slice:cri-containerd:ab\"}}}",
         {.cgroups_path = "system.slice:cri-containerd:ab"}},
        {"{\"runtimeSpec\":{\"linux\":{\"resources\":{\"linux\":{\"cgroupsPath\":\"/no\"}}}}}",
         {0}},
        {"{\"cgroupsPath\":\"/no\",\"linux\":{\"cgroupsPath\":\"/no\"}}", {0}},
        {"{\"config\":{\"linux\":{\"cgroup_parent\":\"/kubepods/\\u0061\\/b\\ud83d\\ude00\"}}}",
         {.cgroup_parent = "/kubepods/a/b\xf0\x9f\x98\x80"}},
        {"{\"runtimeSpec\":{\"annotations\":{\"io.kubernetes.cri-o.CgroupParent\":\"/p\"}}}",
         {.cgroup_parent = "/p"}},
        {"{\"runtimeType\":\"io.containerd.kata.v2\",\"runtimeHandler\":\"\\ud800x\"}",
         {.runtime_type = "io.containerd.kata.v2", .runtime_handler = "\xef\xbf\xbdx"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(arena_free) struct arena a = {0};
        struct info info = {.pid = -1};
        struct err err = {0};
        int rc = info_parse(str_of(cases[i].text), &a, &info, &err);

        if (rc != 0) {
            fail_msg("%s: %s", cases[i].text, err.text);
        }
        assert_int_equal(info.pid, cases[i].info.pid);
        same(info.cgroups_path, cases[i].info.cgroups_path);
        same(info.cgroup_parent, cases[i].info.cgroup_parent);
        same(info.runtime_type, cases[i].info.runtime_type);
        same(info.runtime_handler, cases[i].info.runtime_handler);
    }
}

static void broken_json_is_refused(void **state)
{
    static const char *const cases[] = {
        "{\"pid\":-1}",
        "{\"pid\":1.5}",
        "{\"pid\":1e3}",
        "{\"pid\":\"17\"}",
        "{\"pid\":2147483648}",
        "{\"pid\":99999999999999999999999}",
        "{\"pid\":true}",
        "{\"pid\":{}}",
        "{\"pid\":[1]}",
        "{\"pid\":}",
        "{\"pid\"}",
        "{\"pid\":7",
        "{\"pid\":7,",
        "{\"pid\":7}x",
        "{\"pid\":7}{\"pid\":8}",
        "{,\"pid\":7}",
        "{\"a\":1 \"pid\":7}",
        "{\"a\":[}],\"pid\":7}",
        "{\"a\":\"",
        "{\"a\":\"\\",
        "{\"runtimeType\":\"\\x\"}",
        "{\"runtimeType\":\"\\u12\"}",
        "{\"runtimeType\":\"\\u0000\"}",
        "{",
        "{\"",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(arena_free) struct arena a = {0};
        struct info info = {.pid = -7};
        struct err err = {0};

        if (info_parse(str_of(cases[i]), &a, &info, &err) != -EBADMSG) {
            fail_msg("taken: %s", cases[i]);
        }
        assert_int_equal(info.pid, -7);
        assert_int_equal(err.kind, ERR_RUNTIME);
        assert_true(err.text[0]);
    }
}

static void depth_is_bounded(void **state)
{
    enum { DEEP = 100000 };
    CLEANUP(arena_free) struct arena a = {0};
    AUTO_FREE char *text = malloc(2 * DEEP + 32);
    struct info info;
    struct err err;
    size_t n;

    (void)state;
    assert_non_null(text);
    n = (size_t)sprintf(text, "{\"x\":");
    memset(text + n, '[', DEEP);
    memset(text + n + DEEP, ']', DEEP);
    text[n + 2 * (size_t)DEEP] = '}';
    assert_int_equal(info_parse((struct str){text, n + 2 * (size_t)DEEP + 1}, &a, &info, &err),
                     -EBADMSG);
    n = (size_t)sprintf(text, "{\"x\":");
    memset(text + n, '[', JSON_CURSOR_DEPTH);
    memset(text + n + JSON_CURSOR_DEPTH, ']', JSON_CURSOR_DEPTH);
    text[n + 2 * (size_t)JSON_CURSOR_DEPTH] = '}';
    assert_int_equal(
        info_parse((struct str){text, n + 2 * (size_t)JSON_CURSOR_DEPTH + 1}, &a, &info, &err), 0);
}

/* Every cut of a real text is refused, and none is read beyond its end (for the sanitizer). */
static void every_cut_is_refused(void **state)
{
    static const char whole[] =
        "{\"pid\":12,\"a\":[\"\\u0041\",{}],\"runtimeSpec\":{\"linux\":{\"cgroupsPath\":\"/a\"}}}";

    (void)state;
    for (size_t n = 1; n < sizeof(whole) - 1; n++) {
        CLEANUP(arena_free) struct arena a = {0};
        AUTO_FREE char *cut = malloc(n);
        struct info info;
        struct err err;

        assert_non_null(cut);
        memcpy(cut, whole, n);
        assert_int_equal(info_parse((struct str){cut, n}, &a, &info, &err), -EBADMSG);
    }
}

/* What real runtimes gave, against another reader of JSON. */
static void recorded_infos_are_read(void **state)
{
    static const char *const files[] = {
        "containerd-1.6.20/raw-ctr-a1", "containerd-1.6.20/raw-ctr-a5",
        "containerd-1.6.20/raw-pod-a",  "containerd-2.1.9/raw-ctr-b1",
        "containerd-2.1.9/raw-pod-h",   "crio-1.37/raw-ctr-a3",
        "crio-1.37/raw-ctr-a5",         "crio-1.37/raw-pod-a",
        "cri-dockerd-0.3.4/raw-ctr-a1", "cri-dockerd-0.3.4/raw-ctr-a3",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        CLEANUP(arena_free) struct arena a = {0};
        struct info info;
        struct err err = {0};
        const char *text;
        char path[512];
        json_t *reply, *doc;

        snprintf(path, sizeof(path), "%s/fixtures/runtimes/%s.json", TEST_DIR, files[i]);
        reply = json_load_file(path, 0, NULL);
        assert_non_null(reply);
        text = json_string_value(json_object_get(json_object_get(reply, "info"), "info"));
        assert_non_null(text);
        doc = json_loads(text, 0, NULL);
        assert_int_equal(info_parse(str_of(text), &a, &info, &err), 0);
        assert_int_equal(info.pid, json_integer_value(json_object_get(doc, "pid")));
        same(info.cgroups_path,
             json_string_value(json_object_get(
                 json_object_get(json_object_get(doc, "runtimeSpec"), "linux"), "cgroupsPath")));
        same(info.runtime_type, json_string_value(json_object_get(doc, "runtimeType")));
        json_decref(doc);
        json_decref(reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_runtimes_shape_is_read),
        cmocka_unit_test(broken_json_is_refused),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(recorded_infos_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
