#include "cri/runtimes.h"

#include <string.h>

#include "cri/base/text.h"

/* The order is that in which well-known sockets are tried: crictl's (containerd, CRI-O,
 * cri-dockerd), then the distributions, then engines without CRI. Versions and sources:
 * cri/README.md. */
static const struct runtime rows[] = {
    {
        .title = "containerd",
        .name = "containerd",
        .sockets = {"/run/containerd/containerd.sock", "/var/run/containerd/containerd.sock"},
        .unit = "containerd",
        .cgroup_driver_setting = "SystemdCgroup = true for runc in /etc/containerd/config.toml",
        .events_since = 2,
        .starting_text = "server is not initialized yet",
        .cgroup_prefix = "cri-containerd",
    },
    {
        .title = "CRI-O",
        .name = "cri-o",
        .sockets = {"/run/crio/crio.sock", "/var/run/crio/crio.sock"},
        .unit = "crio",
        .cgroup_driver_setting = "cgroup_manager = \"systemd\" in /etc/crio/crio.conf",
        .events_since = 1,
        .gone_texts = {"does not exist"},
        .cgroup_prefix = "crio",
    },
    {
        .title = "cri-dockerd",
        .name = "docker",
        .sockets = {"/run/cri-dockerd.sock", "/var/run/cri-dockerd.sock"},
        .unit = "cri-docker",
        .cgroup_driver_setting = "native.cgroupdriver=systemd in /etc/docker/daemon.json",
        .gone_texts = {"No such container"},
        .hides_sandbox_pid = true,
        .cgroup_prefix = "docker",
    },
    {
        .title = "k3s and RKE2",
        .sockets = {"/run/k3s/containerd/containerd.sock"},
    },
    {
        .title = "k0s",
        .sockets = {"/run/k0s/containerd.sock"},
    },
    {
        .title = "Docker Engine",
        .name = "docker",
        .docker_api = true,
        .sockets = {"/run/docker.sock", "/var/run/docker.sock"},
        .unit = "docker",
        .cgroup_driver_setting = "native.cgroupdriver=systemd in /etc/docker/daemon.json",
        .events_end_with_daemon = true,
        .cgroup_prefix = "docker",
        .cgroupfs_prefix = "",
        .cgroup_folders = {"/docker", "/system.slice"},
    },
    {
        .title = "podman",
        .name = "podman",
        .docker_api = true,
        .unit = "podman",
        .cgroup_driver_setting = "cgroup_manager = \"systemd\" in /etc/containers/containers.conf",
        .events_end_with_daemon = true,
        .component = "Podman Engine",
        .cgroup_prefix = "libpod",
        .cgroupfs_prefix = "libpod-",
        .default_slice = "machine.slice",
        .default_parent = "/libpod_parent",
        .cgroup_folders = {"/machine.slice", "/libpod_parent", "/system.slice"},
    },
};

/* A runtime without a row: its hints name containerd's settings as an example. */
static const struct runtime unknown = {
    .title = "the runtime",
    .unit = "containerd",
    .cgroup_driver_setting = "SystemdCgroup = true for runc in /etc/containerd/config.toml",
    .cgroupfs_prefix = "",
};

_Static_assert(N_ELEMENTS(rows) * RUNTIME_SOCKETS <= RUNTIME_SOCKETS_MOST,
               "raise RUNTIME_SOCKETS_MOST");

const struct runtime *runtime_row(size_t i)
{
    return i < N_ELEMENTS(rows) ? &rows[i] : NULL;
}

static bool same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

const struct runtime *runtime_find(const char *name, const char *api)
{
    bool docker_api = same(api, "docker");
    const struct runtime *first = NULL;

    for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
        if (!same(rows[i].name, name)) {
            continue;
        }
        if (rows[i].docker_api == docker_api) {
            return &rows[i];
        }
        first = first ? first : &rows[i];
    }
    return first ? first : &unknown;
}

const char *runtime_socket(size_t i)
{
    for (size_t row = 0; row < N_ELEMENTS(rows); row++) {
        for (size_t k = 0; k < RUNTIME_SOCKETS && rows[row].sockets[k]; k++) {
            if (i-- == 0) {
                return rows[row].sockets[k];
            }
        }
    }
    return NULL;
}

const struct runtime *runtime_of_cgroup_prefix(const char *prefix)
{
    for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
        if (same(rows[i].cgroup_prefix, prefix)) {
            return &rows[i];
        }
    }
    return NULL;
}

const struct runtime *runtime_of_component(const char *component)
{
    for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
        if (same(rows[i].component, component)) {
            return &rows[i];
        }
    }
    return NULL;
}

bool runtime_events_are_shared(const struct runtime *r, const char *version)
{
    struct str major = str_of(version);
    uint64_t n;

    if (str_starts(major, STR("v"))) {
        major.p++;
        major.n--;
    }
    if (major.p) {
        major.n = strcspn(major.p, ".");
    }
    return r->events_since && str_to_u64(major, &n) && n >= r->events_since;
}

bool runtime_text_is_gone(const char *text)
{
    for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
        for (size_t k = 0; k < N_ELEMENTS(rows[i].gone_texts) && rows[i].gone_texts[k]; k++) {
            if (strstr(text, rows[i].gone_texts[k])) {
                return true;
            }
        }
    }
    return false;
}

bool runtime_text_is_starting(const char *text)
{
    for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
        if (rows[i].starting_text && strstr(text, rows[i].starting_text)) {
            return true;
        }
    }
    return false;
}
