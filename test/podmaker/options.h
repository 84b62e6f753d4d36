/* The tool's options, as the command line gives them. */
#ifndef PODPID_TEST_PODMAKER_OPTIONS_H
#define PODPID_TEST_PODMAKER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "podmaker.pb-c.h"

enum { MAX_LABELS = 16, MAX_MOUNTS = 8 };

struct options {
    const char *folder; /* logs go below it */
    const char *namespace_, *name, *uid, *image, *cgroup_parent;
    uint32_t attempt;
    char *labels[MAX_LABELS], *mounts[MAX_MOUNTS];
    size_t n_labels, n_mounts;
    bool privileged, create_only;
    Podmaker__NamespaceMode pid;
    long first, pods, containers, processes, jobs, timeout;
    char **command;
    size_t n_command;
};

/* argv from the verb on, which stands in for the program's name; what comes after the options of a
 * verb is not read: it may be the command of a container. Returns the index of the first argument
 * behind the options, or -1 for an option that is unknown or once too often. */
int options_read(struct options *ret, int argc, char **argv);

#endif
