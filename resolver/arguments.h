/* Arguments of public functions: NULL, unknown enumerators, and structs of other versions of the
 * header. */
#ifndef PODPID_RESOLVER_ARGUMENTS_H
#define PODPID_RESOLVER_ARGUMENTS_H

#include <stddef.h>

#include "resolver/error.h"

/* PODPID_ERR_USAGE for a call of function with an argument that is NULL, or no value of its enum.
 *
 *     if (!ret) {
 *         return bad_argument(__func__, error);
 *     } */
int bad_argument(const char *function, struct podpid_error *error);

/* Copy a struct that the caller has allocated and that begins with its size, whatever version of
 * the header it is of. Members that an older version lacks become zero; to->size becomes that of
 * this version. 0, or -EINVAL with ERR_USAGE: from is NULL, has no size, or is of a newer version
 * and sets a member that this one does not know.
 *
 * So that this keeps working, a new member of such a struct goes behind sizeof of the version
 * before, never into its padding: an older caller's padding may hold anything. */
#define SIZED_COPY(to, from, err) sized_copy((to), sizeof(*(to)), (from), #from, (err))

int sized_copy(void *to, size_t known, const void *from, const char *name, struct err *err);

#endif
