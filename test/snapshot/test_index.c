/* Look-ups in a snapshot: by process, by cgroup id, by container id; and the probe of one process.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/support/snap.h"
#include "test/support/unit.h"

enum { PODS = 40, CONTAINERS = 3, PROCESSES = 5 };

static pid_t pid_of(int p, int c, int i)
{
    return 1000 + (p * CONTAINERS + c) * PROCESSES + i;
}

static struct podpid_snapshot *many(void)
{
    struct podpid_snapshot *s = snap_new();

    for (int p = 0; p < PODS; p++) {
        char name[32];
        struct podpid_pod *pod;

        snprintf(name, sizeof(name), "pod-%d", p);
        pod = snap_pod(s, "ns", name, name);
        for (int c = 0; c < CONTAINERS; c++) {
            char prefix[32];
            struct podpid_container *row;
            struct podpid_cgroup_id *ids = arena_calloc(&s->arena, 2, sizeof(*ids));

            snprintf(prefix, sizeof(prefix), "%04d%04d", p, c);
            row = snap_container(s, pod, "app", snap_id(s, prefix), pid_of(p, c, 0));
            for (int i = 1; i < PROCESSES; i++) {
                snap_process(s, row, pid_of(p, c, i), pid_of(p, c, 0), "sh", PODPID_ROLE_CHILD);
            }
            assert_non_null(ids);
            ids[0] = (struct podpid_cgroup_id){(uint64_t)(1 + (p * CONTAINERS + c) * 2), "/a"};
            ids[1] = (struct podpid_cgroup_id){(uint64_t)(2 + (p * CONTAINERS + c) * 2), "/a/b"};
            row->cgroup_ids = ids;
            row->n_cgroup_ids = 2;
            row->cgroup_id = ids[0].id;
            row->cgroup_path = arena_printf(&s->arena, "/kubepods/pod%d/%s", p, row->id);
        }
    }
    return s;
}

static void every_process_is_found_by_pid_and_start_only(void **state)
{
    struct podpid_snapshot *s = many();
    struct podpid_index *x = NULL;
    const struct podpid_process *found = NULL;
    size_t n;
    const struct podpid_pod *const *pods = podpid_snapshot_pods(s, &n);

    (void)state;
    assert_int_equal(podpid_index_new(s, &x, NULL), 0);
    for (size_t p = 0; p < n; p++) {
        for (size_t c = 0; c < pods[p]->n_containers; c++) {
            const struct podpid_container *row = pods[p]->containers[c];

            for (size_t i = 0; i < row->n_processes; i++) {
                const struct podpid_process *proc = row->processes[i];

                assert_ptr_equal(
                    podpid_index_by_process(x, proc->pid, proc->start_time_ticks, &found), row);
                assert_ptr_equal(found, proc);
                /* The same number, born at another time: somebody else. */
                assert_null(
                    podpid_index_by_process(x, proc->pid, proc->start_time_ticks + 1, NULL));
            }
            assert_ptr_equal(podpid_index_by_id(x, row->id), row);
            for (size_t i = 0; i < row->n_cgroup_ids; i++) {
                assert_ptr_equal(podpid_index_by_cgroup(x, row->cgroup_ids[i].id), row);
            }
        }
    }
    assert_null(podpid_index_by_process(x, 1, 1, NULL));
    assert_null(podpid_index_by_cgroup(x, 0));
    assert_null(podpid_index_by_id(x, "0000"));
    assert_null(podpid_index_by_id(x, ""));
    podpid_index_free(x);
    podpid_snapshot_free(s);
}

static void an_empty_snapshot_answers_no(void **state)
{
    struct podpid_snapshot *s = snap_new();
    struct podpid_index *x = NULL;

    (void)state;
    assert_int_equal(podpid_index_new(s, &x, NULL), 0);
    assert_null(podpid_index_by_process(x, 1, 1, NULL));
    assert_null(podpid_index_by_cgroup(x, 1));
    assert_null(podpid_index_by_id(x, "ab"));
    podpid_index_free(x);
    podpid_index_free(NULL);
    podpid_snapshot_free(s);
}

/* ---- Probing, in a folder that stands in for /proc ------------------------------------------- */

struct fake_proc {
    char dir[64];
    int fd;
};

static void fake_process(const struct fake_proc *f, pid_t pid, char proc_state, const char *cgroup)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%d", f->dir, pid);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/%d/stat", f->dir, pid);
    file = fopen(path, "we");
    assert_non_null(file);
    fprintf(file, "%d (x) %c 1 1 %d 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %d 0 0\n", pid, proc_state, pid,
            pid * 10);
    fclose(file);
    snprintf(path, sizeof(path), "%s/%d/cgroup", f->dir, pid);
    file = fopen(path, "we");
    assert_non_null(file);
    fputs(cgroup, file);
    fclose(file);
}

static void probe_goes_by_the_outermost_anchor(void **state)
{
    struct podpid_snapshot *s = many();
    struct podpid_index *x = NULL;
    struct fake_proc f = {.dir = "/tmp/podpid-index-XXXXXX"};
    const char *a = podpid_snapshot_pods(s, &(size_t){0})[0]->containers[0]->cgroup_path;
    const char *b = podpid_snapshot_pods(s, &(size_t){0})[1]->containers[0]->cgroup_path;
    const struct podpid_container *in_a = podpid_snapshot_pods(s, &(size_t){0})[0]->containers[0];
    const struct podpid_container *found;
    struct podpid_error error = PODPID_ERROR_INIT;
    char text[1024], command[128];
    uint64_t start = 0;

    (void)state;
    assert_non_null(mkdtemp(f.dir));
    f.fd = open(f.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(podpid_index_new(s, &x, NULL), 0);

    snprintf(text, sizeof(text), "0::%s\n", a);
    fake_process(&f, 10, 'S', text);
    snprintf(text, sizeof(text), "0::%s/inner%s\n", a,
             b); /* A names a cgroup of its own after B's */
    fake_process(&f, 11, 'S', text);
    snprintf(text, sizeof(text), "2:cpu:%s\n0::%s\n", a, b);
    fake_process(&f, 12, 'S', text);
    snprintf(text, sizeof(text), "0::%s (deleted)\n", a); /* a live process: a name like that */
    fake_process(&f, 13, 'S', text);
    fake_process(&f, 14, 'Z', text); /* nothing tells whether that was the removed one */
    fake_process(&f, 15, 'S', "0::/system.slice/ssh.service\n");
    snprintf(text, sizeof(text), "0::%sx\n", a);
    fake_process(&f, 16, 'S', text);
    /* One hierarchy in a's cgroup, another in that of a container that no index has; or of none. */
    snprintf(text, sizeof(text),
             "2:memory:%s\n0::/docker/"
             "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\n",
             a);
    fake_process(&f, 17, 'S', text);
    snprintf(text, sizeof(text), "2:memory:%s\n0::/system.slice/x.service\n", a);
    fake_process(&f, 18, 'S', text);

    static const struct {
        pid_t pid;
        bool in_a;
    } cases[] = {{10, true},  {11, true},  {12, false}, {13, false}, {14, false},
                 {15, false}, {16, false}, {17, false}, {18, true}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        found = NULL;
        assert_int_equal(podpid_index_probe(x, f.fd, cases[i].pid, &found, &start, &error), 0);
        if (found != (cases[i].in_a ? in_a : NULL)) {
            fail_msg("PID %d", cases[i].pid);
        }
        assert_int_equal(start, cases[i].pid * 10);
    }
    assert_int_equal(podpid_index_probe(x, f.fd, 99, &found, &start, &error), PODPID_ERR_ANSWER);
    assert_string_equal(error.message, "PID 99: no such process");

    close(f.fd);
    snprintf(command, sizeof(command), "rm -r %s", f.dir);
    assert_int_equal(system(command), 0);
    podpid_index_free(x);
    podpid_snapshot_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_process_is_found_by_pid_and_start_only),
        cmocka_unit_test(an_empty_snapshot_answers_no),
        cmocka_unit_test(probe_goes_by_the_outermost_anchor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
