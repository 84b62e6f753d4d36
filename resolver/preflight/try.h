/* One try of a preflight: from what the looks brought to a report. */
#ifndef PODPID_PREFLIGHT_TRY_H
#define PODPID_PREFLIGHT_TRY_H

#include "cri/base/error.h"
#include "resolver/podpid.h"

struct preflight_try {
    const struct podpid_preflight_options *options;
    struct podpid_snapshot *snapshot;      /* NULL: the look failed; taken in any case */
    const struct podpid_snapshot *before;  /* the look before that, or NULL */
    const struct podpid_error *look_error; /* with snapshot NULL */
};

/* Makes the checks and, where all is well, writes the handoff file; one that is known to be a lie
 * is removed. Memory being out is the only failure. */
int preflight_conclude(const struct preflight_try *t, struct podpid_report **ret, struct err *err);

#endif
