/* What is handed over: the document of the targets, as a file or in memory. */
#ifndef PODPID_HANDOFF_HANDOFF_H
#define PODPID_HANDOFF_HANDOFF_H

#include "cri/base/error.h"
#include "resolver/podpid.h"
#include "resolver/targets/targets.h"

/* Whether these options allow a handoff at all. 0 or ERR_USAGE: of a capture, without a target, or
 * where /proc is not procfs of our own PID namespace. */
int handoff_check(const struct podpid_options *look, const struct podpid_targets *targets,
                  struct err *err);

/* The part of a snapshot that is handed over: the target containers of result, in all states,
 * without strays and foreign cgroups. *ret borrows from s, and the caller frees it. 0 or ERR_NOMEM.
 */
int handoff_select(const struct podpid_snapshot *s, const struct targets_result *result,
                   struct podpid_snapshot **ret, struct err *err);

/* Write the document of these targets to the handoff file at path, as handoff_file_write(). mode 0:
 * 0640; group NULL: the process's own. 0, ERR_WRITE or ERR_NOMEM. */
int handoff_give(const struct podpid_snapshot *targets, const char *path, int mode,
                 const char *group, struct err *err);

#endif
