/* Paths that only root can have made. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "resolver/node/trust.h"
#include "test/support/tree.h"
#include "test/support/unit.h"

static void folders_of_another_owner(void **state)
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
    for (size_t i = 0; i < sizeof(walks) / sizeof(walks[0]); i++) {
        print_message("  %s\n", walks[i].path);
        assert_int_equal(trust_walk(t.fd, walks[i].path, &where, &err), 0);
        assert_string_equal(where.path, walks[i].expect);
        assert_int_equal(where.exists, walks[i].exists);
    }
    assert_int_equal(trust_walk(t.fd, "run/a", &where, &err), -EINVAL);
    tree_remove(&t);
}

/* A live procfs is refused wherever it is mounted, here by its own name. */
static void the_real_proc_is_refused(void **state)
{
    struct trusted where;
    struct err err = {0};

    (void)state;
    assert_int_equal(trust_walk(AT_FDCWD, "/proc/self/root/run/x", &where, &err), -EPERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_are_followed_inside_the_root),
        cmocka_unit_test(folders_of_another_owner),
        cmocka_unit_test(the_real_proc_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
