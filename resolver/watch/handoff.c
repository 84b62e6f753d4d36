/* The handoff file of a watch: always the truth, however bad. */
#include "resolver/handoff/handoff.h"
#include "cri/base/cleanup.h"
#include "resolver/error.h"
#include "resolver/targets/targets.h"
#include "resolver/watch/impl.h"

static bool is_target(void *context, const struct podpid_container *c)
{
    return targets_result_has(context, c);
}

static void free_snapshot(struct podpid_snapshot **s)
{
    podpid_snapshot_free(*s);
}

int watch_write_handoff(struct podpid_watch *w, struct err *err)
{
    const struct podpid_watch_options *o = &w->options;
    const struct targets_options strictly = {0};
    CLEANUP(arena_free) struct arena arena = {0};
    CLEANUP(free_snapshot) struct podpid_snapshot *targets = NULL;
    CLEANUP(buf_free) struct buf text = {0};
    struct targets_result result = {0};
    int rc;

    if (!o->handoff_path) {
        return 0;
    }
    rc = targets_check(o->targets, w->now.shown, &strictly, &arena, &result, err);
    if (rc < 0) {
        return rc;
    }
    if (podpid_snapshot_select(w->now.shown, PODPID_SELECT_ALL_STATES | PODPID_SELECT_NO_FINDINGS,
                               is_target, NULL, &result, &targets, NULL) < 0) {
        return err_nomem(err);
    }
    targets->generation = w->generation;
    targets->complete = targets->complete && !w->stale && result.n_findings == 0;
    rc = handoff_text(targets, &text, err);
    if (rc < 0) {
        return rc;
    }
    return handoff_write(o->handoff_path,
                         o->handoff_mode ? (mode_t)o->handoff_mode : (mode_t)HANDOFF_MODE,
                         o->handoff_group, text.p, text.n, err);
}
