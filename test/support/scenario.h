/* A scenario: one node with its runtime's words and its processes, in a short text, written out as
 * a capture folder. test/scenarios/README.md has the format. */
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
    const char *vm_handlers; /* option vm_handlers=... : for the look at it */
    bool paths_needed; /* option paths=needed: what is expected holds with cgroups_path only */
    char error[256];   /* "line 3: ..." */
};

/* Write the capture that the text describes into dir, which exists. without_paths leaves every
 * cgroups_path out, as runtimes do that do not tell it. False with s->error set on a mistake in the
 * text. scenario_free() in any case. */
bool scenario_write(struct scenario *s, struct str text, const char *dir, bool without_paths);
void scenario_free(struct scenario *s);

/* Append text with every {name} replaced. */
void scenario_expand(struct scenario *s, struct str text, struct buf *ret);

/* The alias of an id, or the id itself. A pod's uid is taken for its alias, too. */
const char *scenario_alias(struct scenario *s, const char *text);

#endif
