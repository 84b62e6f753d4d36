/* Reading a capture. Each folder of fixtures/captures-broken is copied over a copy of the folder
 * "good" there. Its file `remove` names files to remove from that copy first, `expected` has the
 * start of the error message. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resolver/capture/capture.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

#define LEADER_EXITED                                                                              \
    "120 (app) Z 100 120 120 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 3 0 5000 0 0 0 0 0 0 0 0 0 0 0 0 "  \
    "0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"

#define BROKEN TEST_DIR "/fixtures/captures-broken"

static int open_capture(const char *dir, struct err *err)
{
    struct arena a = {0};
    struct capture r;
    int rc = capture_read(dir, &a, &r, err);

    if (rc == 0) {
        close(r.procfs.fd);
    }
    arena_free(&a);
    return rc;
}

/* The error message with the folder's path replaced by DIR. */
static void message_without_path(const struct err *err, const char *dir, char *ret, size_t size)
{
    size_t n = strlen(dir);

    if (strncmp(err->text, dir, n) == 0) {
        snprintf(ret, size, "DIR%s", err->text + n);
    } else {
        snprintf(ret, size, "%s", err->text);
    }
}

static void apply_removals(const char *dir)
{
    struct buf b;
    struct str text, line;

    if (!scratch_read(dir, "remove", &b)) {
        return;
    }
    text = (struct str){b.p, b.n};
    while (str_next_line(&text, &line)) {
        char name[256];

        snprintf(name, sizeof(name), "%.*s", (int)line.n, line.p);
        scratch_delete(dir, name);
    }
    buf_free(&b);
}

static void try_broken(const char *name)
{
    char from[PATH_MAX], message[1200];
    char *dir = scratch_new();
    struct buf expected, removals;
    struct err err = {0};
    int rc;

    snprintf(from, sizeof(from), "%s/%s", BROKEN, name);
    scratch_copy(BROKEN "/good", dir);
    if (scratch_read(from, "remove", &removals)) {
        scratch_write(dir, "remove", removals.p, removals.n);
        buf_free(&removals);
        apply_removals(dir);
    }
    scratch_copy(from, dir);
    assert_true(scratch_read(dir, "expected", &expected));
    expected.p[strcspn(expected.p, "\n")] = '\0';
    rc = open_capture(dir, &err);
    message_without_path(&err, dir, message, sizeof(message));
    if (expected.p[0] == '\0') {
        if (rc != 0) {
            fail_msg("%s: %s", name, message);
        }
    } else if (rc >= 0 || err.kind != ERR_INPUT ||
               strncmp(message, expected.p, strlen(expected.p)) != 0) {
        fail_msg("%s: rc %d, kind %d\n  said:     %s\n  expected: %s", name, rc, (int)err.kind,
                 message, expected.p);
    }
    buf_free(&expected);
    scratch_remove(dir);
}

static void every_broken_capture_is_refused(void **state)
{
    DIR *d = opendir(BROKEN);
    const struct dirent *e;
    size_t n = 0;

    (void)state;
    assert_non_null(d);
    while ((e = readdir(d)) != NULL) {
        if (e->d_name[0] != '.') {
            try_broken(e->d_name);
            n++;
        }
    }
    closedir(d);
    assert_true(n > 40);
}

static void values_of_a_good_capture(void **state)
{
    struct arena a = {0};
    struct capture r;
    struct err err;
    const struct view_pod *p;
    const struct view_container *c;

    (void)state;
    assert_int_equal(capture_read(BROKEN "/good", &a, &r, &err), 0);
    assert_true(r.has_runtime);
    assert_true(r.has_label_values);
    assert_string_equal(r.view.runtime.name, "containerd");
    assert_string_equal(r.view.runtime.api, "cri/v1");
    assert_string_equal(r.endpoint, "unix:///run/containerd/containerd.sock");
    assert_int_equal(r.view.n_pods, 1);
    p = &r.view.pods[0];
    assert_string_equal(p->namespace_, "prod");
    assert_true(p->ready);
    assert_int_equal(p->status, VIEW_STATUS_OK);
    assert_string_equal(view_label(p->labels, p->n_labels, "app"), "web");
    assert_int_equal(r.view.n_containers, 1);
    c = &r.view.containers[0];
    assert_int_equal(c->state, VIEW_RUNNING);
    assert_int_equal(c->pid, 120);
    assert_null(c->cgroups_path);
    assert_string_equal(c->sandbox_id, p->id);
    assert_true(r.node.replay);
    assert_string_equal(r.node.node.cgroup_mode, "v2");
    assert_true(r.taken_at == INT64_C(1795435200000000000));
    assert_int_equal(r.n_cgroup_ids, 1);
    assert_int_equal(r.cgroup_ids[0].id, 8123);
    assert_false(r.procfs.is_procfs);
    close(r.procfs.fd);
    arena_free(&a);
}

/* Read the good capture with this text as its runtime.json. */
static int read_with_runtime(const char *text, struct capture *ret, struct arena *a,
                             struct err *err)
{
    char *dir = scratch_new();
    int rc;

    scratch_copy(BROKEN "/good", dir);
    scratch_puts(dir, "runtime.json", text);
    rc = capture_read(dir, a, ret, err);
    if (rc == 0) {
        close(ret->procfs.fd);
    }
    scratch_remove(dir);
    return rc;
}

static void only_ids_and_states_must_be_there(void **state)
{
    struct arena a = {0};
    struct capture r;
    struct err err;

    (void)state;
    assert_int_equal(
        read_with_runtime("{\"pods\": [{\"id\": \"ab\", \"state\": \"notready\"}],"
                          " \"containers\": [{\"id\": \"cd\", \"state\": \"exited\"}]}",
                          &r, &a, &err),
        0);
    assert_true(r.has_runtime);
    assert_false(r.view.pods[0].ready);
    assert_null(r.view.pods[0].name);
    assert_null(r.view.containers[0].sandbox_id);
    assert_int_equal(r.view.containers[0].pid, 0);
    arena_free(&a);
}

static void a_capture_without_a_runtime(void **state)
{
    struct arena a = {0};
    struct capture r;
    struct err err;

    (void)state;
    assert_int_equal(read_with_runtime("{\"format\": 1, \"name\": null}", &r, &a, &err), 0);
    assert_false(r.has_runtime);
    assert_int_equal(r.view.n_pods, 0);
    arena_free(&a);
}

static void labels_without_values(void **state)
{
    struct arena a = {0};
    struct capture r;
    struct err err;
    const struct view_pod *p;

    (void)state;
    assert_int_equal(read_with_runtime("{\"pods\": [{\"id\": \"ab\", \"state\": \"ready\","
                                       " \"labels\": {\"app\": null}}]}",
                                       &r, &a, &err),
                     0);
    p = &r.view.pods[0];
    assert_false(r.has_label_values);
    assert_int_equal(p->n_labels, 1);
    assert_string_equal(p->labels[0].key, "app");
    assert_null(p->labels[0].value);
    arena_free(&a);
}

static void failed_statuses(void **state)
{
    struct arena a = {0};
    struct capture r;
    struct err err;

    (void)state;
    assert_int_equal(
        read_with_runtime(
            "{\"containers\": ["
            "{\"id\": \"b0\", \"state\": \"running\", \"error\": \"\"},"
            "{\"id\": \"a0\", \"state\": \"running\", \"error\": \"deadline passed\"},"
            "{\"id\": \"b5c6a3c2-9a41-4e59-8e5c-5a0f9ffb2b1c\", \"state\": \"unknown\"}"
            "]}",
            &r, &a, &err),
        0);
    assert_string_equal(r.view.containers[0].id, "a0");
    assert_int_equal(r.view.containers[0].status, VIEW_STATUS_FAILED);
    assert_string_equal(r.view.containers[0].error, "deadline passed");
    assert_int_equal(r.view.containers[1].status, VIEW_STATUS_OK);
    assert_int_equal(r.view.containers[2].state, VIEW_UNKNOWN);
    arena_free(&a);
}

/* A sparse file of 100 MB, a FIFO that no process writes to, a symbolic link: each is refused by
 * name and not read. */
static void files_that_are_refused(void **state)
{
    static const struct {
        const char *file;
        enum { LARGE, FIFO, LINK } kind;
        const char *said;
    } cases[] = {
        {"runtime.json", LARGE, "DIR/runtime.json: too large: 104857600 bytes, "},
        {"node.json", LARGE, "DIR/node.json: too large: 104857600 bytes, "},
        {"cgroups.json", LARGE, "DIR/cgroups.json: too large: 104857600 bytes, "},
        {"proc/stat", LARGE, "DIR/proc/stat: too large: 104857600 bytes, "},
        {"proc/120/cgroup", LARGE, "DIR/proc/120/cgroup: too large: 104857600 bytes, "},
        {"proc/120/ns.json", LARGE, "DIR/proc/120/ns.json: too large: 104857600 bytes, "},
        {"proc/120/task/121/cgroup", LARGE, "DIR/proc/120/task/121/cgroup: too large: "},
        {"runtime.json", FIFO, "DIR/runtime.json: is not a regular file"},
        {"cgroups.json", FIFO, "DIR/cgroups.json: is not a regular file"},
        {"proc/stat", FIFO, "DIR/proc/stat: is not a regular file"},
        {"proc/120/status", FIFO, "DIR/proc/120/status: is not a regular file"},
        {"proc/120/task/121/cgroup", FIFO, "DIR/proc/120/task/121/cgroup: is not a regular file"},
        {"runtime.json", LINK, "DIR/runtime.json: is a symbolic link, not a regular file"},
        {"proc/120/stat", LINK, "DIR/proc/120/stat: is a symbolic link, not a regular file"},
        {"proc/120/cgroup", LINK, "DIR/proc/120/cgroup: is a symbolic link, not a regular file"},
        {"proc/120/ns.json", LINK, "DIR/proc/120/ns.json: is a symbolic link, not a regular file"},
        {"proc", LINK, "DIR/proc: "},
        {"proc/120", LINK, "DIR/proc/120: is no folder"},
        {"proc/120", FIFO, "DIR/proc/120: is no folder"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *dir = scratch_new();
        char path[PATH_MAX], message[1200];
        struct err err = {0};
        int rc;

        scratch_copy(BROKEN "/good", dir);
        if (strstr(cases[i].file, "task")) {
            /* the leader has exited, so that its threads are read */
            scratch_puts(dir, "proc/120/stat", LEADER_EXITED);
            scratch_puts(dir, "proc/120/task/121/stat", "121 (app) S 1 1 1\n");
        }
        snprintf(path, sizeof(path), "%s/%s", dir, cases[i].file);
        if (cases[i].kind == LARGE) {
            scratch_puts(dir, cases[i].file, "");
            assert_int_equal(truncate(path, 100 << 20), 0);
        } else {
            if (strstr(cases[i].file, "task")) {
                scratch_puts(dir, cases[i].file, "");
            }
            scratch_delete(dir, cases[i].file);
            assert_int_equal(cases[i].kind == FIFO ? mkfifo(path, 0600) : symlink("/proc/1", path),
                             0);
        }
        rc = open_capture(dir, &err);
        message_without_path(&err, dir, message, sizeof(message));
        if (rc >= 0 || err.kind != ERR_INPUT ||
            strncmp(message, cases[i].said, strlen(cases[i].said)) != 0) {
            fail_msg("rc %d\n  said:     %s\n  expected: %s", rc, message, cases[i].said);
        }
        scratch_remove(dir);
    }
}

static void no_such_folder(void **state)
{
    struct err err = {0};

    (void)state;
    assert_int_equal(open_capture("/nonexistent/capture", &err), -ENOENT);
    assert_int_equal(err.kind, ERR_INPUT);
    assert_int_equal(open_capture(BROKEN "/good/node.json", &err), -ENOTDIR);
}

/* Bytes changed at random, the same ones in every run: the capture is read or refused, without a
 * crash. */
static void changed_bytes(void **state)
{
    static const char *const files[] = {"runtime.json", "node.json", "cgroups.json", "proc/stat",
                                        "proc/120/stat"};
    char *dir = scratch_new();
    uint32_t x = 1;

    (void)state;
    scratch_copy(BROKEN "/good", dir);
    for (unsigned i = 0; i < 1000; i++) {
        const char *file = files[i % (sizeof(files) / sizeof(files[0]))];
        struct err err = {0};
        struct buf b;
        char kept;
        int rc;

        assert_true(scratch_read(dir, file, &b));
        x = x * 1664525 + 1013904223;
        kept = b.p[(x >> 8) % b.n];
        b.p[(x >> 8) % b.n] = (char)(x >> 24);
        scratch_write(dir, file, b.p, b.n);
        rc = open_capture(dir, &err);
        if (rc != 0 && err.kind != ERR_INPUT) {
            fail_msg("%s: %d, %s", file, rc, err.text);
        }
        b.p[(x >> 8) % b.n] = kept;
        scratch_write(dir, file, b.p, b.n);
        buf_free(&b);
    }
    scratch_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_a_good_capture),
        cmocka_unit_test(every_broken_capture_is_refused),
        cmocka_unit_test(only_ids_and_states_must_be_there),
        cmocka_unit_test(a_capture_without_a_runtime),
        cmocka_unit_test(labels_without_values),
        cmocka_unit_test(failed_statuses),
        cmocka_unit_test(files_that_are_refused),
        cmocka_unit_test(no_such_folder),
        cmocka_unit_test(changed_bytes),
    };

    if (access("/dev/shm", W_OK | X_OK) == 0) {
        setenv("TMPDIR", "/dev/shm", 0);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
