/* What is handed over: the targets, in a file or in memory; and when nothing may be. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <jansson.h>

#include "resolver/handoff/handoff.h"
#include "test/support/scratch.h"
#include "test/support/snap.h"
#include "test/support/unit.h"

static json_t *read_document(const char *dir)
{
    struct buf text = {0};
    json_t *document;

    assert_true(scratch_read(dir, "pids.json", &text));
    document = json_loadb(text.p, text.n, 0, NULL);
    assert_non_null(document);
    buf_free(&text);
    return document;
}

/* podpid must know its own file when it comes back to it. */
static void a_document_replaces_one_of_podpids_own(void **state)
{
    struct podpid_snapshot *s = snap_zoo();
    char *dir = scratch_new(), path[512];
    struct err err;

    (void)state;
    snprintf(path, sizeof(path), "%s/pids.json", dir);
    for (unsigned generation = 1; generation <= 2; generation++) {
        json_t *document;

        s->generation = generation;
        assert_int_equal(handoff_give(s, path, 0, NULL, &err), 0);
        document = read_document(dir);
        assert_int_equal(json_integer_value(json_object_get(document, "generation")), generation);
        json_decref(document);
    }
    assert_int_equal(podpid_handoff_remove(path, NULL), 0);
    assert_int_equal(access(path, F_OK), -1);
    scratch_remove(dir);
    podpid_snapshot_free(s);
}

static void the_memory_file_is_sealed(void **state)
{
    struct podpid_snapshot *s = snap_zoo();
    struct podpid_error error = PODPID_ERROR_INIT;
    json_t *document;
    int fd;

    (void)state;
    assert_int_equal(podpid_handoff_memfd(s, &fd, &error), 0);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    assert_int_equal(fcntl(fd, F_GET_SEALS),
                     F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    assert_int_equal(write(fd, "x", 1), -1);
    document = json_loadfd(fd, 0, NULL);
    assert_non_null(document);
    assert_string_equal(json_string_value(json_object_get(document, "schema")), "podpid/v1");
    json_decref(document);
    close(fd);
    podpid_snapshot_free(s);
}

static void pidfds_need_the_proc_of_our_own_namespace(void **state)
{
    struct podpid_snapshot *s = snap_new();
    struct podpid_error error = PODPID_ERROR_INIT;
    struct podpid_pidfd *fds;
    char *dir = scratch_new();
    size_t n;

    (void)state;
    assert_int_equal(podpid_handoff_pidfds(s, dir, &fds, &n, &error), PODPID_ERR_USAGE);
    assert_int_equal(error.system_errno, EINVAL);
    podpid_snapshot_free(s);
    scratch_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_replaces_one_of_podpids_own),
        cmocka_unit_test(the_memory_file_is_sealed),
        cmocka_unit_test(pidfds_need_the_proc_of_our_own_namespace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
