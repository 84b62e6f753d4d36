/* The handoff file of a watch: what it knows of the targets at this moment, verified or not. */
#include "resolver/handoff/handoff.h"

#include "cri/base/cleanup.h"
#include "resolver/watch/impl.h"

DEFINE_CLEANUP(podpid_snapshot_free, struct podpid_snapshot *)

int watch_write_handoff(struct podpid_watch *w, struct err *err)
{
    const struct podpid_watch_options *o = &w->options;
    const struct targets_options only_verified = {0};
    CLEANUP(arena_free) struct arena arena = {0};
    CLEANUP(cleanup_podpid_snapshot_free) struct podpid_snapshot *targets = NULL;
    struct targets_result result = {0};
    int rc;

    if (!o->handoff_path) {
        return 0;
    }
    rc = targets_check(o->targets, w->now.shown, &only_verified, &arena, &result, err);
    if (rc < 0) {
        return rc;
    }
    rc = handoff_select(w->now.shown, &result, &targets, err);
    if (rc < 0) {
        return rc;
    }
    targets->generation = w->generation;
    targets->complete = targets->complete && !w->stale && result.n_findings == 0;
    return handoff_give(targets, o->handoff_path, o->handoff_mode, o->handoff_group, err);
}
