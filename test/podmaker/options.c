#include "test/podmaker/options.h"

#include <getopt.h>
#include <stdlib.h>

enum option_key {
    OPT_NAMESPACE = 1,
    OPT_NAME,
    OPT_UID,
    OPT_ATTEMPT,
    OPT_LABEL,
    OPT_PRIVILEGED,
    OPT_HOST_PID,
    OPT_SHARED_PID,
    OPT_CGROUP_PARENT,
    OPT_IMAGE,
    OPT_MOUNT,
    OPT_CREATE_ONLY,
    OPT_FIRST,
    OPT_PODS,
    OPT_CONTAINERS,
    OPT_PROCESSES,
    OPT_JOBS,
    OPT_TIMEOUT
};

static const struct option long_options[] = {
    {"namespace", required_argument, NULL, OPT_NAMESPACE},
    {"name", required_argument, NULL, OPT_NAME},
    {"uid", required_argument, NULL, OPT_UID},
    {"attempt", required_argument, NULL, OPT_ATTEMPT},
    {"label", required_argument, NULL, OPT_LABEL},
    {"privileged", no_argument, NULL, OPT_PRIVILEGED},
    {"host-pid", no_argument, NULL, OPT_HOST_PID},
    {"shared-pid", no_argument, NULL, OPT_SHARED_PID},
    {"cgroup-parent", required_argument, NULL, OPT_CGROUP_PARENT},
    {"image", required_argument, NULL, OPT_IMAGE},
    {"mount", required_argument, NULL, OPT_MOUNT},
    {"create-only", no_argument, NULL, OPT_CREATE_ONLY},
    {"first", required_argument, NULL, OPT_FIRST},
    {"pods", required_argument, NULL, OPT_PODS},
    {"containers", required_argument, NULL, OPT_CONTAINERS},
    {"processes", required_argument, NULL, OPT_PROCESSES},
    {"jobs", required_argument, NULL, OPT_JOBS},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {0},
};

/* False for an option that is unknown or once too often. */
static bool take_option(struct options *o, int key, char *value)
{
    switch (key) {
    case OPT_NAMESPACE:
        o->namespace_ = value;
        return true;
    case OPT_NAME:
        o->name = value;
        return true;
    case OPT_UID:
        o->uid = value;
        return true;
    case OPT_ATTEMPT:
        o->attempt = (uint32_t)atoi(value);
        return true;
    case OPT_PRIVILEGED:
        o->privileged = true;
        return true;
    case OPT_HOST_PID:
        o->pid = PODMAKER__NAMESPACE_MODE__NODE;
        return true;
    case OPT_SHARED_PID:
        o->pid = PODMAKER__NAMESPACE_MODE__POD;
        return true;
    case OPT_CGROUP_PARENT:
        o->cgroup_parent = value;
        return true;
    case OPT_IMAGE:
        o->image = value;
        return true;
    case OPT_CREATE_ONLY:
        o->create_only = true;
        return true;
    case OPT_FIRST:
        o->first = atol(value);
        return true;
    case OPT_PODS:
        o->pods = atol(value);
        return true;
    case OPT_CONTAINERS:
        o->containers = atol(value);
        return true;
    case OPT_PROCESSES:
        o->processes = atol(value);
        return true;
    case OPT_JOBS:
        o->jobs = atol(value);
        return true;
    case OPT_TIMEOUT:
        o->timeout = atol(value);
        return true;
    case OPT_LABEL:
        if (o->n_labels < MAX_LABELS) {
            o->labels[o->n_labels++] = value;
            return true;
        }
        return false;
    case OPT_MOUNT:
        if (o->n_mounts < MAX_MOUNTS) {
            o->mounts[o->n_mounts++] = value;
            return true;
        }
        return false;
    default:
        return false;
    }
}

int options_read(struct options *ret, int argc, char **argv)
{
    int key;

    *ret = (struct options){.namespace_ = "prod",
                            .name = "app",
                            .image = "docker.io/library/busybox:latest",
                            .pid = PODMAKER__NAMESPACE_MODE__CONTAINER,
                            .pods = 1,
                            .containers = 1,
                            .processes = 1,
                            .jobs = 4};
    while ((key = getopt_long(argc, argv, "+", long_options, NULL)) != -1) {
        if (!take_option(ret, key, optarg)) {
            return -1;
        }
    }
    return optind;
}
