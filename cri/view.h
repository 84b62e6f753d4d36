/* The runtime view: what the runtime tells about its pod sandboxes and containers, at one time.
 *
 * A look builds it from the client's replies, or it is read from a capture; then it is only read.
 * All strings live in the builder's arena and are as the runtime gave them: they may be invalid
 * UTF-8 and hold control bytes. Times are nanoseconds since the epoch, 0 = not given. */
#ifndef PODPID_CRI_VIEW_H
#define PODPID_CRI_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum view_state { VIEW_CREATED, VIEW_RUNNING, VIEW_EXITED, VIEW_UNKNOWN };

/* What came of the request for one row's status. */
enum view_status {
    VIEW_STATUS_NONE, /* not asked for, or not answered yet */
    VIEW_STATUS_OK,
    VIEW_STATUS_GONE,   /* the container or sandbox was removed after the list was made */
    VIEW_STATUS_FAILED, /* the row's error says why */
};

struct view_label {
    const char *key, *value; /* value NULL: read from a capture that was taken without values */
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

    /* Docker: a sandbox is a container whose labels claim that. Here it is as a container, for
     * client_settle(), which moves it to the containers if the claim does not hold. NULL for CRI.
     */
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
    int32_t exit_code; /* meaningful in VIEW_EXITED */
    const struct view_label *labels;
    size_t n_labels;

    enum view_status status;
    const char *error;
    int32_t pid;              /* 0 = not given */
    const char *cgroups_path; /* runtimeSpec.linux.cgroupsPath, "/a/b/<id>" or "slice:prefix:<id>",
                                 or NULL */
    const char *runtime_type;

    const struct docker_facts *docker; /* for cri/docker/pods.c; NULL for CRI */
};

struct view_condition {
    const char *type; /* RuntimeReady, NetworkReady, ... */
    bool status;
    const char *reason, *message;
};

/* The runtime itself: answers of Version, Status and RuntimeConfig, or of /version and /info. */
struct view_runtime {
    const char *name, *version;
    const char *api;           /* "cri/v1", "cri/v1alpha2", "docker" */
    const char *cgroup_driver; /* "systemd", "cgroupfs", or NULL: the runtime does not say */
    const struct view_condition *conditions;
    size_t n_conditions;
    const char *status_error; /* why Status or /info failed; NULL: it did not */
};

struct view {
    struct view_runtime runtime;
    struct view_pod *pods;
    size_t n_pods;
    struct view_container *containers;
    size_t n_containers;
    const char *const *warnings; /* about the runtime's answers: refused claims, rows without ids */
    size_t n_warnings;
};

/* Sort pods and containers by id, as view_find_*() want them. */
void view_sort(struct view *v);

/* The row with this id in a sorted view; NULL: none, or id is NULL. */
struct view_pod *view_find_pod(const struct view *v, const char *id);
struct view_container *view_find_container(const struct view *v, const char *id);

const char *view_state_name(enum view_state s);                /* "running" */
bool view_state_parse(const char *name, enum view_state *ret); /* false: no such name */

/* The value of the first label with this key; NULL: no such label. */
const char *view_label(const struct view_label *labels, size_t n, const char *key);

#endif
