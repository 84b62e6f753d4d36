/* Readers of /proc. They take a directory descriptor, so that a folder of files (a capture, a test)
 * can stand in for /proc. Descriptors that they open are close-on-exec. */
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
    bool own_pidns;   /* procfs of this process's PID namespace: PIDs in it are as for kill(2) */
    bool other_pidns; /* procfs of another PID namespace */
    char path[256];   /* as it was given; for messages, cut where it is longer */
};

/* Open a procfs, or a folder that stands in for it. 0, or a negative errno with ERR_DENIED (EACCES,
 * EPERM) or ERR_PROC. */
int procfs_open(const char *path, struct procfs *ret, struct err *err);

/* Close the descriptor; a second call does nothing. */
void procfs_close(struct procfs *p);

/* Open the directory <pid> (O_PATH). What is opened through it is of this process, even if its PID
 * is reused. A descriptor or a negative errno; -ESRCH: no such process. */
int procfs_open_pid(int proc_fd, pid_t pid);

/* Replace what b holds by the file <pid>/<name>; name is one that the kernel writes in one piece:
 * cgroup, stat or status. 0 or a negative errno; -ESRCH: no such process, or it exited meanwhile;
 * -EFBIG: more than a MiB, which only a folder of files can hold. */
int procfs_read(int proc_fd, pid_t pid, const char *name, struct buf *b);

/* The same for <name> in the directory of a process (procfs_open_pid()). */
int procfs_read_pinned(int pid_fd, const char *name, struct buf *b);

/* Open <name> in the directory of a process, for procfs_read_again(). A descriptor or a negative
 * errno; -ESRCH: the process has exited. */
int procfs_open_pinned(int pid_fd, const char *name);

/* Replace what b holds by the file's text as it is now. fd is of procfs_open_pinned() and can be
 * read again and again; once the process has exited the result is -ESRCH. Errors as procfs_read().
 */
int procfs_read_again(int fd, struct buf *b);

/* Replace what the buffers hold by stat and cgroup of a live thread of the process whose directory
 * is pid_fd. For a process whose leader has exited: the leader's own cgroup file has
 * "/" in its v1 lines then. The thread's TID or a negative errno; -ESRCH: no thread lives, or a
 * folder of files has no task/. */
int procfs_read_live_thread(int pid_fd, struct buf *stat, struct buf *cgroup);

/* Replace what b holds by the file <name> in a directory. 0 or a negative errno; -EFBIG: more than
 * max bytes. */
int procfs_read_file(int dir_fd, const char *name, size_t max, struct buf *b);

/* When the node was booted, in seconds since the epoch (btime in <proc>/stat). 0 or a negative
 * errno; -EBADMSG: the file has no such line. */
int procfs_read_btime(const struct procfs *p, uint64_t *ret);

/* Open the directory of this process (O_PATH): "self" in p, or /proc/self where p does not show
 * this process. A descriptor or a negative errno. */
int procfs_open_self(const struct procfs *p);

/* Replace what b holds by the mountinfo of this process. 0 or a negative errno. */
int procfs_read_mountinfo(const struct procfs *p, struct buf *b);

/* Parse the name of a process's or thread's directory: decimal, positive, no leading zero, fits
 * pid_t. False: not such a name. */
bool procfs_pid_name(const char *name, int32_t *ret);

/* Reads the entries of a directory by getdents64(), without the allocations of opendir(). Start
 * with fd set and the rest zero. */
struct dir_reader {
    int fd;                           /* the caller's; O_DIRECTORY, not O_PATH */
    size_t pos, len;                  /* what of data is not given out yet */
    _Alignas(8) char data[16 * 1024]; /* some 500 entries of /proc in one system call */
};
struct dir_entry {
    const char *name;   /* in the reader; valid until the next call */
    unsigned char type; /* DT_... */
};

/* The next entry, "." and ".." included. 1; 0: the end; or a negative errno. */
int dir_next(struct dir_reader *d, struct dir_entry *ret);

#endif
