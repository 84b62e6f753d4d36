/* Which directories a watch has inotify report on. A scratch folder stands in for the cgroup
 * filesystem: linked with --wrap, so that paths of cgroups are opened in it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resolver/proc/cgroupfs.h"
#include "resolver/watch/impl.h"
#include "test/support/scratch.h"
#include "test/support/snap.h"
#include "test/support/unit.h"

#define UID "6f2f9a52-4bb7-4f0a-9f3e-0c2d1b7a8e11"
#define OTHER_UID "11111111-4bb7-4f0a-9f3e-0c2d1b7a8e11"

static char *root; /* the folder; NULL: no test is running */

int __wrap_cgroupfs_open_dir(const struct cgroupfs *c, const char *path);

int __wrap_cgroupfs_open_dir(const struct cgroupfs *c, const char *path)
{
    char full[512];
    int fd;

    (void)c;
    snprintf(full, sizeof(full), "%s%s", root, path);
    fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return fd < 0 ? -errno : fd;
}

/* ---- The folder ---- */

static void make_dir(const char *path)
{
    char full[512];

    snprintf(full, sizeof(full), "%s%s", root, path);
    for (char *slash = strchr(full + strlen(root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        assert_true(mkdir(full, 0755) == 0 || errno == EEXIST);
        *slash = '/';
    }
    if (mkdir(full, 0755) < 0) {
        fail_msg("mkdir %s: %s", full, strerror(errno));
    }
}

static void remove_dir(const char *path)
{
    char full[512];

    snprintf(full, sizeof(full), "%s%s", root, path);
    assert_int_equal(rmdir(full), 0);
}

/* ---- The watch ---- */

/* A watch whose last look saw a pod (UID) with one container in this cgroup (NULL: no pod at all).
 */
static struct podpid_watch *new_watch(const char *cgroup_path, const struct podpid_runtime *runtime)
{
    static char no_filesystem; /* only its address is used */
    struct podpid_watch *w = calloc(1, sizeof(*w));
    struct podpid_snapshot *s = snap_new();

    assert_non_null(w);
    root = scratch_new();
    w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    assert_true(w->epoll_fd >= 0);
    w->inotify_fd = -1;
    w->cgroups = (struct cgroupfs *)(void *)&no_filesystem;
    w->now.full = s;
    s->runtime = runtime ? runtime : s->runtime;
    if (cgroup_path) {
        struct podpid_pod *pod = snap_pod(s, "prod", "web", UID);

        snap_container(s, pod, "app", snap_id(s, "aa"), 101)->cgroup_path = cgroup_path;
        make_dir(cgroup_path);
    }
    return w;
}

static void free_watch(struct podpid_watch *w)
{
    w->cgroups = NULL;
    podpid_watch_free(w);
    scratch_remove(root);
    root = NULL;
}

static void follow(struct podpid_watch *w)
{
    assert_int_equal(watch_dirs_follow(w), 0);
    assert_int_equal(w->lost.inotify, 0);
    assert_int_equal(w->lost.dirs, 0);
    watch_dirs_read(w);
}

static bool wakes(struct podpid_watch *w, const char *new_dir)
{
    make_dir(new_dir);
    return watch_dirs_read(w);
}

/* ---- Tests ---- */

static void a_new_directory_where_pods_are_wakes_a_look(void **state)
{
    static const struct {
        const char *container; /* the cgroup of the look's container; NULL: the look has none */
        const char *before;    /* made before the watch follows; NULL: nothing */
        const char *new_dir;
        bool wakes;
    } cases[] = {
        /* where the kubelet makes pods, although no pod was seen there */
        {NULL, NULL, "/kubepods", true},
        {NULL, "/kubepods", "/kubepods/burstable", true},
        {NULL, "/kubepods/burstable", "/kubepods/burstable/pod" UID, true},
        {NULL, "/kubepods.slice/kubepods-besteffort.slice",
         "/kubepods.slice/kubepods-besteffort.slice/x", true},
        /* in a pod that has no container yet */
        {NULL, "/kubepods/pod" UID, "/kubepods/pod" UID "/c1", true},
        /* beside the look's container, and beside its pod */
        {"/own/pod" UID "/c1", NULL, "/own/pod" UID "/c2", true},
        {"/own/pod" UID "/c1", NULL, "/own/pod" OTHER_UID, true},
        {"/own/pod" UID "/c1", "/own/pod" OTHER_UID, "/own/pod" OTHER_UID "/c1", true},
        /* in a pod's directory whose name does not tell that it is one */
        {"/own/web/c1", NULL, "/own/web/c2", true},
        {"/web/c1", NULL, "/web/c2", true},
        /* Nothing of these is a pod's or a container's. What is inside a container is not watched
         * either: its processes could wake a look whenever they like. */
        {"/own/pod" UID "/c1", NULL, "/own/pod" UID "/c1/inner", false},
        {"/own/pod" UID "/c1", "/own/other", "/own/other/c1", false},
        {"/own/pod" UID "/c1", "/elsewhere", "/elsewhere/pod" UID, false},
        {NULL, "/system.slice", "/system.slice/docker-x.scope", false},
    };

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        struct podpid_watch *w = new_watch(cases[i].container, NULL);

        if (cases[i].before) {
            make_dir(cases[i].before);
        }
        follow(w);
        if (wakes(w, cases[i].new_dir) != cases[i].wakes) {
            fail_msg("%s: %s", cases[i].new_dir, cases[i].wakes ? "wakes no look" : "wakes a look");
        }
        free_watch(w);
    }
}

static void dockers_directories_are_watched_for_docker(void **state)
{
    static const struct podpid_runtime docker = {.name = "docker", .api = "docker"};
    struct podpid_watch *w = new_watch(NULL, &docker);

    (void)state;
    make_dir("/docker");
    make_dir("/system.slice");
    follow(w);
    assert_true(wakes(w, "/docker/c1"));
    assert_true(wakes(w, "/system.slice/docker-c1.scope"));
    free_watch(w);
}

static void a_removed_directory_wakes_a_look_and_a_file_does_not(void **state)
{
    struct podpid_watch *w = new_watch("/kubepods/pod" UID "/c1", NULL);

    (void)state;
    follow(w);
    scratch_puts(root, "kubepods/pod" UID "/file", "x");
    assert_false(watch_dirs_read(w));
    remove_dir("/kubepods/pod" UID "/c1");
    assert_true(watch_dirs_read(w));
    assert_false(watch_dirs_read(w));
    free_watch(w);
}

/* A pod's directory is removed, and another of the same name is made: the next look's directories
 * are watched, and the old one is not any more. */
static void directories_are_watched_anew_after_each_look(void **state)
{
    struct podpid_watch *w = new_watch(NULL, NULL);
    size_t n;

    (void)state;
    make_dir("/kubepods/pod" UID);
    follow(w);
    n = w->n_dirs;
    for (int i = 0; i < 3; i++) {
        remove_dir("/kubepods/pod" UID);
        assert_true(watch_dirs_read(w));
        follow(w);
        assert_int_equal(w->n_dirs, n - 1);
        make_dir("/kubepods/pod" UID);
        assert_true(watch_dirs_read(w));
        follow(w);
        assert_int_equal(w->n_dirs, n);
        assert_true(wakes(w, "/kubepods/pod" UID "/c1"));
        remove_dir("/kubepods/pod" UID "/c1");
        watch_dirs_read(w);
    }
    free_watch(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_directory_where_pods_are_wakes_a_look),
        cmocka_unit_test(dockers_directories_are_watched_for_docker),
        cmocka_unit_test(a_removed_directory_wakes_a_look_and_a_file_does_not),
        cmocka_unit_test(directories_are_watched_anew_after_each_look),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
