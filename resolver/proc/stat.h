/* The texts of /proc/<pid>/stat, /proc/<pid>/status and /proc/stat. Pure: any bytes are fine. */
#ifndef PODPID_PROC_STAT_H
#define PODPID_PROC_STAT_H

#include <stdbool.h>
#include <stdint.h>

#include "cri/base/text.h"

/* The fields of /proc/<pid>/stat that are used. */
struct stat_line {
    int32_t pid, ppid, session;
    char state; /* a letter, as in proc_pid_stat(5) */
    uint32_t threads;
    uint64_t start; /* clock ticks since boot */
    char comm[64];  /* NUL-terminated; 64 is the kernel's own limit (proc_task_name(), 6.12): names
                       of  kernel threads are longer than TASK_COMM_LEN */
};

/* False: not such a text, or one that was cut short. */
bool stat_parse(struct str text, struct stat_line *ret);

/* Whether a process with that state and number of threads still runs. A process whose leader has
 * exited is in state Z while other threads of it live; then it has more than one thread. */
static inline bool proc_is_alive(char state, uint32_t threads)
{
    return (state != 'Z' && state != 'X') || threads > 1;
}

/* Whether the leader has exited while other threads of the process live. */
static inline bool stat_leader_exited(const struct stat_line *s)
{
    return s->state == 'Z' && s->threads > 1;
}

/* The kernel nests PID namespaces at most 32 deep below the initial one (MAX_PID_NS_LEVEL). */
enum { NSPID_DEPTH = 33 };

/* The fields of /proc/<pid>/status that are used. */
struct status_text {
    int32_t tgid, pid, ppid;
    char state;
    uint32_t threads;
    int32_t nspid[NSPID_DEPTH]; /* the PID in each PID namespace, from that of the procfs down to
                                   the process's own */
    unsigned n_nspid;           /* 0: no NSpid line (Linux <4.1) */
    bool kthread;               /* a kernel thread; false also where status has no Kthread line */
};

/* False: not such a text. A last line without a newline is ignored: it was cut short. */
bool status_parse(struct str text, struct status_text *ret);

/* The "btime" line of /proc/stat: when the node was booted, in seconds since the epoch. False: the
 * text has no such line. */
bool btime_parse(struct str text, uint64_t *ret);

#endif
