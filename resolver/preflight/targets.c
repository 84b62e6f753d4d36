/* The check targets.present. */
#include "resolver/preflight/checks.h"

#include <stdio.h>

#include "cri/base/text.h"

/* "1 of 3 target containers are as they must be; 2 more targets are missing". A target is missing
 * that has a finding and no container. */
static const char *share_present(struct check_table *t, const struct targets_result *r)
{
    size_t missing = r->n_findings - (r->n_containers - r->n_accepted);
    const char *are = plural(missing, "target is", "targets are"), *text;

    if (r->n_containers == 0) {
        return check_text(t, arena_printf(t->arena, "%zu %s missing", missing, are));
    }
    text = check_text(
        t, arena_printf(t->arena, "%zu of %zu %s as %s must be", r->n_accepted, r->n_containers,
                        plural(r->n_containers, "target container is", "target containers are"),
                        plural(r->n_containers, "it", "they")));
    if (missing) {
        text = check_text(t, arena_printf(t->arena, "%s; %zu more %s missing", text, missing, are));
    }
    return text;
}

/* A manifest was given and no pod of it is left. A unit that waits for the targets would start
 * without any, so that is a warning, not a pass. */
static void warn_no_target(struct check_table *t, const struct check_facts *f)
{
    if (f->n_other_node || f->n_finished) {
        check_set(t, CHECK_TARGETS_PRESENT, PODPID_RESULT_WARN,
                  f->n_other_node
                      ? "is this node's name right? it is --node-name, else NODE_NAME, else the "
                        "hostname, and must be the spec.nodeName of the manifest's pods"
                      : "print the manifest again when its pods run",
                  "no target is left: %zu %s of other nodes, %zu finished skipped", f->n_other_node,
                  plural(f->n_other_node, "pod", "pods"), f->n_finished);
    } else {
        check_set(t, CHECK_TARGETS_PRESENT, PODPID_RESULT_WARN,
                  "does the command that printed the manifest name the right namespace and labels?",
                  "no target is left: the manifest holds no pod");
    }
}

void check_targets_present(struct check_table *t, const struct check_facts *f)
{
    const struct targets_result *r = f->targets;
    char skipped[128] = "";

    if (f->n_other_node || f->n_finished) {
        snprintf(skipped, sizeof(skipped), "; skipped: %zu %s of other nodes, %zu finished",
                 f->n_other_node, plural(f->n_other_node, "pod", "pods"), f->n_finished);
    }
    if (f->n_targets == 0 && f->manifest) {
        warn_no_target(t, f);
    } else if (f->n_targets == 0) {
        check_set(t, CHECK_TARGETS_PRESENT, PODPID_RESULT_SKIP, NULL, "no target was given");
    } else if (!r) {
        check_set(t, CHECK_TARGETS_PRESENT, PODPID_RESULT_FAIL, "see what failed above",
                  "without a look no target can be found");
    } else if (r->n_findings) {
        for (size_t i = 0; i < r->n_findings; i++) {
            check_item(t, CHECK_TARGETS_PRESENT, "%s", r->findings[i]);
        }
        check_set(t, CHECK_TARGETS_PRESENT, PODPID_RESULT_FAIL,
                  "crictl ps -a shows what became of a container, podpid list -a -o json the "
                  "evidence; a manifest printed before a restart is out of date (print it again, "
                  "or --follow-restarts); --wait waits for what is starting",
                  "%s%s", share_present(t, r), skipped);
    } else {
        check_set(t, CHECK_TARGETS_PRESENT, PODPID_RESULT_PASS, NULL, "%zu %s%s", r->n_containers,
                  plural(r->n_containers, "target container", "target containers"), skipped);
    }
}
