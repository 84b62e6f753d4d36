/* A scenario: a short text that describes a node, its runtime's answers and its processes. It is
 * written as a capture folder. test/scenarios/README.md describes the format. */
#ifndef PODPID_TEST_SCENARIO_H
#define PODPID_TEST_SCENARIO_H

#include <stdbool.h>

#include "cri/base/arena.h"
#include "cri/base/text.h"

struct scenario_name {
    const char *name, *text; /* what {name} stands for */
    bool is_id;              /* an alias of a container or sandbox, and its 64 hex digits */
};

struct scenario {
    struct arena arena;
    struct scenario_name *names;
    size_t n_names, cap_names;
    const char *vm_handlers; /* of "option vm_handlers=": for the look */
    bool paths_needed; /* of "option paths=needed": the report is as expected only with cgroups_path
                        */
    char error[256];   /* "line 3: ..." */
};

/* Write the capture that the text describes into dir, which exists. without_paths leaves every
 * cgroups_path out, as cri-dockerd does. False, with s->error set, where the text has a mistake.
 * The caller calls scenario_free() in any case. */
bool scenario_write(struct scenario *s, struct str text, const char *dir, bool without_paths);
void scenario_free(struct scenario *s);

/* Append text with every {name} replaced. */
void scenario_expand(struct scenario *s, struct str text, struct buf *ret);

/* The alias of an ID or of a pod's UID; the text itself where it has none. */
const char *scenario_alias(struct scenario *s, const char *text);

#endif
