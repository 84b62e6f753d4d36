/* The lines of a /proc/<pid>/mountinfo. Pure. */
#ifndef PODPID_PROC_MOUNTINFO_H
#define PODPID_PROC_MOUNTINFO_H

#include "cri/base/arena.h"
#include "cri/base/text.h"

/* What is used of a line. root and point are as written, with \ooo for blanks and backslashes. */
struct mount_line {
    uint64_t id;
    struct str root;    /* which part of the file system is mounted */
    struct str point;   /* where */
    struct str type;    /* "proc", "cgroup2" */
    struct str options; /* of the superblock, comma-separated */
};

bool mountinfo_parse(struct str line, struct mount_line *ret);

/* The value of "name=value" among comma-separated options; false: not there. */
bool mountinfo_option(struct str options, const char *name, struct str *ret);

/* With \ooo undone. NULL when memory is out. */
char *mountinfo_unescape(struct arena *a, struct str s);

#endif
