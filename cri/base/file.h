/* Whole files: read to the end, written to the end. */
#ifndef PODPID_BASE_FILE_H
#define PODPID_BASE_FILE_H

#include <stddef.h>

#include "cri/base/text.h"

/* Append all that fd gives until its end to b. 0 or a negative errno: -EFBIG once b would hold more
 * than max bytes, -ENOMEM. An interrupted read goes on. */
int file_read_all(int fd, size_t max, struct buf *b);

/* The same from the start of the file, in place of what b holds, whatever the descriptor's position
 * (pread): one descriptor can be read again and again. one_piece: the file is written by the kernel
 * in one piece, so a short read is its end, which saves a system call; false for files of many
 * records, such as mountinfo. */
int file_read_again(int fd, size_t max, bool one_piece, struct buf *b);

/* Write n bytes. 0 or a negative errno. An interrupted write goes on. */
int file_write_all(int fd, const void *p, size_t n);

#endif
