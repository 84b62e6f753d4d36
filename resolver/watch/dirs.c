/* The directories in which containers' cgroups are made and removed.
 *
 * A container's cgroup is made in its pod's, a pod's in one of the kubelet's. inotify works on
 * cgroup filesystems, but reports nothing when a watched directory itself is removed (no
 * IN_IGNORED), and a new directory of the same name is another one. So after every look all
 * directories are watched anew: inotify gives the same watch descriptor for a directory that it
 * watches already, and watch descriptors that it did not give again are dropped. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "resolver/cgroup/shapes.h"
#include "resolver/proc/cgroupfs.h"
#include "resolver/watch/impl.h"

enum {
    /* Directories that are watched at most: one a pod, so far more than a node has pods (110 by the
     * kubelet's default), and still no more than Linux allowed a user before 5.11. */
    DIRS_MOST = 8192,
    /* Bytes of inotify reports that are read at once. */
    REPORTS_SIZE = 16 * 1024
};

/* ---- Watch descriptors ----------------------------------------------------------------------- */

struct descriptors {
    int *all;
    size_t n, cap;
};

static int add_descriptor(struct descriptors *set, int wd)
{
    if (set->n == set->cap) {
        size_t cap = set->cap ? set->cap * 2 : 64;
        int *more = realloc(set->all, cap * sizeof(*more));

        if (!more) {
            return -ENOMEM;
        }
        set->all = more;
        set->cap = cap;
    }
    set->all[set->n++] = wd;
    return 0;
}

static int by_number(const void *pa, const void *pb)
{
    int a = *(const int *)pa, b = *(const int *)pb;

    return a < b ? -1 : a > b;
}

/* ---- Watching -------------------------------------------------------------------------------- */

/* A directory that is gone by now is no loss. */
static void note_loss(struct podpid_watch *w, int errnum)
{
    if (errnum != ENOENT && errnum != ENODEV) {
        w->lost.dirs = errnum;
    }
}

/* Watch the directory that fd is open for; a negative fd is the negative errno of opening it. 0 or
 * -ENOMEM; a directory that cannot be watched is noted in lost. */
static int watch_dir(struct podpid_watch *w, int fd, struct descriptors *set)
{
    char link[32];
    int wd;

    if (fd < 0) {
        note_loss(w, -fd);
        return 0;
    }
    if (set->n == DIRS_MOST) {
        w->lost.dirs = LOST_TOO_MANY;
        return 0;
    }
    /* There is no inotify_add_watchat(2). */
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    wd = inotify_add_watch(w->inotify_fd, link,
                           IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR);
    if (wd < 0) {
        note_loss(w, errno);
        return 0;
    }
    return add_descriptor(set, wd);
}

static bool is_pod_name(struct str name)
{
    struct kubepods_name kubepods;
    struct str uid;

    return (kubepods_name_parse(name, &kubepods) && kubepods.uid.n) || pod_dir_parse(name, &uid);
}

/* Watch a directory and the pods' directories in it. They are found by name, because a pod without
 * a container is in no look. */
static int watch_with_pods(struct podpid_watch *w, const char *path, struct dir_reader *dir,
                           struct descriptors *set)
{
    AUTO_CLOSE int fd = cgroupfs_open_dir(w->cgroups, path);
    struct dir_entry entry;
    int more = 0, rc = watch_dir(w, fd, set);

    dir->fd = fd;
    dir->pos = dir->len = 0;
    while (fd >= 0 && rc == 0 && w->lost.dirs != LOST_TOO_MANY &&
           (more = dir_next(dir, &entry)) > 0) {
        if (entry.type == DT_DIR && is_pod_name(str_of(entry.name))) {
            AUTO_CLOSE int pod =
                openat(fd, entry.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

            rc = watch_dir(w, pod < 0 ? -errno : pod, set);
        }
    }
    if (more < 0) {
        note_loss(w, -more);
    }
    return rc;
}

/* ---- Which directories ----------------------------------------------------------------------- */

/* Where the kubelet's cgroup drivers (cgroupfs, systemd) put pods. */
static const char *const kubelet_dirs[] = {"/",
                                           "/kubepods",
                                           "/kubepods/besteffort",
                                           "/kubepods/burstable",
                                           "/kubepods.slice",
                                           "/kubepods.slice/kubepods-besteffort.slice",
                                           "/kubepods.slice/kubepods-burstable.slice"};

static int by_text(const void *pa, const void *pb)
{
    return strcmp(*(const char *const *)pa, *(const char *const *)pb);
}

/* The directory of the pod's first container whose cgroup is known; none without one. */
static struct str pod_dir(const struct podpid_pod *pod)
{
    struct str dir = {0};

    for (size_t i = 0; i < pod->n_containers && !dir.n; i++) {
        dir = path_parent(str_of(pod->containers[i]->cgroup_path));
    }
    return dir;
}

/* The directory that holds the pod's, and the pod's own if its name does not tell that it is a
 * pod's. */
static int add_pod(struct texts *paths, struct arena *a, const struct podpid_pod *pod)
{
    struct str dir = pod_dir(pod), above = path_parent(dir);
    const char *own = dir.n ? arena_strndup(a, dir.p, dir.n) : NULL;
    int rc = 0;

    if (!dir.n || !pod->uid) {
        return 0;
    }
    if (!own) {
        return -ENOMEM;
    }
    if (above.n) {
        rc = texts_add(paths, a, arena_strndup(a, above.p, above.n));
    }
    if (rc < 0) {
        return rc;
    }
    return is_pod_name(path_last(dir)) ? 0 : texts_add(paths, a, own);
}

/* The directories of the kubelet and of the runtime, whether they are there or not, and those of
 * the look's pods. Sorted. */
static int collect_paths(const struct podpid_watch *w, struct texts *paths, struct arena *a)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < N_ELEMENTS(kubelet_dirs); i++) {
        rc = texts_add(paths, a, kubelet_dirs[i]);
    }
    for (const char *const *dir = watch_runtime(w)->cgroup_folders; rc == 0 && *dir; dir++) {
        rc = texts_add(paths, a, *dir);
    }
    if (rc < 0) {
        return rc;
    }
    for (size_t i = 0; i < w->now.full->n_pods; i++) {
        rc = add_pod(paths, a, w->now.full->pods[i]);
        if (rc < 0) {
            return rc;
        }
    }
    qsort(paths->items, paths->n, sizeof(*paths->items), by_text);
    return 0;
}

static int watch_all(struct podpid_watch *w, struct descriptors *set)
{
    CLEANUP(arena_free) struct arena arena = {0};
    AUTO_FREE struct dir_reader *dir = calloc(1, sizeof(*dir));
    struct texts paths = {0};
    int rc;

    if (!dir) {
        return -ENOMEM;
    }
    rc = collect_paths(w, &paths, &arena);
    for (size_t i = 0; rc == 0 && i < paths.n; i++) {
        if (i == 0 || strcmp(paths.items[i], paths.items[i - 1]) != 0) {
            rc = watch_with_pods(w, paths.items[i], dir, set);
        }
    }
    return rc;
}

static void drop_others(struct podpid_watch *w, const struct descriptors *set)
{
    for (size_t i = 0; i < w->n_dirs; i++) {
        if (!set->n || !bsearch(&w->dirs[i], set->all, set->n, sizeof(int), by_number)) {
            inotify_rm_watch(w->inotify_fd, w->dirs[i]);
        }
    }
}

/* Called again at every look until it succeeds: other programs may close instances, and the limit
 * may be raised. */
static void open_inotify(struct podpid_watch *w)
{
    w->lost.inotify = 0;
    w->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (w->inotify_fd < 0) {
        w->lost.inotify = errno;
    } else if (watch_listen(w, w->inotify_fd, WATCH_INOTIFY) < 0) {
        w->lost.inotify = errno;
        close(w->inotify_fd);
        w->inotify_fd = -1;
    }
}

int watch_dirs_follow(struct podpid_watch *w)
{
    struct descriptors set = {0};
    int rc;

    if (w->cgroups && w->inotify_fd < 0) {
        open_inotify(w);
    }
    if (w->inotify_fd < 0) {
        return 0;
    }
    w->lost.dirs = 0;
    rc = watch_all(w, &set);
    if (rc < 0) {
        free(set.all);
        return rc;
    }
    if (set.n) {
        qsort(set.all, set.n, sizeof(int), by_number);
    }
    drop_others(w, &set);
    free(w->dirs);
    w->dirs = set.all;
    w->n_dirs = set.n;
    return 0;
}

bool watch_dirs_read(struct podpid_watch *w)
{
    _Alignas(struct inotify_event) char reports[REPORTS_SIZE];
    bool any = false;
    ssize_t n;

    while ((n = read(w->inotify_fd, reports, sizeof(reports))) > 0) {
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *e =
                (const struct inotify_event *)(const void *)(reports + at);

            at += (ssize_t)(sizeof(*e) + e->len);
            any = any || (e->mask & (IN_ISDIR | IN_Q_OVERFLOW));
        }
    }
    return any;
}

void watch_dirs_close(struct podpid_watch *w)
{
    free(w->dirs);
    if (w->inotify_fd >= 0) {
        close(w->inotify_fd);
    }
}
