/* The lines of a /proc/<pid>/mountinfo (proc_pid_mountinfo(5)). Pure. */
#ifndef PODPID_PROC_MOUNTINFO_H
#define PODPID_PROC_MOUNTINFO_H

#include "cri/base/arena.h"
#include "cri/base/text.h"

/* The fields that are used. Texts point into the line. */
struct mount_line {
    uint64_t id;        /* of the mount */
    struct str root;    /* the directory of the file system that is mounted; escaped */
    struct str point;   /* the mount point; escaped */
    struct str type;    /* "proc", "cgroup2" */
    struct str options; /* of the superblock, comma-separated */
};

/* False: not a line of mountinfo. */
bool mountinfo_parse(struct str line, struct mount_line *ret);

/* Find the value of "name=value" in comma-separated options. False: no option has that name. */
bool mountinfo_option(struct str options, const char *name, struct str *ret);

/* A copy of an escaped path, with blanks and backslashes in place of their \ooo. NULL when memory
 * is out. */
char *mountinfo_unescape(struct arena *a, struct str s);

#endif
