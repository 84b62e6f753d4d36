/* Targets inside: what policies, manifests and selectors say must be there, and what came of
 * holding it against a snapshot. */
#ifndef PODPID_TARGETS_TARGETS_H
#define PODPID_TARGETS_TARGETS_H

#include "cri/base/arena.h"
#include "cri/base/error.h"
#include "resolver/format/yaml.h"
#include "resolver/podpid.h"
#include "resolver/targets/check_id.h"

/* Pods by what they are called, as policies and selectors name them. */
struct target {
    const char *what;                /* for people: "prod/web-* (policy.yaml:7)" */
    struct podpid_selector selector; /* of the pods; its container member is NULL */
    const char *const *containers;   /* globs; none: every container of the pod */
    size_t n_containers;
    unsigned min_pods;
};

/* One container of a manifest's pod. */
struct manifest_container {
    const char *name; /* NULL: the manifest gives only the id */
    const char *id;   /* without scheme; NULL: not started when the manifest was printed */
};

struct manifest_pod {
    const char *namespace_, *name;
    const char *uid, *config_hash; /* NULL: not given. A mirror pod runs under its hash as uid */
    const char *node;              /* spec.nodeName, or NULL */
    const char *file;
    const struct manifest_container *containers;
    size_t n_containers;
};

/* Who said a scalar first: "file:line:column", NULL nobody. */
enum scalar { SCALAR_ENDPOINT, SCALAR_WAIT, SCALAR_PATH, SCALAR_MODE, SCALAR_GROUP, N_SCALARS };

struct podpid_targets {
    struct arena arena;
    struct target *targets;
    size_t n_targets, cap_targets;
    struct manifest_pod *pods;
    size_t n_pods, cap_pods;
    size_t n_other_node, n_finished; /* pods of manifests that were skipped */
    bool manifest;                   /* one was read, whatever is left of it */
    struct podpid_policy policy;
    const char *said_at[N_SCALARS];
    enum check_level levels[N_CHECKS];
    const char *level_said_at[N_CHECKS];
};

/* Read into t. The strings live in t's arena. ERR_INPUT with file, line and column. */
int policy_read(struct podpid_targets *t, const struct yaml_stream *s, struct err *err);
int manifest_read(struct podpid_targets *t, const struct yaml_stream *s, const char *node_name,
                  struct err *err);

/* What is wrong with a document by its apiVersion, at its value or else at the document. */
int targets_bad_version(const struct yaml_stream *s, const struct yaml_value *root,
                        struct err *err);
/* A document of pods in a policy's file, or the other way round. */
int targets_mixed(const struct yaml_stream *s, const struct yaml_value *root, struct err *err);

/* Append; strings are not copied. 0 or -ENOMEM. */
int targets_append(struct podpid_targets *t, const struct target *add, struct err *err);
int targets_append_pod(struct podpid_targets *t, const struct manifest_pod *add, struct err *err);

/* Does the i-th glob of target->containers match the container's name? */
bool target_names(const struct target *target, size_t i, const struct podpid_container *c);

struct targets_options {
    bool allow_inferred, follow_restarts;
};

/* What came of it. All of it lives in the arena given. */
struct targets_result {
    const char **findings; /* one line for each thing that is not as it must be, each named once */
    size_t n_findings, cap_findings;
    /* The containers that targets name, sorted by address: for bsearch. */
    const struct podpid_container **containers;
    size_t n_containers;
    size_t n_accepted; /* of those, how many are as they must be */
};

int targets_check(const struct podpid_targets *t, const struct podpid_snapshot *s,
                  const struct targets_options *o, struct arena *a, struct targets_result *ret,
                  struct err *err);

/* Is the container one that a target names? */
bool targets_result_has(const struct targets_result *r, const struct podpid_container *c);

#endif
