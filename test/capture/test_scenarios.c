/* Every scenario of test/scenarios is replayed and compared with its .expected file: once with the
 * cgroups paths that the runtime gives, once without. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "resolver/capture/capture.h"
#include "resolver/podpid.h"
#include "test/support/report.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

#define SCENARIOS TEST_DIR "/scenarios"

static int keep(void *context, const char *data, size_t n)
{
    buf_append(context, data, n);
    return 0;
}

/* The report about a capture, without its times; NULL with the reason appended to why. */
static json_t *report_of(const char *dir, const char *vm_handlers, struct buf *why)
{
    struct podpid_options options = PODPID_OPTIONS_INIT;
    struct podpid_error error = PODPID_ERROR_INIT;
    struct podpid_snapshot *snapshot;
    struct buf text = {0};
    json_error_t bad;
    json_t *doc;

    options.replay = dir;
    options.vm_handlers = vm_handlers;
    options.no_environment = true;
    if (podpid_look_run(&options, -1, &snapshot, &error) < 0 ||
        podpid_snapshot_to_json(snapshot, PODPID_JSON_DOCUMENT, keep, &text, &error) < 0) {
        buf_printf(why, "  %s\n", error.message);
        return NULL;
    }
    podpid_snapshot_free(snapshot);
    doc = json_loadb(text.p, text.n, 0, &bad);
    if (!doc) {
        buf_printf(why, "  %d:%d: %s\n", bad.line, bad.column, bad.text);
    }
    buf_free(&text);
    json_object_del(doc, "took_ms");
    return doc;
}

/* A capture that is written from a folder of files has no cgroup IDs: they come from a cgroupfs. */
static void drop_cgroup_ids(json_t *doc)
{
    size_t i, k;
    json_t *pod, *c;

    json_array_foreach(json_object_get(doc, "pods"), i, pod)
    {
        json_array_foreach(json_object_get(pod, "containers"), k, c)
        {
            json_object_del(c, "cgroup_id");
            json_object_del(c, "cgroup_ids");
            json_object_del(c, "cgroup_level");
        }
    }
}

/* A capture of a capture gives the same report. */
static void capture_again(const char *dir, json_t *doc, const struct scenario *s, struct buf *why)
{
    char *parent = scratch_new();
    char path[PATH_MAX];
    struct arena a = {0};
    struct capture c;
    struct err err = {0};
    json_t *again = NULL;

    assert_int_equal(capture_read(dir, &a, &c, &err), 0);
    snprintf(path, sizeof(path), "%.200s/again", parent);
    if (capture_write(&c, NULL, path, &err) < 0) {
        buf_printf(why, "  captured again: %s\n", err.text);
    } else {
        again = report_of(path, s->vm_handlers, why);
        drop_cgroup_ids(again);
        drop_cgroup_ids(doc);
        if (!json_equal(doc, again)) {
            buf_puts(why, "  captured again it gives another report\n");
        }
    }
    json_decref(again);
    procfs_close(&c.procfs);
    arena_free(&a);
    scratch_remove(parent);
}

static void run(const char *name, bool without_paths, struct buf *failures)
{
    char expected_name[NAME_MAX];
    struct scenario s = {0};
    struct buf text, expected, why = {0};
    char *dir = scratch_new();
    json_t *doc = NULL, *again = NULL;

    snprintf(expected_name, sizeof(expected_name), "%.*s.expected", (int)strlen(name) - 4, name);
    assert_true(scratch_read(SCENARIOS, name, &text));
    assert_true(scratch_read(SCENARIOS, expected_name, &expected));
    if (!scenario_write(&s, (struct str){text.p, text.n}, dir, without_paths)) {
        buf_printf(&why, "  %s\n", s.error);
    } else if (!(without_paths && s.paths_needed)) {
        doc = report_of(dir, s.vm_handlers, &why);
        again = report_of(dir, s.vm_handlers, &why);
    }
    if (doc) {
        report_check(doc, &why);
        report_compare(doc, (struct str){expected.p, expected.n}, &s, &why);
    }
    if (doc && !json_equal(doc, again)) {
        buf_puts(&why, "  two reports on one capture differ\n");
    }
    if (doc) {
        capture_again(dir, doc, &s, &why);
    }
    if (why.n) {
        buf_printf(failures, "%s%s:\n%s", name, without_paths ? " without cgroups paths" : "",
                   why.p);
    }
    json_decref(doc);
    json_decref(again);
    buf_free(&why);
    buf_free(&text);
    buf_free(&expected);
    scenario_free(&s);
    scratch_remove(dir);
}

static int is_scenario(const struct dirent *e)
{
    size_t n = strlen(e->d_name);

    return n > 4 && strcmp(e->d_name + n - 4, ".txt") == 0;
}

static void all(bool without_paths)
{
    struct dirent **names;
    struct buf failures = {0};
    int n = scandir(SCENARIOS, &names, is_scenario, alphasort);

    assert_true(n > 50);
    for (int i = 0; i < n; i++) {
        run(names[i]->d_name, without_paths, &failures);
        free(names[i]);
    }
    free(names);
    if (failures.n) {
        fputs(failures.p, stderr); /* print_error() cuts at 1,024 bytes */
    }
    assert_int_equal(failures.n, 0);
    buf_free(&failures);
}

static void with_paths(void **state)
{
    (void)state;
    all(false);
}

static void without_paths(void **state)
{
    (void)state;
    all(true);
}

/* fixtures/captures/demo is the capture that make_capture writes for demo.txt. */
static void the_demo_capture_matches_its_scenario(void **state)
{
    struct scenario s = {0};
    struct buf text, why = {0};
    char *dir = scratch_new();
    json_t *written, *kept;

    (void)state;
    assert_true(scratch_read(SCENARIOS, "demo.txt", &text));
    assert_true(scenario_write(&s, (struct str){text.p, text.n}, dir, false));
    written = report_of(dir, NULL, &why);
    kept = report_of(TEST_DIR "/fixtures/captures/demo", NULL, &why);
    assert_non_null(written);
    assert_non_null(kept);
    assert_true(json_equal(written, kept));
    json_decref(written);
    json_decref(kept);
    buf_free(&text);
    buf_free(&why);
    scenario_free(&s);
    scratch_remove(dir);
}

static int selects(const char *dir, const char *labels, struct podpid_error *error)
{
    struct podpid_options options = PODPID_OPTIONS_INIT;
    struct podpid_selector selector = PODPID_SELECTOR_INIT;
    struct podpid_snapshot *snapshot;
    int rc;

    options.replay = dir;
    selector.labels = labels;
    assert_int_equal(podpid_look_run(&options, -1, &snapshot, NULL), 0);
    rc = podpid_selector_answerable(&selector, snapshot, error);
    podpid_snapshot_free(snapshot);
    return rc;
}

/* -l with a capture without label values is an error, not "nothing matched". */
static void a_selector_needs_label_values(void **state)
{
    struct podpid_error error = PODPID_ERROR_INIT;
    struct scenario s = {0};
    struct buf text;
    char *dir = scratch_new();

    (void)state;
    assert_int_equal(selects(TEST_DIR "/fixtures/captures/demo", "app=web", &error), 0);
    assert_true(scratch_read(SCENARIOS, "labels-without-values.txt", &text));
    assert_true(scenario_write(&s, (struct str){text.p, text.n}, dir, false));
    assert_int_equal(selects(dir, "app=web", &error), PODPID_ERR_INPUT);
    assert_int_equal(podpid_exit_status(error.code), 2);
    assert_non_null(strstr(error.hint, "--with-labels"));
    assert_int_equal(selects(dir, NULL, &error), 0);
    buf_free(&text);
    scenario_free(&s);
    scratch_remove(dir);
}

/* Texts of a runtime may be a megabyte long and full of control bytes. */
static void texts_of_a_megabyte(void **state)
{
    enum { LONG = 1024 * 1024 };
    struct buf huge = {0}, why = {0};
    struct buf b;
    char *dir = scratch_new();
    json_t *runtime, *c, *doc;
    char *text;

    (void)state;
    scratch_copy(TEST_DIR "/fixtures/captures/demo", dir);
    while (huge.n < LONG) {
        buf_puts(&huge, "\x1b[2J\n\xe2\x80\xae\"\\");
    }
    assert_true(scratch_read(dir, "runtime.json", &b));
    runtime = json_loadb(b.p, b.n, 0, NULL);
    c = json_array_get(json_object_get(runtime, "containers"), 0);
    json_object_set_new(c, "name", json_string(huge.p));
    json_object_set_new(c, "image", json_string(huge.p));
    json_object_set_new(json_array_get(json_object_get(runtime, "pods"), 0), "name",
                        json_string(huge.p));
    text = json_dumps(runtime, 0);
    scratch_puts(dir, "runtime.json", text);
    free(text);
    json_decref(runtime);
    doc = report_of(dir, NULL, &why);
    if (!doc) {
        fail_msg("%.900s", why.p);
    }
    report_check(doc, &why);
    assert_int_equal(why.n, 0);
    json_decref(doc);
    buf_free(&b);
    buf_free(&huge);
    scratch_remove(dir);
}

/* A thousand containers of twenty processes each, every one of them verified. */
static void a_thousand_containers(void **state)
{
    enum { CONTAINERS = 1000, PROCESSES = 20 };
    struct scenario s = {0};
    struct buf text = {0}, expected = {0}, why = {0};
    char *dir = scratch_new();
    int pid = 1000;
    json_t *doc;

    (void)state;
    for (int i = 0; i < CONTAINERS; i++) {
        buf_printf(&text, "pod p%d ns/p%d pid=%d\nctr c%d p%d app running pid=%d\n", i, i, pid, i,
                   i, pid + 1);
        buf_printf(&text, "proc %d 1 950 pause in=p%d ns=1\n", pid, i);
        buf_printf(&expected, "pod p%d ns/p%d ready verified pid=%d\n", i, i, pid);
        buf_printf(&expected,
                   "ctr c%d ns/p%d/app running verified pid=%d reported=%d roots=%d procs=%d:main",
                   i, i, pid + 1, pid + 1, pid + 1, pid + 1);
        buf_printf(&text, "proc %d 1 1000 app in=c%d ns=1\n", pid + 1, i);
        for (int k = 1; k < PROCESSES; k++) {
            buf_printf(&text, "proc %d %d %d kid in=c%d ns=%d\n", pid + 1 + k, pid + k, 1000 + k, i,
                       k + 1);
            buf_printf(&expected, ",%d:child", pid + 1 + k);
        }
        buf_puts(&expected, "\n");
        pid += PROCESSES + 1;
    }
    assert_false(text.failed || expected.failed);
    assert_true(scenario_write(&s, (struct str){text.p, text.n}, dir, false));
    doc = report_of(dir, NULL, &why);
    if (doc) {
        report_check(doc, &why);
        report_compare(doc, (struct str){expected.p, expected.n}, &s, &why);
    }
    if (why.n) {
        fail_msg("%.900s", why.p);
    }
    json_decref(doc);
    buf_free(&text);
    buf_free(&expected);
    scenario_free(&s);
    scratch_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_paths),
        cmocka_unit_test(without_paths),
        cmocka_unit_test(the_demo_capture_matches_its_scenario),
        cmocka_unit_test(a_selector_needs_label_values),
        cmocka_unit_test(texts_of_a_megabyte),
        cmocka_unit_test(a_thousand_containers),
    };

    /* Captures are thousands of small files: they are faster in memory than on a disk. */
    if (access("/dev/shm", W_OK | X_OK) == 0) {
        setenv("TMPDIR", "/dev/shm", 0);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
