/* Writing a capture: what it holds, what it must never hold, and that it reads back the same. */
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resolver/capture/capture.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

#define GOOD TEST_DIR "/fixtures/captures-broken/good"

/* A capture to be written. A capture that was read stands for the node that a look saw. */
struct source {
    struct arena arena;
    struct capture capture; /* its /proc is that of the capture that was read */
    char *parent;           /* a scratch folder; the capture goes to parent/capture */
    char dir[PATH_MAX];
};

static void source_open(struct source *s, const char *from)
{
    struct err err = {0};

    *s = (struct source){.parent = scratch_new()};
    snprintf(s->dir, sizeof(s->dir), "%s/capture", s->parent);
    if (capture_read(from, &s->arena, &s->capture, &err) < 0) {
        fail_msg("%s", err.text);
    }
}

static void source_close(struct source *s)
{
    procfs_close(&s->capture.procfs);
    arena_free(&s->arena);
    scratch_remove(s->parent);
}

static void same_file(const char *a, const char *b, const char *name)
{
    struct buf x, y;

    assert_true(scratch_read(a, name, &x));
    assert_true(scratch_read(b, name, &y));
    assert_string_equal(x.p, y.p);
    buf_free(&x);
    buf_free(&y);
}

static void what_is_written_is_read_back(void **state)
{
    static const char *const files[] = {"proc/120/stat", "proc/120/cgroup", "proc/120/status"};
    struct source s;
    struct arena a = {0};
    struct capture r;
    struct err err = {0};
    struct buf b;

    (void)state;
    source_open(&s, GOOD);
    if (capture_write(&s.capture, NULL, s.dir, &err) < 0) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(capture_read(s.dir, &a, &r, &err), 0);
    assert_string_equal(r.view.runtime.version, "1.6.20");
    assert_string_equal(r.endpoint, s.capture.endpoint);
    assert_int_equal(r.view.n_pods, 1);
    assert_int_equal(r.view.n_containers, 1);
    assert_string_equal(r.view.containers[0].id, s.capture.view.containers[0].id);
    assert_string_equal(r.view.containers[0].sandbox_id, s.capture.view.pods[0].id);
    assert_int_equal(r.view.containers[0].pid, 120);
    assert_string_equal(view_label(r.view.pods[0].labels, r.view.pods[0].n_labels, "app"), "web");
    assert_string_equal(r.node.node.boot_id, s.capture.node.node.boot_id);
    assert_int_equal(r.node.node.pid_namespace, s.capture.node.node.pid_namespace);
    assert_true(r.taken_at == s.capture.taken_at);
    assert_true(r.has_label_values);
    for (size_t i = 0; i < N_ELEMENTS(files); i++) {
        same_file(GOOD, s.dir, files[i]);
    }
    assert_true(scratch_read(s.dir, "proc/stat", &b));
    assert_string_equal(b.p, "btime 1795400000\n");
    buf_free(&b);
    assert_true(scratch_read(s.dir, "proc/120/ns.json", &b));
    assert_non_null(strstr(b.p, "\"pid\": 4026532001"));
    buf_free(&b);
    procfs_close(&r.procfs);
    arena_free(&a);
    source_close(&s);
}

static int check_mode(const char *path, const struct stat *st, int type, struct FTW *at)
{
    mode_t wanted = type == FTW_D ? 0700 : 0600;

    (void)at;
    if ((st->st_mode & 07777) != wanted) {
        print_error("%s: mode %o\n", path, st->st_mode & 07777);
        return 1;
    }
    return 0;
}

static void only_the_owner_can_read_it(void **state)
{
    struct source s;
    struct err err = {0};
    mode_t old = umask(0);

    (void)state;
    source_open(&s, GOOD);
    assert_int_equal(capture_write(&s.capture, NULL, s.dir, &err), 0);
    umask(old);
    assert_int_equal(nftw(s.dir, check_mode, 16, FTW_PHYS), 0);
    source_close(&s);
}

static bool is_there(const char *dir, const char *name)
{
    char path[PATH_MAX];

    assert_true((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) < sizeof(path));
    return access(path, F_OK) == 0;
}

static void nothing_is_overwritten(void **state)
{
    struct source s;
    struct err err = {0};
    struct buf b;

    (void)state;
    source_open(&s, GOOD);
    scratch_puts(s.dir, "mine", "precious");
    assert_int_equal(capture_write(&s.capture, NULL, s.dir, &err), -ENOTEMPTY);
    assert_int_equal(err.kind, ERR_WRITE);
    assert_non_null(strstr(err.text, s.dir));
    assert_true(scratch_read(s.dir, "mine", &b));
    assert_string_equal(b.p, "precious");
    buf_free(&b);
    assert_false(is_there(s.dir, "runtime.json"));
    assert_false(is_there(s.dir, "proc"));
    source_close(&s);
}

static void an_empty_folder_is_filled(void **state)
{
    struct source s;
    struct err err = {0};

    (void)state;
    source_open(&s, GOOD);
    assert_int_equal(mkdir(s.dir, 0755), 0);
    assert_int_equal(capture_write(&s.capture, NULL, s.dir, &err), 0);
    assert_true(is_there(s.dir, "runtime.json"));
    source_close(&s);
}

static void no_link_is_followed(void **state)
{
    struct source s;
    struct err err = {0};
    char there[PATH_MAX + 8];

    (void)state;
    source_open(&s, GOOD);
    snprintf(there, sizeof(there), "%s/there", s.parent);
    assert_int_equal(mkdir(there, 0755), 0);
    assert_int_equal(symlink(there, s.dir), 0);
    assert_true(capture_write(&s.capture, NULL, s.dir, &err) < 0);
    assert_int_equal(err.kind, ERR_WRITE);
    assert_non_null(strstr(err.text, s.dir));
    assert_false(is_there(there, "runtime.json"));
    assert_false(is_there(there, "proc"));
    source_close(&s);
}

static void a_folder_that_cannot_be_made(void **state)
{
    struct source s;
    struct err err = {0};

    (void)state;
    source_open(&s, GOOD);
    scratch_puts(s.parent, "capture", "a file");
    assert_int_equal(capture_write(&s.capture, NULL, s.dir, &err), -ENOTDIR);
    assert_int_equal(capture_write(&s.capture, NULL, "/nonexistent/capture", &err), -ENOENT);
    assert_int_equal(err.kind, ERR_WRITE);
    source_close(&s);
}

/* The runtime lists one ID twice, so a replay would refuse the capture: nothing of it is left, but
 * a folder that was there before stays. */
static void what_cannot_be_read_back_is_removed(void **state)
{
    struct source s;
    struct err err = {0};
    struct view_container twice[2];

    (void)state;
    source_open(&s, GOOD);
    twice[0] = twice[1] = s.capture.view.containers[0];
    s.capture.view.containers = twice;
    s.capture.view.n_containers = 2;
    assert_true(capture_write(&s.capture, NULL, s.dir, &err) < 0);
    assert_int_equal(err.kind, ERR_WRITE);
    assert_non_null(strstr(err.text, "two containers have the id"));
    assert_false(is_there(s.parent, "capture"));
    assert_int_equal(mkdir(s.dir, 0700), 0);
    assert_true(capture_write(&s.capture, NULL, s.dir, &err) < 0);
    assert_true(is_there(s.parent, "capture"));
    assert_false(is_there(s.dir, "runtime.json"));
    assert_false(is_there(s.dir, "proc"));
    source_close(&s);
}

static int find_secret(const char *path, const struct stat *st, int type, struct FTW *at)
{
    struct buf b;
    int found = 0;

    (void)st;
    (void)at;
    if (type == FTW_F && scratch_read("", path, &b)) {
        found = memmem(b.p, b.n, "s3cret", 6) != NULL;
        if (found) {
            print_error("%s:\n%s\n", path, b.p);
        }
        buf_free(&b);
    }
    return found;
}

/* Files of a process that a capture does not need, and the values of labels without --with-labels.
 */
static void secrets_are_not_captured(void **state)
{
    static const char *const files[] = {"environ", "cmdline", "maps", "comm", "task/120/comm"};
    static const struct view_label labels[] = {{"app", "s3cret"}, {"k8s.io/x\xff", "s3cret"}};
    struct source s;
    struct err err = {0};
    struct buf b;
    char *node = scratch_new();

    (void)state;
    scratch_copy(GOOD, node);
    for (size_t i = 0; i < N_ELEMENTS(files); i++) {
        char name[64];

        snprintf(name, sizeof(name), "proc/120/%s", files[i]);
        if (!strstr(name, "task")) {
            scratch_puts(node, name, "TOKEN=s3cret");
        }
    }
    scratch_puts(node, "proc/120/status",
                 "Name:\tapp\nUmask:\ts3cret\nState:\tS (sleeping)\nTgid:\t120\nPid:\t120\n"
                 "PPid:\t100\nUid:\ts3cret\nNSpid:\t120\t1\nThreads:\t1\nSeccomp:\ts3cret\n");
    source_open(&s, node);
    s.capture.view.pods[0].labels = labels;
    s.capture.view.pods[0].n_labels = 2;
    s.capture.view.pods[0].config_hash = "s3cret";
    s.capture.view.containers[0].labels = labels;
    s.capture.view.containers[0].n_labels = 1;
    s.capture.has_label_values = false;
    if (capture_write(&s.capture, NULL, s.dir, &err) < 0) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(nftw(s.dir, find_secret, 16, FTW_PHYS), 0);
    assert_true(scratch_read(s.dir, "proc/120/status", &b));
    assert_string_equal(b.p, "Name:\tapp\nState:\tS (sleeping)\nTgid:\t120\nPid:\t120\n"
                             "PPid:\t100\nNSpid:\t120\t1\nThreads:\t1\n");
    buf_free(&b);
    assert_true(scratch_read(s.dir, "runtime.json", &b));
    assert_non_null(strstr(b.p, "\"app\": null"));
    buf_free(&b);
    source_close(&s);
    scratch_remove(node);
}

static void a_look_without_a_runtime(void **state)
{
    struct source s;
    struct arena a = {0};
    struct capture r;
    struct err err = {0};

    (void)state;
    source_open(&s, GOOD);
    s.capture.has_runtime = false;
    assert_int_equal(capture_write(&s.capture, NULL, s.dir, &err), 0);
    assert_int_equal(capture_read(s.dir, &a, &r, &err), 0);
    assert_false(r.has_runtime);
    assert_int_equal(r.view.n_containers, 0);
    procfs_close(&r.procfs);
    arena_free(&a);
    source_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(only_the_owner_can_read_it),
        cmocka_unit_test(nothing_is_overwritten),
        cmocka_unit_test(an_empty_folder_is_filled),
        cmocka_unit_test(no_link_is_followed),
        cmocka_unit_test(a_folder_that_cannot_be_made),
        cmocka_unit_test(what_cannot_be_read_back_is_removed),
        cmocka_unit_test(secrets_are_not_captured),
        cmocka_unit_test(a_look_without_a_runtime),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
