/* Whole files: read to the end, written to the end. */
#ifndef PODPID_BASE_FILE_H
#define PODPID_BASE_FILE_H

#include <stddef.h>

#include "cri/base/text.h"

/* Append everything from fd's position to the end of the file to b. 0 or a negative errno; -EFBIG
 * as soon as b holds more than max bytes. An interrupted read is repeated. */
int file_read_all(int fd, size_t max, struct buf *b);

/* Replace what b holds by the whole file, from its start and whatever fd's position (pread), so
 * that one descriptor can be read again and again. Errors as above. one_piece: the kernel makes the
 * file's text in one go, so a short read is its end, which saves a system call; false for files of
 * many records, such as mountinfo. */
int file_read_again(int fd, size_t max, bool one_piece, struct buf *b);

/* Write n bytes. 0 or a negative errno; some bytes may have been written then. An interrupted write
 * is repeated. */
int file_write_all(int fd, const void *p, size_t n);

#endif
