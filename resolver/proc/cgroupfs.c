#include "resolver/proc/cgroupfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include "cri/base/cleanup.h"
#include "resolver/proc/mountinfo.h"

/* Limits for the cgroups below one, which a container may have made: what is deeper or more is left
 * out. A Kubernetes node in a container (kind) has some hundreds, less than ten deep. */
enum { DEPTH_MAX = 16, CGROUPS_MAX = 4096, PROCS_TEXT_MAX = 1024 * 1024 /* bytes */ };

struct hierarchy {
    int fd;           /* O_PATH; owned */
    const char *root; /* the cgroup that is mounted; "": the root of the hierarchy */
    bool v2;
};

struct cgroupfs {
    struct arena arena;
    struct hierarchy *all; /* the v2 hierarchy first */
    size_t n, cap;
    bool pids_are_ours; /* the procfs is of our PID namespace, as are cgroup.procs */
};

void cgroupfs_close(struct cgroupfs *c)
{
    if (!c) {
        return;
    }
    for (size_t i = 0; i < c->n; i++) {
        close(c->all[i].fd);
    }
    arena_free(&c->arena);
    free(c);
}

DEFINE_CLEANUP(cgroupfs_close, struct cgroupfs *)

/* Open the mount point, which may have another file system mounted over it by now. A descriptor or
 * a negative errno; -ENODEV: it is no cgroup file system. */
static int open_mount(const char *point)
{
    AUTO_CLOSE int fd = open(point, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct statfs fs;

    if (fd < 0 || fstatfs(fd, &fs) < 0) {
        return -errno;
    }
    if (fs.f_type != CGROUP2_SUPER_MAGIC && fs.f_type != CGROUP_SUPER_MAGIC) {
        return -ENODEV;
    }
    return TAKE_FD(fd);
}

static int add_mount(struct cgroupfs *c, const struct mount_line *m)
{
    AUTO_CLOSE int fd = -1;
    char *root = mountinfo_unescape(&c->arena, m->root);
    char *point = mountinfo_unescape(&c->arena, m->point);
    int rc;

    if (!root || !point) {
        return -ENOMEM;
    }
    fd = open_mount(point);
    if (fd < 0) {
        return err_is_shortage(fd) ? fd : 0;
    }
    rc = ARENA_APPEND(&c->arena, c->all, c->n, c->cap,
                      (struct hierarchy){.fd = fd,
                                         .root = strcmp(root, "/") == 0 ? "" : root,
                                         .v2 = str_is(m->type, "cgroup2")});
    if (rc == 0) {
        fd = -1; /* now owned by the array */
    }
    return rc;
}

static int add_mounts(struct cgroupfs *c, struct str mountinfo, const char *type)
{
    struct str line;

    while (str_next_line(&mountinfo, &line)) {
        struct mount_line m;
        int rc;

        if (!mountinfo_parse(line, &m) || !str_is(m.type, type)) {
            continue;
        }
        rc = add_mount(c, &m);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

int cgroupfs_open(const struct procfs *p, struct cgroupfs **ret, struct err *err)
{
    CLEANUP(cleanup_cgroupfs_close) struct cgroupfs *c = calloc(1, sizeof(*c));
    CLEANUP(buf_free) struct buf b = {0};
    struct str text;
    int rc;

    if (!c) {
        return err_nomem(err);
    }
    rc = p->is_procfs ? procfs_read_mountinfo(p, &b) : 0;
    text = (struct str){b.p, b.n};
    if (!err_is_shortage(rc)) {
        rc = add_mounts(c, text, "cgroup2");
    }
    if (rc == 0) {
        rc = add_mounts(c, text, "cgroup");
    }
    if (rc == -ENOMEM) {
        return err_nomem(err);
    }
    if (rc < 0) {
        return err_set(err, ERR_PROC, -rc, "the cgroup mounts cannot be read: %s", strerror(-rc));
    }
    c->pids_are_ours = p->own_pidns;
    *ret = c->n ? TAKE_PTR(c) : NULL;
    return 0;
}

/* The name of a cgroup relative to the mount, "." for the mount itself; NULL: it is not below the
 * mount. A ".." component leads out of our cgroup namespace: such a path is never opened. */
static const char *name_in_mount(const struct hierarchy *h, const char *path)
{
    size_t n = strlen(h->root);

    if (strncmp(path, h->root, n) != 0 || (path[n] != '/' && path[n] != '\0')) {
        return NULL;
    }
    path += n;
    for (const char *p = path; (p = strstr(p, "/..")); p += 3) {
        if (p[3] == '/' || p[3] == '\0') {
            return NULL;
        }
    }
    path += strspn(path, "/");
    return *path ? path : ".";
}

/* Open a cgroup's directory for reading. A descriptor or a negative errno; -ENOENT: the hierarchy
 * does not have it. */
static int open_cgroup(const struct hierarchy *h, const char *path)
{
    const char *name = name_in_mount(h, path);
    int fd;

    if (!name) {
        return -ENOENT;
    }
    fd = openat(h->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return fd < 0 ? -errno : fd;
}

/* Since Linux 5.5 the inode of a cgroup is its id, all 64 bits of it. */
static bool inode_is_id(void)
{
    struct utsname u;
    unsigned major, minor;

    return uname(&u) == 0 && sscanf(u.release, "%u.%u", &major, &minor) == 2 &&
           (major > 5 || (major == 5 && minor >= 5));
}

/* The id of the cgroup dir_fd/name; *ret is 0 where it is not known. 0, or a negative errno that
 * err_is_shortage(). */
static int read_id(int dir_fd, const char *name, uint64_t *ret)
{
    enum { ID_SIZE = sizeof(uint64_t) };
    _Alignas(struct file_handle) char room[sizeof(struct file_handle) + ID_SIZE];
    struct file_handle *handle = (struct file_handle *)(void *)room;
    struct stat st;
    int mount_id;

    *ret = 0;
    handle->handle_bytes = ID_SIZE;
    if (name_to_handle_at(dir_fd, name, handle, &mount_id, 0) == 0) {
        if (handle->handle_bytes == ID_SIZE) {
            memcpy(ret, room + sizeof(struct file_handle), ID_SIZE);
        }
        return 0;
    }
    /* A seccomp filter may forbid name_to_handle_at(). */
    if (errno == EPERM && inode_is_id() && fstatat(dir_fd, name, &st, 0) == 0) {
        *ret = st.st_ino;
        return 0;
    }
    return err_is_shortage(-errno) ? -errno : 0;
}

int cgroupfs_id(const struct cgroupfs *c, const char *path, uint64_t *ret)
{
    *ret = 0;
    for (size_t i = 0; c && i < c->n && c->all[i].v2 && *ret == 0; i++) {
        const char *name = name_in_mount(&c->all[i], path);
        int rc = name ? read_id(c->all[i].fd, name, ret) : 0;

        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

/* The PIDs of a cgroup and of those below it. */
struct procs {
    struct buf text; /* the cgroup.procs that was read last */
    pid_t *pids;     /* malloc'ed */
    size_t n;
    unsigned cgroups; /* how many were visited below the first */
};

static int add_pids(struct procs *procs)
{
    struct str text = {procs->text.p, procs->text.n}, line;

    while (str_next_line(&text, &line)) {
        int32_t pid;
        pid_t *more;

        /* The kernel writes 0 for a process that has no PID in our PID namespace. */
        if (!str_to_i32(line, &pid) || pid <= 0) {
            continue;
        }
        more = realloc(procs->pids, (procs->n + 1) * sizeof(*more));
        if (!more) {
            return -ENOMEM;
        }
        procs->pids = more;
        procs->pids[procs->n++] = pid;
    }
    return 0;
}

/* Append the PIDs in cgroup.procs of one cgroup. A threaded cgroup has none (EOPNOTSUPP): the
 * processes are in cgroup.procs of its domain. A cgroup that was removed meanwhile has none either.
 */
static int read_procs(struct procs *procs, int fd)
{
    int rc = procfs_read_file(fd, "cgroup.procs", PROCS_TEXT_MAX, &procs->text);

    if (rc < 0) {
        return err_is_shortage(rc) ? rc : 0;
    }
    return add_pids(procs);
}

static int read_tree(struct procs *procs, int fd, unsigned depth)
{
    AUTO_FREE struct dir_reader *dir = NULL;
    struct dir_entry entry;
    int rc = read_procs(procs, fd);

    if (rc < 0 || depth == DEPTH_MAX) {
        return rc;
    }
    dir = calloc(1, sizeof(*dir)); /* too large for the stack of a recursion */
    if (!dir) {
        return -ENOMEM;
    }
    dir->fd = fd;
    while (procs->cgroups < CGROUPS_MAX && (rc = dir_next(dir, &entry)) > 0) {
        AUTO_CLOSE int child = -1;

        if (entry.type != DT_DIR || entry.name[0] == '.') {
            continue;
        }
        child = openat(fd, entry.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (child < 0 && err_is_shortage(-errno)) {
            return -errno;
        }
        if (child < 0) {
            continue;
        }
        procs->cgroups++;
        rc = read_tree(procs, child, depth + 1);
        if (rc < 0) {
            return rc;
        }
    }
    return err_is_shortage(rc) ? rc : 0;
}

int cgroupfs_procs(const struct cgroupfs *c, const char *path, pid_t **pids, size_t *n)
{
    for (size_t i = 0; c && c->pids_are_ours && i < c->n; i++) {
        AUTO_CLOSE int fd = open_cgroup(&c->all[i], path);
        struct procs procs = {.pids = *pids, .n = *n};
        int rc;

        if (err_is_shortage(fd)) {
            return fd;
        }
        if (fd < 0) {
            continue;
        }
        rc = read_tree(&procs, fd, 0);
        buf_free(&procs.text);
        *pids = procs.pids;
        *n = procs.n;
        return rc;
    }
    return -ENOENT;
}

int cgroupfs_open_dir(const struct cgroupfs *c, const char *path)
{
    int rc = -ENOENT;

    for (size_t i = 0; c && i < c->n; i++) {
        int fd = open_cgroup(&c->all[i], path);

        if (fd >= 0 || err_is_shortage(fd)) {
            return fd;
        }
        rc = fd != -ENOENT ? fd : rc;
    }
    return rc;
}
