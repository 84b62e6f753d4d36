/* From errors inside (struct err, negative errno) to public ones (struct podpid_error, enum
 * podpid_code). */
#ifndef PODPID_RESOLVER_ERROR_H
#define PODPID_RESOLVER_ERROR_H

#include "cri/base/error.h"
#include "resolver/podpid.h"

/* Fill the caller's error (NULL: nothing) up to its size, and return e's public code. */
int error_publish(const struct err *e, struct podpid_error *ret);

/* The same for an error that is public already: from is complete, ret the caller's. */
int error_copy(const struct podpid_error *from, struct podpid_error *ret);

#endif
