/* The handoff file on disk: replaced whole or not at all, never through a symbolic link, and never
 * in place of a file that podpid did not write. */
#ifndef PODPID_HANDOFF_FILE_H
#define PODPID_HANDOFF_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "cri/base/error.h"

/* What stands at the path of a handoff file. */
enum handoff_found {
    HANDOFF_FOUND_NOTHING,
    HANDOFF_FOUND_EMPTY,    /* a regular file of 0 bytes, such as mktemp makes: it may be replaced,
                               for nothing is lost, and is never removed */
    HANDOFF_FOUND_DOCUMENT, /* a regular file that begins as a document of podpid/v1 */
    HANDOFF_FOUND_FOREIGN,  /* anything else, or it cannot be told: never replaced, never removed */
    HANDOFF_FOUND_UNKNOWN   /* descriptors or memory ran out before it was known which of these */
};

enum handoff_found handoff_file_find(const char *path);

/* Replace the file at path by one of n bytes. They are written to an unnamed (O_TMPFILE) or hidden
 * file in the same folder, which has its mode and group before the first byte, is synced, and takes
 * the old file's place by rename(); then the folder is synced. group: a name or a number, NULL: the
 * process's own. Refused where a part of path is a symbolic link or the file is
 * HANDOFF_FOUND_FOREIGN
 * (-EEXIST for a regular file). On ERR_WRITE the old file is still in place. */
int handoff_file_write(const char *path, mode_t mode, const char *group, const char *data, size_t n,
                       struct err *err);

/* Remove the podpid document at path. 0 also where there is nothing, or only an empty file, which
 * stays. Refused as handoff_file_write() refuses: ERR_WRITE. */
int handoff_file_remove(const char *path, struct err *err);

/* Open a folder component by component, following no symbolic link: for kernels without openat2(2)
 * (before Linux 5.6) and seccomp filters that forbid it. A descriptor the caller closes, or a
 * negative errno, -ELOOP for a link. Here for its test. */
int handoff_file_walk(const char *dir);

#endif
