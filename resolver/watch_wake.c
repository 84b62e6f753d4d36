/* What wakes a watch: exits, events, cgroups that come and go. */
#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "resolver/pidfds.h"
#include "resolver/watch_impl.h"

static const nsec events_pause =
    30 * NSEC_PER_SEC; /* before an event stream that ended is asked for again */

static int listen_to(struct podpid_watch *w, int fd, uint64_t tag)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = tag};

    return epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

int watch_wake_open(struct podpid_watch *w, struct err *err)
{
    const struct podpid_options *o = w->options.look;
    const char *env = o->no_environment ? NULL : getenv("HOST_PROC");
    int rc = procfs_open(o->proc ? o->proc : env && *env ? env : "/proc", &w->procfs, err);

    if (rc < 0) {
        return rc;
    }
    w->procfs_open = true;
    rc = cgroup_ids_open(&w->procfs, &w->cgroups, err);
    if (rc < 0) {
        return rc;
    }
    /* Without it (max_user_instances used up) the periodic look and the other sources remain. */
    w->inotify_fd = w->cgroups ? inotify_init1(IN_CLOEXEC | IN_NONBLOCK) : -1;
    if (w->inotify_fd >= 0 && listen_to(w, w->inotify_fd, WATCH_INOTIFY) < 0) {
        close(w->inotify_fd);
        w->inotify_fd = -1;
    }
    return 0;
}

void watch_wake_close(struct podpid_watch *w)
{
    client_close(w->events);
    arena_free(&w->events_arena);
    for (size_t i = 0; i < w->n_dirs; i++) {
        free(w->dirs[i].path);
    }
    free(w->dirs);
    if (w->inotify_fd >= 0) {
        close(w->inotify_fd);
    }
    cgroup_ids_close(w->cgroups);
    if (w->procfs_open) {
        procfs_close(&w->procfs);
    }
}

/* ---- Main processes
 * ------------------------------------------------------------------------------ */

void watch_drop_pidfd(struct podpid_watch *w, struct live *l)
{
    if (l->pidfd >= 0) {
        epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, l->pidfd, NULL);
        close(l->pidfd);
        l->pidfd = -1;
    }
}

/* True if all verified ones could be had; one that is gone already needs a look. */
static bool follow_exits(struct podpid_watch *w)
{
    bool all = true;

    for (size_t i = 0; w->procfs.own_pidns && i < w->n_lives; i++) {
        struct live *l = w->lives[i];
        struct podpid_pidfd p;
        struct err err;
        int rc;

        if (l->pidfd >= 0 &&
            (l->pidfd_of != l->row->pid || l->pidfd_start != l->row->start_time_ticks)) {
            watch_drop_pidfd(w, l);
        }
        if (l->pidfd >= 0 || l->row->pid == 0) {
            continue;
        }
        rc = pidfd_open_one(&w->procfs, l->row, &p, &err);
        if (rc == 0) {
            l->pidfd = p.fd;
            l->pidfd_of = l->row->pid;
            l->pidfd_start = l->row->start_time_ticks;
            rc = listen_to(w, l->pidfd, (uint64_t)(uintptr_t)l);
        }
        if (rc < 0) {
            watch_drop_pidfd(w, l);
            all = all && err.kind != ERR_ANSWER;
        }
    }
    return all;
}

/* ---- Directories
 * --------------------------------------------------------------------------------- */

static struct watched_dir *find_dir(const struct podpid_watch *w, const char *path)
{
    for (size_t i = 0; i < w->n_dirs; i++) {
        if (strcmp(w->dirs[i].path, path) == 0) {
            return &w->dirs[i];
        }
    }
    return NULL;
}

static int want_dir(struct podpid_watch *w, const char *path, size_t n)
{
    char name[PATH_MAX];
    struct watched_dir *d;
    int wd;

    if (n == 0 || n >= sizeof(name)) {
        return 0;
    }
    memcpy(name, path, n);
    name[n] = '\0';
    d = find_dir(w, name);
    if (d) {
        d->wanted = true;
        return 0;
    }
    wd = cgroup_ids_watch(w->cgroups, w->inotify_fd, name,
                          IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR);
    if (wd < 0) {
        return 0;
    }
    if (w->n_dirs == w->cap_dirs) {
        size_t cap = w->cap_dirs ? w->cap_dirs * 2 : 32;
        struct watched_dir *more = realloc(w->dirs, cap * sizeof(*more));

        if (!more) {
            return -ENOMEM;
        }
        w->dirs = more;
        w->cap_dirs = cap;
    }
    d = &w->dirs[w->n_dirs];
    *d = (struct watched_dir){.path = strdup(name), .wd = wd, .wanted = true};
    if (!d->path) {
        return -ENOMEM;
    }
    w->n_dirs++;
    return 0;
}

static size_t parent(const char *path, size_t n)
{
    while (n > 0 && path[n - 1] != '/') {
        n--;
    }
    return n > 1 ? n - 1 : 0;
}

/* A container's directory appears in its pod's, a pod's in its parent; where there is no pod yet,
 * where the kubelet puts them. A removed directory says nothing itself: its watch goes when nobody
 * wants it any more. */
static int follow_dirs(struct podpid_watch *w)
{
    static const char *const usual[] = {"/kubepods",
                                        "/kubepods/besteffort",
                                        "/kubepods/burstable",
                                        "/kubepods.slice",
                                        "/kubepods.slice/kubepods-besteffort.slice",
                                        "/kubepods.slice/kubepods-burstable.slice",
                                        "/docker",
                                        "/system.slice"};
    const struct podpid_runtime *r = podpid_snapshot_runtime(w->now.full);
    bool docker = r && r->api && strcmp(r->api, "docker") == 0;
    size_t kept = 0;

    for (size_t i = 0; i < w->n_dirs; i++) {
        w->dirs[i].wanted = false;
    }
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]) - (docker ? 0 : 2); i++) {
        if (want_dir(w, usual[i], strlen(usual[i])) < 0) {
            return -ENOMEM;
        }
    }
    for (size_t i = 0; i < w->now.full->n_pods; i++) {
        const struct podpid_pod *p = w->now.full->pods[i];
        const char *path = NULL;
        size_t n;

        for (size_t k = 0; k < p->n_containers && !path; k++) {
            path = p->containers[k]->cgroup_path;
        }
        if (!path || !p->sandbox_id) {
            continue;
        }
        n = parent(path, strlen(path));
        if (want_dir(w, path, n) < 0 || want_dir(w, path, parent(path, n)) < 0) {
            return -ENOMEM;
        }
    }
    for (size_t i = 0; i < w->n_dirs; i++) {
        if (w->dirs[i].wanted) {
            w->dirs[kept++] = w->dirs[i];
        } else {
            inotify_rm_watch(w->inotify_fd, w->dirs[i].wd);
            free(w->dirs[i].path);
        }
    }
    w->n_dirs = kept;
    return 0;
}

/* The kernel drops a watch with its directory: one of the same path must be watched anew. */
static void forget_dir(struct podpid_watch *w, int wd)
{
    for (size_t i = 0; i < w->n_dirs; i++) {
        if (w->dirs[i].wd == wd) {
            free(w->dirs[i].path);
            w->dirs[i] = w->dirs[--w->n_dirs];
            return;
        }
    }
}

static void forget_child(struct podpid_watch *w, int wd, const char *name)
{
    for (size_t i = 0; i < w->n_dirs; i++) {
        size_t n = strlen(w->dirs[i].path);
        char path[PATH_MAX];
        struct watched_dir *child;

        if (w->dirs[i].wd != wd || n + strlen(name) + 2 > sizeof(path)) {
            continue;
        }
        memcpy(path, w->dirs[i].path, n);
        path[n] = '/';
        memcpy(path + n + 1, name, strlen(name) + 1);
        child = find_dir(w, path);
        if (child) {
            inotify_rm_watch(w->inotify_fd, child->wd);
            forget_dir(w, child->wd);
        }
        return;
    }
}

bool watch_read_inotify(struct podpid_watch *w)
{
    _Alignas(struct inotify_event) char room[16 * 1024];
    bool any = false;
    ssize_t n;

    while ((n = read(w->inotify_fd, room, sizeof(room))) > 0) {
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *e = (const struct inotify_event *)(const void *)(room + at);

            at += (ssize_t)(sizeof(*e) + e->len);
            if (e->mask & IN_IGNORED) {
                forget_dir(w, e->wd);
                continue;
            }
            any = any || (e->mask & (IN_ISDIR | IN_Q_OVERFLOW));
            if (e->len && (e->mask & (IN_DELETE | IN_MOVED_FROM)) && (e->mask & IN_ISDIR)) {
                forget_child(w, e->wd, e->name);
            }
        }
    }
    return any;
}

/* ---- The runtime's events
 * ------------------------------------------------------------------------ */

static void drop_events(struct podpid_watch *w, nsec now)
{
    client_close(w->events);
    w->events = NULL;
    arena_free(&w->events_arena);
    w->events_retry = nsec_after(now, events_pause);
}

static void follow_events(struct podpid_watch *w, nsec now)
{
    const struct podpid_runtime *r = podpid_snapshot_runtime(w->now.full);
    struct endpoint ep;

    if (w->events || now < w->events_retry || !r || !r->endpoint || w->now.full->replay) {
        return;
    }
    w->events_asked = false;
    w->events_retry = nsec_after(now, events_pause);
    if (endpoint_parse(r->endpoint, &ep, NULL) < 0 || client_open(&ep, &w->events, NULL) < 0) {
        w->events = NULL;
        return;
    }
    if (client_get_identity(w->events, &w->events_arena, 0, NULL) < 0 ||
        listen_to(w, client_fd(w->events), WATCH_EVENTS) < 0) {
        drop_events(w, now);
    }
}

bool watch_step_events(struct podpid_watch *w, nsec now)
{
    struct client_reply r;
    bool any = false, lost;

    if (!w->events) {
        return false;
    }
    lost = client_step(w->events, now, NULL) < 0;
    while (client_next(w->events, &r)) {
        switch (r.kind) {
        case CLIENT_IDENTITY:
            /* A runtime that serves none, or whose only channel is the kubelet's: not asked again.
             */
            w->events_asked = r.rc == 0 && client_watch_events(w->events, &r.runtime);
            if (!w->events_asked) {
                drop_events(w, now);
                w->events_retry = NSEC_NEVER;
                return any;
            }
            break;
        case CLIENT_EVENT:
            any = true;
            break;
        case CLIENT_EVENTS_END:
            drop_events(w, now);
            w->events_retry = r.rc < 0 ? NSEC_NEVER : w->events_retry;
            return any;
        default:
            break;
        }
    }
    if (lost) {
        drop_events(w, now);
        w->events_retry = now;
        return true;
    }
    return any;
}

int watch_wake_follow(struct podpid_watch *w, nsec now)
{
    if (!follow_exits(w)) {
        w->look_again = true;
    }
    if (w->inotify_fd >= 0 && follow_dirs(w) < 0) {
        return -ENOMEM;
    }
    follow_events(w, now);
    return 0;
}
