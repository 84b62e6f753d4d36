/* Verdicts: reduce a unit's members to its main process, and compare that with the PID that the
 * runtime reports. Pure. */
#ifndef PODPID_JOIN_VERDICT_H
#define PODPID_JOIN_VERDICT_H

#include "cri/base/clock.h"
#include "resolver/join/member.h"
#include "resolver/podpid.h"

/* What all verdicts of a look are made from. All pointers are borrowed. */
struct verdict_input {
    const struct view *view;
    const struct ptable *table;
    const struct members *members;
    const char *vm_handlers; /* runtime handlers of virtual machines, comma-separated; NULL: none */
    nsec boot_time;          /* nanoseconds since the epoch; start ticks are counted from here */
    long ticks_per_second;
    const char *blind; /* why a process may exist that this /proc does not show; NULL: none can */
};

struct verdict {
    enum podpid_verdict verdict;
    const struct proc *reported; /* the row of the reported PID; NULL: there is none */
    const struct proc *main;     /* the root that reduce_main() picks; NULL: there is no root */
    pid_t pid;                   /* the verified PID; 0: the verdict is another */
    pid_t inferred_pid;          /* 0: the verdict is not inferred */
    char reason[256];            /* one sentence for people */
};

/* A unit's verdict; the unit's roots are found and their rows loaded. */
void verdict_of(const struct verdict_input *in, const struct unit *u, struct verdict *ret);

/* The row that may carry the role main under this verdict; NULL: no row may. */
const struct proc *verdict_main_row(const struct verdict *v);

/* ---- vm.c ------------------------------------------------------------------------------------ */

/* Whether the unit runs in a virtual machine or a sandboxed kernel. reported is the row of the
 * reported PID (NULL: there is none). If so, a sentence for people is written into reason, cut to
 * size bytes. */
bool vm_reason(const struct verdict_input *in, const struct unit *u, const struct proc *reported,
               char *reason, size_t size);

/* ---- reduce.c -------------------------------------------------------------------------------- */

/* The unit's first process: the root with the earliest start, at a tie PID 1 of a PID namespace,
 * then the lowest PID. NULL: the unit has no root. */
const struct proc *reduce_main(const struct ptable *t, const struct unit *u);

bool unit_has_root(const struct ptable *t, const struct unit *u, const struct proc *row);

/* The role of a member. main_process is verdict_main_row(): NULL where no process may be called the
 * main one. A root that is not the main process is an exec if it leads its session, else an orphan.
 */
enum podpid_role role_of(const struct verdict_input *in, const struct unit *u,
                         const struct proc *row, const struct proc *main_process);

#endif
