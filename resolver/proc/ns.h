/* The namespaces of a process, by their inode numbers. */
#ifndef PODPID_PROC_NS_H
#define PODPID_PROC_NS_H

#include <stdint.h>
#include <sys/types.h>

#include "resolver/proc/procfs.h"

/* The initial namespaces: constant since Linux 3.8 (time: 5.6), in uapi linux/nsfs.h since 6.18. */
#define NS_INIT_TIME UINT64_C(4026531834)
#define NS_INIT_CGROUP UINT64_C(4026531835)
#define NS_INIT_PID UINT64_C(4026531836)
#define NS_INIT_USER UINT64_C(4026531837)

/* Inode numbers; 0: not readable, or not asked for. */
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

/* Read the namespaces of a process from the links <pid>/ns/{pid,mnt,net,cgroup,user}; in a folder
 * of files from <pid>/ns.json, an object of numbers by the same names. kinds: which ones (enum
 * proc_ns_kind bits); each link costs a system call. A process that has exited, or whose links may
 * not be read, gives zeros. 0, or a negative errno that err_is_shortage(). */
int procfs_read_ns(const struct procfs *p, pid_t pid, unsigned kinds, struct proc_ns *ret);

#endif
