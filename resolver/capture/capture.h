/* A capture: the runtime view, the node's facts and an extract of /proc in a folder, written by
 * podpid capture and read by --replay. podpid-capture(5) describes the files. */
#ifndef PODPID_CAPTURE_CAPTURE_H
#define PODPID_CAPTURE_CAPTURE_H

#include "cri/base/arena.h"
#include "cri/view.h"
#include "resolver/node/node.h"
#include "resolver/proc/cgroupfs.h"
#include "resolver/proc/procfs.h"

/* The format that is written, and the highest that is read. */
enum { CAPTURE_FORMAT = 1 };

struct capture {
    struct view
        view; /* read: sorted, every row's status is OK or FAILED; empty without a runtime */
    bool has_runtime;      /* false: taken with --no-runtime */
    const char *endpoint;  /* of the runtime */
    bool has_label_values; /* false: the labels have keys only, so that -l cannot be answered */
    struct node_facts node;
    int64_t taken_at; /* nanoseconds since the epoch */
    /* Written: the /proc of which an extract is made, borrowed. Read: DIR/proc, the reader's to
     * close with procfs_close(). */
    struct procfs procfs;
    /* Read only: the IDs of cgroups in the v2 hierarchy, sorted by path. */
    const struct podpid_cgroup_id *cgroup_ids;
    size_t n_cgroup_ids;
};

/* Write a capture into dir, which is made or must be empty: folders of mode 0700, files of mode
 * 0600. cgroupfs gives the cgroups' IDs
 * (NULL: none are known).
 *
 * The capture is read back at the end. If that or anything before fails, all of it is removed
 * again. 0, or a negative errno: ERR_WRITE where dir cannot be written, ERR_PROC where /proc cannot
 * be read or descriptors run out, ERR_NOMEM.
 *
 * So that a replay reports what the look reported, optional members of the format are written too:
 * the runtime's cgroup_driver and warnings, cgroups_path, runtime_type and error of pods, the
 * node's warnings, and proc/<pid>/task/<tid>/{stat,cgroup} of a live thread where the leader has
 * exited. */
int capture_write(const struct capture *c, struct cgroupfs *cgroupfs, const char *dir,
                  struct err *err);

/* Read a capture; texts live in a. 0, or a negative errno: ERR_INPUT with the file (for JSON syntax
 * also the line) where something is missing, of the wrong type, contradictory (two containers with
 * one ID, an ID that is not hexadecimal, a negative PID), too large or of a higher format; ERR_PROC
 * where descriptors run out; ERR_NOMEM. */
int capture_read(const char *dir, struct arena *a, struct capture *ret, struct err *err);

#endif
