#include "resolver/handoff/file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "cri/base/file.h"
#include "cri/base/text.h"

/* The name under which a file is linked before it is renamed: the file's own name and 16 random
 * hexadecimal digits. */
#define HIDDEN_NAME ".%s.%016llx"

enum {
    /* Longest name of a handoff file, in bytes: HIDDEN_NAME adds 18, and a name on Linux has at
     * most NAME_MAX (255). The rest is room to spare. */
    FILE_NAME_MAX = 200,
    /* Bytes read to tell whether podpid wrote a file: a document begins with its schema. */
    START_BYTES = 256,
    SELF_FD_SIZE = 32, /* of "/proc/self/fd/<number>" */
    /* Room for one line of the group database, which names all members of the group. */
    GROUP_LINE_SIZE = 16 * 1024
};

static int write_error(struct err *err, const char *path, int errnum, const char *what)
{
    return err_set(err, ERR_WRITE, errnum, "%s: %s: %s", path, what, strerror(errnum));
}

/* ---- The folder, without following links ----------------------------------------------------- */

int handoff_file_walk(const char *dir)
{
    AUTO_CLOSE int at = open(dir[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct str rest = str_of(dir);
    int fd;

    while (at >= 0 && rest.n) {
        const char *end = memchr(rest.p, '/', rest.n);
        size_t n = end ? (size_t)(end - rest.p) : rest.n;
        char name[NAME_MAX + 1];
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
    /* An O_PATH descriptor cannot be synced: open the folder again for reading. */
    fd = at < 0 ? -1 : openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int open_no_links(const char *dir)
{
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    long fd = syscall(SYS_openat2, AT_FDCWD, dir, &how, sizeof(how));

    if (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == E2BIG)) {
        return handoff_file_walk(dir);
    }
    return fd < 0 ? -errno : (int)fd;
}

/* The folder of path, open, and the file's name in it (a part of path). */
static int open_folder(const char *path, int *ret_fd, const char **ret_name, struct err *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    char dir[PATH_MAX] = ".";
    int fd;

    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
        strlen(name) > FILE_NAME_MAX) {
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

/* ---- The file that is there already ---------------------------------------------------------- */

/* Whether text begins as a document that podpid wrote does: {"schema": "podpid/v1". Space between
 * the tokens does not matter. */
static bool starts_as_document(struct str text)
{
    static const char *const tokens[] = {"{", "\"schema\"", ":", "\"podpid/v1\""};

    for (size_t i = 0; i < N_ELEMENTS(tokens); i++) {
        struct str token = str_of(tokens[i]);

        while (text.n && memchr(" \t\r\n", *text.p, 4)) {
            text.p++;
            text.n--;
        }
        if (!str_starts(text, token)) {
            return false;
        }
        text.p += token.n;
        text.n -= token.n;
    }
    return true;
}

static int refuse_foreign(const char *path, struct err *err)
{
    err_set(err, ERR_WRITE, EEXIST,
            "%s: the file there is not a podpid document (\"schema\": \"podpid/v1\"): neither "
            "replaced nor removed",
            path);
    err_hint(err, "give another path for the handoff file, or move that file away");
    return -EEXIST;
}

/* Read the start of the regular file dir/base. The descriptor is opened as if it were no regular
 * file, for another could have taken its place: O_NONBLOCK opens a FIFO without a writer. */
static int read_start(int dir, const char *base, const char *path, char *start, ssize_t *ret_n,
                      struct err *err)
{
    AUTO_CLOSE int fd =
        openat(dir, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;
    ssize_t n = -1;

    if (fd >= 0 && fstat(fd, &st) == 0) {
        n = S_ISREG(st.st_mode) ? pread(fd, start, START_BYTES, 0) : 0;
    }
    if (n < 0) {
        return write_error(err, path, errno, "cannot be read to see whether podpid wrote it");
    }
    *ret_n = n;
    return 0;
}

/* What stands at dir/base; an error for what may be neither replaced nor removed: rename() would
 * replace a symbolic link without a word, unlink() would take /dev/null away. */
static int find_old(int dir, const char *base, const char *path, enum handoff_found *ret,
                    struct err *err)
{
    char start[START_BYTES];
    struct stat st;
    ssize_t n = 0;
    int rc;

    if (fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        *ret = HANDOFF_FOUND_NOTHING;
        return errno == ENOENT ? 0 : write_error(err, path, errno, "cannot be replaced");
    }
    if (S_ISLNK(st.st_mode)) {
        return err_set(err, ERR_WRITE, ELOOP, "%s: is a symbolic link: not followed", path);
    }
    if (S_ISDIR(st.st_mode)) {
        return write_error(err, path, EISDIR, "cannot be replaced");
    }
    if (!S_ISREG(st.st_mode)) {
        return err_set(err, ERR_WRITE, EINVAL, "%s: is not a regular file", path);
    }
    if (st.st_size == 0) {
        *ret = HANDOFF_FOUND_EMPTY;
        return 0;
    }
    rc = read_start(dir, base, path, start, &n, err);
    if (rc < 0) {
        return rc;
    }
    if (!starts_as_document((struct str){start, (size_t)n})) {
        return refuse_foreign(path, err);
    }
    *ret = HANDOFF_FOUND_DOCUMENT;
    return 0;
}

enum handoff_found handoff_file_find(const char *path)
{
    AUTO_CLOSE int dir = -1;
    enum handoff_found found;
    const char *base;
    struct err err;
    int rc = open_folder(path, &dir, &base, &err);

    if (rc == -ENOENT) {
        return HANDOFF_FOUND_NOTHING;
    }
    rc = rc < 0 ? rc : find_old(dir, base, path, &found, &err);
    if (err_is_shortage(rc)) {
        return HANDOFF_FOUND_UNKNOWN;
    }
    return rc < 0 ? HANDOFF_FOUND_FOREIGN : found;
}

/* ---- The new file ---------------------------------------------------------------------------- */

static int group_number(const char *group, gid_t *ret, struct err *err)
{
    char line[GROUP_LINE_SIZE];
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
    if (getgrnam_r(group, &g, line, sizeof(line), &found) != 0 || !found) {
        err_set(err, ERR_WRITE, ENOENT, "no group \"%.64s\" on this machine", group);
        err_hint(err, "create it (groupadd --system), or give its number");
        return -ENOENT;
    }
    *ret = g.gr_gid;
    return 0;
}

static void self_fd(int fd, char *path)
{
    snprintf(path, SELF_FD_SIZE, "/proc/self/fd/%d", fd);
}

/* Open the new file in the folder: unnamed where the filesystem has O_TMPFILE and our /proc can
 * name it later, else under its hidden name. Writes that name. A descriptor or a negative errno. */
static int open_new(int dir, const char *base, char *name, size_t size)
{
    uint64_t random;
    int fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

    if (getrandom(&random, sizeof(random), 0) != sizeof(random)) {
        random = (uint64_t)getpid();
    }
    snprintf(name, size, HIDDEN_NAME, base, (unsigned long long)random);
    if (fd >= 0) {
        char self[SELF_FD_SIZE];

        self_fd(fd, self);
        if (access(self, F_OK) == 0) {
            return fd;
        }
        close(fd);
    }
    fd = openat(dir, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : fd;
}

/* Mode and group come before the content, which nobody else may read meanwhile. */
static int fill(int fd, mode_t mode, gid_t gid, const char *data, size_t n)
{
    int rc;

    if ((gid != (gid_t)-1 && fchown(fd, (uid_t)-1, gid) < 0) || fchmod(fd, mode) < 0) {
        return -errno;
    }
    rc = file_write_all(fd, data, n);
    if (rc < 0) {
        return rc;
    }
    return fsync(fd) < 0 ? -errno : 0;
}

/* Link an unnamed file to its hidden name, since rename() needs one. */
static int link_new(int dir, int fd, const char *name)
{
    char self[SELF_FD_SIZE];
    struct stat st;

    if (fstat(fd, &st) < 0) {
        return -errno;
    }
    if (st.st_nlink > 0) {
        return 0;
    }
    self_fd(fd, self);
    return linkat(AT_FDCWD, self, dir, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

static int replace(int dir, const char *base, mode_t mode, gid_t gid, const char *data, size_t n)
{
    char name[NAME_MAX + 1];
    AUTO_CLOSE int fd = open_new(dir, base, name, sizeof(name));
    int rc;

    if (fd < 0) {
        return fd;
    }
    rc = fill(fd, mode, gid, data, n);
    if (rc == 0) {
        rc = link_new(dir, fd, name);
    }
    if (rc == 0 && renameat(dir, name, dir, base) < 0) {
        rc = -errno;
    }
    if (rc < 0) {
        unlinkat(dir, name, 0);
        return rc;
    }
    /* The content is on the disk and in its place: a folder that cannot be synced is no failure. */
    fsync(dir);
    return 0;
}

int handoff_file_write(const char *path, mode_t mode, const char *group, const char *data, size_t n,
                       struct err *err)
{
    AUTO_CLOSE int dir = -1;
    enum handoff_found found;
    const char *base = NULL;
    gid_t gid;
    int rc = group_number(group, &gid, err);

    if (rc < 0) {
        return rc;
    }
    rc = open_folder(path, &dir, &base, err);
    if (rc < 0) {
        return rc;
    }
    rc = find_old(dir, base, path, &found, err);
    if (rc < 0) {
        return rc;
    }
    rc = replace(dir, base, mode, gid, data, n);
    return rc < 0 ? write_error(err, path, -rc, "cannot be written") : 0;
}

int handoff_file_remove(const char *path, struct err *err)
{
    AUTO_CLOSE int dir = -1;
    enum handoff_found found;
    const char *base;
    int rc = open_folder(path, &dir, &base, err);

    if (rc == -ENOENT) {
        return 0;
    }
    if (rc < 0) {
        return rc;
    }
    rc = find_old(dir, base, path, &found, err);
    if (rc < 0 || found != HANDOFF_FOUND_DOCUMENT) {
        return rc;
    }
    if (unlinkat(dir, base, 0) < 0 && errno != ENOENT) {
        return write_error(err, path, errno, "is out of date and cannot be removed");
    }
    fsync(dir);
    return 0;
}
