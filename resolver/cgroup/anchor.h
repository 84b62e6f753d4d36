/* An anchor: the path of the cgroup that the runtime made for a container. Membership is decided by
 * it. Pure. */
#ifndef PODPID_CGROUP_ANCHOR_H
#define PODPID_CGROUP_ANCHOR_H

#include <stdbool.h>

#include "cri/base/arena.h"
#include "cri/base/text.h"

enum { ANCHOR_PATHS = 2 };

struct anchor {
    const char *paths[ANCHOR_PATHS]; /* absolute, normalised, no trailing slash; n_paths of them */
    unsigned n_paths;                /* 0: no usable cgroupsPath */
    bool literal_systemd; /* "slice:prefix:id": paths[0] is its expansion, the last one the literal
                             of the misconfigured driver (the only one where slice is no slice) */
};

/* cgroups_path: "/a/b/<id>" or "slice:prefix:<id>", as in runtimeSpec.linux.cgroupsPath. A slice
 * expands as systemd does ("a-b.slice" is /a.slice/a-b.slice, "-.slice" is /; an empty slice is
 * system.slice); prefix and id become "<prefix>-<id>.scope" (an empty prefix: "<id>.scope"; an id
 * that ends in .slice is the unit itself). A path with "..", an empty one, the root, a relative
 * one, one longer than /proc shows (4,095 bytes), or NULL gives n_paths 0. 0 or -ENOMEM. */
int anchor_parse(const char *cgroups_path, struct arena *a, struct anchor *ret);

/* Is path (of a struct cgroup_line: " (deleted)" is cut off already, and not again) the anchor or
 * below it? For a path that starts with "/..": whether its visible tail, after the ".." components,
 * starts with some tail of the anchor that includes the last component. The literal of the
 * misconfigured driver counts wherever it is the outermost container component (the runtime makes
 * it below its own cgroup), except below /user.slice. */
bool anchor_holds(const struct anchor *anchor, struct str path);

#endif
