/* Writing a capture: what its parts share. */
#ifndef PODPID_CAPTURE_IMPL_H
#define PODPID_CAPTURE_IMPL_H

#include <jansson.h>

#include "resolver/capture/write.h"

/* dir_fd/name, new and 0600; shown in messages below where. 0, or ERR_WRITE. */
int capture_put(int dir_fd, const char *where, const char *name, const char *p, size_t n,
                struct err *err);

/* A folder, new and 0700, opened. The descriptor, or negative errno. */
int capture_folder(int dir_fd, const char *where, const char *name, struct err *err);

/* dir_fd/name from an object, which is taken; NULL: memory was out. */
int capture_put_json(int dir_fd, const char *where, const char *name, json_t *object,
                     struct err *err);

/* proc/ below the capture's folder: every process's extract, and the boot time. Paths of the v2
 * hierarchy are noted in paths, an object (path -> true). */
int capture_put_proc(int dir_fd, const char *dir, const struct procfs *p, json_t *paths,
                     struct err *err);

#endif
