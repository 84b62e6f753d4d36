/* A look at an artificial node: a fake CRI server on a socket, a folder in place of /proc, and a
 * clock that advances by a millisecond a step. The node has one pod, whose sandbox '5' has PID 100.
 * A container or sandbox is named by one hex digit; its id is that digit 64 times. */
#ifndef PODPID_TEST_LOOK_RIG_H
#define PODPID_TEST_LOOK_RIG_H

#include <stdbool.h>

#include "cri/base/clock.h"
#include "resolver/podpid.h"
#include "test/fake_cri/fake_cri.h"

struct look_rig {
    char *dir;
    int listener;
    struct fake_cri *fake;
    struct fake_conn *conn;
    struct podpid_options options;
    char endpoint[128], proc[128];
    struct podpid_look *look;
    nsec now, started;
    int rc; /* of the last podpid_look_step(); negative: error is filled */
    struct podpid_error error;
    struct podpid_snapshot *snapshot;
    void (*act)(struct look_rig *r);  /* called before each step, to change the node; may be NULL */
    unsigned acts;                    /* a counter for act, 0 at the start of each look */
    void (*step)(struct look_rig *r); /* called in place of podpid_look_step(); may be NULL */
};

#define RIG_UID "11111111-2222-3333-4444-555555555555"
#define RIG_POD "/kubepods/pod" RIG_UID

/* Ticks: 100 s after boot, which is when the runtime says that its containers started. */
enum { RIG_STARTED = 10000 };

void look_rig_open(struct look_rig *r);
void look_rig_open_verified(struct look_rig *r); /* with 'a' running as PID 200 */
void look_rig_close(struct look_rig *r);

/* The id, and the cgroup path of that container; in static storage. */
const char *rig_id(char digit);
const char *rig_cgroup(char digit);

/* Set what the runtime answers; state is "RUNNING", "EXITED", ... */
void rig_list(struct look_rig *r, char digit, const char *state);
void rig_unlist(struct look_rig *r, char digit);
void rig_status(struct look_rig *r, char digit, const char *state, int pid);
void rig_forget(struct look_rig *r, char digit); /* its status becomes NotFound */
void rig_container(struct look_rig *r, char digit, const char *state, int pid); /* list, status */
/* Let a call ("METHOD" or "METHOD ID") fail as the JSON text says, in which ' stands for ". */
void rig_fault(struct look_rig *r, const char *call, const char *fault);
void rig_fault_of_status(struct look_rig *r, char digit, const char *fault);
void rig_sandbox_state(struct look_rig *r, const char *state); /* "READY", "NOTREADY" */

/* Set what /proc shows: a process with its start time in ticks and a state letter as in
 * /proc/<pid>/stat. Outside of cgroup "/" it is PID 1 of a PID namespace of its own. */
void rig_process(struct look_rig *r, int pid, int ppid, unsigned long start, char state,
                 const char *cgroup);
void rig_reap(struct look_rig *r, int pid);

/* A running container and its main process: runtime and /proc agree. */
void rig_running(struct look_rig *r, char digit, int pid);

/* For act: true at the first call in a look. */
bool rig_once(struct look_rig *r);

/* Make a new look and step it until it is done, has failed, or most_ms milliseconds have passed.
 * rig_took_ms() is how many have passed; rig_asked() how often a method was called in all looks. */
void rig_look(struct look_rig *r, unsigned most_ms);
unsigned rig_took_ms(const struct look_rig *r);
unsigned rig_asked(const struct look_rig *r, const char *method);

/* The container's row in the snapshot; NULL: there is none. */
const struct podpid_container *rig_found(const struct look_rig *r, char digit);
/* Fail the test unless the container has a row with that verdict and PID. */
void rig_expect(const struct look_rig *r, char digit, enum podpid_verdict verdict, int pid);

#endif
