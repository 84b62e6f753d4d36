/* Reading /proc, through a directory descriptor: a folder of files can stand in for it. */
#ifndef PODPID_PROC_PROCFS_H
#define PODPID_PROC_PROCFS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cri/base/error.h"
#include "cri/base/text.h"

struct procfs {
    int fd;           /* O_DIRECTORY; owned */
    bool is_procfs;   /* by statfs; false: a folder of files (a capture, a test) */
    bool own_pidns;   /* procfs of our own PID namespace: its "self" is getpid() */
    bool other_pidns; /* is_procfs, but not own_pidns: its "self" is not getpid(), or not there */
    char path[256];   /* as it was given, for messages */
};

/* path NULL is an error of the caller. 0, or ERR_PROC / ERR_DENIED. */
int procfs_open(const char *path, struct procfs *ret, struct err *err);
void procfs_close(struct procfs *p);

/* The directory of a process, held: O_PATH, close-on-exec. -ESRCH when there is no such process. */
int procfs_open_pid(int proc_fd, pid_t pid);

/* The whole of <pid>/<name> into b (emptied first), name being one that the kernel writes in one
 * piece: cgroup, stat or status. 0, -ESRCH when the process is gone (opened then reaped, or never
 * there), -EFBIG where it is larger than any kernel makes it, another negative errno. */
int procfs_read(int proc_fd, pid_t pid, const char *name, struct buf *b);

/* As procfs_read() for <name> below the directory of a process. */
int procfs_read_pinned(int pid_fd, const char *name, struct buf *b);

/* The same in two steps, for what is read more than once: a descriptor of <name> (close-on-exec, or
 * negative errno), and its whole text as the kernel writes it now. The descriptor is of the
 * process, as pid_fd is: after its death every reading gives -ESRCH. */
int procfs_open_pinned(int pid_fd, const char *name);
int procfs_read_again(int fd, struct buf *b);

/* Read stat and cgroup of a live thread of the process whose directory is pid_fd, each into its
 * buffer (emptied first). For a process whose leader has exited: the leader's own v1 cgroup lines
 * read "/" then. The thread's TID, -ESRCH where no thread lives (or a folder of files has no
 * task/), or another negative errno. */
int procfs_read_live_thread(int pid_fd, struct buf *stat, struct buf *cgroup);

/* The whole of <name> below dir_fd into b (emptied first); more than max bytes is -EFBIG. */
int procfs_read_file(int dir_fd, const char *name, size_t max, struct buf *b);

/* The btime line of <proc>/stat: when the node was booted, in seconds since the epoch. 0, -EBADMSG:
 * the file has no such line; another negative errno. */
int procfs_read_btime(const struct procfs *p, uint64_t *ret);

/* Open the directory of our own process, in p or, where we are not in it, in /proc. A descriptor
 * (O_PATH, close-on-exec) or a negative errno. */
int procfs_open_self(const struct procfs *p);

/* The mounts of our own process, as procfs_read_file(). */
int procfs_read_mountinfo(const struct procfs *p, struct buf *b);

/* Names of processes and threads: decimal, positive, no leading zero, fits pid_t. */
bool procfs_pid_name(const char *name, int32_t *ret);

/* Directory entries, raw: getdents64() without the allocations of opendir(). */
struct dir_reader {
    int fd; /* owned by the caller, O_DIRECTORY and not O_PATH */
    size_t pos, len;
    _Alignas(8) char data[16 * 1024];
};
struct dir_entry {
    const char *name;   /* in the reader, until the next call */
    unsigned char type; /* DT_... */
};
/* 1 an entry, 0 the end, negative errno. Zero pos and len to start. */
int dir_next(struct dir_reader *d, struct dir_entry *ret);

#endif
