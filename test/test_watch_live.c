/* A watch of real processes in real cgroups, with a scripted runtime: exits, directories, the
 * handoff file, and ten thousand containers that come and go. Needs root and a v2 hierarchy that
 * can be written to; skips without. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cri/base/text.h"
#include "test/support/node.h"
#include "test/support/scratch.h"

enum { SECOND = 1000, SETTLED = 3 * SECOND, SKIPPED = 77, FIRST_PAUSES = 200 }; /* rounds */

/* ---- Cgroups and processes ---- */

struct live {
    struct node n;
    const char *mount; /* of the v2 hierarchy */
    char top[64];      /* "/podpid-test-..." */
};

static const char *const mounts[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};

static const char *find_mount(void)
{
    for (size_t i = 0; i < 2; i++) {
        char path[128];

        snprintf(path, sizeof(path), "%s/cgroup.controllers", mounts[i]);
        if (access(path, F_OK) == 0 && access(mounts[i], W_OK) == 0) {
            return mounts[i];
        }
    }
    return NULL;
}

static void make_dir(const struct live *l, const char *path)
{
    char full[512];

    snprintf(full, sizeof(full), "%s%s", l->mount, path);
    if (mkdir(full, 0755) < 0) {
        fail_msg("mkdir %s: %s", full, strerror(errno));
    }
}

static void remove_dir(const struct live *l, const char *path)
{
    char full[512];

    snprintf(full, sizeof(full), "%s%s", l->mount, path);
    if (rmdir(full) < 0) {
        fail_msg("rmdir %s: %s", full, strerror(errno));
    }
}

static const char *path_of(const struct live *l, unsigned number)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", l->n.anchor, node_id(number));
    return path;
}

/* A process in the cgroup of container `number`. */
static pid_t start_in(const struct live *l, unsigned number)
{
    char procs[512];
    int there[2];
    char byte;
    pid_t pid;

    snprintf(procs, sizeof(procs), "%s%s/cgroup.procs", l->mount, path_of(l, number));
    assert_int_equal(pipe(there), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int fd = open(procs, O_WRONLY);

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (fd < 0 || write(fd, "0\n", 2) != 2 || write(there[1], "x", 1) != 1) {
            _exit(1);
        }
        for (;;) {
            pause();
        }
    }
    close(there[1]);
    assert_int_equal(read(there[0], &byte, 1), 1);
    close(there[0]);
    return pid;
}

/* A process in a cgroup of its own, as the main process of container `number`. */
static pid_t start(const struct live *l, unsigned number)
{
    make_dir(l, path_of(l, number));
    return start_in(l, number);
}

/* Dead and reaped. */
static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void open_live(struct live *l)
{
    *l = (struct live){.mount = find_mount()};
    node_open(&l->n, false);
    snprintf(l->top, sizeof(l->top), "/podpid-test-%d", (int)getpid());
    snprintf(l->n.anchor, sizeof(l->n.anchor), "%s/pod6f2f9a52-4bb7-4f0a-9f3e-0c2d1b7a8e11",
             l->top);
    make_dir(l, l->top);
    make_dir(l, l->n.anchor);
}

static void close_live(struct live *l)
{
    node_close(&l->n);
    remove_dir(l, l->n.anchor);
    remove_dir(l, l->top);
}

static void rounds(struct live *l, unsigned n)
{
    if (!node_rounds(&l->n, n)) {
        fail_msg("%s", l->n.error.message);
    }
}

static void rounds_until(struct live *l, size_t events)
{
    for (int i = 0; i < SETTLED && l->n.n_events < events; i++) {
        rounds(l, 1);
    }
}

static unsigned count_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    assert_non_null(d);
    while (readdir(d)) {
        n++;
    }
    closedir(d);
    return n;
}

/* ---- Exits ---- */

static void an_exit_is_published_without_the_runtime(void **state)
{
    struct live l;
    pid_t pids[4];
    const struct node_event *e;
    uint64_t generation;

    (void)state;
    open_live(&l);
    for (unsigned i = 1; i <= 3; i++) {
        pids[i] = start(&l, i);
        node_says(&l.n, i, 1, pids[i]);
    }
    node_watch(&l.n);
    rounds(&l, SETTLED);
    generation = node_event(&l.n, PODPID_EVENT_SNAPSHOT, 0)->generation;
    node_forget(&l.n);

    end(pids[1]);
    end(pids[2]);
    assert_true(node_rounds_alone(&l.n, 1));
    assert_int_equal(l.n.n_events, 2);
    for (unsigned i = 1; i <= 2; i++) {
        e = node_event(&l.n, PODPID_EVENT_CHANGED, i);
        assert_true(e->by_pidfd);
        assert_int_equal(e->verdict, PODPID_DEAD);
        assert_int_equal(e->pid, 0);
        assert_int_equal(e->generation, generation + 1);
    }
    /* The runtime goes on saying that they run: nothing new. */
    node_forget(&l.n);
    rounds(&l, SETTLED);
    assert_int_equal(l.n.n_events, 0);
    node_says(&l.n, 1, 2, 0);
    node_says(&l.n, 2, 2, 0);
    podpid_watch_look_now(l.n.watch);
    rounds(&l, SETTLED);
    assert_int_equal(l.n.n_events, 2);
    assert_int_equal(node_event(&l.n, PODPID_EVENT_CHANGED, 1)->verdict, PODPID_EXITED);
    end(pids[3]);
    for (unsigned i = 1; i <= 3; i++) {
        remove_dir(&l, path_of(&l, i));
    }
    close_live(&l);
}

static void an_exit_is_published_while_the_runtime_is_away_or_slow(void **state)
{
    struct live l;
    pid_t one, two;

    (void)state;
    open_live(&l);
    one = start(&l, 1);
    two = start(&l, 2);
    node_says(&l.n, 1, 1, one);
    node_says(&l.n, 2, 1, two);
    node_watch(&l.n);
    rounds(&l, SETTLED);

    /* During a look that has the process in its lists already. */
    node_forget(&l.n);
    json_object_set_new(fake_cri_script(l.n.cri), "faults",
                        json_pack("{s:{s:i}}", "ListContainers", "hold", 400));
    podpid_watch_look_now(l.n.watch);
    rounds(&l, 500);
    end(one);
    assert_true(node_rounds_alone(&l.n, 1));
    assert_int_equal(node_event(&l.n, PODPID_EVENT_CHANGED, 1)->pid, 0);
    rounds(&l, SETTLED);
    for (size_t i = 0; i < l.n.n_events; i++) {
        assert_int_equal(l.n.events[i].pid, 0); /* never again */
    }

    node_down(&l.n);
    podpid_watch_look_now(l.n.watch);
    rounds(&l, FIRST_PAUSES);
    node_forget(&l.n);
    end(two);
    rounds(&l, 1);
    assert_true(node_event(&l.n, PODPID_EVENT_CHANGED, 2)->stale);
    assert_true(node_event(&l.n, PODPID_EVENT_CHANGED, 2)->by_pidfd);
    remove_dir(&l, path_of(&l, 1));
    remove_dir(&l, path_of(&l, 2));
    close_live(&l);
}

/* ---- Directories ---- */

/* A container whose process starts once its cgroup is there, with no event and no period to tell of
 * it. */
static void comes_and_is_seen(struct live *l, unsigned number)
{
    pid_t pid;

    node_forget(&l->n);
    pid = start(l, number);
    node_says(&l->n, number, 1, pid);
    rounds(l, SECOND);
    assert_int_equal(node_event(&l->n, PODPID_EVENT_ADDED, number)->pid, pid);
    end(pid);
    rounds(l, SECOND);
    node_drops(&l->n, number);
    node_forget(&l->n);
    remove_dir(l, path_of(l, number));
    rounds(l, SECOND);
    assert_int_equal(node_event(&l->n, PODPID_EVENT_REMOVED, number)->pid, 0);
}

static void a_directory_that_comes_or_goes_wakes_a_look(void **state)
{
    struct live l;
    char first[128];
    pid_t pid;

    (void)state;
    open_live(&l);
    l.n.options.period = 3600 * NSEC_PER_SEC;
    pid = start(&l, 1);
    node_says(&l.n, 1, 1, pid); /* shows where the pods are */
    node_watch(&l.n);
    rounds(&l, SETTLED);
    comes_and_is_seen(&l, 2);

    /* Another pod, which has no container at first. It goes, and one of the same name is made:
     * another directory. */
    snprintf(first, sizeof(first), "%s", l.n.anchor);
    snprintf(l.n.anchor, sizeof(l.n.anchor), "%s/pod11111111-4bb7-4f0a-9f3e-0c2d1b7a8e11", l.top);
    for (unsigned i = 3; i <= 4; i++) {
        make_dir(&l, l.n.anchor);
        rounds(&l, SETTLED);
        comes_and_is_seen(&l, i);
        remove_dir(&l, l.n.anchor);
        rounds(&l, SETTLED);
    }
    snprintf(l.n.anchor, sizeof(l.n.anchor), "%s", first);
    end(pid);
    remove_dir(&l, path_of(&l, 1));
    close_live(&l);
}

/* ---- The handoff file ---- */

struct file {
    json_t *doc;
    json_int_t generation;
    bool complete;
};

static void read_file(const struct live *l, struct file *f, json_int_t *pid)
{
    static struct schema *schema;
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

/* Is the process in the file? */
static bool file_has(const struct live *l, pid_t pid)
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

static void the_handoff_file_is_true_all_along(void **state)
{
    struct podpid_selector s = PODPID_SELECTOR_INIT;
    struct podpid_targets *targets;
    struct live l;
    struct file f;
    char path[512];
    json_int_t pid, before;
    pid_t one, two, more;

    (void)state;
    assert_int_equal(podpid_targets_new(&targets, NULL), 0);
    s.container = "c*";
    assert_int_equal(podpid_targets_add_selector(targets, &s, NULL), 0);
    open_live(&l);
    snprintf(path, sizeof(path), "%s/pids.json", l.n.dir);
    l.n.options.handoff_path = path;
    l.n.options.targets = targets;
    one = start(&l, 1);
    node_says(&l.n, 1, 1, one);
    node_watch(&l.n);
    rounds(&l, SETTLED);
    read_file(&l, &f, &pid);
    assert_true(f.complete);
    assert_int_equal(pid, one);
    assert_int_equal(f.generation, 1);

    /* A process more in the container is no event, and yet the file has it. */
    node_forget(&l.n);
    more = start_in(&l, 1);
    podpid_watch_look_now(l.n.watch);
    rounds(&l, SETTLED);
    assert_int_equal(l.n.n_events, 0);
    assert_true(file_has(&l, more));
    end(more);
    podpid_watch_look_now(l.n.watch);
    rounds(&l, SETTLED);
    assert_false(file_has(&l, more));
    read_file(&l, &f, &pid);
    before = f.generation;

    /* The main process ends: written before the runtime says a word. */
    end(one);
    assert_true(node_rounds_alone(&l.n, 1));
    read_file(&l, &f, &pid);
    assert_false(f.complete);
    assert_int_equal(pid, 0);
    assert_int_equal(f.generation, before + 1);

    /* Its successor. The old one has exited with an error: it is no target any more. */
    two = start(&l, 2);
    node_drops(&l.n, 1);
    node_says(&l.n, 2, 1, two);
    rounds(&l, SETTLED);
    read_file(&l, &f, &pid);
    assert_true(f.complete);
    assert_int_equal(pid, two);
    assert_true(f.generation > before + 1);

    /* The runtime goes: the last truth, but not vouched for. */
    before = f.generation;
    node_down(&l.n);
    podpid_watch_look_now(l.n.watch);
    rounds(&l, FIRST_PAUSES);
    read_file(&l, &f, &pid);
    assert_false(f.complete);
    assert_int_equal(pid, two);
    assert_int_equal(f.generation, before + 1);
    node_up(&l.n);
    rounds(&l, 6 * SECOND);
    read_file(&l, &f, &pid);
    assert_true(f.complete);
    assert_int_equal(f.generation, before + 2);

    /* The target ended, and is gone: an empty file that says so. */
    end(two);
    node_says(&l.n, 2, 2, 0);
    podpid_watch_look_now(l.n.watch);
    rounds(&l, SETTLED);
    read_file(&l, &f, &pid);
    assert_false(f.complete);
    node_drops(&l.n, 2);
    podpid_watch_look_now(l.n.watch);
    rounds(&l, SETTLED);
    read_file(&l, &f, &pid);
    assert_false(f.complete);
    assert_int_equal(pid, 0);

    /* It cannot be written any more: the watch says so and ends. */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    node_says(&l.n, 3, 0, 0);
    podpid_watch_look_now(l.n.watch);
    assert_false(node_rounds(&l.n, SETTLED));
    assert_int_equal(l.n.error.code, PODPID_ERR_WRITE);
    remove_dir(&l, path_of(&l, 1));
    remove_dir(&l, path_of(&l, 2));
    close_live(&l);
    podpid_targets_free(targets);
}

/* ---- For months ---- */

static long resident_kib(void)
{
    char line[256];
    FILE *f = fopen("/proc/self/status", "re");
    long kib = 0;

    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        sscanf(line, "VmRSS: %ld", &kib);
    }
    fclose(f);
    return kib;
}

static void ten_thousand_containers_leave_nothing_behind(void **state)
{
    enum { BATCH = 50, BATCHES = 200, WARM = 40, MOST_KIB = 1024 };
    struct live l;
    unsigned fds = 0, before = count_fds(), number = 2;
    long kib = 0, grown;
    pid_t first;

    (void)state;
    open_live(&l);
    l.n.options.period = 3600 * NSEC_PER_SEC;
    first = start(&l, 1); /* it stays, and shows where the pods are */
    node_says(&l.n, 1, 1, first);
    node_watch(&l.n);
    rounds(&l, SETTLED);
    for (int batch = 0; batch < BATCHES; batch++) {
        pid_t pids[BATCH];

        node_forget(&l.n);
        for (unsigned i = 0; i < BATCH; i++) {
            pids[i] = start(&l, number + i);
            node_says(&l.n, number + i, 1, pids[i]);
        }
        rounds_until(&l, BATCH);
        assert_int_equal(l.n.n_events, BATCH);
        node_forget(&l.n);
        for (unsigned i = 0; i < BATCH; i++) {
            end(pids[i]);
        }
        rounds_until(&l, BATCH);
        assert_int_equal(l.n.n_events, BATCH);
        node_forget(&l.n);
        for (unsigned i = 0; i < BATCH; i++) {
            node_drops(&l.n, number + i);
            remove_dir(&l, path_of(&l, number + i));
        }
        rounds_until(&l, BATCH);
        assert_int_equal(l.n.n_events, BATCH);
        rounds(&l, 20);
        number += BATCH;
        if (batch == WARM) {
            kib = resident_kib();
            fds = count_fds();
        }
    }
    rounds(&l, SETTLED);
    grown = resident_kib() - kib;
    print_message("%d containers: %ld KiB resident, %ld more than after %d; %u descriptors\n",
                  BATCH * BATCHES, kib + grown, grown, BATCH * (WARM + 1), count_fds());
#ifndef __SANITIZE_ADDRESS__ /* which keeps what was freed for a while, and finds leaks itself */
    assert_true(grown < MOST_KIB);
#endif
    assert_in_range(count_fds(), 0, fds + 4); /* a look may be under way in one of the counts */
    end(first);
    remove_dir(&l, path_of(&l, 1));
    close_live(&l);
    assert_int_equal(count_fds(), before);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exit_is_published_without_the_runtime),
        cmocka_unit_test(an_exit_is_published_while_the_runtime_is_away_or_slow),
        cmocka_unit_test(a_directory_that_comes_or_goes_wakes_a_look),
        cmocka_unit_test(the_handoff_file_is_true_all_along),
    };
    const struct CMUnitTest long_tests[] = {
        cmocka_unit_test(ten_thousand_containers_leave_nothing_behind),
    };

    if (geteuid() != 0 || !find_mount()) {
        puts("skipped: needs root and a v2 hierarchy that can be written to");
        return SKIPPED;
    }
    return argc > 1 && strcmp(argv[1], "long") == 0 ? cmocka_run_group_tests(long_tests, NULL, NULL)
                                                    : cmocka_run_group_tests(tests, NULL, NULL);
}
