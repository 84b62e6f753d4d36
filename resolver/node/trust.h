/* Whether only root can have put a file, socket or folder at a path. */
#ifndef PODPID_NODE_TRUST_H
#define PODPID_NODE_TRUST_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "cri/base/error.h"
#include "cri/base/text.h"

struct trusted {
    char path[PATH_MAX]; /* with all links followed: two names of one file compare equal */
    bool exists;         /* false: the file or a folder on the way is missing or may not be seen */
    struct stat st;      /* of the file, if it exists; the caller judges its owner and mode */
};

/* Walk an absolute path, following links, from root_fd (AT_FDCWD: the real root). Each folder on
 * the way must belong to root and be writable by nobody else (which refuses sticky ones such as
 * /tmp too), and must not lie in a procfs or a pod's volume. "Root" is uid 0 or, below a root_fd,
 * the owner of that folder. 0; -EPERM with a line that names the folder; another negative errno
 * with a line. */
int trust_walk(int root_fd, const char *path, struct trusted *ret, struct err *err);

/* Read a regular file that root owns and nobody else may write, found as above; append at most max
 * bytes to b. 0; -ENOENT: there is no such file, err is not set; -EPERM: others than root may have
 * written it; another negative errno. */
int trust_read(int root_fd, const char *path, size_t max, struct buf *b, struct err *err);

#endif
