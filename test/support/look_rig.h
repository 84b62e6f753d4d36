/* A look at a node that is made up: a fake CRI server on a socket, a folder for /proc, and a clock
 * that goes a millisecond a round. One pod, sandbox 's' with PID 100; containers are named by one
 * hex digit, of which their ids have 64. */
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
    int rc; /* of the last step, with error */
    struct podpid_error error;
    struct podpid_snapshot *snapshot;
    void (*act)(struct look_rig *r);  /* called before each round; what a test wants to happen */
    unsigned acts;                    /* for act's own use */
    void (*step)(struct look_rig *r); /* in place of podpid_look_step(); NULL: that */
};

#define RIG_UID "11111111-2222-3333-4444-555555555555"
#define RIG_POD "/kubepods/pod" RIG_UID

/* Ticks: 100 s after boot, which is when the runtime says that its containers started. */
enum { RIG_STARTED = 10000 };

void look_rig_open(struct look_rig *r);
void look_rig_open_verified(struct look_rig *r); /* with 'a' running as PID 200 */
void look_rig_close(struct look_rig *r);

/* Static storage: 64 times the digit; its cgroup. */
const char *rig_id(char digit);
const char *rig_cgroup(char digit);

/* What the runtime says; state as "RUNNING", "EXITED", ... */
void rig_list(struct look_rig *r, char digit, const char *state);
void rig_unlist(struct look_rig *r, char digit);
void rig_status(struct look_rig *r, char digit, const char *state, int pid);
void rig_forget(struct look_rig *r, char digit); /* its status is NotFound */
void rig_container(struct look_rig *r, char digit, const char *state, int pid); /* list, status */
void rig_fault(struct look_rig *r, const char *call, const char *fault);        /* JSON, ' for " */
void rig_fault_of_status(struct look_rig *r, char digit, const char *fault);
void rig_sandbox_state(struct look_rig *r, const char *state); /* "READY", "NOTREADY" */

/* What the kernel says. A main process is 1 in its own PID namespace. */
void rig_process(struct look_rig *r, int pid, int ppid, unsigned long start, char state,
                 const char *cgroup);
void rig_reap(struct look_rig *r, int pid);

/* Both agree: a container that runs, and its main process. */
void rig_running(struct look_rig *r, char digit, int pid);

/* For act: true the first time. */
bool rig_once(struct look_rig *r);

/* Look until it is done, failed, or so many milliseconds have passed. */
void rig_look(struct look_rig *r, unsigned most_ms);
unsigned rig_took_ms(const struct look_rig *r);
unsigned rig_asked(const struct look_rig *r, const char *method);

/* NULL: it is in no pod. */
const struct podpid_container *rig_found(const struct look_rig *r, char digit);
void rig_expect(const struct look_rig *r, char digit, enum podpid_verdict verdict, int pid);

#endif
