/* Pidfds, and room for their descriptors. */
#ifndef PODPID_HANDOFF_PIDFDS_H
#define PODPID_HANDOFF_PIDFDS_H

#include <stddef.h>
#include <sys/resource.h>

#include "cri/base/error.h"
#include "resolver/podpid.h"

/* Raise the process's soft limit of descriptors to room for `more` and a reserve, as far as the
 * hard limit allows. *before gets the limit for nofile_restore(). */
void nofile_raise(size_t more, struct rlimit *before);
void nofile_restore(const struct rlimit *before);

#endif
