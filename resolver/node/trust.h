/* Whether only root can have put something at a path. */
#ifndef PODPID_NODE_TRUST_H
#define PODPID_NODE_TRUST_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "cri/base/error.h"
#include "cri/base/text.h"

struct trusted {
    char path[PATH_MAX]; /* with all links followed: two names of one thing compare equal */
    bool exists;         /* false: something on the way is not there, or not for us to see */
    struct stat st;      /* of what is there; its own owner and mode are the caller's to judge */
};

/* Walk an absolute path from root_fd (AT_FDCWD: the real root), links followed as seen from there.
 * Every folder on the way has to be root's and writable by nobody else (a sticky one such as /tmp
 * is writable by others too), and may not lie in a procfs or a pod's volume. "Root" is uid 0, or
 * whoever owns the folder that stands in for the real root. 0; -EPERM with a line that names the
 * folder; another negative errno. */
int trust_walk(int root_fd, const char *path, struct trusted *ret, struct err *err);

/* The whole of a file of root's that nobody else may write into b; at most max bytes. 0; -ENOENT:
 * not there; -EPERM: somebody else may have written it; another negative errno. All but -ENOENT
 * with a line. */
int trust_read(int root_fd, const char *path, size_t max, struct buf *b, struct err *err);

#endif
