/* A held identity, and whole texts, from folders of files. Real processes are in
 * integration/test_proc_live.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "resolver/proc/pin.h"
#include "resolver/proc/procfs.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

#define STAT(pid, start) #pid " (x) S 5 42 41 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 " #start " 1\n"

static void folder(void **state)
{
    char *dir = scratch_new();
    struct procfs p;
    struct pin pin;

    (void)state;
    scratch_puts(dir, "7/stat", STAT(7, 100));
    assert_int_equal(procfs_open(dir, &p, NULL), 0);
    assert_int_equal(procfs_pin(p.fd, 7, &pin), -ESRCH); /* no cgroup */
    scratch_puts(dir, "7/cgroup", "0::/a\n");
    assert_int_equal(procfs_pin(p.fd, 7, &pin), 0);
    assert_string_equal(pin.cgroup.p, "0::/a\n");
    assert_int_equal(pin.stat.start, 100);
    buf_free(&pin.cgroup);
    scratch_puts(dir, "7/stat", "7 (x) S\n");
    assert_int_equal(procfs_pin(p.fd, 7, &pin), -EBADMSG);
    procfs_close(&p);
    scratch_remove(dir);
}

/* A text may end where a read does. */
static void texts_of_all_lengths(void **state)
{
    static const size_t lengths[] = {0,    1,    4094, 4095,  4096,  4097,  8190,
                                     8191, 8192, 8193, 16383, 16384, 65535, 1024 * 1024};
    CLEANUP(buf_free) struct buf b = {0};
    char *dir = scratch_new(), *text = malloc(1024 * 1024 + 1);
    struct procfs p;

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i <= 1024 * 1024; i++) {
        text[i] = (char)('a' + i % 23);
    }
    assert_int_equal(procfs_open(dir, &p, NULL), 0);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        buf_free(&b);
        scratch_write(dir, "7/cgroup", text, lengths[i]);
        assert_int_equal(procfs_read(p.fd, 7, "cgroup", &b), 0);
        assert_int_equal(b.n, lengths[i]);
        assert_memory_equal(b.p, text, lengths[i]);
        assert_int_equal(b.p[b.n], '\0');
        assert_int_equal(procfs_read_file(p.fd, "7/cgroup", lengths[i], &b), 0);
        assert_int_equal(b.n, lengths[i]);
    }
    assert_int_equal(procfs_read_file(p.fd, "7/cgroup", 1024 * 1024 - 1, &b), -EFBIG);
    scratch_write(dir, "7/cgroup", text, 1024 * 1024 + 1);
    assert_int_equal(procfs_read(p.fd, 7, "cgroup", &b), -EFBIG);
    procfs_close(&p);
    scratch_remove(dir);
    free(text);
}

static void folders_that_cannot_be_opened(void **state)
{
    struct procfs p = {.fd = -2};
    struct err e = {0};

    (void)state;
    assert_int_equal(procfs_open("/nonexistent/proc", &p, &e), -ENOENT);
    assert_int_equal(e.kind, ERR_PROC);
    assert_non_null(strstr(e.text, "/nonexistent/proc"));
    assert_int_equal(procfs_open("/dev/null", &p, &e), -ENOTDIR);
    assert_int_equal(p.fd, -2);
    procfs_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folder),
        cmocka_unit_test(texts_of_all_lengths),
        cmocka_unit_test(folders_that_cannot_be_opened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
