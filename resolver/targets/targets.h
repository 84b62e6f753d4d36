/* Targets: the containers that must be there and verified, as policies, manifests and selectors
 * name them, and the result of comparing them with a snapshot. */
#ifndef PODPID_TARGETS_TARGETS_H
#define PODPID_TARGETS_TARGETS_H

#include "cri/base/arena.h"
#include "cri/base/error.h"
#include "resolver/format/yaml.h"
#include "resolver/podpid.h"
#include "resolver/targets/check_id.h"

/* Pods by name, labels or uid, as policies and selectors name them. */
struct target {
    const char *what;                /* for messages: "prod/web-* (policy.yaml:7)" */
    struct podpid_selector selector; /* of the pods; its container member is NULL */
    const char *const *containers;   /* globs of container names; none: all of the pod's */
    size_t n_containers;
    unsigned min_pods; /* at least so many ready pods must match */
};

/* One container of a manifest's pod. */
struct manifest_container {
    const char *name; /* NULL: the manifest gives only the id */
    const char *id;   /* without scheme; NULL: not started when the manifest was printed */
};

struct manifest_pod {
    const char *namespace_, *name;
    const char *uid;         /* NULL: the manifest has none */
    const char *config_hash; /* of a mirror pod (annotation kubernetes.io/config.hash): the runtime
                                knows such a pod by its hash as uid; NULL: not a mirror pod */
    const char *node;        /* spec.nodeName, or NULL */
    const char *file;        /* the manifest's name, for messages */
    const struct manifest_container *containers;
    size_t n_containers;
};

/* Scalars that several policies may give, as long as all give the same value. */
enum scalar { SCALAR_ENDPOINT, SCALAR_WAIT, SCALAR_PATH, SCALAR_MODE, SCALAR_GROUP, N_SCALARS };

struct podpid_targets {
    struct arena arena; /* of all strings and arrays here */
    struct target *targets;
    size_t n_targets, cap_targets;
    struct manifest_pod *pods;
    size_t n_pods, cap_pods;
    size_t n_other_node; /* pods of manifests that were skipped: they belong to another node */
    size_t n_finished;   /* pods of manifests that were skipped: they have finished */
    bool manifest;       /* a manifest was read, also one of which no pod is left */
    struct podpid_policy policy;
    const char *said_at[N_SCALARS]; /* "file:line:column" that gave the scalar; NULL: none did */
    enum check_level levels[N_CHECKS];
    const char *level_said_at[N_CHECKS]; /* likewise for levels[] */
};

/* Read a policy or a manifest into t; the strings of s must live in t's arena. ERR_INPUT with file,
 * line and column. node_name: pods of other nodes are skipped; NULL: none is. */
int policy_read(struct podpid_targets *t, const struct yaml_stream *s, struct err *err);
int manifest_read(struct podpid_targets *t, const struct yaml_stream *s, const char *node_name,
                  struct err *err);

/* Fail with ERR_INPUT because the document's apiVersion is neither a manifest's nor a policy's. The
 * place is that of the version, or else of the document. */
int targets_bad_version(const struct yaml_stream *s, const struct yaml_value *root,
                        struct err *err);
/* Fail with ERR_INPUT because root is a pod in a policy's file or a policy in a manifest. */
int targets_mixed(const struct yaml_stream *s, const struct yaml_value *root, struct err *err);

/* Append a target; the struct is copied, its strings are not. 0 or -ENOMEM. */
int targets_add(struct podpid_targets *t, const struct target *target, struct err *err);

/* A selector for messages: "prod/web-* with app=web of uid X". In a; NULL: out of memory. */
const char *target_label(struct arena *a, const struct podpid_selector *s);

/* Whether the i-th glob of target->containers matches the container's name. */
bool target_names(const struct target *target, size_t i, const struct podpid_container *c);

struct targets_options {
    bool allow_inferred;  /* a container that is only inferred is fine */
    bool follow_restarts; /* the container that runs now stands for the one of a manifest */
};

/* The result of targets_check(). */
struct targets_result {
    const char **findings; /* one line for each thing that is not as it must be; a container has one
                              at most, also if several targets name it */
    size_t n_findings, cap_findings;
    const struct podpid_container **containers; /* that targets name, sorted by address */
    size_t n_containers;
    size_t n_accepted; /* of containers: those without a finding */
};

/* Compare t with a snapshot. *ret and its texts live in a and borrow from s. 0 or -ENOMEM. */
int targets_check(const struct podpid_targets *t, const struct podpid_snapshot *s,
                  const struct targets_options *o, struct arena *a, struct targets_result *ret,
                  struct err *err);

/* Whether some target names the container. c must be the snapshot's own, not a copy. */
bool targets_result_has(const struct targets_result *r, const struct podpid_container *c);

#endif
