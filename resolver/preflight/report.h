/* What a preflight found: one document, as podpid_report_* hands it out. */
#ifndef PODPID_PREFLIGHT_REPORT_H
#define PODPID_PREFLIGHT_REPORT_H

#include "resolver/podpid.h"
#include "resolver/preflight/table.h"
#include "resolver/targets/targets.h"

struct podpid_report {
    struct arena arena;
    struct check_table table;
    const struct podpid_check **checks; /* N_CHECKS pointers into the table */
    struct podpid_snapshot *snapshot;   /* NULL: there was no look */
    struct podpid_snapshot *targets;    /* borrows from snapshot */
    struct targets_result result;
    struct podpid_pidfd *pidfds; /* owned, open */
    size_t n_pidfds;
};

#endif
