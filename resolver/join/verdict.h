/* Reduce a unit's members to its main process, and hold the reported PID against it. Pure. */
#ifndef PODPID_JOIN_VERDICT_H
#define PODPID_JOIN_VERDICT_H

#include "cri/base/clock.h"
#include "resolver/join/member.h"
#include "resolver/podpid.h"

/* What the verdicts of one round share. */
struct verdict_input {
    const struct view *view;
    const struct ptable *table;
    const struct members *members;
    const char *vm_handlers; /* comma-separated; NULL: none */
    nsec boot_time;          /* start ticks + this = wall clock, ns since the epoch */
    long ticks_per_second;
    const char
        *blind; /* why a process may exist that this /proc does not show; NULL: it shows all */
};

struct verdict {
    enum podpid_verdict verdict;
    const struct proc *reported; /* the row of the reported PID; NULL: none */
    const struct proc *main; /* the root that the reduction picks; NULL: there is none to pick */
    pid_t pid;               /* verified */
    pid_t inferred_pid;
    char reason[256];
};

/* The order of roots: earliest start, then PID 1 of a PID namespace, then the lowest PID. */
const struct proc *reduce_main(const struct ptable *t, const struct unit *u);

void verdict_of(const struct verdict_input *in, const struct unit *u, struct verdict *ret);

/* main: what verdict_of() picked, or NULL where no process may be called that. */
enum podpid_role role_of(const struct verdict_input *in, const struct unit *u,
                         const struct proc *row, const struct proc *main_process);

/* The row that may carry the role main under this verdict; NULL: none may. */
const struct proc *verdict_main_row(const struct verdict *v);

#endif
