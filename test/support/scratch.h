/* Folders for tests: made under $TMPDIR, filled, removed with all that is in them. Every call ends
 * the test (cmocka's fail) when it cannot do its job. */
#ifndef PODPID_TEST_SCRATCH_H
#define PODPID_TEST_SCRATCH_H

#include <stddef.h>

#include "cri/base/text.h"

/* A new empty folder; malloc'ed path. */
char *scratch_new(void);
void scratch_remove(char *dir); /* the folder, all below it, and the string */

/* dir/name with these n bytes; folders on the way are made. */
void scratch_write(const char *dir, const char *name, const void *p, size_t n);
void scratch_puts(const char *dir, const char *name, const char *text);

/* The whole of dir/name; buf_free() it. False: no such file. */
bool scratch_read(const char *dir, const char *name, struct buf *ret);

/* All files below from into to, over what is there. */
void scratch_copy(const char *from, const char *to);

/* dir/name, a file or a folder with all below it, gone. */
void scratch_delete(const char *dir, const char *name);

#endif
