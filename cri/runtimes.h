/* What podpid knows about each container runtime: one row a runtime. Data and look-ups only, no
 * I/O. Other code asks a row and never compares a runtime's name. cri/README.md describes each
 * runtime, names versions and sources, and says how to add one. */
#ifndef PODPID_CRI_RUNTIMES_H
#define PODPID_CRI_RUNTIMES_H

#include <stdbool.h>
#include <stddef.h>

enum {
    RUNTIME_SOCKETS = 2,      /* well-known sockets a row has room for */
    RUNTIME_SOCKETS_MOST = 24 /* well-known sockets of all rows together, at most */
};

/* systemd units of the usual runtimes, for hints about a socket that nobody answers. */
#define RUNTIME_USUAL_UNITS "containerd crio docker"

struct runtime {
    const char *title; /* for people */

    /* As view_runtime.name has it: what CRI's Version answers as runtime_name, or what
     * docker_parse_version() makes of a Docker Engine's /version. NULL: a distribution whose
     * runtime calls itself containerd; its row adds sockets only. */
    const char *name;
    bool docker_api; /* speaks the Docker Engine API (view_runtime.api is "docker"); false: CRI */

    /* Where the socket is if nobody configured another place; NULL ends the list. Sockets are tried
     * in the order of the table's rows. /var/run is a link to /run nearly everywhere. */
    const char *sockets[RUNTIME_SOCKETS];

    /* systemd unit of the daemon, and the setting that chooses its cgroup driver, for hints. */
    const char *unit;
    const char *cgroup_driver_setting;

    /* CRI only. First major version whose GetContainerEvents a second client may read beside the
     * kubelet; 0: in no version. */
    unsigned events_since;

    /* Its event stream ends only when the daemon does: the end means that the runtime is lost. */
    bool events_end_with_daemon;

    /* Texts of failed status calls with gRPC code Unknown that mean: the container or sandbox no
     * longer exists. (NotFound always means that.) */
    const char *gone_texts[2];

    /* Text of a failed call that means: the daemon is up, its CRI service is still starting. */
    const char *starting_text;

    /* CRI only. PodSandboxStatus has no PID; ContainerStatus with the sandbox's id has it. */
    bool hides_sandbox_pid;

    /* Docker API only. The name under Components in /version by which the engine is recognised;
     * NULL: the engine that is assumed where no other one is recognised. */
    const char *component;

    /* Cgroup of a container: "<cgroup_prefix>-<id>.scope" under systemd. It is also the "manager"
     * that resolver/cgroup finds in such a path, and what the names of the runtime's own helper
     * processes' cgroups start with ("crio-conmon-<id>.scope"). */
    const char *cgroup_prefix;

    /* Docker API only, cgroup driver cgroupfs: what stands before the id in a container's cgroup.
     */
    const char *cgroupfs_prefix;

    /* Docker API only. Parent of a container's cgroup where the container names none: a slice under
     * systemd, an absolute path under cgroupfs. NULL: the daemon's settings decide and are not
     * told. */
    const char *default_slice, *default_parent;

    /* Folders, as paths in the cgroup hierarchy, in which the runtime makes cgroups of containers
     * that belong to no pod. NULL ends the list. */
    const char *cgroup_folders[4];
};

/* The row of a runtime by view_runtime's name and api. A name that several rows have is decided by
 * the api; NULL or an unknown api gives the first of them. Never NULL: for an unknown or missing
 * name it is a row that assumes nothing. */
const struct runtime *runtime_find(const char *name, const char *api);

/* The i-th row, in the order of the table; NULL behind the last. */
const struct runtime *runtime_row(size_t i);

/* The i-th well-known socket of all rows, an absolute path; NULL behind the last. There are at most
 * RUNTIME_SOCKETS_MOST. */
const char *runtime_socket(size_t i);

/* The runtime whose cgroups have this prefix ("crio"); NULL: no row has it. */
const struct runtime *runtime_of_cgroup_prefix(const char *prefix);

/* The Docker-compatible engine whose /version has a component of this name ("Podman Engine"); NULL:
 * no row has it. */
const struct runtime *runtime_of_component(const char *component);

/* Whether a client beside the kubelet may read GetContainerEvents of this version ("2.1.9",
 * "v2.0.0-rc.1"). False where the version is missing or is no version. */
bool runtime_events_are_shared(const struct runtime *r, const char *version);

/* Whether the text of a failed call means that what was asked about no longer exists, or that the
 * runtime is still starting, in the words of any runtime. */
bool runtime_text_is_gone(const char *text);
bool runtime_text_is_starting(const char *text);

#endif
