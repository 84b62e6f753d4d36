#include "resolver/node/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "cri/base/text.h"
#include "resolver/proc/procfs.h"

/* As many symbolic links as the kernel follows in one path (MAXSYMLINKS). */
enum { MAX_LINKS = 40 };

struct walk {
    int root;            /* owned */
    int dir;             /* the folder whose path is done; owned */
    uid_t owner;         /* the uid that counts as root */
    char done[PATH_MAX]; /* folders walked so far, "" at the root; holds no link */
    char todo[PATH_MAX]; /* the rest of the path */
    unsigned links;
};

static void walk_close(struct walk *w)
{
    cleanup_close(&w->root);
    cleanup_close(&w->dir);
}

static int open_root(int root_fd)
{
    return root_fd == AT_FDCWD ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)
                               : openat(root_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Whether a path lies in a pod's volume, wherever the kubelet keeps its volumes:
 * .../pods/<uid>/volumes/... The kubelet's usual folder of pods counts as a whole. */
static bool is_in_pod(const char *path)
{
    const char *pods = path;

    if (path_is_below(str_of(path), STR("/var/lib/kubelet/pods"))) {
        return true;
    }
    while ((pods = strstr(pods, "/pods/"))) {
        const char *uid = pods + strlen("/pods/");
        const char *end = strchr(uid, '/');

        if (end && path_is_below(str_of(end), STR("/volumes"))) {
            return true;
        }
        pods = uid;
    }
    return false;
}

static int check_place(const char *path, struct err *err)
{
    if (path_is_below(str_of(path), STR("/proc"))) {
        return err_set(err, ERR_DENIED, EPERM, "it lies below /proc, where any process may put it");
    }
    if (is_in_pod(path)) {
        return err_set(err, ERR_DENIED, EPERM, "it lies in a pod's folder, %s", path);
    }
    return 0;
}

/* Judge the folder in which the next name is looked up. */
static int check_folder(const struct walk *w, struct err *err)
{
    const char *name = *w->done ? w->done : "/";
    struct statfs fs;
    struct stat st;

    if (fstat(w->dir, &st) < 0) {
        return err_set(err, ERR_DENIED, errno, "%s: %s", name, strerror(errno));
    }
    if (st.st_uid != w->owner) {
        return err_set(err, ERR_DENIED, EPERM, "the folder %s is not root's", name);
    }
    if (st.st_mode & (S_IWGRP | S_IWOTH)) {
        return err_set(err, ERR_DENIED, EPERM, "others than root can write the folder %s", name);
    }
    if (fstatfs(w->dir, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC) {
        return err_set(err, ERR_DENIED, EPERM, "it lies in the procfs at %s", name);
    }
    return check_place(name, err);
}

/* Make the folder at w->done the current one. */
static int enter_folder(struct walk *w, struct err *err)
{
    int fd = openat(w->root, *w->done ? w->done + 1 : ".",
                    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0) {
        return err_set(err, ERR_DENIED, errno, "%s: %s", w->done, strerror(errno));
    }
    cleanup_close(&w->dir);
    w->dir = fd;
    return 0;
}

/* Cut the next name off todo; false at the end. */
static bool next_name(struct walk *w, char name[NAME_MAX + 1], int *ret_rc)
{
    size_t skip = strspn(w->todo, "/"), n = strcspn(w->todo + skip, "/");

    *ret_rc = 0;
    if (n == 0) {
        return false;
    }
    if (n > NAME_MAX) {
        *ret_rc = -ENAMETOOLONG;
        return false;
    }
    memcpy(name, w->todo + skip, n);
    name[n] = '\0';
    memmove(w->todo, w->todo + skip + n, strlen(w->todo + skip + n) + 1);
    return true;
}

/* Append "/name"; false: it does not fit. */
static bool append_name(char *path, const char *name)
{
    size_t n = strlen(path), m = strlen(name);

    if (n + 1 + m >= PATH_MAX) {
        return false;
    }
    path[n] = '/';
    memcpy(path + n + 1, name, m + 1);
    return true;
}

/* Put a link's target in front of what is left of the path. */
static int follow_link(struct walk *w, const char *name, struct err *err)
{
    char target[PATH_MAX];
    ssize_t n = readlinkat(w->dir, name, target, sizeof(target) - 1);

    if (n < 0) {
        return err_set(err, ERR_DENIED, errno, "%s/%s: %s", w->done, name, strerror(errno));
    }
    target[n] = '\0';
    if (++w->links > MAX_LINKS || strlen(target) + strlen(w->todo) + 2 > PATH_MAX) {
        return err_set(err, ERR_DENIED, ELOOP, "%s/%s: %s", w->done, name, strerror(ELOOP));
    }
    memmove(w->todo + n, w->todo, strlen(w->todo) + 1);
    memcpy(w->todo, target, (size_t)n);
    if (target[0] == '/') {
        w->done[0] = '\0';
        return enter_folder(w, err);
    }
    return 0;
}

/* 1: go on; 0: the end is reached and ret filled but for its path; or negative errno. */
static int walk_step(struct walk *w, struct trusted *ret, struct err *err)
{
    char name[NAME_MAX + 1];
    int rc;

    if (!next_name(w, name, &rc)) {
        ret->exists = rc == 0 && fstat(w->dir, &ret->st) == 0;
        return rc ? err_set(err, ERR_DENIED, -rc, "%s: %s", w->todo, strerror(-rc)) : 0;
    }
    if (strcmp(name, ".") == 0) {
        return 1;
    }
    if (strcmp(name, "..") == 0) {
        char *slash = strrchr(w->done, '/');

        if (slash) {
            *slash = '\0';
        }
        rc = enter_folder(w, err);
        return rc < 0 ? rc : 1;
    }
    rc = check_folder(w, err);
    if (rc < 0) {
        return rc;
    }
    if (fstatat(w->dir, name, &ret->st, AT_SYMLINK_NOFOLLOW) < 0) {
        if (err_is_shortage(-errno)) {
            return err_set(err, ERR_PROC, errno, "%s/%s: %s", w->done, name, strerror(errno));
        }
        /* The folders so far are root's: only root can make what is missing in them. */
        ret->exists = false;
        return append_name(w->done, name) && (!w->todo[0] || append_name(w->done, w->todo + 1))
                   ? 0
                   : err_set(err, ERR_DENIED, ENAMETOOLONG, "%s", strerror(ENAMETOOLONG));
    }
    if (S_ISLNK(ret->st.st_mode)) {
        rc = follow_link(w, name, err);
        return rc < 0 ? rc : 1;
    }
    if (!append_name(w->done, name)) {
        return err_set(err, ERR_DENIED, ENAMETOOLONG, "%s", strerror(ENAMETOOLONG));
    }
    ret->exists = true;
    if (!w->todo[strspn(w->todo, "/")]) {
        return 0;
    }
    rc = enter_folder(w, err);
    return rc < 0 ? rc : 1;
}

static int walk(struct walk *w, int root_fd, const char *path, struct trusted *ret, struct err *err)
{
    struct stat st;
    int rc;

    *w = (struct walk){.root = open_root(root_fd), .dir = -1};
    if (w->root < 0 || fstat(w->root, &st) < 0) {
        return err_set(err, ERR_DENIED, errno, "/: %s", strerror(errno));
    }
    w->owner = root_fd == AT_FDCWD ? 0 : st.st_uid;
    if (path[0] != '/' || strlen(path) >= sizeof(w->todo)) {
        return err_set(err, ERR_DENIED, EINVAL, "not an absolute path: %s", path);
    }
    memcpy(w->todo, path, strlen(path) + 1);
    *ret = (struct trusted){0};
    rc = enter_folder(w, err);
    if (rc < 0) {
        return rc;
    }
    do {
        rc = walk_step(w, ret, err);
    } while (rc > 0);
    memcpy(ret->path, w->done, sizeof(ret->path));
    /* Of a path that does not exist the last folders were not judged: judge the path as a whole. */
    return rc == 0 ? check_place(ret->path, err) : rc;
}

int trust_walk(int root_fd, const char *path, struct trusted *ret, struct err *err)
{
    CLEANUP(walk_close) struct walk w;
    struct trusted found;
    int rc = walk(&w, root_fd, path, &found, err);

    if (rc == 0) {
        *ret = found;
    }
    return rc;
}

int trust_read(int root_fd, const char *path, size_t max, struct buf *b, struct err *err)
{
    CLEANUP(walk_close) struct walk w;
    struct trusted found;
    int rc = walk(&w, root_fd, path, &found, err);

    if (rc < 0 || !found.exists) {
        return rc < 0 ? rc : -ENOENT;
    }
    if (!S_ISREG(found.st.st_mode)) {
        return err_set(err, ERR_INPUT, EINVAL, "%s: not a regular file", path);
    }
    if (found.st.st_uid != w.owner || (found.st.st_mode & (S_IWGRP | S_IWOTH))) {
        return err_set(err, ERR_DENIED, EPERM, "others than root can write %s", path);
    }
    /* Only root can have put another file there since. */
    rc = procfs_read_file(w.dir, strrchr(w.done, '/') + 1, max, b);
    return rc < 0 ? err_set(err, ERR_INPUT, -rc, "%s: %s", path, strerror(-rc)) : 0;
}
