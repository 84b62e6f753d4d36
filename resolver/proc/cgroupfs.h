/* The mounted cgroup file systems: ids, processes and directories of cgroups.
 *
 * Paths are as in a cgroup text. A path outside of our cgroup namespace ("/..") has no id,
 * processes or directory here. */
#ifndef PODPID_PROC_CGROUPFS_H
#define PODPID_PROC_CGROUPFS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "resolver/proc/procfs.h"

struct cgroupfs;

/* Open the hierarchies that are mounted in our own mount namespace. *ret is NULL, with 0, where
 * there is none or p is a folder of files. 0, or a negative errno that err_is_shortage(), with
 * ERR_NOMEM or ERR_PROC. */
int cgroupfs_open(const struct procfs *p, struct cgroupfs **ret, struct err *err);

/* Close and free; NULL: nothing. */
void cgroupfs_close(struct cgroupfs *c);

/* The 64-bit id of a cgroup in the v2 hierarchy, by name_to_handle_at(2), or its inode number where
 * a seccomp filter forbids that (Linux >=5.5). *ret is 0 where it is not known: the cgroup was
 * removed, is not visible, there is no v2 hierarchy, or c is NULL. 0, or a negative errno that
 * err_is_shortage(). */
int cgroupfs_id(const struct cgroupfs *c, const char *path, uint64_t *ret);

/* Append to *pids (malloc'ed; free() it also after a failure) the PIDs in cgroup.procs of a cgroup
 * and of all below it, in no order; of the first hierarchy that has the path, v2 first. 0, -ENOENT
 * (no such cgroup here, or the PIDs here are not those of the /proc that was opened), or a negative
 * errno that err_is_shortage(). */
int cgroupfs_procs(const struct cgroupfs *c, const char *path, pid_t **pids, size_t *n);

/* Open the directory of a cgroup for reading, in the first hierarchy that has it. A descriptor
 * (close-on-exec) or a negative errno; -ENOENT: no such cgroup here. */
int cgroupfs_open_dir(const struct cgroupfs *c, const char *path);

#endif
