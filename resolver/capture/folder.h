/* Files and folders of a capture that is written. In messages dir_fd is named where. */
#ifndef PODPID_CAPTURE_FOLDER_H
#define PODPID_CAPTURE_FOLDER_H

#include <stddef.h>

#include <jansson.h>

#include "cri/base/error.h"

/* Make and open dir, or open it if it is there and empty. A symbolic link is refused: in /tmp
 * anybody may have made one, and root's files would go where it points. The descriptor is the
 * caller's to close. *ret_made: dir was made. A negative errno with ERR_WRITE, or ERR_PROC where
 * descriptors run out. */
int folder_open_new(const char *dir, bool *ret_made, struct err *err);

/* Make the folder dir_fd/name with mode 0700 and open it. The same errors. */
int folder_make(int dir_fd, const char *where, const char *name, struct err *err);

/* Make the file dir_fd/name with mode 0600 and these bytes. 0, or the same errors. */
int folder_write_file(int dir_fd, const char *where, const char *name, const void *p, size_t n,
                      struct err *err);

/* The same from a JSON object, which is freed in any case; NULL is a lack of memory. */
int folder_write_json(int dir_fd, const char *where, const char *name, json_t *object,
                      struct err *err);

/* Remove all that is below dir_fd. It needs one descriptor for each level, never more than writing
 * took, so that it also works where descriptors ran out. */
void folder_clear(int dir_fd);

#endif
