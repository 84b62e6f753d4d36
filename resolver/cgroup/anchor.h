/* An anchor: the cgroup path that the runtime reports for a container (cgroupsPath). A process
 * whose cgroup is the anchor or lies below it belongs to the container. Pure. */
#ifndef PODPID_CGROUP_ANCHOR_H
#define PODPID_CGROUP_ANCHOR_H

#include <stdbool.h>

#include "cri/base/arena.h"
#include "cri/base/text.h"

/* A cgroupsPath "slice:prefix:id" stands for two paths: the one that the systemd driver makes of
 * it, and the text itself as a directory name, which is what a runtime that is misconfigured to the
 * cgroupfs driver makes. Any other cgroupsPath stands for one. */
enum { ANCHOR_PATHS = 2 };

struct anchor {
    const char *paths[ANCHOR_PATHS]; /* absolute, normalised, without a slash at the end */
    unsigned n_paths;                /* 0: the container has no usable cgroupsPath */
    bool literal_systemd;            /* cgroupsPath is "slice:prefix:id", and the last path is the
                                        literal text; the only one if slice is no slice's name */
};

/* Parse a runtimeSpec.linux.cgroupsPath, "/a/b/<id>" or "slice:prefix:<id>" (NULL: none). The
 * latter is expanded as the systemd drivers of runc and crun do:
 *     the slice   "a-b.slice" is /a.slice/a-b.slice, "-.slice" is /, "" is system.slice
 *     the unit    "<prefix>-<id>.scope", or "<id>.scope" for an empty prefix; an id that ends in
 *                 ".slice" is the unit's name itself
 * n_paths is 0 for NULL, an empty or relative path, the root, a path with a ".." component, and one
 * of more bytes than /proc shows (4,095). The paths live in a. 0 or -ENOMEM. */
int anchor_parse(const char *cgroups_path, struct arena *a, struct anchor *ret);

/* Whether path is one of the anchor's paths or below it. path is that of a struct cgroup_line:
 * " (deleted)" has been cut off already; another one at its end is part of the name.
 *
 * Of a path that starts with "/.." only the part after the ".." components is visible. Such a path
 * is held if its visible part starts with the last component of the anchor, or its last two, and so
 * on.
 *
 * A misconfigured runtime makes the literal path below its own cgroup, which is not known. So the
 * literal is held wherever it is the outermost container component, except below /user.slice, where
 * any local user can make it. */
bool anchor_holds(const struct anchor *anchor, struct str path);

#endif
