/* The result of a preflight: the document that podpid_report_*() hands out. */
#ifndef PODPID_PREFLIGHT_REPORT_H
#define PODPID_PREFLIGHT_REPORT_H

#include "resolver/podpid.h"
#include "resolver/preflight/table.h"
#include "resolver/targets/targets.h"

struct podpid_report {
    struct arena arena;
    struct check_table table;
    const struct podpid_check **checks; /* N_CHECKS pointers into the table */
    struct podpid_snapshot *snapshot;   /* NULL: the look failed */
    struct podpid_snapshot *targets;    /* the targets only; borrows from snapshot */
    struct targets_result result;       /* empty where no target was given */
    struct podpid_pidfd *pidfds;        /* malloc'ed, the descriptors are open */
    size_t n_pidfds;
};

#endif
