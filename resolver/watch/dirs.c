/* The directories where containers' cgroups come and go.
 *
 * A container's directory appears in its pod's, a pod's in one of the kubelet's. inotify works on
 * cgroup file systems, but a removed directory says nothing itself (no IN_IGNORED), and one of the
 * same name that is made later is another: so after every look the watches are taken anew. The
 * kernel gives the same number for a directory that is watched already; numbers that do not come up
 * any more are dropped. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "cri/runtimes.h"
#include "resolver/cgroup/shapes.h"
#include "resolver/watch/impl.h"

enum { DIRS_MOST = 8192 };

struct numbers {
    int *all;
    size_t n, cap;
};

static int add_number(struct numbers *set, int wd)
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

static void cannot_watch(struct podpid_watch *w, int errnum)
{
    if (errnum != ENOENT && errnum != ENODEV) { /* not gone by now */
        w->lost.dirs = errnum;
    }
}

/* One that cannot be watched (max_user_watches used up) is left to the other sources; one that is
 * gone by now is no loss. fd: negative errno where it could not be opened. */
static int watch_dir(struct podpid_watch *w, int fd, struct numbers *set)
{
    char link[32];
    int wd;

    if (fd < 0) {
        cannot_watch(w, -fd);
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
        cannot_watch(w, errno);
        return 0;
    }
    return add_number(set, wd);
}

static bool is_pod(const char *name)
{
    struct kubepods_name kubepods;
    struct str uid;

    return (kubepods_name_parse(str_of(name), &kubepods) && kubepods.uid.n) ||
           pod_dir_parse(str_of(name), &uid);
}

/* A directory with pods in it, and those pods: one that has no container yet is in no look. */
static int watch_pods(struct podpid_watch *w, const char *path, struct dir_reader *dir,
                      struct numbers *set)
{
    AUTO_CLOSE int fd = cgroup_ids_open_dir(w->cgroups, path);
    struct dir_entry entry;
    int rc = watch_dir(w, fd, set);

    dir->fd = fd;
    dir->pos = dir->len = 0;
    while (fd >= 0 && rc == 0 && w->lost.dirs != LOST_TOO_MANY && dir_next(dir, &entry) > 0) {
        if (entry.type == DT_DIR && is_pod(entry.name)) {
            AUTO_CLOSE int pod =
                openat(fd, entry.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

            rc = watch_dir(w, pod < 0 ? -errno : pod, set);
        }
    }
    return rc;
}

static int by_text(const void *pa, const void *pb)
{
    return strcmp(*(const char *const *)pa, *(const char *const *)pb);
}

struct paths {
    struct arena arena;
    const char **all;
    size_t n, cap;
};

static int add_path(struct paths *p, struct str path)
{
    void *all = p->all;
    int rc = path.n ? arena_grow(&p->arena, &all, p->n, &p->cap, sizeof(*p->all)) : 0;

    if (rc < 0 || path.n == 0) {
        return rc;
    }
    p->all = all;
    p->all[p->n] = arena_strndup(&p->arena, path.p, path.n);
    return p->all[p->n++] ? 0 : -ENOMEM;
}

/* Where pods are: the kubelet's usual directories, there or not, and where the containers of the
 * look have theirs. A pod's own directory that does not look like one is watched by its name. */
static int gather(struct podpid_watch *w, struct paths *p)
{
    static const char *const kubelets[] = {"/",
                                           "/kubepods",
                                           "/kubepods/besteffort",
                                           "/kubepods/burstable",
                                           "/kubepods.slice",
                                           "/kubepods.slice/kubepods-besteffort.slice",
                                           "/kubepods.slice/kubepods-burstable.slice"};
    const struct podpid_runtime *r = podpid_snapshot_runtime(w->now.full);
    const char *const *runtimes =
        runtime_find(r ? r->name : NULL, r ? r->api : NULL)->cgroup_folders;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < N_ELEMENTS(kubelets); i++) {
        rc = add_path(p, str_of(kubelets[i]));
    }
    for (size_t i = 0; rc == 0 && runtimes[i]; i++) {
        rc = add_path(p, str_of(runtimes[i]));
    }
    for (size_t i = 0; rc == 0 && i < w->now.full->n_pods; i++) {
        const struct podpid_pod *pod = w->now.full->pods[i];
        struct str path = {0};

        for (size_t k = 0; k < pod->n_containers && !path.n; k++) {
            path = path_parent(str_of(pod->containers[k]->cgroup_path));
        }
        if (!path.n || !pod->uid) {
            continue;
        }
        rc = add_path(p, path_parent(path));
        if (rc == 0) {
            struct str name = path_last(path);
            AUTO_FREE char *own = strndup(name.p, name.n);

            rc = own ? 0 : -ENOMEM;
            if (own && !is_pod(own)) {
                rc = add_path(p, path);
            }
        }
    }
    if (rc == 0) {
        qsort(p->all, p->n, sizeof(*p->all), by_text);
    }
    return rc;
}

static int watch_all(struct podpid_watch *w, const struct paths *p, struct numbers *set)
{
    AUTO_FREE struct dir_reader *dir = calloc(1, sizeof(*dir));
    int rc = dir ? 0 : -ENOMEM;

    for (size_t i = 0; rc == 0 && i < p->n; i++) {
        if (i == 0 || strcmp(p->all[i], p->all[i - 1]) != 0) {
            rc = watch_pods(w, p->all[i], dir, set);
        }
    }
    return rc;
}

static int by_number(const void *pa, const void *pb)
{
    int a = *(const int *)pa, b = *(const int *)pb;

    return a < b ? -1 : a > b;
}

static void drop_others(struct podpid_watch *w, const struct numbers *set)
{
    for (size_t i = 0; i < w->n_dirs; i++) {
        if (!set->n || !bsearch(&w->dirs[i], set->all, set->n, sizeof(int), by_number)) {
            inotify_rm_watch(w->inotify_fd, w->dirs[i]);
        }
    }
}

/* Tried again at every look: instances may be given back, or their limit raised. */
static void open_inotify(struct podpid_watch *w)
{
    w->lost.inotify = 0;
    w->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (w->inotify_fd < 0) {
        w->lost.inotify = errno;
    } else if (watch_listen_to(w, w->inotify_fd, WATCH_INOTIFY) < 0) {
        w->lost.inotify = errno;
        close(w->inotify_fd);
        w->inotify_fd = -1;
    }
}

int watch_dirs_follow(struct podpid_watch *w)
{
    struct paths paths = {0};
    struct numbers set = {0};
    int rc;

    if (w->cgroups && w->inotify_fd < 0) {
        open_inotify(w);
    }
    if (w->inotify_fd < 0) {
        return 0;
    }
    w->lost.dirs = 0;
    rc = gather(w, &paths);
    if (rc == 0) {
        rc = watch_all(w, &paths, &set);
    }
    arena_free(&paths.arena);
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
    _Alignas(struct inotify_event) char room[16 * 1024];
    bool any = false;
    ssize_t n;

    while ((n = read(w->inotify_fd, room, sizeof(room))) > 0) {
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *e = (const struct inotify_event *)(const void *)(room + at);

            at += (ssize_t)(sizeof(*e) + e->len);
            any = any || (e->mask & (IN_ISDIR | IN_Q_OVERFLOW));
        }
    }
    return any;
}
