/* The handoff file: put in place whole or not at all, and never through a symbolic link. */
#ifndef PODPID_HANDOFF_HANDOFF_H
#define PODPID_HANDOFF_HANDOFF_H

#include <stddef.h>
#include <sys/types.h>

#include "cri/base/error.h"
#include "cri/base/text.h"
#include "resolver/podpid.h"

enum { HANDOFF_MODE = 0640 }; /* where nobody says one */

/* May there be a handoff at all? ERR_USAGE: of a capture, without a target, or where /proc is not
 * procfs of our own PID namespace. */
int handoff_check(const struct podpid_options *look, const struct podpid_targets *targets,
                  struct err *err);

/* Put n bytes at path: written beside under no name or a hidden one, with mode and group set before
 * the first byte, synced, renamed over what is there, folder synced. No part of path may be a
 * symbolic link, and what is there must be a regular file. group: a name or a number, NULL: the
 * process's own. ERR_WRITE: whatever was there is still there. */
int handoff_write(const char *path, mode_t mode, const char *group, const char *data, size_t n,
                  struct err *err);

/* Remove a file that is known to be a lie; a file that is not there is fine. What is no regular
 * file was not written here and stays: ERR_WRITE. */
int handoff_remove(const char *path, struct err *err);

/* Open a folder one step after the other, following no link: for kernels without openat2 (Linux
 * <5.6) and filters that forbid it. The descriptor or negative errno, -ELOOP for a link. */
int handoff_walk(const char *dir);

/* The document of a snapshot, appended to b. */
int handoff_text(const struct podpid_snapshot *targets, struct buf *b, struct err *err);

#endif
