#include "resolver/capture/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cri/base/cleanup.h"
#include "cri/base/file.h"
#include "resolver/proc/procfs.h"

/* Descriptors that run out are no fault of the folder. */
static enum err_kind kind_of(int errnum)
{
    return err_is_shortage(-errnum) ? ERR_PROC : ERR_WRITE;
}

static int cannot_write(const char *where, const char *name, int errnum, struct err *err)
{
    return err_set(err, kind_of(errnum), errnum, "%s/%s: cannot be written: %s", where, name,
                   strerror(errnum));
}

/* 1: dir_fd has no entries; 0: it has; or negative errno. */
static int is_empty(int dir_fd)
{
    struct dir_reader reader = {.fd = dir_fd};
    struct dir_entry e;
    int rc;

    while ((rc = dir_next(&reader, &e)) > 0) {
        if (strcmp(e.name, ".") != 0 && strcmp(e.name, "..") != 0) {
            return 0;
        }
    }
    return rc < 0 ? rc : 1;
}

int folder_open_new(const char *dir, bool *ret_made, struct err *err)
{
    AUTO_CLOSE int fd = -1;
    int rc;

    *ret_made = mkdir(dir, 0700) == 0;
    if (!*ret_made && errno != EEXIST) {
        return err_set(err, ERR_WRITE, errno, "%s: cannot be made: %s", dir, strerror(errno));
    }
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    rc = fd < 0 ? -errno : is_empty(fd);
    if (rc <= 0 && *ret_made) {
        rmdir(dir);
    }
    if (rc == -ELOOP || rc == -ENOTDIR) {
        return err_set(err, ERR_WRITE, -rc, "%s: is no folder; no link is followed", dir);
    }
    if (rc < 0) {
        return err_set(err, kind_of(-rc), -rc, "%s: %s", dir, strerror(-rc));
    }
    if (rc == 0) {
        return err_set(err, ERR_WRITE, ENOTEMPTY, "%s: is not empty; nothing is overwritten", dir);
    }
    return TAKE_FD(fd);
}

int folder_make(int dir_fd, const char *where, const char *name, struct err *err)
{
    int fd = -1;

    if (mkdirat(dir_fd, name, 0700) == 0) {
        fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    return fd < 0 ? cannot_write(where, name, errno, err) : fd;
}

int folder_write_file(int dir_fd, const char *where, const char *name, const void *p, size_t n,
                      struct err *err)
{
    int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int rc = fd < 0 ? -errno : file_write_all(fd, p, n);

    if (fd >= 0 && close(fd) < 0 && rc == 0) {
        rc = -errno;
    }
    return rc < 0 ? cannot_write(where, name, -rc, err) : 0;
}

int folder_write_json(int dir_fd, const char *where, const char *name, json_t *object,
                      struct err *err)
{
    AUTO_FREE char *text = object ? json_dumps(object, JSON_INDENT(1)) : NULL;

    json_decref(object);
    return text ? folder_write_file(dir_fd, where, name, text, strlen(text), err) : err_nomem(err);
}

void folder_clear(int dir_fd)
{
    struct dir_reader reader = {.fd = dir_fd};
    struct dir_entry e;

    lseek(dir_fd, 0, SEEK_SET);
    while (dir_next(&reader, &e) > 0) {
        if (strcmp(e.name, ".") == 0 || strcmp(e.name, "..") == 0) {
            continue;
        }
        if (unlinkat(dir_fd, e.name, 0) < 0 && (errno == EISDIR || errno == EPERM)) {
            AUTO_CLOSE int below =
                openat(dir_fd, e.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

            if (below >= 0) {
                folder_clear(below);
            }
            unlinkat(dir_fd, e.name, AT_REMOVEDIR);
        }
    }
}
