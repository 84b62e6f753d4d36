#include "resolver/proc/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "cri/base/file.h"
#include "resolver/proc/stat.h"

/* Limits of files in bytes: a folder of files may hold anything. Each is far above what a kernel
 * writes. */
enum {
    TEXT_MAX = 1024 * 1024,           /* of a process; cgroup texts of 41 KB have been seen */
    PROC_STAT_MAX = 16 * 1024 * 1024, /* a line for each CPU, a number for each interrupt */
    MOUNTINFO_MAX = 64 * 1024 * 1024  /* a node may have 100,000 mounts */
};

enum {
    PID_DIGITS = 10, /* of INT32_MAX */
    PATH_ROOM = 64   /* for "<pid>/<name>" with its NUL; names are short words */
};

/* For folders of files: O_NONBLOCK and O_NOCTTY because they may hold a pipe or a terminal,
 * O_NOFOLLOW because they may hold a link to another place. In a procfs none of them matters. */
enum { OPEN_TEXT = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY };

static int read_text(int dir_fd, const char *path, size_t max, bool one_piece, struct buf *b)
{
    AUTO_CLOSE int fd = openat(dir_fd, path, OPEN_TEXT);

    b->n = 0;
    return fd < 0 ? -errno : file_read_again(fd, max, one_piece, b);
}

static int gone_is_esrch(int rc)
{
    return err_is_gone(rc) ? -ESRCH : rc;
}

/* Write "<pid>/<name>", or "<pid>" where name is NULL. 0 or a negative errno. By hand and not by
 * snprintf(), because a scan does it for every process of the node. */
static int make_pid_path(char path[static PATH_ROOM], pid_t pid, const char *name)
{
    char digits[PID_DIGITS];
    size_t n = 0, len = name ? strlen(name) : 0;
    char *p = path;

    if (pid <= 0) {
        return -ESRCH;
    }
    if (len > PATH_ROOM - PID_DIGITS - STR("/").n - 1) {
        return -ENAMETOOLONG;
    }
    for (; pid; pid /= 10) {
        digits[n++] = (char)('0' + pid % 10);
    }
    while (n) {
        *p++ = digits[--n];
    }
    if (name) {
        *p++ = '/';
        memcpy(p, name, len);
        p += len;
    }
    *p = '\0';
    return 0;
}

int procfs_open_pid(int proc_fd, pid_t pid)
{
    char path[PATH_ROOM];
    int rc = make_pid_path(path, pid, NULL);

    if (rc < 0) {
        return rc;
    }
    rc = openat(proc_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return rc < 0 ? gone_is_esrch(-errno) : rc;
}

int procfs_read(int proc_fd, pid_t pid, const char *name, struct buf *b)
{
    char path[PATH_ROOM];
    int rc = make_pid_path(path, pid, name);

    if (rc < 0) {
        return rc;
    }
    return gone_is_esrch(read_text(proc_fd, path, TEXT_MAX, true, b));
}

int procfs_read_pinned(int pid_fd, const char *name, struct buf *b)
{
    return gone_is_esrch(read_text(pid_fd, name, TEXT_MAX, true, b));
}

int procfs_open_pinned(int pid_fd, const char *name)
{
    int fd = openat(pid_fd, name, OPEN_TEXT);

    return fd < 0 ? gone_is_esrch(-errno) : fd;
}

int procfs_read_again(int fd, struct buf *b)
{
    return gone_is_esrch(file_read_again(fd, TEXT_MAX, true, b));
}

int procfs_read_file(int dir_fd, const char *name, size_t max, struct buf *b)
{
    return read_text(dir_fd, name, max, false, b);
}

/* Read stat and cgroup of a thread. 1: the thread lives and both were read; 0: it does not live; or
 * a negative errno that err_is_shortage(). */
static int read_thread(int task_fd, int32_t tid, struct buf *stat, struct buf *cgroup)
{
    struct stat_line line;
    int rc = procfs_read(task_fd, tid, "stat", stat);

    if (rc == 0 &&
        (!stat_parse((struct str){stat->p, stat->n}, &line) || !proc_is_alive(line.state, 1))) {
        return 0;
    }
    if (rc == 0) {
        rc = procfs_read(task_fd, tid, "cgroup", cgroup);
    }
    return rc == 0 ? 1 : err_is_shortage(rc) ? rc : 0;
}

int procfs_read_live_thread(int pid_fd, struct buf *stat, struct buf *cgroup)
{
    AUTO_CLOSE int task = openat(pid_fd, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    struct dir_reader dir = {.fd = task};
    struct dir_entry entry = {0};
    int rc;

    if (task < 0) {
        return gone_is_esrch(-errno);
    }
    while ((rc = dir_next(&dir, &entry)) > 0) {
        int32_t tid;

        if (!procfs_pid_name(entry.name, &tid)) {
            continue;
        }
        rc = read_thread(task, tid, stat, cgroup);
        if (rc != 0) {
            return rc < 0 ? rc : tid;
        }
    }
    return rc < 0 ? gone_is_esrch(rc) : -ESRCH;
}

int procfs_read_btime(const struct procfs *p, uint64_t *ret)
{
    CLEANUP(buf_free) struct buf b = {0};
    int rc = procfs_read_file(p->fd, "stat", PROC_STAT_MAX, &b);

    if (rc < 0) {
        return rc;
    }
    return btime_parse((struct str){b.p, b.n}, ret) ? 0 : -EBADMSG;
}

int procfs_open_self(const struct procfs *p)
{
    int fd = p->is_procfs ? openat(p->fd, "self", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

    if (fd < 0 && !(p->is_procfs && err_is_shortage(-errno))) {
        fd = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    return fd < 0 ? -errno : fd;
}

int procfs_read_mountinfo(const struct procfs *p, struct buf *b)
{
    AUTO_CLOSE int self = procfs_open_self(p);

    return self < 0 ? self : procfs_read_file(self, "mountinfo", MOUNTINFO_MAX, b);
}

bool procfs_pid_name(const char *name, int32_t *ret)
{
    return name[0] >= '1' && name[0] <= '9' && str_to_i32(str_of(name), ret);
}

int dir_next(struct dir_reader *d, struct dir_entry *ret)
{
    const struct dirent64 *e;

    if (d->pos >= d->len) {
        long n = syscall(SYS_getdents64, d->fd, d->data, sizeof(d->data));

        if (n <= 0) {
            return n < 0 ? -errno : 0;
        }
        d->pos = 0;
        d->len = (size_t)n;
    }
    e = (const struct dirent64 *)(const void *)(d->data + d->pos);
    d->pos += e->d_reclen;
    *ret = (struct dir_entry){.name = e->d_name, .type = e->d_type};
    return 1;
}

/* Whether the procfs at fd is of this process's PID namespace: its "self" is getpid(). This process
 * may have the same PID in two namespaces by chance, so its NSpid line (Linux >=4.1) must have one
 * number only, too. 1 or 0, or a negative errno that err_is_shortage(). */
static int is_own_pidns(int fd)
{
    CLEANUP(buf_free) struct buf b = {0};
    struct status_text status;
    char link[16];
    ssize_t n = readlinkat(fd, "self", link, sizeof(link));
    int32_t self;
    int rc;

    if (n <= 0 || !str_to_i32((struct str){link, (size_t)n}, &self) || self != getpid()) {
        return n < 0 && err_is_shortage(-errno) ? -errno : 0;
    }
    rc = procfs_read(fd, self, "status", &b);
    if (err_is_shortage(rc)) {
        return rc;
    }
    return rc < 0 || !status_parse((struct str){b.p, b.n}, &status) || status.n_nspid <= 1;
}

int procfs_open(const char *path, struct procfs *ret, struct err *err)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct procfs p = {.fd = -1};
    struct statfs fs;
    int rc = fd < 0 || fstatfs(fd, &fs) < 0 ? -errno : 0;

    if (rc == 0 && fs.f_type == PROC_SUPER_MAGIC) {
        p.is_procfs = true;
        rc = is_own_pidns(fd);
    }
    if (rc < 0) {
        err_set(err, rc == -EACCES || rc == -EPERM ? ERR_DENIED : ERR_PROC, -rc, "%s: %s", path,
                strerror(-rc));
        err_hint(err, "--proc names the directory where the node's /proc is mounted");
        return rc;
    }
    p.own_pidns = rc > 0;
    p.other_pidns = p.is_procfs && !p.own_pidns;
    snprintf(p.path, sizeof(p.path), "%s", path);
    p.fd = TAKE_FD(fd);
    *ret = p;
    return 0;
}

void procfs_close(struct procfs *p)
{
    if (p && p->fd >= 0) {
        close(p->fd);
        p->fd = -1;
    }
}
