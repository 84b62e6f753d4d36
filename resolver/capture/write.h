/* Writing a capture folder; its format is in README.md's reference and read back by replay.c. */
#ifndef PODPID_CAPTURE_WRITE_H
#define PODPID_CAPTURE_WRITE_H

#include "cri/view.h"
#include "resolver/node/node.h"
#include "resolver/proc/cgroupfs.h"
#include "resolver/proc/procfs.h"

struct capture_source {
    const struct view *view; /* NULL: without a runtime */
    const char *endpoint;
    const struct node_facts *node;
    const struct procfs *procfs;
    struct cgroupfs *cgroupfs; /* NULL: none known */
    int64_t taken_at;
    bool with_labels;
};

/* The folder is made 0700 (or must be empty), files 0600, nothing is overwritten. What cannot be
 * read back is removed again, as is all of it on any failure (ERR_WRITE, ERR_PROC).
 *
 * So that a replay reports what the look did, more is kept than a capture must hold: the runtime's
 * cgroup_driver and warnings, pods' cgroups_path, runtime_type and error, the node's warnings, and
 * proc/<pid>/task/<tid>/{stat,cgroup} of one live thread where the leader has exited. */
int capture_write(const struct capture_source *src, const char *dir, struct err *err);

#endif
