/* The runtime view: what the runtime says of its pod sandboxes and containers, at one time.
 *
 * Built by a look from the client's replies (or read from a capture), then only read. All strings
 * live in the arena that the builder names; text is as the runtime gave it, so it may be no UTF-8
 * and hold control bytes. Times are nanoseconds since the epoch, 0 = not given. */
#ifndef PODPID_CRI_VIEW_H
#define PODPID_CRI_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum view_state { VIEW_CREATED, VIEW_RUNNING, VIEW_EXITED, VIEW_UNKNOWN };

/* How asking for the status of one row went. */
enum view_status {
    VIEW_STATUS_NONE, /* not asked, or not answered yet */
    VIEW_STATUS_OK,
    VIEW_STATUS_GONE,   /* NotFound, or cri-dockerd's "No such container": removed meanwhile */
    VIEW_STATUS_FAILED, /* anything else; the text is in error */
};

struct view_label {
    const char *key, *value; /* value NULL: a capture that was taken without values */
};

struct view_pod {
    const char *id;
    const char *namespace_, *name, *uid; /* NULL where not known */
    uint32_t attempt;
    bool ready;
    int64_t created_at;
    const char *runtime_handler; /* "" is the default handler; NULL not known */
    const struct view_label *labels;
    size_t n_labels;
    const char *config_hash; /* annotation kubernetes.io/config.hash of a mirror pod, or NULL */

    enum view_status status;
    const char *error;         /* with VIEW_STATUS_FAILED */
    int32_t pid;               /* 0 = not given */
    const char *cgroup_parent; /* config.linux.cgroup_parent, or NULL */
    const char *cgroups_path;  /* runtimeSpec.linux.cgroupsPath of the sandbox container, or NULL */
    const char *runtime_type;  /* such as io.containerd.kata.v2, or NULL */

    /* Docker: a container that claims to be a sandbox, as the container that it is in any case
     * (client_settle() takes it where the claim does not hold). NULL for CRI. */
    const struct view_container *as_container;
};

struct view_container {
    const char *id;
    const char *sandbox_id; /* NULL: a container without a pod (plain Docker, podman) */
    const char *name;
    const char *image; /* as the user named it, where the runtime says it */
    uint32_t attempt;
    enum view_state state;
    int64_t created_at, started_at, finished_at;
    int32_t exit_code; /* of an exited one */
    const struct view_label *labels;
    size_t n_labels;

    enum view_status status;
    const char *error;
    int32_t pid;              /* 0 = not given */
    const char *cgroups_path; /* runtimeSpec.linux.cgroupsPath, "/a/b/<id>" or "slice:prefix:<id>",
                                 or NULL */
    const char *runtime_type;

    const struct docker_facts *docker; /* what cri/docker/pods.c needs; NULL for CRI */
};

struct view_condition {
    const char *type; /* RuntimeReady, NetworkReady, ... */
    bool status;
    const char *reason, *message;
};

/* Who answers: Version, Status, RuntimeConfig; or /version and /info. */
struct view_runtime {
    const char *name, *version;
    const char *api;           /* "cri/v1", "cri/v1alpha2", "docker" */
    const char *cgroup_driver; /* "systemd", "cgroupfs", or NULL: the runtime does not say */
    const struct view_condition *conditions;
    size_t n_conditions;
    const char *status_error; /* Status could not be had: why; else NULL */
};

struct view {
    struct view_runtime runtime;
    struct view_pod *pods;
    size_t n_pods;
    struct view_container *containers;
    size_t n_containers;
    const char *const *warnings; /* of the runtime's side: claims refused, pods without ids, ... */
    size_t n_warnings;
};

/* Sort pods and containers by id. */
void view_sort(struct view *v);

/* Binary search in a sorted view; NULL if there is none. */
struct view_pod *view_find_pod(const struct view *v, const char *id);
struct view_container *view_find_container(const struct view *v, const char *id);

const char *view_state_name(enum view_state s);                /* "running" */
bool view_state_parse(const char *name, enum view_state *ret); /* the other way */
const char *view_label(const struct view_label *labels, size_t n, const char *key); /* NULL: none */

#endif
