#include "cri/base/file.h"

#include <errno.h>
#include <unistd.h>

enum {
    PIECE = 4000
}; /* bytes of the first read: with the NUL the buffer is one page; it doubles from there */

/* at < 0: from the descriptor's position. The number of bytes read, 0 at the end, or a negative
 * errno. *ret_full: all the room that there was has been filled. */
static ssize_t read_piece(int fd, off_t at, struct buf *b, bool *ret_full)
{
    char *to = buf_reserve(b, PIECE);
    size_t room;
    ssize_t n;

    if (!to) {
        return -ENOMEM;
    }
    room = b->cap - b->n - 1;
    do {
        n = at < 0 ? read(fd, to, room) : pread(fd, to, room, at);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return -errno;
    }
    b->n += (size_t)n;
    b->p[b->n] = '\0';
    *ret_full = (size_t)n == room;
    return n;
}

int file_read_all(int fd, size_t max, struct buf *b)
{
    bool full = false;
    ssize_t n;

    while ((n = read_piece(fd, -1, b, &full)) > 0) {
        if (b->n > max) {
            return -EFBIG;
        }
    }
    return (int)n;
}

int file_read_again(int fd, size_t max, bool one_piece, struct buf *b)
{
    bool full = false;
    ssize_t n;

    b->n = 0;
    do {
        n = read_piece(fd, (off_t)b->n, b, &full);
        if (n < 0) {
            return (int)n;
        }
        if (b->n > max) {
            return -EFBIG;
        }
    } while (n > 0 && !(one_piece && !full));
    return 0;
}

int file_write_all(int fd, const void *p, size_t n)
{
    const char *from = p;

    while (n) {
        ssize_t done = write(fd, from, n);

        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0) {
            return -errno;
        }
        from += done;
        n -= (size_t)done;
    }
    return 0;
}
