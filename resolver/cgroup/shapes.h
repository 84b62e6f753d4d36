/* Shapes: how runtimes and the kubelet name the cgroups of containers, helpers and pods. The table
 * is in shapes.c. Pure; results point into the text that was given. */
#ifndef PODPID_CGROUP_SHAPES_H
#define PODPID_CGROUP_SHAPES_H

#include <stdbool.h>

#include "cri/base/text.h"

/* One way to name the cgroup of a container or of a helper process.
 *
 * A name is a pattern for one component of the path. It is written as it looks in /proc, with
 *     <N>                  exactly N lower-case hex digits: <64>, or a UUID as <8>-<4>-<4>-<4>-<12>
 *     <digits>             one or more decimal digits
 *     <step>               BuildKit's id of a build step: 25 lower-case letters and digits
 *     <name>               one or more characters, but neither "." nor ".."
 *     <prefix>, <slice>    one or more characters, none of them a colon
 *     [text]               text, or nothing
 * The container's id is the text from the start of the first token to the end of the last; <prefix>
 * and <slice> do not count. */
struct shape {
    const char *below;   /* the components directly above, "docker/buildkit"; NULL: any */
    const char *under;   /* a component that stands anywhere above; NULL: any */
    const char *name;    /* the pattern */
    const char *manager; /* NULL: what <prefix> matched; without <prefix> it is not known */
    const char *own;     /* name of a sub-cgroup that the runtime makes directly below for the
                            container's processes; NULL: none */
    const char *what;    /* in words, for messages */
    bool helper;         /* the cgroup is of a process that serves the container from outside */
};

/* For shape.below: directly below a pod. For shape.under: anywhere in a pod. */
#define POD_ABOVE "<pod>"

/* The table's size is limited by the bits of shape_place.under_seen. */
enum { SHAPES_MAX = 64 };

/* Where a component stands in its path. The walk along the path (path.c) keeps it up to date. */
struct shape_place {
    struct str above;    /* the text above the component, with the slash before the component */
    bool directly_pod;   /* the component directly above is a pod */
    bool in_pod;         /* any component above is a pod */
    uint64_t under_seen; /* bit i: the component shapes[i].under stands above */
    bool in_user_slice;  /* below /user.slice: only shapes of rootless engines match */
};

/* The shape that a component matches, and what its tokens stand for. */
struct shape_match {
    const struct shape *shape; /* static */
    struct str id;
    struct str manager; /* none: not known */
    struct str slice;   /* what <slice> matched; none: the pattern has no <slice> */
};

/* Find the first shape of the table that matches a component. False: none does. */
bool shape_find(struct str component, const struct shape_place *place, struct shape_match *ret);

/* The bits that shape_place.under_seen gets below this component. */
uint64_t shape_under_bits(struct str component);

/* A directory or slice of the kubelet, recognised by its name alone:
 *     "[...-]kubepods[-qos]-pod<uid>[.slice]"   a pod; uid is set
 *     "[...-]kubepods[-qos][.slice]"            a level above the pods; uid is none
 * The QoS class is the word after kubepods; a name without one is guaranteed. */
struct kubepods_name {
    const char *qos; /* static */
    struct str uid;  /* as it is written: systemd's names have underscores for dashes */
};

/* False: not such a name. */
bool kubepods_name_parse(struct str component, struct kubepods_name *ret);

/* "pod<uid>[.slice]", the directory that the cgroupfs driver makes for a pod below a kubepods
 * directory. False: not such a name. */
bool pod_dir_parse(struct str component, struct str *ret_uid);

/* Whether a uid looks like one that the API server made (a UUID, with dashes or underscores) or the
 * kubelet (a static pod's: the 32 hex digits of an MD5 sum, Kubernetes pkg/kubelet/config). */
bool pod_uid_is_usual(struct str uid);

/* The QoS class whose directory has this name, "burstable" or "besteffort"; else NULL. Static. */
const char *qos_of_dir(struct str component);

#endif
