/* The preflight as a whole: a capture where something is to be seen, a socket that does not exist
 * where waiting is tested. The test makes up the time: nothing sleeps. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "cri/base/clock.h"
#include "resolver/preflight/try.h"
#include "resolver/proc/procfs.h"
#include "test/support/schema.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

#define ID "a000000000000000000000000000000000000000000000000000000000000001"
#define SANDBOX "b000000000000000000000000000000000000000000000000000000000000001"
#define UID "6f2f9a52-4bb7-4f0a-9f3e-0c2d1b7a8e11"
/* The start of a handoff file, by which podpid knows its own. */
#define FROM_BEFORE "{\"schema\": \"podpid/v1\"}\n"
#define PODDIR "/kubepods/pod" UID

static void process(const char *dir, int pid, const char *cgroup)
{
    char name[64], text[512];

    snprintf(name, sizeof(name), "proc/%d/stat", pid);
    snprintf(
        text, sizeof(text),
        "%d (p%d) S 1 %d %d 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %d 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 "
        "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
        pid, pid, pid, pid, pid * 10);
    scratch_puts(dir, name, text);
    snprintf(name, sizeof(name), "proc/%d/cgroup", pid);
    snprintf(text, sizeof(text), "0::%s\n", cgroup);
    scratch_puts(dir, name, text);
    snprintf(name, sizeof(name), "proc/%d/status", pid);
    snprintf(text, sizeof(text),
             "Name:\tp%d\nState:\tS (sleeping)\nTgid:\t%d\nPid:\t%d\nPPid:\t1\nNSpid:\t%d\t1\n"
             "Threads:\t1\n",
             pid, pid, pid, pid);
    scratch_puts(dir, name, text);
}

/* A capture with one pod of one container, whose process is 200: it is verified if pid is 200, too,
 * which the runtime reports. */
static char *capture(int pid)
{
    char *dir = scratch_new(), text[2048];

    snprintf(
        text, sizeof(text),
        "{\"format\": 1, \"name\": \"containerd\", \"version\": \"1.6.20\", \"api\": \"cri/v1\", "
        "\"endpoint\": \"unix:///run/x.sock\", \"pods\": [{\"id\": \"" SANDBOX
        "\", \"namespace\": \"prod\", \"name\": \"web-0\", \"uid\": \"" UID
        "\", \"state\": \"ready\", \"labels\": {}, \"pid\": 100, \"cgroup_parent\": \"" PODDIR
        "\"}], \"containers\": [{\"id\": \"" ID "\", \"sandbox_id\": \"" SANDBOX
        "\", \"name\": \"app\", \"state\": \"running\", \"created_at\": "
        "\"2026-01-01T00:00:01Z\", \"started_at\": \"2026-01-01T00:00:02Z\", \"pid\": %d, "
        "\"cgroups_path\": \"" PODDIR "/" ID "\"}]}",
        pid);
    scratch_puts(dir, "runtime.json", text);
    scratch_puts(dir, "node.json",
                 "{\"hostname\": \"node-a\", \"boot_id\": "
                 "\"11111111-2222-3333-4444-555555555555\", \"kernel\": \"6.1.0\", "
                 "\"cgroup_mode\": \"v2\", \"pid_namespace\": 4026531836, \"taken_at\": "
                 "\"2026-01-01T00:01:00Z\"}");
    scratch_puts(dir, "proc/stat", "btime 1767225600\n");
    process(dir, 1, "/init.scope");
    process(dir, 100, PODDIR "/" SANDBOX);
    process(dir, 200, PODDIR "/" ID);
    return dir;
}

static struct podpid_targets *targets_of(const char *pod)
{
    struct podpid_targets *t;
    struct podpid_selector s = PODPID_SELECTOR_INIT;

    s.pod = pod;
    assert_int_equal(podpid_targets_new(&t, NULL), 0);
    assert_int_equal(podpid_targets_add_selector(t, &s, NULL), 0);
    return t;
}

static struct podpid_report *run(const struct podpid_preflight_options *o)
{
    struct podpid_preflight *p;
    struct podpid_report *r;
    struct podpid_error error = PODPID_ERROR_INIT;
    int rc;

    if (podpid_preflight_new(o, &p, &error) < 0) {
        fail_msg("%s", error.message);
    }
    do {
        rc = podpid_preflight_step(p, clock_now(), &error);
    } while (rc == 0);
    if (rc < 0) {
        fail_msg("%s", error.message);
    }
    r = podpid_preflight_take(p);
    assert_non_null(r);
    assert_null(podpid_preflight_take(p));
    podpid_preflight_free(p);
    return r;
}

static const struct podpid_check *check(const struct podpid_report *r, const char *id)
{
    size_t n;
    const struct podpid_check *const *all = podpid_report_checks(r, &n);

    for (size_t i = 0; i < n; i++) {
        if (strcmp(all[i]->id, id) == 0) {
            return all[i];
        }
    }
    fail_msg("no check %s", id);
    return NULL;
}

static int into_buf(void *context, const char *data, size_t n)
{
    buf_append(context, data, n);
    return 0;
}

static void assert_valid(const struct podpid_report *r)
{
    struct schema *schema = schema_open(TEST_DIR "/../resolver/schema/podpid.preflight.v1.json");
    struct buf text = {0};
    char why[512] = "";

    assert_non_null(schema);
    assert_int_equal(podpid_report_to_json(r, into_buf, &text, NULL), 0);
    if (!schema_holds_text(schema, text.p, text.n, false, why, sizeof(why))) {
        fail_msg("%s in %s", why, text.p);
    }
    buf_free(&text);
    schema_close(schema);
}

static void a_verified_target_passes(void **state)
{
    char *dir = capture(200);
    struct podpid_targets *t = targets_of("web-*");
    struct podpid_options look = PODPID_OPTIONS_INIT;
    struct podpid_preflight_options o = PODPID_PREFLIGHT_OPTIONS_INIT;
    struct podpid_report *r;
    size_t n;

    (void)state;
    look.replay = dir;
    o.look = &look;
    o.targets = t;
    o.wait = 60 * NSEC_PER_SEC;
    r = run(&o);
    assert_int_equal(podpid_report_exit_status(r), 0);
    assert_int_equal(podpid_report_result(r), PODPID_RESULT_PASS);
    assert_int_equal(check(r, "targets.present")->result, PODPID_RESULT_PASS);
    assert_int_equal(check(r, "host.proc")->result, PODPID_RESULT_SKIP);
    podpid_snapshot_pods(podpid_report_targets(r), &n);
    assert_int_equal(n, 1);
    assert_valid(r);
    podpid_report_free(r);
    podpid_targets_free(t);
    scratch_remove(dir);
}

static void a_wrong_pid_fails_a_target_and_warns_elsewhere(void **state)
{
    char *dir = capture(999);
    struct podpid_targets *t = targets_of("*");
    struct podpid_options look = PODPID_OPTIONS_INIT;
    struct podpid_preflight_options o = PODPID_PREFLIGHT_OPTIONS_INIT;
    struct podpid_report *r;

    (void)state;
    look.replay = dir;
    o.look = &look;
    o.targets = t;
    r = run(&o);
    assert_int_equal(podpid_report_exit_status(r), 1);
    assert_int_equal(check(r, "targets.present")->result, PODPID_RESULT_FAIL);
    assert_int_equal(check(r, "targets.present")->n_items, 1);
    assert_int_equal(strncmp(check(r, "targets.present")->items[0], "prod/web-0/app: dead", 20), 0);
    assert_int_equal(check(r, "pids.verified")->result, PODPID_RESULT_PASS);
    assert_valid(r);
    podpid_report_free(r);

    /* Without a target it is only a warning. */
    o.targets = NULL;
    r = run(&o);
    assert_int_equal(podpid_report_exit_status(r), 0);
    assert_int_equal(check(r, "pids.verified")->result, PODPID_RESULT_WARN);
    assert_int_equal(check(r, "targets.present")->result, PODPID_RESULT_SKIP);
    assert_valid(r);
    podpid_report_free(r);
    podpid_targets_free(t);
    scratch_remove(dir);
}

static void options_that_contradict_each_other_are_refused(void **state)
{
    static const char *const bad_ignore[] = {"runtime.redy", NULL};
    char *dir = capture(200);
    struct podpid_targets *t = targets_of("*");
    struct podpid_options look = PODPID_OPTIONS_INIT;
    struct podpid_preflight_options o = PODPID_PREFLIGHT_OPTIONS_INIT;
    struct podpid_preflight *p;

    (void)state;
    o.look = &look;
    o.handoff_path = "/tmp/never/written.json";
    assert_int_equal(podpid_preflight_new(&o, &p, NULL), PODPID_ERR_USAGE);
    o.targets = t;
    look.replay = dir;
    assert_int_equal(podpid_preflight_new(&o, &p, NULL), PODPID_ERR_USAGE);
    look.replay = NULL;
    look.proc = dir; /* a folder, no procfs of ours */
    assert_int_equal(podpid_preflight_new(&o, &p, NULL), PODPID_ERR_USAGE);
    o.handoff_path = NULL;
    o.pidfds = true;
    assert_int_equal(podpid_preflight_new(&o, &p, NULL), PODPID_ERR_USAGE);
    o.pidfds = false;
    o.ignore = bad_ignore;
    assert_int_equal(podpid_preflight_new(&o, &p, NULL), PODPID_ERR_USAGE);
    podpid_targets_free(t);
    scratch_remove(dir);
}

static void without_a_runtime_it_waits_and_gives_up(void **state)
{
    char *dir = capture(200), endpoint[512], proc[512];
    struct podpid_options look = PODPID_OPTIONS_INIT;
    struct podpid_preflight_options o = PODPID_PREFLIGHT_OPTIONS_INIT;
    struct podpid_preflight *p;
    struct podpid_report *r;
    nsec now = NSEC_PER_SEC, last = now;
    unsigned pauses = 0;

    (void)state;
    snprintf(endpoint, sizeof(endpoint), "unix://%s/none.sock", dir);
    snprintf(proc, sizeof(proc), "%s/proc", dir);
    look.endpoint = endpoint;
    look.proc = proc;
    look.no_environment = true;
    o.look = &look;
    o.wait = 20 * NSEC_PER_SEC;
    assert_int_equal(podpid_preflight_new(&o, &p, NULL), 0);
    assert_string_equal(podpid_preflight_progress(p), "");
    while (podpid_preflight_step(p, now, NULL) == 0) {
        nsec deadline = podpid_preflight_deadline(p);

        assert_non_null(strstr(podpid_preflight_progress(p), "runtime.endpoint: "));
        assert_true(deadline > now);
        assert_true(deadline <= 21 * NSEC_PER_SEC);
        /* No try starts before the deadline, and no pause is shorter than the one before, but for
         * the last one, which ends when waiting ends. */
        assert_int_equal(podpid_preflight_step(p, deadline - 1, NULL), 0);
        assert_true(deadline - now >= last - now || deadline == 21 * NSEC_PER_SEC);
        last = deadline;
        now = deadline;
        pauses++;
    }
    assert_in_range(pauses, 5, 30);
    assert_true(now >= 21 * NSEC_PER_SEC);
    r = podpid_preflight_take(p);
    assert_int_equal(podpid_report_exit_status(r), 3);
    assert_null(podpid_report_snapshot(r));
    assert_null(podpid_report_targets(r));
    assert_int_equal(check(r, "runtime.endpoint")->result, PODPID_RESULT_FAIL);
    assert_int_equal(check(r, "pids.verified")->result, PODPID_RESULT_SKIP);
    assert_valid(r);
    podpid_report_free(r);
    podpid_preflight_free(p);
    scratch_remove(dir);
}

/* A failed look does not show that the PIDs in the file are wrong. One try, because a preflight
 * refuses to hand over PIDs of a folder of files. */
static void a_failed_look_leaves_the_handoff_file(void **state)
{
    char *dir = capture(200), endpoint[512], proc[512], file[512];
    struct podpid_targets *t = targets_of("*");
    struct podpid_options look = PODPID_OPTIONS_INIT;
    struct podpid_preflight_options o = PODPID_PREFLIGHT_OPTIONS_INIT;
    struct podpid_error look_error = PODPID_ERROR_INIT;
    struct preflight_try try = {.options = &o, .look_error = &look_error};
    struct podpid_report *r;
    struct err err;

    (void)state;
    snprintf(endpoint, sizeof(endpoint), "unix://%s/none.sock", dir);
    snprintf(proc, sizeof(proc), "%s/proc", dir);
    snprintf(file, sizeof(file), "%s/pids.json", dir);
    scratch_puts(dir, "pids.json", FROM_BEFORE);
    look_error.code = PODPID_ERR_RUNTIME;
    look.endpoint = endpoint;
    look.proc = proc;
    look.no_environment = true;
    o.look = &look;
    o.targets = t;
    o.handoff_path = file;
    assert_int_equal(preflight_conclude(&try, &r, &err), 0);
    assert_int_equal(podpid_report_exit_status(r), 3);
    assert_int_equal(check(r, "handoff.written")->result, PODPID_RESULT_FAIL);
    assert_non_null(strstr(check(r, "handoff.written")->detail, "; the file from before stays"));
    assert_int_equal(access(file, F_OK), 0);
    podpid_report_free(r);
    podpid_targets_free(t);
    scratch_remove(dir);
}

/* The same pod with a wrong PID: the file names a process that is not the container's. */
static void a_target_that_is_not_verified_removes_the_handoff_file(void **state)
{
    char *dir = capture(999), file[512];
    struct podpid_targets *t = targets_of("*");
    struct podpid_options look = PODPID_OPTIONS_INIT;
    struct podpid_preflight_options o = PODPID_PREFLIGHT_OPTIONS_INIT;
    struct preflight_try try = {.options = &o};
    struct podpid_look *l;
    struct podpid_report *r;
    struct err err;

    (void)state;
    snprintf(file, sizeof(file), "%s/pids.json", dir);
    scratch_puts(dir, "pids.json", FROM_BEFORE);
    look.replay = dir;
    assert_int_equal(podpid_look_new(&look, &l, NULL), 0);
    while (podpid_look_step(l, clock_now(), NULL) == 0) {
    }
    try.snapshot = podpid_look_take(l);
    podpid_look_free(l);
    assert_non_null(try.snapshot);
    o.look = &look;
    o.targets = t;
    o.handoff_path = file;
    assert_int_equal(preflight_conclude(&try, &r, &err), 0);
    assert_int_equal(podpid_report_exit_status(r), 1);
    assert_non_null(
        strstr(check(r, "handoff.written")->detail, "; the file from before is removed"));
    assert_int_equal(access(file, F_OK), -1);
    podpid_report_free(r);
    podpid_targets_free(t);
    scratch_remove(dir);
}

/* The n-th procfs_open() fails, counted down; 0: none. By the linker's --wrap. */
static unsigned fail_open;

int __real_procfs_open(const char *path, struct procfs *ret, struct err *err);
int __wrap_procfs_open(const char *path, struct procfs *ret, struct err *err);
int __wrap_procfs_open(const char *path, struct procfs *ret, struct err *err)
{
    if (fail_open && --fail_open == 0) {
        return err_set(err, ERR_PROC, EMFILE, "%s: %s", path, strerror(EMFILE));
    }
    return __real_procfs_open(path, ret, err);
}

/* Both looks succeed; then the host cannot be checked. No check passes that was not made. */
static void a_shortage_after_the_looks_is_a_failed_look(void **state)
{
    char *dir = capture(200), proc[256];
    struct podpid_options look = PODPID_OPTIONS_INIT;
    struct podpid_preflight_options o = PODPID_PREFLIGHT_OPTIONS_INIT;
    struct podpid_report *r;

    (void)state;
    snprintf(proc, sizeof(proc), "%s/proc", dir);
    look.proc = proc;
    look.no_runtime = true;
    o.look = &look;
    fail_open = 3;
    r = run(&o);
    assert_int_equal(fail_open, 0);
    assert_int_equal(podpid_report_exit_status(r), 3);
    assert_int_equal(check(r, "host.proc")->result, PODPID_RESULT_FAIL);
    assert_non_null(strstr(check(r, "host.proc")->detail, strerror(EMFILE)));
    assert_int_equal(check(r, "host.pidns")->result, PODPID_RESULT_SKIP);
    assert_valid(r);
    podpid_report_free(r);
    scratch_remove(dir);
}

static void a_broken_capture_ends_the_preflight(void **state)
{
    char *dir = scratch_new();
    struct podpid_options look = PODPID_OPTIONS_INIT;
    struct podpid_preflight_options o = PODPID_PREFLIGHT_OPTIONS_INIT;
    struct podpid_error error = PODPID_ERROR_INIT;
    struct podpid_preflight *p;

    (void)state;
    look.replay = dir;
    o.look = &look;
    assert_int_equal(podpid_preflight_new(&o, &p, NULL), 0);
    assert_int_equal(podpid_preflight_step(p, 1, &error), PODPID_ERR_INPUT);
    assert_true(error.message[0] != '\0');
    podpid_preflight_free(p);
    scratch_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verified_target_passes),
        cmocka_unit_test(a_wrong_pid_fails_a_target_and_warns_elsewhere),
        cmocka_unit_test(options_that_contradict_each_other_are_refused),
        cmocka_unit_test(without_a_runtime_it_waits_and_gives_up),
        cmocka_unit_test(a_failed_look_leaves_the_handoff_file),
        cmocka_unit_test(a_target_that_is_not_verified_removes_the_handoff_file),
        cmocka_unit_test(a_shortage_after_the_looks_is_a_failed_look),
        cmocka_unit_test(a_broken_capture_ends_the_preflight),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
