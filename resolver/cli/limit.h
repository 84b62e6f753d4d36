/* The limit of open descriptors. */
#ifndef PODPID_CLI_LIMIT_H
#define PODPID_CLI_LIMIT_H

#include <sys/resource.h>

/* Raise the process's soft limit of descriptors to n, as far as the hard limit allows; a higher one
 * stays. Returns the limits before, for setrlimit(2). */
struct rlimit limit_raise_fds(rlim_t n);

#endif
