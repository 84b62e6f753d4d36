/* A capture read back: the runtime view, the node and a folder that stands in for /proc. */
#ifndef PODPID_CAPTURE_READ_H
#define PODPID_CAPTURE_READ_H

#include "cri/base/arena.h"
#include "cri/view.h"
#include "resolver/node/node.h"
#include "resolver/proc/procfs.h"

struct replay {
    struct view
        view; /* sorted; every row's status is OK or FAILED. Empty where there is no runtime.json */
    bool has_runtime;       /* false: taken with --no-runtime (runtime.json's name is null) */
    const char *endpoint;   /* as recorded */
    struct node_facts node; /* .replay is set */
    int64_t taken_at;
    struct procfs procfs;  /* of DIR/proc; owned: procfs_close() */
    bool has_label_values; /* false: -l cannot be answered */
    /* path -> id of cgroups.json, sorted by path. */
    const struct podpid_cgroup_id *cgroup_ids;
    size_t n_cgroup_ids;
};

/* Strings live in the arena. ERR_INPUT (exit 2) with file (and line, where it is JSON syntax) for
 * whatever is missing, of the wrong type, contradictory (two containers of one id, id not hex,
 * negative pid), too large or of a higher format. */
int replay_open(const char *dir, struct arena *a, struct replay *ret, struct err *err);

#endif
