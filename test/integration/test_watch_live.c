/* A watch of real processes in real cgroups, with a scripted runtime: directories and the handoff
 * file. Needs root and a v2 hierarchy that can be written to; skips without. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cri/base/text.h"
#include "test/support/live.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

/* ---- Directories ---- */

/* Start a container and end it. No event of the runtime and no periodic look tells of it: only its
 * cgroup does. */
static void see_start_and_end(struct live_node *l, unsigned number)
{
    pid_t pid;

    node_forget(&l->n);
    pid = live_start(l, number);
    node_says(&l->n, number, 1, pid);
    live_rounds(l, SECOND);
    assert_int_equal(node_event(&l->n, PODPID_EVENT_ADDED, number)->pid, pid);
    live_end(pid);
    live_rounds(l, SECOND);
    node_drops(&l->n, number);
    node_forget(&l->n);
    live_remove_dir(l, live_path(l, number));
    live_rounds(l, SECOND);
    assert_int_equal(node_event(&l->n, PODPID_EVENT_REMOVED, number)->pid, 0);
}

static void a_cgroup_that_is_made_or_removed_wakes_a_look(void **state)
{
    struct live_node l;
    char first[128];
    pid_t pid;

    (void)state;
    live_open(&l);
    l.n.options.period = 3600 * NSEC_PER_SEC;
    pid = live_start(&l, 1);
    node_says(&l.n, 1, 1, pid); /* its cgroup tells the watch where pods are */
    node_watch(&l.n);
    live_rounds(&l, SETTLED);
    see_start_and_end(&l, 2);

    /* Another pod, without a container at first. It is removed, and a pod of the same name is made,
     * whose directory is another one. */
    snprintf(first, sizeof(first), "%s", l.n.anchor);
    snprintf(l.n.anchor, sizeof(l.n.anchor), "%s/pod11111111-4bb7-4f0a-9f3e-0c2d1b7a8e11", l.top);
    for (unsigned i = 3; i <= 4; i++) {
        live_make_dir(&l, l.n.anchor);
        live_rounds(&l, SETTLED);
        see_start_and_end(&l, i);
        live_remove_dir(&l, l.n.anchor);
        live_rounds(&l, SETTLED);
    }
    snprintf(l.n.anchor, sizeof(l.n.anchor), "%s", first);
    live_end(pid);
    live_remove_dir(&l, live_path(&l, 1));
    live_close(&l);
}

/* ---- The handoff file ---- */

struct file {
    json_t *doc;
    json_int_t generation;
    bool complete;
};

static void read_file(const struct live_node *l, struct file *f, json_int_t *pid)
{
    struct schema *schema;
    struct buf text = {0};
    char why[1024];
    const json_t *pod, *row;

    schema = schema_open(TEST_DIR "/../resolver/schema/podpid.v1.json");
    assert_non_null(schema);
    assert_true(scratch_read(l->n.dir, "pids.json", &text));
    if (!schema_holds_text(schema, text.p, text.n, false, why, sizeof(why))) {
        fail_msg("%s", why);
    }
    schema_close(schema);
    f->doc = json_loadb(text.p, text.n, 0, NULL);
    f->generation = json_integer_value(json_object_get(f->doc, "generation"));
    f->complete = json_is_true(json_object_get(f->doc, "complete"));
    pod = json_array_get(json_object_get(f->doc, "pods"), 0);
    row = json_array_get(json_object_get(pod, "containers"), 0);
    *pid = json_integer_value(json_object_get(row, "pid"));
    json_decref(f->doc);
    buf_free(&text);
}

/* Whether the handoff file has this PID. */
static bool file_has(const struct live_node *l, pid_t pid)
{
    struct buf text = {0};
    char word[32];
    bool found;

    snprintf(word, sizeof(word), "\"pid\": %d,", (int)pid);
    assert_true(scratch_read(l->n.dir, "pids.json", &text));
    found = memmem(text.p, text.n, word, strlen(word)) != NULL;
    buf_free(&text);
    return found;
}

static void the_handoff_file_follows_every_change(void **state)
{
    struct podpid_selector s = PODPID_SELECTOR_INIT;
    struct podpid_targets *targets;
    struct live_node l;
    struct file f;
    char path[512];
    json_int_t pid, before;
    pid_t one, two, more;

    (void)state;
    assert_int_equal(podpid_targets_new(&targets, NULL), 0);
    s.container = "c*";
    assert_int_equal(podpid_targets_add_selector(targets, &s, NULL), 0);
    live_open(&l);
    snprintf(path, sizeof(path), "%s/pids.json", l.n.dir);
    l.n.options.handoff_path = path;
    l.n.options.targets = targets;
    one = live_start(&l, 1);
    node_says(&l.n, 1, 1, one);
    node_watch(&l.n);
    live_rounds(&l, SETTLED);
    read_file(&l, &f, &pid);
    assert_true(f.complete);
    assert_int_equal(pid, one);
    assert_int_equal(f.generation, 1);

    /* Another process in the container is no event, but the file has it. */
    node_forget(&l.n);
    more = live_start_in(&l, 1);
    podpid_watch_look_now(l.n.watch);
    live_rounds(&l, SETTLED);
    assert_int_equal(l.n.n_events, 0);
    assert_true(file_has(&l, more));
    live_end(more);
    podpid_watch_look_now(l.n.watch);
    live_rounds(&l, SETTLED);
    assert_false(file_has(&l, more));
    read_file(&l, &f, &pid);
    before = f.generation;

    /* The main process ends: the file is written before the runtime reports it. */
    live_end(one);
    assert_true(node_rounds_alone(&l.n, 1));
    read_file(&l, &f, &pid);
    assert_false(f.complete);
    assert_int_equal(pid, 0);
    assert_int_equal(f.generation, before + 1);

    /* Its successor runs, and the runtime does not list the old container any more. */
    two = live_start(&l, 2);
    node_drops(&l.n, 1);
    node_says(&l.n, 2, 1, two);
    live_rounds(&l, SETTLED);
    read_file(&l, &f, &pid);
    assert_true(f.complete);
    assert_int_equal(pid, two);
    assert_true(f.generation > before + 1);

    /* The runtime is away: the last PIDs stay in the file, which is not complete. */
    before = f.generation;
    node_down(&l.n);
    podpid_watch_look_now(l.n.watch);
    live_rounds(&l, FIRST_PAUSES);
    read_file(&l, &f, &pid);
    assert_false(f.complete);
    assert_int_equal(pid, two);
    assert_int_equal(f.generation, before + 1);
    node_up(&l.n);
    live_rounds(&l, 6 * SECOND);
    read_file(&l, &f, &pid);
    assert_true(f.complete);
    assert_int_equal(f.generation, before + 2);

    /* The target ends, then it is removed: the file has no PID and is not complete. */
    live_end(two);
    node_says(&l.n, 2, 2, 0);
    podpid_watch_look_now(l.n.watch);
    live_rounds(&l, SETTLED);
    read_file(&l, &f, &pid);
    assert_false(f.complete);
    node_drops(&l.n, 2);
    podpid_watch_look_now(l.n.watch);
    live_rounds(&l, SETTLED);
    read_file(&l, &f, &pid);
    assert_false(f.complete);
    assert_int_equal(pid, 0);

    /* The file cannot be written any more: the watch fails. */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    node_says(&l.n, 3, 0, 0);
    podpid_watch_look_now(l.n.watch);
    assert_false(node_rounds(&l.n, SETTLED));
    assert_int_equal(l.n.error.code, PODPID_ERR_WRITE);
    live_remove_dir(&l, live_path(&l, 1));
    live_remove_dir(&l, live_path(&l, 2));
    live_close(&l);
    podpid_targets_free(targets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cgroup_that_is_made_or_removed_wakes_a_look),
        cmocka_unit_test(the_handoff_file_follows_every_change),
    };

    if (geteuid() != 0 || !live_find_mount()) {
        puts("skipped: needs root and a v2 hierarchy that can be written to");
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
