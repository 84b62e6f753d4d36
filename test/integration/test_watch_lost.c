/* A watch reports the sources that it cannot have (inotify, pidfds), and goes on without them.
 * Needs root and a v2 hierarchy that can be written to; skips without. Linked with --wrap. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "resolver/proc/pidfd.h"
#include "resolver/watch/impl.h"
#include "test/support/live.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

/* ---- Calls that fail ---- */

/* The errno that the call fails with; 0: it does not. */
static int inotify_fails, directories_fail, pidfds_fail;

int __real_inotify_init1(int flags);
int __wrap_inotify_init1(int flags);
int __real_inotify_add_watch(int fd, const char *path, uint32_t mask);
int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask);
int __real_pidfd_open_process(const struct procfs *p, pid_t pid, uint64_t start, struct err *err);
int __wrap_pidfd_open_process(const struct procfs *p, pid_t pid, uint64_t start, struct err *err);

static int fail_by(int errnum)
{
    errno = errnum;
    return -1;
}

int __wrap_inotify_init1(int flags)
{
    return inotify_fails ? fail_by(inotify_fails) : __real_inotify_init1(flags);
}

int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask)
{
    return directories_fail ? fail_by(directories_fail) : __real_inotify_add_watch(fd, path, mask);
}

int __wrap_pidfd_open_process(const struct procfs *p, pid_t pid, uint64_t start, struct err *err)
{
    return pidfds_fail ? err_set(err, ERR_WRITE, pidfds_fail, "no pidfd of process %d", (int)pid)
                       : __real_pidfd_open_process(p, pid, start, err);
}

/* ---- The watch ---- */

/* A pod with container 1 of that process, and a handoff file. */
static pid_t open_pod(struct live_node *l, struct podpid_targets *targets, char *path, size_t size)
{
    struct podpid_selector s = PODPID_SELECTOR_INIT;
    pid_t main;

    s.pod = "*";
    assert_int_equal(podpid_targets_add_selector(targets, &s, NULL), 0);
    live_open(l);
    snprintf(path, size, "%s/pids.json", l->n.dir);
    l->n.options.handoff_path = path;
    l->n.options.targets = targets;
    main = live_start(l, 1);
    node_says(&l->n, 1, 1, main);
    node_watch(&l->n);
    return main;
}

/* The file, of its schema: its generation, and how often the text is among its warnings. */
static json_int_t read_file(const struct live_node *l, const char *text, size_t *ret_n)
{
    struct schema *schema = schema_open(TEST_DIR "/../resolver/schema/podpid.v1.json");
    struct buf b = {0};
    char why[1024];
    json_t *doc;
    json_int_t generation;
    const json_t *warning;
    size_t i;

    assert_non_null(schema);
    assert_true(scratch_read(l->n.dir, "pids.json", &b));
    if (!schema_holds_text(schema, b.p, b.n, false, why, sizeof(why))) {
        fail_msg("%s", why);
    }
    schema_close(schema);
    doc = json_loadb(b.p, b.n, 0, NULL);
    generation = json_integer_value(json_object_get(doc, "generation"));
    *ret_n = 0;
    json_array_foreach(json_object_get(doc, "warnings"), i, warning)
    {
        *ret_n += strstr(json_string_value(warning), text) != NULL;
    }
    json_decref(doc);
    buf_free(&b);
    return generation;
}

/* The snapshot and the file have the line, and looks do not repeat it; the first look that has the
 * source again takes the line away. */
static void a_lost_source_is_reported_until_it_is_had_again(void **state)
{
    static const struct {
        int *fails, errnum;
        const char *text;
    } cases[] = {{&inotify_fails, EMFILE, "fs.inotify.max_user_instances"},
                 {&directories_fail, ENOSPC, "fs.inotify.max_user_watches"},
                 {&pidfds_fail, EMFILE, "LimitNOFILE="},
                 {&pidfds_fail, ENOSYS, "Linux 5.3"}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct podpid_targets *targets;
        struct live_node l;
        char path[512];
        json_int_t generation;
        size_t n, n_warnings, before;
        const char *const *lost, *const *warnings;
        pid_t main;

        assert_int_equal(podpid_targets_new(&targets, NULL), 0);
        *cases[i].fails = cases[i].errnum;
        main = open_pod(&l, targets, path, sizeof(path));
        assert_null(podpid_watch_lost(l.n.watch, &n));
        live_rounds(&l, SETTLED);
        node_event(&l.n, PODPID_EVENT_SNAPSHOT, 0);
        lost = podpid_watch_lost(l.n.watch, &n);
        assert_int_equal(n, 1);
        assert_non_null(strstr(lost[0], cases[i].text));
        warnings = podpid_snapshot_warnings(podpid_watch_snapshot(l.n.watch), &n_warnings);
        assert_string_equal(warnings[n_warnings - 1], lost[0]);
        before = n_warnings;
        generation = read_file(&l, cases[i].text, &n);
        assert_int_equal(n, 1);

        podpid_watch_look_now(l.n.watch);
        live_rounds(&l, SECOND);
        assert_int_equal(read_file(&l, cases[i].text, &n), generation);
        assert_int_equal(n, 1);

        *cases[i].fails = 0;
        node_forget(&l.n);
        podpid_watch_look_now(l.n.watch);
        live_rounds(&l, SECOND);
        assert_int_equal(l.n.n_events, 0);
        assert_null(podpid_watch_lost(l.n.watch, &n));
        assert_int_equal(n, 0);
        podpid_snapshot_warnings(podpid_watch_snapshot(l.n.watch), &n_warnings);
        assert_int_equal(n_warnings, before - 1);
        assert_int_equal(read_file(&l, cases[i].text, &n), generation + 1);
        assert_int_equal(n, 0);
        assert_true(live_has_pidfd(main));

        live_end(main);
        assert_true(node_rounds_alone(&l.n, 1));
        assert_true(node_event(&l.n, PODPID_EVENT_CHANGED, 1)->by_pidfd);
        live_remove_dir(&l, live_path(&l, 1));
        live_close(&l);
        podpid_targets_free(targets);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_source_is_reported_until_it_is_had_again),
    };

    if (geteuid() != 0 || !live_find_mount()) {
        puts("skipped: needs root and a v2 hierarchy that can be written to");
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
