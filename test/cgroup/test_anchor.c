/* Anchors: the paths that a cgroupsPath stands for, and which cgroups are the anchor or below it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "resolver/cgroup/anchor.h"
#include "resolver/cgroup/facts.h"
#include "resolver/cgroup/line.h"
#include "resolver/cgroup/path.h"
#include "test/support/unit.h"

#define A16 "0123456789abcdef"
#define A64 A16 A16 A16 A16
#define B16 "fedcba9876543210"
#define B64 B16 B16 B16 B16
#define POD "kubepods-burstable-pod8d8c8254_4248_4f53_905f_4307e4cdc100.slice"
#define PODS "/kubepods.slice/kubepods-burstable.slice/" POD
#define SYSTEMD POD ":cri-containerd:" A64
#define CGROUPFS "/kubepods/burstable/pod8d8c8254-4248-4f53-905f-4307e4cdc100/" A64

static const struct {
    const char *cgroups_path;
    const char *first, *second; /* NULL: no such path */
} parsed[] = {
    {CGROUPFS, CGROUPFS, NULL},
    {SYSTEMD, PODS "/cri-containerd-" A64 ".scope", "/" SYSTEMD},
    {"a.slice:crio:" A64, "/a.slice/crio-" A64 ".scope", "/a.slice:crio:" A64},
    {"a-b-c.slice:p:x", "/a.slice/a-b.slice/a-b-c.slice/p-x.scope", "/a-b-c.slice:p:x"},
    {"-.slice:docker:" A64, "/docker-" A64 ".scope", "/-.slice:docker:" A64},
    {":docker:" A64, "/system.slice/docker-" A64 ".scope", "/:docker:" A64},
    {"system.slice::" A64, "/system.slice/" A64 ".scope", "/system.slice::" A64},
    {"a.slice:docker:a-b.slice", "/a.slice/a-b.slice", "/a.slice:docker:a-b.slice"},
    /* No slice's name: the systemd driver refuses it, so only the literal path is possible. */
    {"nothing:docker:x", "/nothing:docker:x", NULL},
    {"a--b.slice:docker:x", "/a--b.slice:docker:x", NULL},
    {"-a.slice:docker:x", "/-a.slice:docker:x", NULL},
    {"a-.slice:docker:x", "/a-.slice:docker:x", NULL},
    {".slice:docker:x", "/.slice:docker:x", NULL},
    {"--.slice:docker:x", "/--.slice:docker:x", NULL},
    /* Plain paths are normalised. */
    {"/a/b/", "/a/b", NULL},
    {"//a///b//", "/a/b", NULL},
    {"/a/./b/.", "/a/b", NULL},
    {"/a/.../b", "/a/.../b", NULL},
    {"/a:b:c", "/a:b:c", NULL},
    {"/default/web server", "/default/web server", NULL},
    /* No usable path. */
    {NULL, NULL, NULL},
    {"", NULL, NULL},
    {"/", NULL, NULL},
    {"///", NULL, NULL},
    {"/./.", NULL, NULL},
    {"/..", NULL, NULL},
    {"/a/../b", NULL, NULL},
    {"/a/..", NULL, NULL},
    {"../a", NULL, NULL},
    {"a/b", NULL, NULL},
    {"a", NULL, NULL},
    {"a.slice:docker", NULL, NULL},
    {"a.slice:docker:", NULL, NULL},
    {"a.slice:docker:x:y", NULL, NULL},
    {"a.slice:docker:../x", NULL, NULL},
    {"a.slice:do/cker:x", NULL, NULL},
    {"a/b.slice:docker:x", NULL, NULL},
    {"::", NULL, NULL},
};

static bool path_is(const struct anchor *anchor, unsigned i, const char *want)
{
    if (!want) {
        return anchor->n_paths <= i;
    }
    return anchor->n_paths > i && strcmp(anchor->paths[i], want) == 0;
}

static void cgroups_path_is_expanded_and_normalised(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(parsed); i++) {
        struct arena a = {0};
        struct anchor anchor;

        assert_int_equal(anchor_parse(parsed[i].cgroups_path, &a, &anchor), 0);
        if (!path_is(&anchor, 0, parsed[i].first) || !path_is(&anchor, 1, parsed[i].second)) {
            fail_msg("%s gives %u: %s, %s", parsed[i].cgroups_path, anchor.n_paths,
                     anchor.n_paths > 0 ? anchor.paths[0] : "-",
                     anchor.n_paths > 1 ? anchor.paths[1] : "-");
        }
        arena_free(&a);
    }
}

static const struct {
    const char *cgroups_path, *path;
    bool holds;
} held[] = {
    {CGROUPFS, CGROUPFS, true},
    {CGROUPFS, CGROUPFS "/init.scope", true},
    {CGROUPFS, CGROUPFS "/a/b/c", true},
    {CGROUPFS, CGROUPFS "/", true},
    {CGROUPFS, CGROUPFS "x", false},
    {CGROUPFS, CGROUPFS ".scope", false},
    {CGROUPFS, "/kubepods/burstable/pod8d8c8254-4248-4f53-905f-4307e4cdc100", false},
    {CGROUPFS, "/", false},
    {CGROUPFS, "", false},
    {"/a/b", "/a/bc", false},
    {"/a/b", "/a/b/c", true},
    {"/a/b", "/a", false},
    {"/a/b", "/b", false},
    {"/a/b", "/a/b/..", true},
    {"/a/b", "a/b", false},
    {"/a/b", "/x/a/b", false},
    {"/", "/anything", false},
    {NULL, "/anything", false},
    {SYSTEMD, PODS "/cri-containerd-" A64 ".scope", true},
    {SYSTEMD, PODS "/cri-containerd-" A64 ".scope/container", true},
    {SYSTEMD, PODS "/cri-containerd-" A64 ".scope2", false},
    {SYSTEMD, PODS "/crio-" A64 ".scope", false},
    {SYSTEMD, PODS "/cri-containerd-" B64 ".scope", false},
    {SYSTEMD, PODS "/crio-conmon-" A64 ".scope", false},
    /* The container's name at another place, forged by a container or a user. */
    {SYSTEMD, PODS "/cri-containerd-" B64 ".scope/cri-containerd-" A64 ".scope", false},
    {SYSTEMD, PODS "/cri-containerd-" B64 ".scope/" A64, false},
    {SYSTEMD, PODS "/cri-containerd-" B64 ".scope" PODS "/cri-containerd-" A64 ".scope", false},
    {SYSTEMD, "/docker/" B64 "/" A64, false},
    {SYSTEMD, "/user.slice/user-1000.slice/user@1000.service/docker-" A64 ".scope", false},
    {SYSTEMD, "/user.slice/user-1000.slice/user@1000.service" PODS "/cri-containerd-" A64 ".scope",
     false},
    /* The literal path of a misconfigured runtime. */
    {SYSTEMD, "/" SYSTEMD, true},
    {SYSTEMD, "/" SYSTEMD "/sub", true},
    {SYSTEMD, "/" SYSTEMD "x", false},
    {SYSTEMD, "/system.slice/containerd.service/" SYSTEMD, true},
    {SYSTEMD, "/system.slice/containerd.service/" SYSTEMD "/sub", true},
    {SYSTEMD, "/system.slice/containerd.service/x" SYSTEMD, false},
    {SYSTEMD, "/system.slice/containerd.service/" POD ":cri-containerd:" B64 "/" SYSTEMD, false},
    {SYSTEMD, "/docker/" B64 "/" SYSTEMD, false},
    {SYSTEMD, "/user.slice/user-1000.slice/user@1000.service/" SYSTEMD, false},
    {"system.slice:docker:" A64, "/user.slice/user-1000.slice/system.slice:docker:" A64, false},
    {"system.slice:docker:" A64, "/../../user.slice/x/system.slice:docker:" A64, false},
    {"system.slice:docker:" A64, "/system.slice/docker.service/system.slice:docker:" A64, true},
    {"a.slice:docker:x", "/a.slice:docker:x", true},
    {"a.slice:docker:x", "/system.slice/a.slice:docker:x", false}, /* not shaped like a container */
    /* Seen from another cgroup namespace. */
    {CGROUPFS, "/../" A64, true},
    {CGROUPFS, "/../" A64 "/sub", true},
    {CGROUPFS, "/../../pod8d8c8254-4248-4f53-905f-4307e4cdc100/" A64, true},
    {CGROUPFS, "/../../../burstable/pod8d8c8254-4248-4f53-905f-4307e4cdc100/" A64, true},
    {CGROUPFS, "/../../../.." CGROUPFS, true},
    {CGROUPFS, "/../../../../x" CGROUPFS, false},
    {CGROUPFS, "/../pod8d8c8254-4248-4f53-905f-4307e4cdc100", false},
    {CGROUPFS, "/../" A64 "x", false},
    {CGROUPFS, "/../" B64 "/" A64, false},
    {CGROUPFS, "/../../pod00000000-4248-4f53-905f-4307e4cdc100/" A64, false},
    {CGROUPFS, "/..", false},
    {CGROUPFS, "/../", false},
    {CGROUPFS, "/../..", false},
    {CGROUPFS, "/..." CGROUPFS, false},
    {CGROUPFS, "/..x/" A64, false},
    {CGROUPFS, "/" A64, false},
    {SYSTEMD, "/../cri-containerd-" A64 ".scope", true},
    {SYSTEMD, "/../" SYSTEMD, true},
    {SYSTEMD, "/../../system.slice/containerd.service/" SYSTEMD, true},
    {SYSTEMD, "/../../user.slice/user-1000.slice/cri-containerd-" A64 ".scope", false},
    /* anchor_holds() cuts no " (deleted)" off: "x (deleted)" can be the name of a live cgroup. */
    {CGROUPFS, CGROUPFS " (deleted)", false},
};

static void only_cgroups_at_or_below_the_anchor_are_held(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(held); i++) {
        struct arena a = {0};
        struct anchor anchor;

        assert_int_equal(anchor_parse(held[i].cgroups_path, &a, &anchor), 0);
        if (anchor_holds(&anchor, str_of(held[i].path)) != held[i].holds) {
            fail_msg("%s %s %s", held[i].cgroups_path, held[i].holds ? "does not hold" : "holds",
                     held[i].path);
        }
        arena_free(&a);
    }
    assert_false(anchor_holds(&(struct anchor){0}, (struct str){NULL, 0}));
}

static void removed_cgroup_is_held_by_its_old_path(void **state)
{
    struct arena a = {0};
    struct anchor anchor;
    struct cgroup_line l;

    (void)state;
    assert_int_equal(anchor_parse(CGROUPFS, &a, &anchor), 0);
    assert_true(cgroup_line_parse(STR("0::" CGROUPFS " (deleted)"), &l));
    assert_true(l.deleted);
    assert_true(anchor_holds(&anchor, l.path));
    assert_true(cgroup_line_parse(STR("0::" CGROUPFS "\r"), &l));
    assert_false(anchor_holds(&anchor, l.path));
    assert_true(cgroup_line_parse(STR("0::" CGROUPFS "/a (deleted)"), &l));
    assert_true(anchor_holds(&anchor, l.path));
    assert_true(cgroup_line_parse(STR("0::" CGROUPFS " (deleted) (deleted)"), &l));
    assert_false(anchor_holds(&anchor, l.path));
    arena_free(&a);
}

static void long_paths_are_refused_or_compared_quickly(void **state)
{
    struct arena a = {0};
    struct anchor anchor;
    AUTO_FREE char *path = malloc(1 << 20);

    (void)state;
    assert_non_null(path);
    for (size_t n = 4090; n < 4100; n++) {
        memset(path, 'a', n);
        path[0] = '/';
        path[n] = '\0';
        assert_int_equal(anchor_parse(path, &a, &anchor), 0);
        assert_int_equal(anchor.n_paths, n <= 4095);
    }
    /* An anchor of 500 components, against a tail of half a million: comparing all pairs would
     * hang. */
    for (size_t i = 0; i < 1000; i++) {
        path[i] = i % 2 ? 'a' : '/';
    }
    path[1000] = '\0';
    assert_int_equal(anchor_parse(path, &a, &anchor), 0);
    memcpy(path, "/..", 3);
    for (size_t i = 3; i < 1 << 20; i++) {
        path[i] = i % 2 ? '/' : 'a';
    }
    assert_true(anchor_holds(&anchor, (struct str){path, 1 << 20}));
    path[4] = 'b';
    assert_false(anchor_holds(&anchor, (struct str){path, 1 << 20}));
    arena_free(&a);
}

static void root_of_the_node_is_cut_off(void **state)
{
    static const struct {
        const char *path, *root, *want;
    } cases[] = {
        {"/docker/x/kubepods/p", "/docker/x", "/kubepods/p"},
        {"/docker/x", "/docker/x", "/"},
        {"/docker/xy", "/docker/x", "/docker/xy"},
        {"/docker", "/docker/x", "/docker"},
        {"/a", NULL, "/a"},
        {"/docker/x/docker/x/y", "/docker/x", "/docker/x/y"},
    };

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        assert_true(
            str_is(cgroup_strip_root(str_of(cases[i].path), str_of(cases[i].root)), cases[i].want));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cgroups_path_is_expanded_and_normalised),
        cmocka_unit_test(only_cgroups_at_or_below_the_anchor_are_held),
        cmocka_unit_test(removed_cgroup_is_held_by_its_old_path),
        cmocka_unit_test(long_paths_are_refused_or_compared_quickly),
        cmocka_unit_test(root_of_the_node_is_cut_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
