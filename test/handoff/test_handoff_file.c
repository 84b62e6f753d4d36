/* The handoff file: replaced whole or not at all, never through a link, never in place of a file
 * that podpid did not write. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resolver/handoff/file.h"
#include "resolver/podpid.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

#define OLD "{\"schema\": \"podpid/v1\", \"generation\": 1}"
#define NEW "{\"schema\": \"podpid/v1\", \"generation\": 2}"

/* The folder of a test, and the handoff file's path in it. */
struct place {
    char *dir;
    char path[512];
};

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof(*p));

    assert_non_null(p);
    p->dir = scratch_new();
    snprintf(p->path, sizeof(p->path), "%s/pids.json", p->dir);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;

    scratch_remove(p->dir);
    free(p);
    return 0;
}

static void assert_content(const struct place *p, const char *name, const char *expected)
{
    struct buf b = {0};

    assert_true(scratch_read(p->dir, name, &b));
    assert_int_equal(b.n, strlen(expected));
    assert_string_equal(b.p ? b.p : "", expected);
    buf_free(&b);
}

static size_t files_in(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *e;
    size_t n = 0;

    assert_non_null(dir);
    while ((e = readdir(dir))) {
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 ? 1 : 0;
    }
    closedir(dir);
    return n;
}

static int put(const char *path, const char *text, struct err *err)
{
    return handoff_file_write(path, 0640, NULL, text, strlen(text), err);
}

static void mode_and_group_are_set(void **state)
{
    struct place *p = *state;
    struct err err;
    struct stat st;
    char group[32];
    mode_t before = umask(0077);

    snprintf(group, sizeof(group), "%u", geteuid() == 0 ? 12345U : (unsigned)getegid());
    assert_int_equal(handoff_file_write(p->path, 0664, group, OLD, strlen(OLD), &err), 0);
    umask(before);
    assert_int_equal(stat(p->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0664);
    assert_int_equal(st.st_gid, strtoul(group, NULL, 10));
    assert_content(p, "pids.json", OLD);
    assert_int_equal(files_in(p->dir), 1);
    assert_int_equal(handoff_file_write(p->path, 0640, "no-such-group-here", "y", 1, &err),
                     -ENOENT);
    assert_int_equal(err.kind, ERR_WRITE);
    assert_content(p, "pids.json", OLD);
}

static void a_file_is_replaced_by_another(void **state)
{
    struct place *p = *state;
    struct stat before, after;
    struct err err;

    assert_int_equal(put(p->path, OLD, &err), 0);
    assert_int_equal(stat(p->path, &before), 0);
    assert_int_equal(put(p->path, NEW, &err), 0);
    assert_int_equal(stat(p->path, &after), 0);
    assert_content(p, "pids.json", NEW);
    assert_true(before.st_ino != after.st_ino);
    assert_int_equal(files_in(p->dir), 1);
    assert_int_equal(handoff_file_remove(p->path, &err), 0);
    assert_int_equal(handoff_file_remove(p->path, &err), 0);
    assert_int_equal(files_in(p->dir), 0);
}

static void links_are_not_followed(void **state)
{
    struct place *p = *state;
    char link[600], target[600], path[700];
    struct err err;

    scratch_puts(p->dir, "real/secret", "precious");
    snprintf(target, sizeof(target), "%s/real", p->dir);
    snprintf(link, sizeof(link), "%s/link", p->dir);
    assert_int_equal(symlink(target, link), 0);
    snprintf(path, sizeof(path), "%s/secret", link);
    assert_int_equal(put(path, "x", &err), -ELOOP);
    assert_non_null(strstr(err.text, "symbolic link"));
    assert_int_equal(handoff_file_remove(path, &err), -ELOOP);
    assert_content(p, "real/secret", "precious");

    /* further up */
    scratch_puts(p->dir, "real/below/secret", "precious");
    snprintf(path, sizeof(path), "%s/below/secret", link);
    assert_int_equal(put(path, "x", &err), -ELOOP);
    assert_content(p, "real/below/secret", "precious");

    /* the file itself */
    snprintf(target, sizeof(target), "%s/real/secret", p->dir);
    assert_int_equal(symlink(target, p->path), 0);
    assert_int_equal(put(p->path, "x", &err), -ELOOP);
    assert_content(p, "real/secret", "precious");
    assert_int_equal(handoff_file_remove(p->path, &err), -ELOOP);
    assert_int_equal(err.kind, ERR_WRITE);
    assert_content(p, "pids.json", "precious");
    assert_int_equal(unlink(p->path), 0);

    /* a link that leads nowhere */
    assert_int_equal(symlink("/nowhere", p->path), 0);
    assert_int_equal(put(p->path, "x", &err), -ELOOP);
}

static void links_are_not_followed_without_openat2(void **state)
{
    struct place *p = *state;
    char path[700];
    int fd;

    scratch_puts(p->dir, "a/b/file", "x");
    snprintf(path, sizeof(path), "%s/link", p->dir);
    assert_int_equal(symlink("a", path), 0);
    assert_int_equal(handoff_file_walk(path), -ELOOP);
    snprintf(path, sizeof(path), "%s/link/b", p->dir);
    assert_int_equal(handoff_file_walk(path), -ELOOP);
    snprintf(path, sizeof(path), "%s/a/b/file", p->dir);
    assert_int_equal(handoff_file_walk(path), -ENOTDIR);
    snprintf(path, sizeof(path), "%s/a/none", p->dir);
    assert_int_equal(handoff_file_walk(path), -ENOENT);
    snprintf(path, sizeof(path), "%s//a/./b/", p->dir);
    fd = handoff_file_walk(path);
    assert_true(fd >= 0);
    assert_int_equal(fsync(fd), 0);
    close(fd);
}

static void the_old_file_stays_when_writing_fails(void **state)
{
    struct place *p = *state;
    struct rlimit before, none;
    char big[8192];
    struct err err;
    int rc;

    assert_int_equal(put(p->path, OLD, &err), 0);
    memset(big, 'x', sizeof(big));
    /* A full disk, without one: no file may grow beyond 4 KiB. */
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = before;
    none.rlim_cur = 4096;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    rc = handoff_file_write(p->path, 0640, NULL, big, sizeof(big), &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(rc, -EFBIG);
    assert_int_equal(err.kind, ERR_WRITE);
    assert_content(p, "pids.json", OLD);
    assert_int_equal(files_in(p->dir), 1);
}

static void a_folder_or_a_fifo_is_not_replaced(void **state)
{
    struct place *p = *state;
    char path[600];
    struct err err;

    scratch_puts(p->dir, "pids.json/x", "a folder");
    assert_int_equal(put(p->path, "x", &err), -EISDIR);
    assert_content(p, "pids.json/x", "a folder");
    snprintf(path, sizeof(path), "%s/fifo", p->dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(put(path, "x", &err), -EINVAL);
    /* Root could remove /dev/null. */
    assert_int_equal(handoff_file_remove(path, &err), -EINVAL);
    assert_int_equal(handoff_file_find(path), HANDOFF_FOUND_FOREIGN);
    assert_int_equal(access(path, F_OK), 0);
    snprintf(path, sizeof(path), "%s/none/pids.json", p->dir);
    assert_int_equal(put(path, "x", &err), -ENOENT);
    assert_int_equal(put("/", "x", &err), -EINVAL);
    snprintf(path, sizeof(path), "%s/..", p->dir);
    assert_int_equal(put(path, "x", &err), -EINVAL);
    if (geteuid() != 0) {
        scratch_puts(p->dir, "closed/pids.json", "old");
        snprintf(path, sizeof(path), "%s/closed", p->dir);
        assert_int_equal(chmod(path, 0500), 0);
        snprintf(path, sizeof(path), "%s/closed/pids.json", p->dir);
        assert_int_equal(put(path, "x", &err), -EACCES);
        assert_content(p, "closed/pids.json", "old");
        snprintf(path, sizeof(path), "%s/closed", p->dir);
        assert_int_equal(chmod(path, 0700), 0);
    }
}

/* ---- Whose file it is ---- */

/* Without a descriptor nobody knows: it is neither taken for a stranger's nor for none. */
static void nothing_is_known_without_descriptors(void **state)
{
    struct place *p = *state;
    struct rlimit before, none;
    struct err err;

    scratch_puts(p->dir, "pids.json", OLD);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(handoff_file_find(p->path), HANDOFF_FOUND_UNKNOWN);
    assert_int_equal(handoff_file_remove(p->path, &err), -EMFILE);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(handoff_file_find(p->path), HANDOFF_FOUND_DOCUMENT);
}

static const struct {
    const char *content;
    enum handoff_found found;
} contents[] = {
    {"", HANDOFF_FOUND_EMPTY},
    {"{\"schema\": \"podpid/v1\", \"pods\": []}", HANDOFF_FOUND_DOCUMENT},
    {"{\"schema\":\"podpid/v1\"", HANDOFF_FOUND_DOCUMENT},
    {"\n {\n\t\"schema\" :\r\n \"podpid/v1\"}", HANDOFF_FOUND_DOCUMENT},
    {" ", HANDOFF_FOUND_FOREIGN},
    {"{", HANDOFF_FOUND_FOREIGN},
    {"{}", HANDOFF_FOUND_FOREIGN},
    {"{\"schema\": \"podpid/v1", HANDOFF_FOUND_FOREIGN},
    {"{\"schema\": \"podpid/v10\"}", HANDOFF_FOUND_FOREIGN},
    {"{\"schema\": \"podpid.preflight/v1\"}", HANDOFF_FOUND_FOREIGN},
    {"{\"a\": 1, \"schema\": \"podpid/v1\"}", HANDOFF_FOUND_FOREIGN},
    {"[{\"schema\": \"podpid/v1\"}]", HANDOFF_FOUND_FOREIGN},
    {"root:x:0:0:root:/root:/bin/sh\n", HANDOFF_FOUND_FOREIGN},
};

static void only_a_podpid_document_or_an_empty_file_is_replaced(void **state)
{
    struct place *p = *state;

    assert_int_equal(handoff_file_find(p->path), HANDOFF_FOUND_NOTHING);
    for (size_t i = 0; i < N_ELEMENTS(contents); i++) {
        bool foreign = contents[i].found == HANDOFF_FOUND_FOREIGN;
        struct err err;

        scratch_puts(p->dir, "pids.json", contents[i].content);
        assert_int_equal(handoff_file_find(p->path), contents[i].found);
        assert_int_equal(put(p->path, NEW, &err), foreign ? -EEXIST : 0);
        assert_content(p, "pids.json", foreign ? contents[i].content : NEW);
        if (foreign) {
            assert_int_equal(err.kind, ERR_WRITE);
            assert_non_null(strstr(err.text, p->path));
            assert_non_null(strstr(err.text, "not a podpid document"));
            assert_non_null(strstr(err.hint, "another path"));
        }
        assert_int_equal(files_in(p->dir), 1);
    }
}

static void only_a_podpid_document_is_removed(void **state)
{
    struct place *p = *state;

    for (size_t i = 0; i < N_ELEMENTS(contents); i++) {
        bool removed = contents[i].found == HANDOFF_FOUND_DOCUMENT;
        struct podpid_error error = PODPID_ERROR_INIT;
        int rc;

        scratch_puts(p->dir, "pids.json", contents[i].content);
        rc = podpid_handoff_remove(p->path, &error);
        if (contents[i].found == HANDOFF_FOUND_FOREIGN) {
            assert_int_equal(rc, PODPID_ERR_WRITE);
            assert_int_equal(error.system_errno, EEXIST);
        } else {
            assert_int_equal(rc, 0);
        }
        assert_int_equal(files_in(p->dir), removed ? 0 : 1);
        if (!removed) {
            assert_content(p, "pids.json", contents[i].content);
        }
    }
}

/* A file that we may not read could be anybody's. */
static void a_file_that_cannot_be_read_stays(void **state)
{
    struct place *p = *state;
    struct err err;

    if (geteuid() == 0) {
        skip(); /* root reads everything */
    }
    scratch_puts(p->dir, "pids.json", OLD);
    assert_int_equal(chmod(p->path, 0200), 0);
    assert_int_equal(put(p->path, NEW, &err), -EACCES);
    assert_int_equal(handoff_file_remove(p->path, &err), -EACCES);
    assert_non_null(strstr(err.text, "cannot be read"));
    assert_int_equal(files_in(p->dir), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(mode_and_group_are_set, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_is_replaced_by_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_are_not_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_are_not_followed_without_openat2, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_old_file_stays_when_writing_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_or_a_fifo_is_not_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_a_podpid_document_or_an_empty_file_is_replaced, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(only_a_podpid_document_is_removed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_known_without_descriptors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_read_stays, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
