/* One try of a preflight: from the snapshots of its looks to a report. */
#ifndef PODPID_PREFLIGHT_TRY_H
#define PODPID_PREFLIGHT_TRY_H

#include "cri/base/error.h"
#include "resolver/podpid.h"

struct preflight_try {
    const struct podpid_preflight_options *options;
    struct podpid_snapshot *snapshot;      /* of the last look; NULL: it failed */
    const struct podpid_snapshot *before;  /* of the look before; NULL: there was one look */
    const struct podpid_error *look_error; /* why the last look failed; set if snapshot is NULL */
};

/* Make the checks and, unless one fails, open the pidfds and write the handoff file that the
 * options ask for. Where a target is not as it must be, a handoff file from before is removed: its
 * PIDs are known to be wrong. The report takes t->snapshot, which is freed on failure too. 0 or
 * -ENOMEM. */
int preflight_conclude(const struct preflight_try *t, struct podpid_report **ret, struct err *err);

#endif
