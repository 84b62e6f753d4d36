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

/* The cgroup text of a live thread of the process whose directory pid_fd is: after the leader has
 * exited, its own v1 lines read "/". 0, -ESRCH where no thread lives (or the folder has no task/).
 */
int procfs_read_thread_cgroup(int pid_fd, struct buf *b);

/* The whole of <name> below dir_fd into b (emptied first); more than max bytes is -EFBIG. */
int procfs_read_file(int dir_fd, const char *name, size_t max, struct buf *b);

/* The directory of our own process, in p or, where we are not in it, in /proc; O_PATH, -1: none. */
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

/* What is used of /proc/<pid>/stat. Parsed from the last ')' on: a comm may be "a) R 1 (b". */
struct stat_line {
    int32_t pid, ppid, session;
    char state;
    uint32_t threads;
    uint64_t start; /* ticks since boot */
    char comm[64];  /* as the kernel wrote it; kernel threads have long ones */
};
bool stat_parse(struct str text, struct stat_line *ret);

/* Z alone is not dead: the leader has exited, other threads live. */
static inline bool stat_leader_exited(const struct stat_line *s)
{
    return s->state == 'Z' && s->threads > 1;
}

/* What is used of /proc/<pid>/status. */
enum { NSPID_DEPTH = 33 }; /* as deep as the kernel nests them, and the initial one */
struct status_text {
    int32_t tgid, pid, ppid;
    char state;
    uint32_t threads;
    int32_t nspid[NSPID_DEPTH]; /* outermost (as read) first */
    unsigned n_nspid;           /* 0: no NSpid line (Linux <4.1) */
    bool kthread;
};
bool status_parse(struct str text, struct status_text *ret);

/* Inodes of <pid>/ns/{pid,mnt,net,cgroup,user}, or those of <pid>/ns.json (an object of numbers by
 * the same names) in a folder of files; 0 where unreadable or not asked for. Each costs a system
 * call: kinds says which ones. 0, or negative errno: a shortage. */
struct proc_ns {
    uint64_t pid, mnt, net, cgroup, user;
};
enum proc_ns_kind {
    PROC_NS_PID = 1,
    PROC_NS_MNT = 2,
    PROC_NS_NET = 4,
    PROC_NS_CGROUP = 8,
    PROC_NS_USER = 16,
    PROC_NS_ALL = 31
};
int procfs_read_ns(const struct procfs *p, pid_t pid, unsigned kinds, struct proc_ns *ret);

/* Pinned identity: one descriptor of /proc/<pid>, held while start, cgroup, start are read; after
 * the process's death every read there is ESRCH. */
struct pin {
    struct stat_line stat; /* the second reading */
    struct buf cgroup;     /* owned: buf_free(). Of a live thread where the leader has exited */
};
/* 0; -ESRCH gone; -EAGAIN the start time changed between (cannot happen on a pinned directory of a
 * real procfs); -EBADMSG a stat that makes no sense; another negative errno. */
int procfs_pin(int proc_fd, pid_t pid, struct pin *ret);

#endif
