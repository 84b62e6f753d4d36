/* Snapshots by hand: one line a container, pods put together from lines that follow each other. */
#ifndef PODPID_TEST_ROWS_H
#define PODPID_TEST_ROWS_H

#include "resolver/snapshot/snapshot.h"

struct row_line {
    const char *namespace_, *pod, *uid, *sandbox; /* sandbox "-": not ready; NULL: no pod */
    const char *name, *id;                        /* name NULL: the pod has no container */
    enum podpid_verdict verdict; /* decides the state: created, exited, unknown, else running */
    int pid;                     /* with verified; the start time is 100 x pid */
    int64_t created_at;
    int exit_code;      /* with exited */
    const char *app;    /* value of the pod's label app; NULL: no labels */
    const char *reason; /* NULL: "" */
    const char *cgroup; /* cgroup_path */
};

/* podpid_snapshot_free() it. runtime NULL: none. Ends the test when memory is out. */
struct podpid_snapshot *rows_snapshot(const struct row_line *lines, size_t n,
                                      const struct podpid_runtime *runtime);

/* A runtime for those to whom it does not matter which. */
extern const struct podpid_runtime rows_runtime;

#endif
