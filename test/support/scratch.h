/* Scratch folders for tests, below $TMPDIR. Every function makes the test fail (cmocka's fail())
 * where it cannot do its job. */
#ifndef PODPID_TEST_SCRATCH_H
#define PODPID_TEST_SCRATCH_H

#include <stddef.h>

#include "cri/base/text.h"

/* Make an empty folder. Its path is the caller's to scratch_remove(). */
char *scratch_new(void);
void scratch_remove(char *dir); /* the folder, all below it, and the path */

/* Write the file dir/name, with the folders on the way. */
void scratch_write(const char *dir, const char *name, const void *p, size_t n);
void scratch_puts(const char *dir, const char *name, const char *text);

/* Read the file dir/name; the caller calls buf_free(). False: there is no such file. */
bool scratch_read(const char *dir, const char *name, struct buf *ret);

/* Copy all files below from to the folder to, over files of the same names. */
void scratch_copy(const char *from, const char *to);

/* Remove dir/name: a file, or a folder with all below it. */
void scratch_delete(const char *dir, const char *name);

#endif
