/* Processes by their numbers in another PID namespace, as a process inside it (or `kubectl exec`)
 * sees them. NSpid of /proc/<pid>/status has them: one number for each PID namespace that a process
 * is in, from that of the /proc which is read down to its own. */
#ifndef PODPID_LOOK_NS_NUMBERS_H
#define PODPID_LOOK_NS_NUMBERS_H

#include "cri/base/arena.h"
#include "resolver/proc/ptable.h"

/* A process or thread, and its number in the namespace. */
struct ns_number {
    pid_t inside, pid;
};

/* All processes of one namespace; zero-initialise. Kept from one question to the next, since
 * thousands are often asked about one namespace. */
struct ns_numbers {
    struct arena arena;
    pid_t ns_of;          /* the process whose namespace it is; 0: none yet */
    uint64_t pidns_ino;   /* the namespace's inode; 0 where pidns_depth is 0 */
    unsigned pidns_depth; /* levels below that of the /proc which is read, which is 0 */
    struct ns_number *processes;
    size_t n_processes;
    struct ns_number
        *threads; /* without the processes' own; filled once a number is no process's */
    size_t n_threads, cap_threads;
    bool have_threads;
};

void ns_numbers_free(struct ns_numbers *n);

/* Read /proc/<pid>/status. 0, -ESRCH: no such process, or its status makes no sense; another
 * negative errno: a shortage. */
int ns_read_status(const struct procfs *p, pid_t pid, struct status_text *ret);

/* Find the process or thread that has the number `inside` in the PID namespace of the process
 * ns_of. *ret is its PID in the /proc which is read; 0: there is none. t: the scan whose processes
 * are searched. 0, or negative errno: ERR_ANSWER no process ns_of, ERR_PROC its namespace cannot be
 * read or a shortage, ERR_NOMEM. */
int ns_numbers_find(struct ns_numbers *n, const struct procfs *p, const struct ptable *t,
                    pid_t ns_of, pid_t inside, pid_t *ret, struct err *err);

#endif
