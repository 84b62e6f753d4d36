/* The names that runtimes and the kubelet give to cgroups: the table of shapes and its little
 * pattern language. Pure; everything points into the text it was given. */
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
 *     <name>               anything but nothing, "." and ".."
 *     <prefix>, <slice>    one or more characters, none of them a colon
 *     [text]               text, or nothing
 * The id of the container is what the tokens match, from the first to the last of them, <prefix>
 * and <slice> left out. */
struct shape {
    const char *below;   /* the components directly above, "" for any; POD_ABOVE */
    const char *under;   /* a component somewhere above, NULL for any; POD_ABOVE */
    const char *name;    /* the pattern */
    const char *manager; /* NULL: what <prefix> matched, or not known */
    const char *own;  /* a sub-cgroup directly below that is still the container's own; or NULL */
    const char *what; /* in words, for people */
    bool helper;      /* a process that serves the container of this id from outside */
};

/* As below: a pod directly above. As under: in a pod. */
#define POD_ABOVE "<pod>"

/* Where a component stands. Its writer is the walk along a path. */
struct shape_place {
    struct str above;   /* the text above the component, with its last slash */
    bool directly_pod;  /* the component directly above is a pod */
    bool in_pod;        /* some component above is */
    uint64_t seen;      /* bit i: shapes[i].under was seen above */
    bool in_user_slice; /* only the engines that users run themselves are believed */
};

/* What a component was found to be. */
struct shape_match {
    const struct shape *shape;
    struct str id;
    struct str manager; /* none: not known */
    struct str slice;   /* what <slice> matched; none: nothing */
};

/* The first shape that fits. Helpers come first in the table: a helper's name is made of the
 * container's. */
bool shape_find(struct str component, const struct shape_place *place, struct shape_match *ret);

/* Note a component that is no container for the ones below it: the bits for shape_place.seen. */
uint64_t shape_seen(struct str component);

/* A directory or slice of the kubelet's, by its name alone: "[...-]kubepods[-qos]-pod<uid>[.slice]"
 * (uid is set) or the levels above, "[...-]kubepods[-qos][.slice]" (uid is none). The QoS class is
 * the word next to kubepods; no word means guaranteed. */
struct kubepods_name {
    const char *qos;
    struct str uid; /* as it is written: systemd's names have underscores for dashes */
};
bool kubepods_name_parse(struct str component, struct kubepods_name *ret);

/* "pod<uid>[.slice]", as the cgroupfs driver names a pod below a kubepods directory. */
bool pod_dir_parse(struct str component, struct str *ret_uid);

/* A uid that the API server or the kubelet made: a UUID, or the 32 hex digits of a static pod's
 * hash. */
bool pod_uid_is_usual(struct str uid);

const char *qos_of_dir(struct str component); /* "burstable", "besteffort"; NULL: neither */

#endif
