/* Paths of which only root can have put something there. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "resolver/node/trust.h"
#include "test/support/tree.h"
#include "test/support/unit.h"

static void a_folder_of_another_owner_is_refused(void **state)
{
    struct trusted where;
    struct err err = {0};
    struct tree t;

    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    tree_make(&t);
    tree_put(&t, &(struct tree_thing){"run/user/s", TREE_SOCKET, 0});
    assert_int_equal(trust_walk(t.fd, "/run/user/s", &where, &err), 0);
    assert_true(where.exists);
    assert_int_equal(fchownat(t.fd, "run/user", 1000, 0, 0), 0);
    assert_int_equal(trust_walk(t.fd, "/run/user/s", &where, &err), -EPERM);
    assert_non_null(strstr(err.text, "the folder /run/user is not root's"));
    tree_remove(&t);
}

static void links_are_followed_inside_the_root(void **state)
{
    static const struct {
        const char *path, *expect;
        bool exists;
    } walks[] = {
        {"/run/a/s", "/run/a/s", true},
        {"//run/./a//s", "/run/a/s", true},
        {"/run/a/../a/s", "/run/a/s", true},
        {"/../run/a/s", "/run/a/s", true},
        {"/up/a/s", "/run/a/s", true},
        {"/abs", "/run/a/s", true},
        {"/run/a", "/run/a", true},
        {"/", "", true},
        {"/run/a/none", "/run/a/none", false},
        {"/run/none/s", "/run/none/s", false},
    };
    struct trusted where;
    struct err err = {0};
    struct tree t;

    (void)state;
    tree_make(&t);
    tree_put(&t, &(struct tree_thing){"run/a/s", TREE_SOCKET, 0});
    tree_put(&t, &(struct tree_thing){"up", TREE_LINK("run/../run"), 0});
    tree_put(&t, &(struct tree_thing){"abs", TREE_LINK("/run/a/s"), 0});
    for (size_t i = 0; i < N_ELEMENTS(walks); i++) {
        print_message("  %s\n", walks[i].path);
        assert_int_equal(trust_walk(t.fd, walks[i].path, &where, &err), 0);
        assert_string_equal(where.path, walks[i].expect);
        assert_int_equal(where.exists, walks[i].exists);
    }
    assert_int_equal(trust_walk(t.fd, "run/a", &where, &err), -EINVAL);
    tree_remove(&t);
}

/* The socket and every folder but one are root's alone; that one may be written by its group or by
 * everybody. */
static void a_folder_that_others_write_is_refused(void **state)
{
    static const mode_t modes[] = {0775, 0757, 0777, 01777, 0720};
    struct trusted where;
    struct err err = {0};
    struct tree t;

    (void)state;
    tree_make(&t);
    tree_put(&t, &(struct tree_thing){"run/a/s", TREE_SOCKET, 0});
    for (size_t i = 0; i < N_ELEMENTS(modes); i++) {
        assert_int_equal(fchmodat(t.fd, "run", modes[i], 0), 0);
        assert_int_equal(trust_walk(t.fd, "/run/a/s", &where, &err), -EPERM);
        assert_string_equal(err.text, "others than root can write the folder /run");
    }
    assert_int_equal(fchmodat(t.fd, "run", 0755, 0), 0);
    assert_int_equal(trust_walk(t.fd, "/run/a/s", &where, &err), 0);
    assert_true(where.exists);
    tree_remove(&t);
}

/* Likewise a file that is read: its own mode, and that of the folder that it is in. */
static void a_file_that_others_write_is_refused(void **state)
{
    static const struct {
        mode_t folder, file;
        int rc;
    } cases[] = {
        {0755, 0644, 0},      {0700, 0400, 0},      {0755, 0664, -EPERM},
        {0755, 0646, -EPERM}, {0775, 0644, -EPERM}, {0757, 0644, -EPERM},
    };
    struct tree t;

    (void)state;
    tree_make(&t);
    tree_put(&t, &(struct tree_thing){"etc/crictl.yaml", "text", 0});
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        CLEANUP(buf_free) struct buf b = {0};
        struct err err = {0};

        assert_int_equal(fchmodat(t.fd, "etc", cases[i].folder, 0), 0);
        assert_int_equal(fchmodat(t.fd, "etc/crictl.yaml", cases[i].file, 0), 0);
        assert_int_equal(trust_read(t.fd, "/etc/crictl.yaml", 100, &b, &err), cases[i].rc);
        assert_true(str_is((struct str){b.p, b.n}, cases[i].rc ? "" : "text"));
    }
    tree_remove(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_are_followed_inside_the_root),
        cmocka_unit_test(a_folder_of_another_owner_is_refused),
        cmocka_unit_test(a_folder_that_others_write_is_refused),
        cmocka_unit_test(a_file_that_others_write_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
