/* podpid finds the main process of each container of each pod on this node. A PID is reported only
 * where two sides agree: what the container runtime says, and what the kernel shows in /proc.
 *
 * libpodpid(3) has the overview and an example; this header is the reference.
 *
 * Objects. Handles (podpid_look, podpid_snapshot, podpid_watch, ...) are opaque. A function named
 * ..._new, ..._run, ..._take, ..._parse, ..._select or ..._ref gives the caller a reference, which
 * ..._free gives back. Everything else that a function returns or stores is borrowed: it belongs to
 * the object that it was asked of and lives as long as that object, unless its comment says
 * otherwise.
 *
 * Rows. Row structs (struct podpid_pod, ...) are allocated by the library only, never change, and
 * grow at their end within an ABI version. Use them through the pointers that you are given: never
 * by value, never in arrays of your own.
 *
 * Sizes. Structs that the caller allocates begin with `size`: initialise them with their
 * PODPID_..._INIT, which sets it and makes every other member zero. A smaller size is that of an
 * older header: members beyond it count as zero. A larger one is that of a newer header: it is
 * taken if all that this library does not know is zero, else PODPID_ERR_USAGE.
 *
 * Results. Functions that can fail return 0 (or what their comment says) on success and a negative
 * enum podpid_code on failure. Parameters named ret_... or ret are written only on success; struct
 * podpid_error, which is always last and may be NULL, only on failure. Any function that can run
 * out of memory may return PODPID_ERR_NOMEM; comments do not repeat that.
 *
 * Wrong arguments. NULL where an object or a place for a result is needed, and an enumerator that
 * the library does not know, give PODPID_ERR_USAGE. Functions without an error code answer with
 * nothing: NULL, 0, false, "?" for names, -1 for descriptors, PODPID_NO_DEADLINE for deadlines.
 * ret_n of a getter may be NULL, and every ..._free takes NULL.
 *
 * Units. PIDs are those of the PID namespace of the /proc that was read. Start times are ticks of
 * 1/sysconf(_SC_CLK_TCK) s since boot, field 22 of /proc/<pid>/stat. Wall-clock times are
 * nanoseconds since the epoch, 0 = not known. Durations are nanoseconds. Deadlines and `now` are
 * nanoseconds of CLOCK_MONOTONIC.
 *
 * Steppers (podpid_look, podpid_preflight, podpid_watch) do their work in slices and never block on
 * the runtime. Poll ..._fd() for POLLIN until ..._deadline(), call ..._step() with the present
 * time, and repeat. ..._step() returns 1 (done: take the result), 0 (not done: poll again) or a
 * negative code (failed; only ..._free() may follow). A watch is never done.
 *
 * Text. Names, labels and images come from the runtime as they are: they may hold any byte but NUL.
 * Escape them before they reach a terminal (podpid_escape()).
 *
 * Threads. The library has no globals, does not log, exit or install signal handlers. Different
 * objects may be used by different threads at once. Snapshots and what is made from them
 * (selections, indexes, answers) may be read by any number of threads, and their references may be
 * taken and given back by any. A stepper, and struct podpid_targets while files or selectors are
 * added, belong to one thread at a time.
 *
 * Trust. podpid_container.pid is non-zero only where verdict is PODPID_VERDICT_VERIFIED.
 *
 * Growth. Enumerations get new values at their end: take a verdict that you do not know as "not
 * verified", and ignore an event, role or state that you do not know. */
#ifndef PODPID_H
#define PODPID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PODPID_API __attribute__((visibility("default")))

/* The version of this header. */
#define PODPID_VERSION_MAJOR 0
#define PODPID_VERSION_MINOR 1
#define PODPID_VERSION_PATCH 0
#define PODPID_VERSION "0.1.0"

/* The version of the library that is linked, such as "0.1.0". A string constant. */
PODPID_API const char *podpid_version(void);

/* What a ..._deadline() function returns if time alone brings nothing: poll without a timeout. */
#define PODPID_NO_DEADLINE INT64_MAX

/* ---- Errors --------------------------------------------------------------------------------- */

enum podpid_code {
    PODPID_OK = 0,
    PODPID_ERR_NOMEM = -1,
    PODPID_ERR_USAGE = -2,    /* an argument or option makes no sense */
    PODPID_ERR_INPUT = -3,    /* a policy, manifest, configuration or capture cannot be read */
    PODPID_ERR_RUNTIME = -4,  /* no runtime, not a runtime, connection lost, protocol broken */
    PODPID_ERR_DENIED = -5,   /* no permission to look */
    PODPID_ERR_TIMEOUT = -6,  /* the deadline passed before the first list and scan were complete */
    PODPID_ERR_PROC = -7,     /* /proc cannot be read */
    PODPID_ERR_CANCELED = -8, /* the cancel descriptor became readable */
    PODPID_ERR_ANSWER = -9,   /* the node was read, but what was asked for is absent, ambiguous or
                                 not verified */
    PODPID_ERR_WRITE = -10,   /* an output could not be written */
    PODPID_ERR_INTERNAL = -11 /* a system call that never fails did, or a bug here */
};

/* "usage" for PODPID_ERR_USAGE, "ok" for PODPID_OK; "?" if not known. A string constant. */
PODPID_API const char *podpid_code_name(int code);

/* Allocated by the caller. The library writes no more than size bytes of it; members that a newer
 * header has added stay as the caller initialised them. */
struct podpid_error {
    size_t size;
    int code;           /* enum podpid_code */
    int system_errno;   /* the positive errno behind it, or 0 */
    char message[1024]; /* one line: what failed, and where */
    char hint[512];     /* what to do about it; "" where there is no advice */
};

#define PODPID_ERROR_INIT                                                                          \
    {                                                                                              \
        sizeof(struct podpid_error), 0, 0, "", ""                                                  \
    }

/* The exit status of the program podpid for a code: 0 (OK), 1 (ANSWER, WRITE), 2 (USAGE, INPUT) or
 * 3 (all others). */
PODPID_API int podpid_exit_status(int code);

/* ---- Rows of a snapshot --------------------------------------------------------------------- */

/* What the comparison of the runtime's PID with /proc gave. The numbers do not tell in which order
 * verdicts are tried: podpid(1), VERDICTS, does. */
enum podpid_verdict {
    PODPID_VERDICT_ERROR = 1, /* the runtime did not give the status: the reason says why */
    PODPID_VERDICT_CREATED,   /* the runtime says created: no process yet */
    PODPID_VERDICT_EXITED,    /* the runtime says exited */
    PODPID_VERDICT_UNKNOWN,   /* the runtime says that it does not know the state */
    PODPID_VERDICT_VM,        /* a virtual machine or gVisor: its processes are not this kernel's */
    PODPID_VERDICT_INFERRED,  /* no PID reported; only one process can be the main one: see
                                 inferred_pid */
    PODPID_VERDICT_UNPROVEN,  /* no PID reported, and several processes could be the main one */
    PODPID_VERDICT_NO_PROCESS, /* no PID reported, and the container's cgroup is empty */
    PODPID_VERDICT_DEAD,       /* the reported process does not exist (in a watch: has ended) */
    PODPID_VERDICT_ZOMBIE,     /* the reported process has ended and was not waited for */
    PODPID_VERDICT_MOVED,      /* the reported process is outside the container's cgroup */
    PODPID_VERDICT_RECYCLED,   /* the reported PID belongs to another process by now */
    PODPID_VERDICT_MISMATCH,   /* the reported process is in the container, but not its main one */
    PODPID_VERDICT_CHANGED,    /* the main process was replaced during each reading */
    PODPID_VERDICT_VERIFIED,   /* runtime and kernel agree on the main process, twice */
    PODPID_VERDICT_ABSENT      /* of sandboxes only: ready, but it has no process of its own */
};

/* "no-process" for PODPID_VERDICT_NO_PROCESS; "?" if not known. A string constant. */
PODPID_API const char *podpid_verdict_name(enum podpid_verdict v);

/* What a process is to its container. */
enum podpid_role {
    PODPID_ROLE_MAIN = 1, /* the main process */
    PODPID_ROLE_CHILD,    /* its parent is in the container */
    PODPID_ROLE_EXEC,     /* its parent is outside and it leads a session: run into the container */
    PODPID_ROLE_ORPHAN,  /* its parent is outside: the one that it had in the container has ended */
    PODPID_ROLE_SANDBOX, /* podpid_whois() only: of the pod's sandbox */
    PODPID_ROLE_HELPER,  /* podpid_whois() only: a monitor outside the container, such as conmon */
    PODPID_ROLE_HOST     /* podpid_whois() only: in no container */
};

/* "main" for PODPID_ROLE_MAIN; "?" if not known. A string constant. */
PODPID_API const char *podpid_role_name(enum podpid_role r);

/* The state of a container as the runtime gives it. */
enum podpid_state {
    PODPID_STATE_CREATED = 1,
    PODPID_STATE_RUNNING,
    PODPID_STATE_EXITED,
    PODPID_STATE_UNKNOWN
};

/* "running" for PODPID_STATE_RUNNING; "?" if not known. A string constant. */
PODPID_API const char *podpid_state_name(enum podpid_state s);

struct podpid_label {
    const char *key;
    const char *value; /* NULL: not known, as in a capture that was taken without values */
};

struct podpid_cgroup_id {
    uint64_t id; /* in the v2 hierarchy: what bpf_get_current_cgroup_id() gives */
    const char *path;
};

struct podpid_process {
    pid_t pid, ppid;
    uint64_t start_time_ticks;
    const char *comm;
    enum podpid_role role;
    const char *const *chain; /* ids of the containers inside the container that the process is in,
                                 outermost first */
    size_t n_chain;
};

struct podpid_pod;

struct podpid_container {
    const struct podpid_pod *pod; /* never NULL; its sandbox_id is NULL for the pod-less group */
    const char *name;             /* NULL without a runtime */
    const char *id;
    const char *image; /* NULL: not known */
    uint32_t attempt;
    enum podpid_state state;
    enum podpid_verdict verdict;
    pid_t pid;          /* the main process where verdict is VERIFIED, else 0 */
    pid_t inferred_pid; /* the main process where verdict is INFERRED, else 0 */
    int64_t created_at, started_at, finished_at;
    int32_t exit_code; /* of an exited container, if has_exit_code */
    bool has_exit_code;
    uint64_t start_time_ticks; /* of pid or inferred_pid; 0 without one */
    const char *cgroup_path;   /* the container's own cgroup, as /proc shows it; NULL: not known */
    uint64_t cgroup_id;        /* of cgroup_path in the v2 hierarchy; 0: not known */
    int cgroup_level; /* depth of cgroup_path below the v2 root, which is 0; -1: not known */
    const struct podpid_cgroup_id *cgroup_ids; /* the container's cgroup and all below it */
    size_t n_cgroup_ids;
    uint64_t ns_pid, ns_mnt, ns_net, ns_cgroup; /* inodes of the main process's namespaces; 0: not
                                                   known */
    const struct podpid_process *const *processes; /* all of them, by start time, then PID */
    size_t n_processes;
    const struct podpid_label *labels;
    size_t n_labels;
    pid_t reported_pid; /* evidence: the PID that the runtime gave; 0: none */
    const pid_t *roots; /* evidence: the processes whose parent is outside the container */
    size_t n_roots;
    const char *reason; /* evidence: why this verdict, in one sentence */
};

struct podpid_pod {
    const char *namespace_, *name, *uid, *sandbox_id; /* all NULL: containers without a pod */
    uint32_t attempt;
    bool ready;
    int64_t created_at;
    const char *runtime_handler; /* NULL: not known, "" the default */
    const char *config_hash;     /* of a mirror pod (kubernetes.io/config.hash); NULL: none */
    const struct podpid_label *labels;
    size_t n_labels;
    enum podpid_verdict sandbox_verdict; /* 0 without a runtime */
    pid_t sandbox_pid;                   /* where sandbox_verdict is VERIFIED, else 0 */
    uint64_t sandbox_start_time_ticks;
    const char *sandbox_reason;
    const struct podpid_container *const *containers; /* by creation, then id */
    size_t n_containers;
};

/* A container cgroup of a pod that has processes but is not in the runtime's list. */
struct podpid_stray {
    const char *container_id;
    const char
        *pod_uid; /* NULL: not below a pod's cgroup, but named as this runtime names its own */
    const char *cgroup_path;
    const pid_t *pids;
    size_t n_pids;
    const char *reason;
};

/* Any other cgroup that is named as a container's: counted, never an error. */
struct podpid_foreign {
    const char *container_id;
    const char *manager; /* "docker", "libpod", ...; NULL: not known */
    size_t n_processes;
};

struct podpid_node {
    const char *hostname, *boot_id, *kernel;
    const char *cgroup_mode; /* "v1", "hybrid", "v2"; NULL: not known */
    uint64_t pid_namespace;  /* inode; 0: not known */
};

struct podpid_condition {
    const char *type;
    bool status;
    const char *reason, *message;
};

struct podpid_runtime {
    const char *name, *version;
    const char *api;           /* "cri/v1", "cri/v1alpha2", "docker" */
    const char *endpoint;      /* "unix:///run/containerd/containerd.sock" */
    const char *chosen_by;     /* why this endpoint: "--runtime-endpoint", "kubelet
                                  --container-runtime-endpoint", ... */
    const char *cgroup_driver; /* "systemd", "cgroupfs", NULL: the runtime does not say */
    const struct podpid_condition *conditions;
    size_t n_conditions;
    const char *status_error; /* why the runtime's own status could not be read; NULL: it was */
};

/* ---- Snapshot ------------------------------------------------------------------------------- */

/* One view of the node. It never changes, so any number of threads may read it. It is freed when
 * the last reference is given back: selections, indexes and answers made from it hold one each. */
struct podpid_snapshot;

/* Take one more reference, also of a snapshot that was only borrowed (of a report, of a watch).
 * Returns s. Any thread. */
PODPID_API const struct podpid_snapshot *podpid_snapshot_ref(const struct podpid_snapshot *s);

/* Give one reference back; the last one frees the snapshot. Any thread. */
PODPID_API void podpid_snapshot_free(const struct podpid_snapshot *s);

/* When the look began, in ns since the epoch. */
PODPID_API int64_t podpid_snapshot_taken_at(const struct podpid_snapshot *s);
/* How long the look took, in ns. */
PODPID_API int64_t podpid_snapshot_took(const struct podpid_snapshot *s);
/* False if the verdict of some container or sandbox is PODPID_VERDICT_ERROR. */
PODPID_API bool podpid_snapshot_complete(const struct podpid_snapshot *s);
PODPID_API const struct podpid_node *podpid_snapshot_node(const struct podpid_snapshot *s);
/* NULL without a runtime. */
PODPID_API const struct podpid_runtime *podpid_snapshot_runtime(const struct podpid_snapshot *s);
/* Sorted by namespace, name, creation; the group of containers without a pod comes last. */
PODPID_API const struct podpid_pod *const *podpid_snapshot_pods(const struct podpid_snapshot *s,
                                                                size_t *ret_n);
PODPID_API const struct podpid_stray *const *podpid_snapshot_strays(const struct podpid_snapshot *s,
                                                                    size_t *ret_n);
PODPID_API const struct podpid_foreign *const *
podpid_snapshot_foreign(const struct podpid_snapshot *s, size_t *ret_n);
/* One line each, for people. */
PODPID_API const char *const *podpid_snapshot_warnings(const struct podpid_snapshot *s,
                                                       size_t *ret_n);

/* ---- Options of a look ---------------------------------------------------------------------- */

/* Allocated by the caller. An object that is made from options copies the struct; the texts in it
 * are borrowed until that object is freed. All members but size zero is a good default. */
struct podpid_options {
    size_t size;
    const char *endpoint;        /* the runtime's socket; NULL: discover it */
    const char *endpoint_source; /* podpid_runtime.chosen_by if endpoint is set; NULL:
                                    "--runtime-endpoint" */
    const char *config_file;     /* a crictl.yaml; NULL: $CRI_CONFIG_FILE, then the usual places */
    int64_t timeout;             /* ns for one look; 0: 10 s */
    const char *proc;            /* where /proc is mounted; NULL: $HOST_PROC, then /proc */
    const char *replay;          /* folder of a capture, read in place of runtime and /proc */
    bool no_runtime;             /* read /proc only */
    const char *vm_handlers;     /* comma-separated runtime handlers whose containers are virtual
                                    machines */
    bool no_environment;         /* read no environment variable */
    bool want_processes;         /* keep the process table, which podpid_whois() needs */
    bool no_strays;              /* report no strays: to confirm one takes a second */
};

#define PODPID_OPTIONS_INIT                                                                        \
    {                                                                                              \
        sizeof(struct podpid_options), NULL, NULL, NULL, 0, NULL, NULL, false, NULL, false, false, \
            false                                                                                  \
    }

/* ---- Look: one complete view of the node, as a stepper -------------------------------------- */

struct podpid_look;

/* PODPID_ERR_USAGE or PODPID_ERR_INPUT: the endpoint, the configuration file or the capture is not
 * valid; PODPID_ERR_PROC: /proc cannot be opened; PODPID_ERR_RUNTIME: no runtime was discovered.
 * The runtime is not yet asked. */
PODPID_API int podpid_look_new(const struct podpid_options *options, struct podpid_look **ret,
                               struct podpid_error *error);
/* Allowed at any time; ends a look that is not done. */
PODPID_API void podpid_look_free(struct podpid_look *look);

/* The descriptor to poll for POLLIN. It stays the same until the look is freed, and belongs to the
 * look. */
PODPID_API int podpid_look_fd(const struct podpid_look *look);

/* When podpid_look_step() wants to be called even if the descriptor is not readable; a time in the
 * past means now. It may differ after each step. */
PODPID_API int64_t podpid_look_deadline(const struct podpid_look *look);

/* Do what can be done without waiting. Returns 1: done, take the snapshot; 0: not done, poll again;
 * negative: failed, only podpid_look_free() may follow (PODPID_ERR_RUNTIME, PODPID_ERR_DENIED,
 * PODPID_ERR_PROC, PODPID_ERR_TIMEOUT, ...). now: the time of CLOCK_MONOTONIC in ns. */
PODPID_API int podpid_look_step(struct podpid_look *look, int64_t now, struct podpid_error *error);

/* The snapshot, once, after podpid_look_step() has returned 1; the reference is the caller's. NULL
 * otherwise. */
PODPID_API struct podpid_snapshot *podpid_look_take(struct podpid_look *look);

/* A whole look, blocking. PODPID_ERR_CANCELED once cancel_fd is readable; -1: no such descriptor.
 * Other errors as of podpid_look_new() and podpid_look_step(). The reference in *ret is the
 * caller's. */
PODPID_API int podpid_look_run(const struct podpid_options *options, int cancel_fd,
                               struct podpid_snapshot **ret, struct podpid_error *error);

/* Read a duration as options and policies write it: 500ms, 10s, 1m30s, 2h; a bare number is
 * seconds. *ret is in ns. PODPID_ERR_USAGE: text is no duration. */
PODPID_API int podpid_parse_duration(const char *text, int64_t *ret, struct podpid_error *error);

/* ---- Choosing ------------------------------------------------------------------------------- */

/* Which pods and containers are meant: those for which every member that is set holds. Globs are
 * those of fnmatch(3) without flags. Allocated by the caller; its texts are borrowed during a call
 * only. */
struct podpid_selector {
    size_t size;
    const char *namespace_; /* the pod's, exactly */
    const char *pod;        /* a glob for the pod's name */
    const char *labels;     /* "k=v,k2=v2": all of them are labels of the pod; "k" alone: with any
                               value */
    const char *container;  /* a glob for the container's name */
    const char *uid;        /* the pod's, exactly */
};

#define PODPID_SELECTOR_INIT                                                                       \
    {                                                                                              \
        sizeof(struct podpid_selector), NULL, NULL, NULL, NULL, NULL                               \
    }

/* 0, or PODPID_ERR_USAGE if the label selector is not well-formed. */
PODPID_API int podpid_selector_check(const struct podpid_selector *selector,
                                     struct podpid_error *error);

/* 0, or PODPID_ERR_INPUT if the selector asks for labels and the snapshot is of a capture that was
 * taken without their values. */
PODPID_API int podpid_selector_answerable(const struct podpid_selector *selector,
                                          const struct podpid_snapshot *s,
                                          struct podpid_error *error);

/* Whether the selector's members other than container hold for the pod. */
PODPID_API bool podpid_selector_matches_pod(const struct podpid_selector *selector,
                                            const struct podpid_pod *pod);
/* Whether all of the selector's members hold for the container and its pod. */
PODPID_API bool podpid_selector_matches(const struct podpid_selector *selector,
                                        const struct podpid_container *container);

/* Bits to be combined. */
enum podpid_select_flags {
    PODPID_SELECT_ALL_STATES = 1, /* also created and exited containers, not only running and
                                     unknown ones */
    PODPID_SELECT_NO_FINDINGS = 2 /* without strays and foreign containers */
};

/* Make a snapshot of those containers of s for which keep(context, c) is true (NULL: all). A pod
 * without such a container is left out unless keep_pod (may be NULL) is true for it. The result
 * holds a reference to s. */
PODPID_API int podpid_snapshot_select(const struct podpid_snapshot *s, unsigned flags,
                                      bool (*keep)(void *context, const struct podpid_container *c),
                                      bool (*keep_pod)(void *context, const struct podpid_pod *p),
                                      void *context, struct podpid_snapshot **ret,
                                      struct podpid_error *error);

/* The containers that a command-line argument names: NAMESPACE/POD (all that run, in order of
 * creation), NAMESPACE/POD/CONTAINER, or a container id (with or without "scheme://", shortened to
 * 3 or more hex digits). *ret is an array of *ret_n containers of s; the caller frees the array
 * with free(3). PODPID_ERR_ANSWER: nothing has that name or id, or several have; PODPID_ERR_USAGE:
 * it is neither a name nor an id. */
PODPID_API int podpid_snapshot_find(const struct podpid_snapshot *s, const char *name,
                                    const struct podpid_container ***ret, size_t *ret_n,
                                    struct podpid_error *error);

/* ---- Writing -------------------------------------------------------------------------------- */

/* Receives a document piece by piece: n bytes at data, not NUL-terminated. To return anything but 0
 * stops the writing with PODPID_ERR_WRITE. */
typedef int (*podpid_write_fn)(void *context, const char *data, size_t n);

enum podpid_json_style {
    PODPID_JSON_DOCUMENT, /* schema podpid/v1, indented, pod by pod; ends with a newline */
    PODPID_JSON_COMPACT,  /* the same on one line */
    PODPID_JSON_LINES     /* one container object a line, its pod's fields prefixed pod_ */
};

/* "document" for PODPID_JSON_DOCUMENT; "?" if not known. A string constant. */
PODPID_API const char *podpid_json_style_name(enum podpid_json_style s);

/* Write a snapshot as JSON; podpid-json(5) describes it. PODPID_ERR_WRITE: write() did not return
 * 0, and part of the document may have been written. */
PODPID_API int podpid_snapshot_to_json(const struct podpid_snapshot *s,
                                       enum podpid_json_style style, podpid_write_fn write,
                                       void *context, struct podpid_error *error);

/* A copy of a text that is safe for a terminal: control bytes become \xNN, \n or \t, invalid UTF-8
 * \xNN, invisible and bidirectional characters \u{...}; a backslash stays as it is. The caller
 * frees it with free(3). NULL: out of memory, or text is NULL. */
PODPID_API char *podpid_escape(const char *text);

/* ---- From a PID to its container ------------------------------------------------------------ */

/* Made by podpid_whois(), freed by the caller. */
struct podpid_answer {
    pid_t pid;     /* the number that was asked about */
    bool found;    /* false: no such process; all members below are 0 */
    pid_t process; /* the process, where pid is a thread or a number in another PID namespace */
    uint64_t start_time_ticks;
    enum podpid_role role;
    const char *container_id;                 /* NULL: in no container */
    const struct podpid_container *container; /* NULL: in none that the runtime lists */
    const struct podpid_pod *pod;             /* NULL: in none */
    const char *const *chain;                 /* as in struct podpid_process */
    size_t n_chain;
};

/* Which container a process is in. s must have been made with want_processes (else
 * PODPID_ERR_USAGE) by podpid_look_take() or podpid_look_run(). /proc/<pid> is read once more, so
 * the answer is right also for a process that was started after the snapshot.
 *
 * ns_of: 0, or the PID of a process in whose PID namespace `pid` is a number: PODPID_ERR_ANSWER if
 * that process does not exist, PODPID_ERR_PROC if its namespace may not be read.
 *
 * The answer holds a reference to s. Several threads may ask the same snapshot at once; they take
 * turns. */
PODPID_API int podpid_whois(const struct podpid_snapshot *s, pid_t pid, pid_t ns_of,
                            struct podpid_answer **ret, struct podpid_error *error);
PODPID_API void podpid_answer_free(struct podpid_answer *a);

/* Write the answer as one JSON object on one line. PODPID_ERR_WRITE as of
 * podpid_snapshot_to_json(). */
PODPID_API int podpid_answer_to_json(const struct podpid_answer *a, podpid_write_fn write,
                                     void *context, struct podpid_error *error);

/* ---- Index: look-ups without a system call -------------------------------------------------- */

/* Finds containers of one snapshot by key. Look-ups neither allocate nor make a system call. */
struct podpid_index;

/* The index holds a reference to s. */
PODPID_API int podpid_index_new(const struct podpid_snapshot *s, struct podpid_index **ret,
                                struct podpid_error *error);
PODPID_API void podpid_index_free(struct podpid_index *index);

/* The container that the process was in when the snapshot was made; NULL: in none. The start time
 * is required because a PID alone may belong to another process by now. ret_process may be NULL. */
PODPID_API const struct podpid_container *
podpid_index_by_process(const struct podpid_index *index, pid_t pid, uint64_t start_time_ticks,
                        const struct podpid_process **ret_process);
/* The container that a v2 cgroup id belongs to; NULL: to none. */
PODPID_API const struct podpid_container *podpid_index_by_cgroup(const struct podpid_index *index,
                                                                 uint64_t cgroup_id);
/* The container with that id, all of it; NULL: there is none. */
PODPID_API const struct podpid_container *podpid_index_by_id(const struct podpid_index *index,
                                                             const char *container_id);

/* Look up a process by its PID alone: opens /proc/<pid> below proc_fd (an open /proc), reads start
 * time and cgroup, scans nothing. *ret is the container, or NULL for a process in none;
 * *ret_start_time_ticks (may be NULL) is the start time of the process that was read.
 * PODPID_ERR_ANSWER: no such process; PODPID_ERR_PROC: it cannot be read. */
PODPID_API int podpid_index_probe(const struct podpid_index *index, int proc_fd, pid_t pid,
                                  const struct podpid_container **ret,
                                  uint64_t *ret_start_time_ticks, struct podpid_error *error);

/* ---- Cgroup texts --------------------------------------------------------------------------- */

struct podpid_cgroup;

/* Explain the whole text of a /proc/<pid>/cgroup, n bytes of any content. Fails only if memory is
 * out. */
PODPID_API int podpid_cgroup_parse(const char *text, size_t n, struct podpid_cgroup **ret,
                                   struct podpid_error *error);
PODPID_API void podpid_cgroup_free(struct podpid_cgroup *c);

struct podpid_cgroup_facts {
    const char *kind; /* "container", "nested", "pod", "helper", "host" */
    const char *container_id, *pod_uid, *qos, *manager, *inner_id, *inner_pod_uid,
        *helper_for;          /* NULL where the text does not say */
    size_t line;              /* number of the line that decided, from 1; 0: none */
    const char *line_text;    /* that line; NULL: none */
    const char *component;    /* the component of its path that decided; NULL: none */
    const char *why;          /* the decision in one sentence */
    const char *const *notes; /* lines that disagree or were ignored, and why */
    size_t n_notes;
    size_t n_lines; /* lines that have the form of a cgroup line; 0: this is no cgroup text */
};

PODPID_API const struct podpid_cgroup_facts *podpid_cgroup_facts(const struct podpid_cgroup *c);

/* Write the facts from kind to helper_for as one JSON object on one line. PODPID_ERR_WRITE as of
 * podpid_snapshot_to_json(). */
PODPID_API int podpid_cgroup_to_json(const struct podpid_cgroup *c, podpid_write_fn write,
                                     void *context, struct podpid_error *error);

/* ---- Capture -------------------------------------------------------------------------------- */

/* Look at the node, and write what the runtime and /proc said into dir: a folder that is made (mode
 * 0700, files 0600), or exists and is empty. with_labels: keep the values of labels, too. Errors as
 * of podpid_look_run(), and PODPID_ERR_WRITE; PODPID_ERR_USAGE: options.replay is set. */
PODPID_API int podpid_capture(const struct podpid_options *options, const char *dir,
                              bool with_labels, int cancel_fd, struct podpid_error *error);

/* ---- Targets: policies, manifests, selectors ------------------------------------------------ */

/* Which containers must be present. Borrowed by the preflights and watches that use it. */
struct podpid_targets;

PODPID_API int podpid_targets_new(struct podpid_targets **ret, struct podpid_error *error);
PODPID_API void podpid_targets_free(struct podpid_targets *t);

/* Add what a PreflightPolicy or a pod manifest names (YAML or JSON; "-" is standard input).
 * node_name: pods of another node are skipped; NULL: $NODE_NAME, then the hostname.
 * PODPID_ERR_INPUT: the file cannot be read or is not valid; the message has file, line, column. */
PODPID_API int podpid_targets_add_file(struct podpid_targets *t, const char *path,
                                       const char *node_name, struct podpid_error *error);
/* Add the containers that a selector names; its texts are copied. PODPID_ERR_USAGE: a glob or the
 * label selector is not well-formed. */
PODPID_API int podpid_targets_add_selector(struct podpid_targets *t,
                                           const struct podpid_selector *selector,
                                           struct podpid_error *error);
/* How many targets were added: selectors of policies and of callers, and pods of manifests. */
PODPID_API size_t podpid_targets_count(const struct podpid_targets *t);

/* podpid_selector_answerable() for each target; the first error. */
PODPID_API int podpid_targets_answerable(const struct podpid_targets *t,
                                         const struct podpid_snapshot *s,
                                         struct podpid_error *error);

/* Whether some target names the container. */
PODPID_API bool podpid_targets_match(const struct podpid_targets *t,
                                     const struct podpid_container *c);

/* Settings of the policies; members are NULL or -1 where no policy sets them. */
struct podpid_policy {
    const char *runtime_endpoint;
    int64_t wait;            /* ns; -1: not set */
    const char *vm_handlers; /* comma-separated */
    const char *handoff_path, *handoff_group;
    int handoff_mode; /* -1: not set */
};

PODPID_API const struct podpid_policy *podpid_targets_policy(const struct podpid_targets *t);

/* ---- Preflight ------------------------------------------------------------------------------ */

enum podpid_result {
    PODPID_RESULT_PASS,
    PODPID_RESULT_WARN, /* not as it should be, but nothing fails for it */
    PODPID_RESULT_FAIL,
    PODPID_RESULT_SKIP /* did not apply, could not be decided, or was to be ignored */
};

/* "pass" for PODPID_RESULT_PASS; "?" if not known. A string constant. */
PODPID_API const char *podpid_result_name(enum podpid_result r);

/* One of the preflight's checks, whatever its result. */
struct podpid_check_info {
    const char *id;        /* "host.proc", ...: stable */
    const char *what;      /* what has to hold, in half a line */
    const char *otherwise; /* the result where it does not hold: "fail", "warn; in a pod: fail" */
    bool fixed;            /* neither a policy nor ignore lowers a failure */
    int exit_status;       /* podpid_report_exit_status() where the check fails: 1 or 3 */
};

/* All checks in the order of podpid_report_checks(). Static: nothing is to be freed. */
PODPID_API const struct podpid_check_info *const *podpid_check_list(size_t *ret_n);

struct podpid_check {
    const char *id; /* "host.proc", ...: stable */
    enum podpid_result result;
    const char *detail;       /* one line */
    const char *hint;         /* how to repair it; NULL where the check passes */
    const char *const *items; /* the containers or files that it is about, one line each */
    size_t n_items;
};

/* Allocated by the caller. podpid_preflight_new() copies the struct and *look; texts, ignore and
 * targets are borrowed until the preflight is freed. */
struct podpid_preflight_options {
    size_t size;
    const struct podpid_options *look;
    const struct podpid_targets *targets; /* NULL or empty: none */
    const char *const *ignore;            /* ids of checks to skip, NULL-terminated; NULL: none */
    bool strict;                          /* a warning fails */
    bool allow_inferred;                  /* a target may be inferred, not only verified */
    bool follow_restarts;     /* a restarted container stands for the one that a manifest names */
    int64_t wait;             /* ns in which to try again until nothing fails; 0: one try */
    const char *handoff_path; /* the handoff file to write; NULL: none */
    const char *handoff_group;
    int handoff_mode;   /* 0: 0640 */
    bool pidfds;        /* open a pidfd for each target container */
    bool require_pidfd; /* without pidfd_open(2) the preflight fails; else it warns */
};

#define PODPID_PREFLIGHT_OPTIONS_INIT                                                              \
    {                                                                                              \
        sizeof(struct podpid_preflight_options), NULL, NULL, NULL, false, false, false, 0, NULL,   \
            NULL, 0, false, false                                                                  \
    }

struct podpid_preflight;
struct podpid_report;
struct podpid_pidfd; /* see Handoff */

/* PODPID_ERR_USAGE: an unknown id in ignore; handoff_path or pidfds without a target, with a
 * capture, or where /proc is not procfs of the caller's own PID namespace. */
PODPID_API int podpid_preflight_new(const struct podpid_preflight_options *options,
                                    struct podpid_preflight **ret, struct podpid_error *error);
/* Allowed at any time. */
PODPID_API void podpid_preflight_free(struct podpid_preflight *p);
/* As podpid_look_fd(). */
PODPID_API int podpid_preflight_fd(const struct podpid_preflight *p);
/* As podpid_look_deadline(). */
PODPID_API int64_t podpid_preflight_deadline(const struct podpid_preflight *p);
/* Do what can be done without waiting. Returns 1: done, take the report; 0: not done, poll again;
 * negative: failed, only podpid_preflight_free() may follow. A runtime that cannot be reached is a
 * failed check of the report, not an error. now: the time of CLOCK_MONOTONIC in ns. */
PODPID_API int podpid_preflight_step(struct podpid_preflight *p, int64_t now,
                                     struct podpid_error *error);
/* What fails so far, for a progress line; "" before the first try has ended. Borrowed until the
 * next step. */
PODPID_API const char *podpid_preflight_progress(const struct podpid_preflight *p);
/* The report, once, after podpid_preflight_step() has returned 1; the caller frees it. NULL
 * otherwise. */
PODPID_API struct podpid_report *podpid_preflight_take(struct podpid_preflight *p);

PODPID_API void podpid_report_free(struct podpid_report *r);
/* The worst result of all checks: FAIL, else WARN, else PASS. FAIL for NULL. */
PODPID_API enum podpid_result podpid_report_result(const struct podpid_report *r);
/* 0, 1 or 3 the exit status of podpid preflight; 3 for NULL. */
PODPID_API int podpid_report_exit_status(const struct podpid_report *r);
PODPID_API const struct podpid_check *const *podpid_report_checks(const struct podpid_report *r,
                                                                  size_t *ret_n);
/* All of the node; NULL if the look failed. Borrowed: podpid_snapshot_ref() keeps it. */
PODPID_API const struct podpid_snapshot *podpid_report_snapshot(const struct podpid_report *r);
/* The target containers only, as they are handed over; NULL if the look failed. Borrowed:
 * podpid_snapshot_ref() keeps it. */
PODPID_API const struct podpid_snapshot *podpid_report_targets(const struct podpid_report *r);
/* With options.pidfds, and if nothing fails: one for each target container. Borrowed:
 * podpid_report_free() closes the descriptors. */
PODPID_API const struct podpid_pidfd *podpid_report_pidfds(const struct podpid_report *r,
                                                           size_t *ret_n);
/* Write the report as JSON (schema podpid.preflight/v1). PODPID_ERR_WRITE as of
 * podpid_snapshot_to_json(). */
PODPID_API int podpid_report_to_json(const struct podpid_report *r, podpid_write_fn write,
                                     void *context, struct podpid_error *error);

/* ---- Handoff -------------------------------------------------------------------------------- */

/* Make a sealed memfd that holds the handoff document of a snapshot: for a program that this one
 * executes, hence without close-on-exec. The caller closes *ret_fd. PODPID_ERR_WRITE: no memfd can
 * be made. */
PODPID_API int podpid_handoff_memfd(const struct podpid_snapshot *targets, int *ret_fd,
                                    struct podpid_error *error);

struct podpid_pidfd {
    int fd; /* close-on-exec; -1: none */
    const char *container_id;
    pid_t pid;
};

/* Open a pidfd for each verified or inferred container of a snapshot. Each process's identity is
 * read again once its pidfd is open. proc: where procfs of this PID namespace is mounted; NULL:
 * /proc. *ret has *ret_n members; podpid_pidfds_free() frees it, container_id is of the snapshot.
 * PODPID_ERR_ANSWER: a process has ended; PODPID_ERR_USAGE: proc is not procfs of this PID
 * namespace, or with system_errno ENOSYS: this kernel has no pidfd_open(2). Raises the soft limit
 * RLIMIT_NOFILE of this process while it opens and restores it. */
PODPID_API int podpid_handoff_pidfds(const struct podpid_snapshot *targets, const char *proc,
                                     struct podpid_pidfd **ret, size_t *ret_n,
                                     struct podpid_error *error);

/* Close the n descriptors that are not -1, and free the array. To keep a descriptor, take it out
 * and set its fd to -1 first. Not for what podpid_report_pidfds() returns. */
PODPID_API void podpid_pidfds_free(struct podpid_pidfd *fds, size_t n);

/* Remove a handoff file, never through a symbolic link. 0 also where there is none, or only an
 * empty file, which stays. PODPID_ERR_WRITE: it cannot be removed, or it is not a podpid document
 * (system_errno EEXIST) and stays. */
PODPID_API int podpid_handoff_remove(const char *path, struct podpid_error *error);

/* ---- Watch ---------------------------------------------------------------------------------- */

enum podpid_event_kind {
    PODPID_EVENT_SNAPSHOT = 1, /* the first look is done: always the first event */
    PODPID_EVENT_ADDED,        /* a container is new */
    PODPID_EVENT_REMOVED,      /* a container is gone from the runtime's list */
    PODPID_EVENT_CHANGED, /* PID, verdict or state of a container, or its pod's state or sandbox */
    PODPID_EVENT_RUNTIME  /* the runtime went away or came back; detail says which */
};

struct podpid_event {
    enum podpid_event_kind kind;
    uint64_t seq;        /* counts events, from 1 */
    uint64_t generation; /* counts changes, from 1; events of one look share it */
    int64_t at;          /* ns since the epoch */
    bool stale;          /* the runtime cannot be reached: the last known state */
    const char *source;  /* "look" or "pidfd" */
    const char *detail;  /* RUNTIME: what happened, in words; else NULL */
    const struct podpid_container *container; /* ADDED, REMOVED, CHANGED; else NULL */
    const struct podpid_snapshot *snapshot;   /* SNAPSHOT; else NULL */
};

/* Allocated by the caller. podpid_watch_new() copies the struct and *look; texts and targets are
 * borrowed until the watch is freed. */
struct podpid_watch_options {
    size_t size;
    const struct podpid_options *look;
    const struct podpid_targets *targets; /* what is watched; NULL or empty: every container */
    const char *handoff_path;             /* a handoff file to keep up to date; NULL: none */
    const char *handoff_group;
    int handoff_mode; /* 0: 0640 */
    int64_t period;   /* ns between complete looks, whether or not something happens; 0: 30 s */
};

#define PODPID_WATCH_OPTIONS_INIT                                                                  \
    {                                                                                              \
        sizeof(struct podpid_watch_options), NULL, NULL, NULL, NULL, 0, 0                          \
    }

struct podpid_watch;

/* PODPID_ERR_USAGE: a capture; handoff_path without a target, or where /proc is not procfs of the
 * caller's own PID namespace. */
PODPID_API int podpid_watch_new(const struct podpid_watch_options *options,
                                struct podpid_watch **ret, struct podpid_error *error);
/* Allowed at any time. */
PODPID_API void podpid_watch_free(struct podpid_watch *w);
/* As podpid_look_fd(). */
PODPID_API int podpid_watch_fd(const struct podpid_watch *w);
/* As podpid_look_deadline(). */
PODPID_API int64_t podpid_watch_deadline(const struct podpid_watch *w);
/* Do what can be done without waiting. Returns 0: take the events with podpid_watch_next(), then
 * poll again; negative: failed, only podpid_watch_free() may follow. A watch is never done, so it
 * never returns 1. After the first look a runtime that cannot be reached, or a configuration that
 * cannot be read, is an event, not an error. Does nothing while there are events to take. now: the
 * time of CLOCK_MONOTONIC in ns. */
PODPID_API int podpid_watch_step(struct podpid_watch *w, int64_t now, struct podpid_error *error);
/* The next event; NULL: none for now. Borrowed until the next call of podpid_watch_next() or
 * podpid_watch_step(). */
PODPID_API const struct podpid_event *podpid_watch_next(struct podpid_watch *w);
/* The present state of what is watched; NULL before the first look is done. Borrowed until the next
 * podpid_watch_step(): podpid_snapshot_ref() keeps it, unchanged. */
PODPID_API const struct podpid_snapshot *podpid_watch_snapshot(const struct podpid_watch *w);
/* Counts the snapshots that podpid_watch_snapshot() has returned: a number that differs from the
 * one before means another snapshot, also where no event tells of it because nothing that is an
 * event has changed. 0 before the first. */
PODPID_API uint64_t podpid_watch_revision(const struct podpid_watch *w);
/* True while the runtime cannot be reached; podpid_watch_snapshot() is then its last answer. */
PODPID_API bool podpid_watch_stale(const struct podpid_watch *w);
/* The sources of wake-ups that are missing (inotify, pidfds): one line each with what that costs
 * and how to repair it. They are also the last warnings of podpid_watch_snapshot(). Each look tries
 * them again. Borrowed until the next podpid_watch_step(). */
PODPID_API const char *const *podpid_watch_lost(const struct podpid_watch *w, size_t *ret_n);
/* Start a complete look as soon as possible. */
PODPID_API void podpid_watch_look_now(struct podpid_watch *w);
/* "added" for PODPID_EVENT_ADDED; "?" if not known. A string constant. */
PODPID_API const char *podpid_event_name(enum podpid_event_kind k);
/* Write the event as one JSON object on one line (schema podpid.event/v1). PODPID_ERR_WRITE as of
 * podpid_snapshot_to_json(). */
PODPID_API int podpid_event_to_json(const struct podpid_event *e, podpid_write_fn write,
                                    void *context, struct podpid_error *error);

#ifdef __cplusplus
}
#endif

#endif
