#include "resolver/handoff/handoff.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "resolver/error.h"
#include "resolver/node/node.h"
#include "resolver/targets/targets.h"

static int write_error(struct err *err, const char *path, int errnum, const char *what)
{
    return err_set(err, ERR_WRITE, errnum, "%s: %s: %s", path, what, strerror(errnum));
}

/* ---- What may be handed over ---- */

int handoff_check(const struct podpid_options *look, const struct podpid_targets *targets,
                  struct err *err)
{
    struct procfs p;
    struct err why;
    bool own = true;

    if (look->replay) {
        return err_set(err, ERR_USAGE, EINVAL,
                       "nothing of a capture can be handed over: its processes are not here");
    }
    if (!targets || podpid_targets_count(targets) == 0) {
        err_set(err, ERR_USAGE, EINVAL, "to hand over PIDs there must be at least one target");
        if (targets && targets->n_other_node) {
            err_hint(
                err, "%zu %s of other nodes: is --node-name (NODE_NAME) right?",
                targets->n_other_node,
                plural(targets->n_other_node, "pod of the manifest is", "pods of the manifest are"));
        } else {
            err_hint(err, "name pods with -p ('*' is all), or a policy or manifest with -f");
        }
        return -EINVAL;
    }
    /* That there is no /proc at all is for the checks to say. */
    if (procfs_open(node_proc_path(look), &p, &why) == 0) {
        own = p.own_pidns;
        procfs_close(&p);
    }
    if (!own) {
        err_set(err, ERR_USAGE, EINVAL,
                "%s is not procfs of podpid's own PID namespace: its PIDs would mean other "
                "processes to who is handed them",
                node_proc_path(look));
        err_hint(err,
                 "run in the host's PID namespace (hostPID: true, --pid=host), without --proc");
        return -EINVAL;
    }
    return 0;
}

/* ---- The folder, without following links ---- */

int handoff_walk(const char *dir)
{
    AUTO_CLOSE int at = open(dir[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct str rest = str_of(dir);
    int fd;

    while (at >= 0 && rest.n) {
        const char *end = memchr(rest.p, '/', rest.n);
        size_t n = end ? (size_t)(end - rest.p) : rest.n;
        char name[256];
        int next;

        if (n >= sizeof(name)) {
            return -ENAMETOOLONG;
        }
        memcpy(name, rest.p, n);
        name[n] = '\0';
        rest.p += n + (end ? 1 : 0);
        rest.n -= n + (end ? 1 : 0);
        if (n == 0) {
            continue;
        }
        next = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (next >= 0) {
            struct stat st = {0};

            if (fstat(next, &st) < 0 || !S_ISDIR(st.st_mode)) {
                close(next);
                return S_ISLNK(st.st_mode) ? -ELOOP : -ENOTDIR;
            }
        }
        close(at);
        at = next;
    }
    /* From O_PATH to a descriptor that can be synced. */
    fd = at < 0 ? -1 : openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int open_no_links(const char *dir)
{
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    long fd = syscall(SYS_openat2, AT_FDCWD, dir, &how, sizeof(how));

    if (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == E2BIG)) {
        return handoff_walk(dir);
    }
    return fd < 0 ? -errno : (int)fd;
}

/* The folder of path, open, and the file's name in it (a piece of path). */
static int open_folder(const char *path, int *ret_fd, const char **ret_name, struct err *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    char dir[4096] = ".";
    int fd;

    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strlen(name) > 200) {
        return err_set(err, ERR_WRITE, EINVAL, "%s: is not the path of a file", path);
    }
    if (slash) {
        size_t n = slash == path ? 1 : (size_t)(slash - path);

        if (n >= sizeof(dir)) {
            return write_error(err, path, ENAMETOOLONG, "cannot open its folder");
        }
        memcpy(dir, path, n);
        dir[n] = '\0';
    }
    fd = open_no_links(dir);
    if (fd == -ELOOP) {
        err_set(err, ERR_WRITE, ELOOP, "%s: a part of the path is a symbolic link: not followed",
                path);
        err_hint(err, "give the path without links, such as /run/... for /var/run/...");
        return -ELOOP;
    }
    if (fd < 0) {
        write_error(err, path, -fd, "cannot open its folder");
        err_hint(err, "the folder must exist: under systemd RuntimeDirectory= makes it");
        return fd;
    }
    *ret_fd = fd;
    *ret_name = name;
    return 0;
}

/* ---- The file ---- */

static int find_group(const char *group, gid_t *ret, struct err *err)
{
    char buffer[16384];
    struct group g, *found = NULL;
    uint64_t number;

    if (!group) {
        *ret = (gid_t)-1;
        return 0;
    }
    if (str_to_u64(str_of(group), &number) && number < UINT32_MAX) {
        *ret = (gid_t)number;
        return 0;
    }
    if (getgrnam_r(group, &g, buffer, sizeof(buffer), &found) != 0 || !found) {
        err_set(err, ERR_WRITE, ENOENT, "no group \"%.64s\" on this machine", group);
        err_hint(err, "create it (groupadd --system), or give its number");
        return -ENOENT;
    }
    *ret = g.gr_gid;
    return 0;
}

/* A file beside, without a name where the filesystem can do that (*name stays empty), else under a
 * hidden one. The descriptor or negative errno. */
static int open_beside(int dir, const char *base, char *name, size_t size)
{
    uint64_t random;
    int fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

    if (getrandom(&random, sizeof(random), 0) != sizeof(random)) {
        random = (uint64_t)getpid();
    }
    snprintf(name, size, ".%s.%016llx", base, (unsigned long long)random);
    if (fd >= 0) {
        char self[64];

        /* It gets the name once it is whole: see give_name(). */
        snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
        if (access(self, F_OK) == 0) {
            return fd;
        }
        close(fd);
    }
    fd = openat(dir, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : fd;
}

static int fill(int fd, mode_t mode, gid_t gid, const char *data, size_t n)
{
    if ((gid != (gid_t)-1 && fchown(fd, (uid_t)-1, gid) < 0) || fchmod(fd, mode) < 0) {
        return -errno;
    }
    while (n) {
        ssize_t done = write(fd, data, n);

        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0) {
            return -errno;
        }
        data += done;
        n -= (size_t)done;
    }
    return fsync(fd) < 0 ? -errno : 0;
}

/* Give a nameless file its hidden name; one that has it already stays as it is. */
static int give_name(int dir, int fd, const char *name)
{
    char self[64];
    struct stat st;

    if (fstat(fd, &st) < 0) {
        return -errno;
    }
    if (st.st_nlink > 0) {
        return 0;
    }
    snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, self, dir, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

/* What is there must be a regular file: rename() would replace a link, but who made one there did
 * not mean that, and unlink() would take /dev/null away. */
static int check_place(int dir, const char *base, const char *path, struct err *err)
{
    struct stat st;

    if (fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        return errno == ENOENT ? 0 : write_error(err, path, errno, "cannot be replaced");
    }
    if (S_ISLNK(st.st_mode)) {
        return err_set(err, ERR_WRITE, ELOOP, "%s: is a symbolic link: not followed", path);
    }
    if (S_ISDIR(st.st_mode)) {
        return write_error(err, path, EISDIR, "cannot be replaced");
    }
    if (!S_ISREG(st.st_mode)) {
        return err_set(err, ERR_WRITE, EINVAL, "%s: is no regular file", path);
    }
    return 0;
}

static int put(int dir, const char *base, mode_t mode, gid_t gid, const char *data, size_t n)
{
    char name[256];
    AUTO_CLOSE int fd = open_beside(dir, base, name, sizeof(name));
    int rc;

    if (fd < 0) {
        return fd;
    }
    rc = fill(fd, mode, gid, data, n);
    if (rc == 0) {
        rc = give_name(dir, fd, name);
    }
    if (rc == 0 && renameat(dir, name, dir, base) < 0) {
        rc = -errno;
    }
    if (rc < 0) {
        unlinkat(dir, name, 0);
        return rc;
    }
    /* The content is safe and in its place; a folder that cannot be synced changes nothing. */
    fsync(dir);
    return 0;
}

int handoff_write(const char *path, mode_t mode, const char *group, const char *data, size_t n,
                  struct err *err)
{
    AUTO_CLOSE int dir = -1;
    const char *base = NULL;
    gid_t gid;
    int rc = find_group(group, &gid, err);

    if (rc == 0) {
        rc = open_folder(path, &dir, &base, err);
    }
    if (rc == 0) {
        rc = check_place(dir, base, path, err);
    }
    if (rc < 0) {
        return rc;
    }
    rc = put(dir, base, mode, gid, data, n);
    return rc < 0 ? write_error(err, path, -rc, "cannot be written") : 0;
}

int handoff_remove(const char *path, struct err *err)
{
    AUTO_CLOSE int dir = -1;
    const char *base;
    int rc = open_folder(path, &dir, &base, err);

    if (rc == -ENOENT) {
        return 0;
    }
    if (rc == 0) {
        rc = check_place(dir, base, path, err);
    }
    if (rc < 0) {
        return rc;
    }
    if (unlinkat(dir, base, 0) < 0 && errno != ENOENT) {
        return write_error(err, path, errno, "is out of date and cannot be removed");
    }
    fsync(dir);
    return 0;
}

/* ---- The document ---- */

static int append(void *context, const char *data, size_t n)
{
    struct buf *b = context;

    buf_append(b, data, n);
    return b->failed;
}

int handoff_text(const struct podpid_snapshot *targets, struct buf *b, struct err *err)
{
    if (podpid_snapshot_to_json(targets, PODPID_JSON_DOCUMENT, append, b, NULL) < 0 || b->failed) {
        return err_nomem(err);
    }
    return 0;
}

static int memfd(const struct podpid_snapshot *targets, int *ret_fd, struct err *err)
{
    CLEANUP(buf_free) struct buf text = {0};
    AUTO_CLOSE int fd = -1;
    size_t done = 0;
    int rc = handoff_text(targets, &text, err);

    if (rc < 0) {
        return rc;
    }
    fd = memfd_create("podpid-handoff", MFD_ALLOW_SEALING);
    while (fd >= 0 && done < text.n) {
        ssize_t n = write(fd, text.p + done, text.n - done);

        if (n < 0 && errno != EINTR) {
            break;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    if (fd < 0 || done < text.n || lseek(fd, 0, SEEK_SET) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0) {
        return err_set(err, ERR_WRITE, errno, "cannot make the handoff's memory file: %s",
                       strerror(errno));
    }
    *ret_fd = TAKE_FD(fd);
    return 0;
}

int podpid_handoff_memfd(const struct podpid_snapshot *targets, int *ret_fd,
                         struct podpid_error *error)
{
    struct err err = {0};

    return memfd(targets, ret_fd, &err) < 0 ? error_publish(&err, error) : 0;
}

int podpid_handoff_remove(const char *path, struct podpid_error *error)
{
    struct err err = {0};

    return handoff_remove(path, &err) < 0 ? error_publish(&err, error) : 0;
}
