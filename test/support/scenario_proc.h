/* The files of a process, as the kernel writes them, in a folder that stands in for /proc. */
#ifndef PODPID_TEST_SCENARIO_PROC_H
#define PODPID_TEST_SCENARIO_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOST_PID_NS 4026531836

struct proc_cgroup {
    const char *v1, *v2;
    const char *odd; /* "controller:/path": one v1 line that differs; NULL: none */
};

struct proc_words {
    int pid, ppid, session, threads;
    uint64_t start;
    char state;
    const char *comm;
    struct proc_cgroup cgroup;
    const char *in; /* alias of the container whose cgroup the process is in; NULL: none */
    const char *ns; /* "N": PID N in the PID namespace named like `in`; "NAME:N": in NAME's; NULL:
                       the host's */
};

struct proc_writer {
    const char *dir;
    bool v1, v2;     /* which hierarchies the node has */
    bool without_ns; /* the namespaces could not be read: no ns.json is written */
    bool has_init;   /* PID 1 was written */
    char **spaces;   /* names of PID namespaces; their index makes the inode */
    size_t n_spaces;
};

bool proc_write(struct proc_writer *w, const struct proc_words *p, char *why, size_t size);
void proc_write_thread(struct proc_writer *w, const char *pid, const char *tid, char state,
                       const struct proc_cgroup *cgroup);
void proc_writer_done(struct proc_writer *w);

#endif
