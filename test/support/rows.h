/* Snapshots made by hand: one line for each container; lines that follow each other with the same
 * pod make one pod. */
#ifndef PODPID_TEST_ROWS_H
#define PODPID_TEST_ROWS_H

#include "resolver/snapshot/snapshot.h"

struct row_line {
    const char *namespace_, *pod, *uid, *sandbox; /* sandbox "-": not ready; NULL: no pod */
    const char *name, *id;                        /* name NULL: the pod has no container */
    enum podpid_verdict verdict; /* decides the state: created, exited, unknown, else running */
    int pid;                     /* of a verified container; its start time is 100 x pid */
    int64_t created_at;
    int exit_code;      /* of an exited container */
    const char *app;    /* value of the pod's label app; NULL: no labels */
    const char *reason; /* NULL: "" */
    const char *cgroup; /* cgroup_path */
};

/* A snapshot, the caller's to podpid_snapshot_free(). runtime NULL: none. The test fails when
 * memory runs out. */
struct podpid_snapshot *rows_snapshot(const struct row_line *lines, size_t n,
                                      const struct podpid_runtime *runtime);

/* A runtime, for tests that need any. */
extern const struct podpid_runtime rows_runtime;

#endif
