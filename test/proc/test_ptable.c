/* The process table: scans of folders that stand in for /proc, with good and broken files. A real
 * /proc is in integration/test_proc_live.c. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "resolver/proc/ptable.h"
#include "test/support/unit.h"

#define POD "/kubepods/burstable/pod11111111-2222-3333-4444-555555555555/"
#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

struct folder {
    char path[64];
    struct procfs p;
    struct ptable t;
};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int setup(void **state)
{
    struct folder *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    snprintf(f->path, sizeof(f->path), "%s", "/tmp/podpid-test-ptable-XXXXXX");
    assert_non_null(mkdtemp(f->path));
    assert_int_equal(procfs_open(f->path, &f->p, NULL), 0);
    assert_false(f->p.is_procfs);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct folder *f = *state;

    ptable_free(&f->t);
    procfs_close(&f->p);
    nftw(f->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

static void write_bytes(const struct folder *f, const char *name, const char *text, size_t n)
{
    AUTO_CLOSE int fd = -1;
    char path[256];
    size_t done = 0;

    for (char *p = strcpy(path, name); (p = strchr(p, '/')); *p++ = '/') {
        *p = '\0';
        assert_true(mkdirat(f->p.fd, path, 0700) == 0 || errno == EEXIST);
    }
    fd = openat(f->p.fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    while (done < n) {
        ssize_t got = write(fd, text + done, n - done);

        assert_true(got > 0);
        done += (size_t)got;
    }
}

static void write_text(const struct folder *f, const char *name, const char *text)
{
    write_bytes(f, name, text, strlen(text));
}

static void write_stat(const struct folder *f, const char *name, int pid, char state, int threads,
                       int start)
{
    char text[256];

    snprintf(text, sizeof(text),
             "%d (comm %d) %c 5 42 41 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 %d 0 %d 1\n", pid, pid,
             state, threads, start);
    write_text(f, name, text);
}

static void scan_in_slices_of(struct folder *f, unsigned n)
{
    struct ptable_scan *scan;
    int rc;

    assert_int_equal(ptable_scan_new(&f->p, &f->t, &scan, NULL), 0);
    while ((rc = ptable_scan_step(scan, n, NULL)) == 0) {
    }
    assert_int_equal(rc, 1);
    assert_int_equal(ptable_scan_step(scan, n, NULL), 1);
    ptable_scan_free(scan);
}

static const char *text_of(const struct folder *f, pid_t pid)
{
    const struct proc *row = ptable_find(&f->t, pid);

    assert_non_null(row);
    return f->t.cgroups[row->cgroup].text.p;
}

static void rows_ascend_and_texts_are_kept_once(void **state)
{
    struct folder *f = *state;

    for (int i = 300; i >= 1; i -= 7) {
        char name[32];

        snprintf(name, sizeof(name), "%d/cgroup", i);
        write_text(f, name, i % 2 ? "0::/system.slice/a.service\n" : "0::" POD ID_A "\n");
        snprintf(name, sizeof(name), "%d/stat", i);
        write_stat(f, name, i, 'S', 1, i * 10);
    }
    scan_in_slices_of(f, 3);
    assert_int_equal(f->t.n_procs, 43);
    assert_int_equal(f->t.n_cgroups, 2);
    assert_int_equal(f->t.denied, 0);
    for (size_t i = 0; i < f->t.n_procs; i++) {
        const struct proc *row = &f->t.procs[i];

        assert_int_equal(row->pid, 6 + 7 * (int)i);
        /* The scan does not read the stat of a process of the host. */
        assert_int_equal(row->have, row->pid % 2 ? 0 : PROC_STAT);
        if (row->have & PROC_STAT) {
            assert_int_equal(row->start, row->pid * 10);
            assert_int_equal(row->ppid, 5);
            assert_int_equal(row->session, 41);
            assert_memory_equal(row->comm, "comm ", 5);
        }
    }
    assert_null(ptable_find(&f->t, 7));
    assert_null(ptable_find(&f->t, 0));
    assert_null(ptable_find(&f->t, 301));
}

static void entries_that_are_no_process_have_no_row(void **state)
{
    static const char *const names[] = {"123abc", "0",   "012",        "-5",
                                        "+5",     "4 ",  "2147483648", "9999999999999999999999",
                                        "self",   "1e3", "\xd9\xa1"};
    struct folder *f = *state;

    for (size_t i = 0; i < N_ELEMENTS(names); i++) {
        char name[64];

        snprintf(name, sizeof(name), "%s/cgroup", names[i]);
        write_text(f, name, "0::/\n");
    }
    write_text(f, "44", "a file, not a folder");
    write_text(f, "2147483647/cgroup", "0::/\n");
    assert_int_equal(symlinkat("2147483647", f->p.fd, "45"), 0);
    assert_int_equal(mkdirat(f->p.fd, "46", 0700), 0);
    write_text(f, "47/stat", "no cgroup here\n");
    scan_in_slices_of(f, 100);
    assert_int_equal(f->t.n_procs, 1);
    assert_int_equal(f->t.procs[0].pid, INT32_MAX);
}

static void files_that_cannot_be_read_give_empty_rows(void **state)
{
    struct folder *f = *state;
    char *big = calloc(1, 2 * 1024 * 1024);

    assert_non_null(big);
    write_bytes(f, "10/cgroup", big, 2 * 1024 * 1024);
    free(big);
    assert_int_equal(mkdirat(f->p.fd, "11", 0700), 0);
    assert_int_equal(mkdirat(f->p.fd, "11/cgroup", 0700), 0);
    assert_int_equal(mkdirat(f->p.fd, "12", 0700), 0);
    assert_int_equal(symlinkat("/etc/hostname", f->p.fd, "12/cgroup"), 0);
    assert_int_equal(mkdirat(f->p.fd, "13", 0700), 0);
    assert_int_equal(mkfifoat(f->p.fd, "13/cgroup", 0600), 0);
    write_text(f, "14/cgroup", "");
    write_text(f, "15/cgroup", "0::" POD ID_A "\n");
    write_text(f, "15/stat", "garbage\n");
    write_text(f, "16/cgroup", "0::" POD ID_A "\n");
    write_stat(f, "16/stat", 17, 'S', 1, 1); /* the stat of process 17 */
    scan_in_slices_of(f, 100);

    assert_int_equal(f->t.n_procs, 7);
    assert_int_equal(f->t.denied, 4);
    for (pid_t pid = 10; pid <= 14; pid++) {
        assert_string_equal(text_of(f, pid), "");
        assert_int_equal(ptable_find(&f->t, pid)->have, pid <= 13 ? PROC_DENIED : 0);
    }
    assert_int_equal(ptable_find(&f->t, 15)->have, 0);
    assert_int_equal(ptable_find(&f->t, 16)->have, 0);
}

static void long_texts_are_read_to_their_end(void **state)
{
    struct folder *f = *state;
    char *text = malloc(64 * 1024);
    size_t n = 0;

    assert_non_null(text);
    for (int i = 12; i >= 1; i--) {
        n += (size_t)sprintf(text + n, "%d:c%d:/", i, i);
        memset(text + n, 'x', 4095);
        n += 4095;
        text[n++] = '\n';
    }
    n += (size_t)sprintf(text + n, "0::" POD ID_A "\n");
    write_bytes(f, "10/cgroup", text, n);
    write_stat(f, "10/stat", 10, 'S', 1, 1);
    scan_in_slices_of(f, 1);
    assert_int_equal(f->t.cgroups[f->t.procs[0].cgroup].text.n, n);
    assert_memory_equal(text_of(f, 10), text, n);
    assert_int_equal(f->t.procs[0].have, PROC_STAT);
    free(text);
}

static void each_text_has_one_index(void **state)
{
    struct folder *f = *state;
    char text[64];

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 5000; i++) {
            int n = snprintf(text, sizeof(text), "0::/system.slice/%d.service\n", i);

            assert_int_equal(ptable_intern(&f->t, (struct str){text, (size_t)n}), i);
        }
    }
    assert_int_equal(f->t.n_cgroups, 5000);
    assert_int_equal(ptable_intern(&f->t, (struct str){NULL, 0}), 5000);
    assert_int_equal(ptable_intern(&f->t, STR("")), 5000);
    assert_int_equal(f->t.cgroups[4999].owner, -1);
}

/* The v1 lines of a leader that has exited read "/", whatever cgroup its threads are in. */
static void cgroup_of_an_exited_leader_is_that_of_a_live_thread(void **state)
{
    static const char gone[] = "3:pids:/\n2:cpu,cpuacct:/\n0::/system.slice/containerd.service\n";
    static const char live[] =
        "3:pids:" POD ID_A "\n2:cpu,cpuacct:" POD ID_A "\n0::/system.slice/containerd.service\n";
    struct folder *f = *state;

    for (int pid = 10; pid <= 14; pid++) {
        char name[32];

        snprintf(name, sizeof(name), "%d/cgroup", pid);
        write_text(f, name, gone);
        snprintf(name, sizeof(name), "%d/stat", pid);
        write_stat(f, name, pid, pid == 14 ? 'S' : 'Z', pid == 11 ? 1 : 3, 100);
    }
    /* 10: thread 22 lives. */
    write_stat(f, "10/task/10/stat", 10, 'Z', 3, 100);
    write_text(f, "10/task/10/cgroup", gone);
    write_stat(f, "10/task/21/stat", 21, 'X', 3, 100);
    write_text(f, "10/task/21/cgroup", gone);
    write_stat(f, "10/task/22/stat", 22, 'S', 3, 100);
    write_text(f, "10/task/22/cgroup", live);
    write_text(f, "10/task/23/stat", "garbage");
    /* 11 is a zombie; 12: no thread lives; 13: a capture without task/; 14: the leader lives. */
    write_stat(f, "12/task/12/stat", 12, 'Z', 3, 100);
    write_text(f, "12/task/12/cgroup", live);
    /* 15: one v1 line still has a path, so the text is not that of an exited leader. */
    write_text(f, "15/cgroup", "3:pids:/\n1:name=systemd:/system.slice/x.service\n0::/\n");
    write_stat(f, "15/stat", 15, 'Z', 3, 100);

    scan_in_slices_of(f, 100);
    assert_int_equal(f->t.n_procs, 6);
    assert_string_equal(text_of(f, 10), live);
    for (pid_t pid = 11; pid <= 14; pid++) {
        assert_string_equal(text_of(f, pid), gone);
        assert_int_equal(ptable_find(&f->t, pid)->have, PROC_STAT);
    }
    assert_int_equal(ptable_find(&f->t, 15)->have, 0);
}

static void root_is_the_cgroup_of_a_node_in_a_container(void **state)
{
    struct folder *f = *state;

    write_text(f, "1/cgroup", "0::/docker/" ID_B "/init.scope\n");
    write_stat(f, "1/stat", 1, 'S', 1, 1);
    write_text(f, "9/cgroup", "0::/docker/" ID_B "/kubelet" POD ID_A "\n");
    scan_in_slices_of(f, 100);
    assert_true(str_is(f->t.root, "/docker/" ID_B));
}

static void a_node_on_the_host_has_no_root(void **state)
{
    struct folder *f = *state;

    write_text(f, "1/cgroup", "0::/init.scope\n");
    scan_in_slices_of(f, 100);
    assert_int_equal(f->t.root.n, 0);
}

static void an_empty_folder_has_no_rows(void **state)
{
    struct folder *f = *state;

    scan_in_slices_of(f, 1);
    assert_int_equal(f->t.n_procs, 0);
    assert_int_equal(f->t.root.n, 0);
}

static void parts_are_loaded_when_asked_for(void **state)
{
    struct folder *f = *state;
    struct proc *row;

    write_text(f, "7/cgroup", "0::/a\n");
    write_stat(f, "7/stat", 7, 'R', 2, 77);
    write_text(f, "7/status", "State:\tR (running)\nTgid:\t7\nPid:\t7\nPPid:\t5\nNSpid:\t7\t1\n");
    write_text(f, "7/ns.json", "{\"pid\": 4026531836, \"mnt\": 5, \"net\": \"x\", \"cgroup\": -1}");
    write_text(f, "8/cgroup", "0::/a\n");
    write_text(f, "8/ns.json", "[1, 2");
    scan_in_slices_of(f, 100);

    row = ptable_find(&f->t, 7);
    assert_int_equal(row->have, 0);
    assert_int_equal(ptable_load(&f->t, &f->p, row, PROC_STATUS), 0);
    assert_int_equal(row->have, PROC_STATUS);
    assert_int_equal(row->nspid, 1);
    assert_int_equal(row->ns_depth, 2);
    assert_int_equal(ptable_load(&f->t, &f->p, row, PROC_STAT | PROC_NS), 0);
    assert_int_equal(row->have, PROC_STATUS | PROC_STAT | PROC_NS);
    assert_int_equal(row->start, 77);
    assert_int_equal(row->ns->pid, 4026531836);
    assert_int_equal(row->ns->mnt, 5);
    assert_int_equal(row->ns->net, 0);
    assert_int_equal(row->ns->cgroup, 0);

    row = ptable_find(&f->t, 8);
    assert_int_equal(ptable_load(&f->t, &f->p, row, PROC_NS), 0);
    assert_int_equal(row->ns->pid, 0);
    assert_int_equal(ptable_load(&f->t, &f->p, row, PROC_STAT), 0);
    assert_int_equal(row->have, PROC_NS | PROC_GONE);
}

static void refresh_inserts_replaces_and_removes(void **state)
{
    struct folder *f = *state;
    struct proc *row;

    write_text(f, "5/cgroup", "0::/a\n");
    write_text(f, "9/cgroup", "0::/a\n");
    scan_in_slices_of(f, 100);
    write_text(f, "7/cgroup", "0::" POD ID_A "\n");
    write_stat(f, "7/stat", 7, 'R', 2, 77);
    assert_int_equal(ptable_refresh(&f->t, &f->p, 7, &row), 0);
    assert_non_null(row);
    assert_int_equal(row->start, 77);
    assert_int_equal(f->t.n_procs, 3);
    assert_ptr_equal(ptable_find(&f->t, 7), row);
    assert_string_equal(text_of(f, 7), "0::" POD ID_A "\n");

    write_stat(f, "7/stat", 7, 'R', 2, 88);
    assert_int_equal(ptable_refresh(&f->t, &f->p, 7, &row), 0);
    assert_int_equal(row->start, 88);
    assert_int_equal(f->t.n_procs, 3);

    assert_int_equal(unlinkat(f->p.fd, "7/stat", 0), 0);
    assert_int_equal(ptable_refresh(&f->t, &f->p, 7, &row), 0);
    assert_null(row);
    assert_int_equal(ptable_refresh(&f->t, &f->p, 6, &row), 0);
    assert_null(row);
    assert_null(ptable_find(&f->t, 7));
    assert_int_equal(f->t.n_procs, 2);
    assert_int_equal(f->t.procs[1].pid, 9);
    /* A stat that cannot be parsed leaves the row as it was. */
    write_text(f, "9/stat", "garbage");
    assert_int_equal(ptable_refresh(&f->t, &f->p, 9, &row), 0);
    assert_null(row);
    assert_non_null(ptable_find(&f->t, 9));
}

/* A shortage of descriptors is an error, and never marks a process as exited. */
static void a_shortage_of_descriptors_is_an_error(void **state)
{
    struct folder *f = *state;
    struct rlimit before, none;
    struct proc *row;

    write_text(f, "7/cgroup", "0::/a\n");
    write_stat(f, "7/stat", 7, 'R', 2, 77);
    scan_in_slices_of(f, 100);
    row = ptable_find(&f->t, 7);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(ptable_load(&f->t, &f->p, row, PROC_STAT), -EMFILE);
    assert_int_equal(ptable_load(&f->t, &f->p, row, PROC_STATUS), -EMFILE);
    assert_int_equal(ptable_load(&f->t, &f->p, row, PROC_NS), -EMFILE);
    assert_int_equal(row->have, 0);
    assert_int_equal(ptable_refresh(&f->t, &f->p, 7, &row), -EMFILE);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_non_null(ptable_find(&f->t, 7));
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(rows_ascend_and_texts_are_kept_once),
        IN_FOLDER(entries_that_are_no_process_have_no_row),
        IN_FOLDER(files_that_cannot_be_read_give_empty_rows),
        IN_FOLDER(long_texts_are_read_to_their_end),
        IN_FOLDER(each_text_has_one_index),
        IN_FOLDER(cgroup_of_an_exited_leader_is_that_of_a_live_thread),
        IN_FOLDER(root_is_the_cgroup_of_a_node_in_a_container),
        IN_FOLDER(a_node_on_the_host_has_no_root),
        IN_FOLDER(an_empty_folder_has_no_rows),
        IN_FOLDER(parts_are_loaded_when_asked_for),
        IN_FOLDER(refresh_inserts_replaces_and_removes),
        IN_FOLDER(a_shortage_of_descriptors_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
