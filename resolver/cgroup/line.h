/* The lines of a /proc/<pid>/cgroup, and their paths as text. Pure.
 *
 * A line is "hierarchy:controllers:/path" (cgroups(7)): one for each v1 hierarchy, and one with
 * hierarchy 0 and no controllers for v2. */
#ifndef PODPID_CGROUP_LINE_H
#define PODPID_CGROUP_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "cri/base/arena.h"
#include "cri/base/text.h"

/* Texts point into the line that was parsed. */
struct cgroup_line {
    struct str text;    /* the line itself, without its newline */
    uint64_t hierarchy; /* 0: the v2 hierarchy */
    struct str controllers;
    struct str path; /* starts with a slash; " (deleted)" at its end is cut off */
    bool deleted;    /* the line ended in " (deleted)": the cgroup was removed, or is named so */
};

/* False: not such a line. */
bool cgroup_line_parse(struct str line, struct cgroup_line *ret);

/* Cut lines off *text until one is a cgroup line, and parse that. False at the end of the text. */
bool cgroup_next_line(struct str *text, struct cgroup_line *ret);

/* The line of the v2 hierarchy. False: the text has none. */
bool cgroup_v2_line(struct str text, struct cgroup_line *ret);

/* The text with the \r cut off the ends of its lines, for text that came through a program that
 * ends lines with \r\n; *ret may be text itself. Not for text that the kernel just wrote: there \r
 * is part of a name, and "<id>\r" is not the cgroup of <id>. 0 or -ENOMEM. */
int cgroup_drop_cr(struct str text, struct arena *a, struct str *ret);

/* Whether the path starts with "/..": the cgroup lies outside of the reader's cgroup namespace, and
 * the upper part of its path is not visible. */
bool cgroup_is_relative(struct str path);

/* path without the prefix root; path itself where it is not below root, or root is none. The result
 * is "/" for root itself. */
struct str cgroup_strip_root(struct str path, struct str root);

#endif
