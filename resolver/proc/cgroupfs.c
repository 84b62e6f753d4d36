/* From the path of a cgroup to what the kernel has there: its id, its processes. */
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
#include "resolver/node/node.h"
#include "resolver/proc/mountinfo.h"

/* Limits for a tree that a container may have made. */
enum { DEPTH_MAX = 16, CGROUPS_MAX = 4096, PROCS_TEXT_MAX = 1024 * 1024 };

struct hierarchy {
    int fd;           /* O_PATH; owned */
    const char *root; /* what of the hierarchy is mounted there; "" for all */
    bool v2;
};

struct cgroup_ids {
    struct arena arena;
    struct hierarchy *all; /* the v2 hierarchy first */
    size_t n, cap;
    bool pids_are_ours; /* the /proc whose PIDs we speak of is that of our PID namespace */
};

void cgroup_ids_close(struct cgroup_ids *c)
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

static void cleanup_ids(struct cgroup_ids **c)
{
    cgroup_ids_close(*c);
}

/* Is a cgroup file system still what one sees at the mount point? Another may be mounted over it.
 */
static int open_mount(const char *point)
{
    AUTO_CLOSE int fd = open(point, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct statfs fs;

    if (fd < 0 || fstatfs(fd, &fs) < 0 ||
        (fs.f_type != CGROUP2_SUPER_MAGIC && fs.f_type != CGROUP_SUPER_MAGIC)) {
        return -1;
    }
    return TAKE_FD(fd);
}

static int add_mount(struct cgroup_ids *c, const struct mount_line *m)
{
    AUTO_CLOSE int fd = -1;
    char *root = mountinfo_unescape(&c->arena, m->root);
    char *point = mountinfo_unescape(&c->arena, m->point);
    void *items = c->all;
    struct hierarchy h;
    int rc;

    if (!root || !point) {
        return -ENOMEM;
    }
    fd = open_mount(point);
    if (fd < 0) {
        return 0;
    }
    rc = arena_grow(&c->arena, &items, c->n, &c->cap, sizeof(*c->all));
    c->all = items;
    if (rc < 0) {
        return rc;
    }
    h = (struct hierarchy){.root = strcmp(root, "/") == 0 ? "" : root,
                           .v2 = str_is(m->type, "cgroup2")};
    h.fd = TAKE_FD(fd);
    c->all[c->n++] = h;
    return 0;
}

static int add_mounts(struct cgroup_ids *c, struct str mountinfo, const char *type)
{
    struct str line;

    while (str_next_line(&mountinfo, &line)) {
        struct mount_line m;
        int rc = 0;

        if (mountinfo_parse(line, &m) && str_is(m.type, type)) {
            rc = add_mount(c, &m);
        }
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

int cgroup_ids_open(const struct procfs *p, struct cgroup_ids **ret, struct err *err)
{
    CLEANUP(cleanup_ids) struct cgroup_ids *c = calloc(1, sizeof(*c));
    CLEANUP(buf_free) struct buf b = {0};
    struct str text;

    if (!c) {
        return err_nomem(err);
    }
    if (p->is_procfs && procfs_read_mountinfo(p, &b) == -ENOMEM) {
        return err_nomem(err);
    }
    text = (struct str){b.p, b.n};
    if (add_mounts(c, text, "cgroup2") < 0 || add_mounts(c, text, "cgroup") < 0) {
        return err_nomem(err);
    }
    c->pids_are_ours = p->own_pidns;
    *ret = c->n ? TAKE_PTR(c) : NULL;
    return 0;
}

/* What path is called below the mount, "." for the mount itself; NULL: it is not below it. A
 * component ".." is one outside of our cgroup namespace, never to be followed. */
static const char *below(const struct hierarchy *h, const char *path)
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

/* Since Linux 5.5 the inode of a cgroup is its id, all 64 bits of it. */
static bool inode_is_id(void)
{
    struct utsname u;
    unsigned major, minor;

    return uname(&u) == 0 && sscanf(u.release, "%u.%u", &major, &minor) == 2 &&
           (major > 5 || (major == 5 && minor >= 5));
}

static uint64_t id_of(int dir_fd, const char *name)
{
    enum { ID_SIZE = sizeof(uint64_t) };
    _Alignas(struct file_handle) char room[sizeof(struct file_handle) + ID_SIZE];
    struct file_handle *handle = (struct file_handle *)(void *)room;
    struct stat st;
    uint64_t id;
    int mount_id;

    handle->handle_bytes = ID_SIZE;
    if (name_to_handle_at(dir_fd, name, handle, &mount_id, 0) == 0) {
        memcpy(&id, room + sizeof(struct file_handle), ID_SIZE);
        return handle->handle_bytes == ID_SIZE ? id : 0;
    }
    /* A seccomp filter may forbid it. */
    return errno == EPERM && inode_is_id() && fstatat(dir_fd, name, &st, 0) == 0 ? st.st_ino : 0;
}

uint64_t cgroup_ids_get(struct cgroup_ids *c, const char *path)
{
    for (size_t i = 0; c && i < c->n && c->all[i].v2; i++) {
        const char *name = below(&c->all[i], path);
        uint64_t id = name ? id_of(c->all[i].fd, name) : 0;

        if (id) {
            return id;
        }
    }
    return 0;
}

struct procs {
    struct buf text;
    pid_t *pids;
    size_t n;
    unsigned cgroups; /* visited */
};

static int add_pids(struct procs *procs)
{
    struct str text = {procs->text.p, procs->text.n}, line;

    while (str_next_line(&text, &line)) {
        int32_t pid;
        pid_t *more;

        /* 0: a process of a PID namespace that we cannot see into. */
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

static int read_tree(struct procs *procs, int fd, unsigned depth)
{
    struct dir_reader *dir;
    struct dir_entry entry;
    int rc = 0;

    /* A threaded cgroup has none of its own (EOPNOTSUPP): they are in its domain's. */
    if (procfs_read_file(fd, "cgroup.procs", PROCS_TEXT_MAX, &procs->text) == 0) {
        rc = add_pids(procs);
    }
    if (rc < 0 || depth == DEPTH_MAX) {
        return rc;
    }
    dir = calloc(1, sizeof(*dir));
    if (!dir) {
        return -ENOMEM;
    }
    dir->fd = fd;
    while (rc == 0 && procs->cgroups < CGROUPS_MAX && dir_next(dir, &entry) > 0) {
        AUTO_CLOSE int child = -1;

        if (entry.type != DT_DIR || entry.name[0] == '.') {
            continue;
        }
        child = openat(fd, entry.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (child >= 0) {
            procs->cgroups++;
            rc = read_tree(procs, child, depth + 1);
        }
    }
    free(dir);
    return rc;
}

int cgroup_ids_procs(struct cgroup_ids *c, const char *path, pid_t **pids, size_t *n)
{
    for (size_t i = 0; c && c->pids_are_ours && i < c->n; i++) {
        const char *name = below(&c->all[i], path);
        AUTO_CLOSE int fd = -1;
        struct procs procs = {.pids = *pids, .n = *n};
        int rc;

        if (!name) {
            continue;
        }
        fd = openat(c->all[i].fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
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

int cgroup_ids_open_dir(const struct cgroup_ids *c, const char *path)
{
    int rc = -ENOENT;

    for (size_t i = 0; c && i < c->n; i++) {
        const char *name = below(&c->all[i], path);
        int fd = -1;

        if (name) {
            fd = openat(c->all[i].fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        }
        if (fd >= 0) {
            return fd;
        }
        rc = name && errno != ENOENT ? -errno : rc;
    }
    return rc;
}
