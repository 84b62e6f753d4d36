/* Writing a capture folder; its format is in README.md's reference and read back by replay.c. */
#ifndef PODPID_CAPTURE_H
#define PODPID_CAPTURE_H

#include "cri/view.h"
#include "resolver/node.h"
#include "resolver/procfs.h"

struct capture_source {
    const struct view *view; /* NULL: without a runtime */
    const char *endpoint;
    const struct node_facts *node;
    const struct procfs *procfs;
    struct cgroup_ids *ids; /* NULL: none known */
    int64_t taken_at;
    bool with_labels;
};

/* The folder is made 0700 (or must be empty), files 0600, nothing is overwritten. */
int capture_write(const struct capture_source *src, const char *dir, struct err *err);

#endif
