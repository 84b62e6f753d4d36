/* Snapshots made by hand, for tests of what comes after the look. Memory being out ends the test.
 */
#ifndef PODPID_TEST_SNAP_H
#define PODPID_TEST_SNAP_H

#include "resolver/snapshot/snapshot.h"

/* A complete look at a v2 node with containerd, at a fixed time; nothing in it yet. Freed with
 * podpid_snapshot_free(). */
struct podpid_snapshot *snap_new(void);

/* Rows are appended in the order of the calls, and may be changed by who asked for them. */

/* A ready pod, its sandbox verified; namespace, name and uid NULL: the pod-less group. */
struct podpid_pod *snap_pod(struct podpid_snapshot *s, const char *namespace_, const char *name,
                            const char *uid);
void snap_label(struct podpid_snapshot *s, struct podpid_pod *p, const char *key,
                const char *value);

/* A running, verified container whose only process is pid (0: made up nowhere, no process). */
struct podpid_container *snap_container(struct podpid_snapshot *s, struct podpid_pod *p,
                                        const char *name, const char *id, pid_t pid);
struct podpid_process *snap_process(struct podpid_snapshot *s, struct podpid_container *c,
                                    pid_t pid, pid_t ppid, const char *comm, enum podpid_role role);
/* Not verified: verdict and reason, no PID. */
void snap_verdict(struct podpid_container *c, enum podpid_state state, enum podpid_verdict verdict,
                  const char *reason);

void snap_stray(struct podpid_snapshot *s, const char *id, const char *pod_uid, pid_t pid);
void snap_foreign(struct podpid_snapshot *s, const char *id, const char *manager, size_t n);
void snap_warn(struct podpid_snapshot *s, const char *text);

/* An id of 64 digits that begins as said. */
const char *snap_id(struct podpid_snapshot *s, const char *prefix);

/* A node with a bit of everything: verified, exec'd, paused sandboxes, dead, exited, unknown,
 * inferred, an error, a plain Docker-like container, a stray, a foreign one, a warning. */
struct podpid_snapshot *snap_zoo(void);

#endif
