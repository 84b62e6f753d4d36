/* podpid: which process is the main process of each container of each pod on this node, proven from
 * two sides: the runtime's word and the kernel's.
 *
 * Objects. Handles (podpid_look, podpid_snapshot, podpid_watch, ...) are opaque. What they hand out
 * is an immutable document: everything inside is borrowed from it and lives until the document is
 * freed, once. Row structs (struct podpid_pod, ...) are allocated by the library only and grow at
 * their end within an ABI version: use them through the pointers you were given, never by value,
 * never in arrays of your own.
 *
 * Outputs. Functions return 0 (or what they say) on success and a negative enum podpid_code on
 * failure. Parameters named ret_... are touched only on success; struct podpid_error, always last
 * and always optional (NULL), only on failure.
 *
 * Units. PIDs are those of the PID namespace of the /proc that was read. Start times are ticks of
 * 1/sysconf(_SC_CLK_TCK) s since boot, field 22 of /proc/<pid>/stat. Wall-clock times are
 * nanoseconds since the epoch, 0 = not known. Deadlines and `now` are nanoseconds of
 * CLOCK_MONOTONIC.
 *
 * Text. Names, labels, images come from the runtime as they are: they may hold any byte but NUL.
 * Escape them before they reach a terminal (podpid_escape()).
 *
 * Threads. No globals, no logging, no exit(), no signal handlers. Different objects may be used by
 * different threads at once; one document may be read by many; one stepper belongs to one thread at
 * a time.
 *
 * Trust. podpid_container.pid is non-zero only where verdict is PODPID_VERDICT_VERIFIED. Verdicts,
 * roles and event names are open sets: take one you do not know as "not verified". */
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

/* The library's version, such as "0.1.0". */
PODPID_API const char *podpid_version(void);

/* ---- Errors --------------------------------------------------------------------------------- */

enum podpid_code {
    PODPID_OK = 0,
    PODPID_ERR_NOMEM = -1,
    PODPID_ERR_USAGE = -2,    /* an argument or option makes no sense */
    PODPID_ERR_INPUT = -3,    /* a policy, manifest, configuration or capture cannot be read */
    PODPID_ERR_RUNTIME = -4,  /* no runtime, not a runtime, connection lost, protocol broken */
    PODPID_ERR_DENIED = -5,   /* no permission to look */
    PODPID_ERR_TIMEOUT = -6,  /* the deadline passed before list or scan were done */
    PODPID_ERR_PROC = -7,     /* /proc cannot be read */
    PODPID_ERR_CANCELED = -8, /* the cancel descriptor became readable */
    PODPID_ERR_ANSWER = -9,   /* looked; what was asked for is absent, ambiguous or not verified */
    PODPID_ERR_WRITE = -10,   /* an output could not be written */
    PODPID_ERR_INTERNAL = -11
};

/* Caller-owned. Set size to sizeof(struct podpid_error) before the call (PODPID_ERROR_INIT does).
 */
struct podpid_error {
    size_t size;
    int code;           /* enum podpid_code */
    int system_errno;   /* positive errno behind it, or 0 */
    char message[1024]; /* one line: what and where */
    char hint[512];     /* what to do about it; "" where there is nothing to say */
};

#define PODPID_ERROR_INIT                                                                          \
    {                                                                                              \
        .size = sizeof(struct podpid_error)                                                        \
    }

/* The exit status of the program for a code: 0, 1 (ANSWER, WRITE), 2 (USAGE, INPUT) or 3 (the
 * others). */
PODPID_API int podpid_exit_status(int code);

/* ---- Rows of a snapshot --------------------------------------------------------------------- */

/* What came of holding the reported PID against the scan. The order is that of the decision. */
enum podpid_verdict {
    PODPID_VERDICT_ERROR = 1,
    PODPID_VERDICT_CREATED,
    PODPID_VERDICT_EXITED,
    PODPID_VERDICT_UNKNOWN,
    PODPID_VERDICT_VM,
    PODPID_VERDICT_INFERRED,
    PODPID_VERDICT_UNPROVEN,
    PODPID_VERDICT_NO_PROCESS,
    PODPID_VERDICT_DEAD,
    PODPID_VERDICT_ZOMBIE,
    PODPID_VERDICT_MOVED,
    PODPID_VERDICT_RECYCLED,
    PODPID_VERDICT_MISMATCH,
    PODPID_VERDICT_CHANGED,
    PODPID_VERDICT_VERIFIED,
    PODPID_VERDICT_ABSENT /* sandboxes only: ready, no PID given, no process */
};

PODPID_API const char *
podpid_verdict_name(enum podpid_verdict v); /* "no-process"; "?" if not known */

enum podpid_role {
    PODPID_ROLE_MAIN = 1,
    PODPID_ROLE_CHILD,
    PODPID_ROLE_EXEC,
    PODPID_ROLE_ORPHAN,
    PODPID_ROLE_SANDBOX, /* whois only, as are the next two */
    PODPID_ROLE_HELPER,
    PODPID_ROLE_HOST
};

PODPID_API const char *podpid_role_name(enum podpid_role r);

enum podpid_state {
    PODPID_STATE_CREATED = 1,
    PODPID_STATE_RUNNING,
    PODPID_STATE_EXITED,
    PODPID_STATE_UNKNOWN
};

PODPID_API const char *podpid_state_name(enum podpid_state s);

struct podpid_label {
    const char *key, *value; /* value NULL: not known, as in a capture taken without values */
};

struct podpid_cgroup_id {
    uint64_t id; /* of the v2 hierarchy: what bpf_get_current_cgroup_id() gives */
    const char *path;
};

struct podpid_process {
    pid_t pid, ppid;
    uint64_t start_time_ticks;
    const char *comm;
    enum podpid_role role;
    const char *const *chain; /* ids of containers inside the container, outermost first */
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
    pid_t pid;          /* the main process, only if verified; else 0 */
    pid_t inferred_pid; /* only if inferred; else 0 */
    int64_t created_at, started_at, finished_at;
    int32_t exit_code; /* of an exited container */
    bool has_exit_code;
    uint64_t start_time_ticks; /* of pid or inferred_pid; 0 without one */
    const char *cgroup_path;   /* the anchor as /proc shows it; NULL: not known */
    uint64_t cgroup_id;        /* of the anchor in the v2 hierarchy; 0: not known */
    int cgroup_level;          /* its depth below the v2 root, the root being 0; -1: not known */
    const struct podpid_cgroup_id *cgroup_ids;
    size_t n_cgroup_ids;
    uint64_t ns_pid, ns_mnt, ns_net, ns_cgroup;    /* inodes; 0: not known */
    const struct podpid_process *const *processes; /* by start time, then PID */
    size_t n_processes;
    const struct podpid_label *labels;
    size_t n_labels;
    pid_t reported_pid; /* evidence: what the runtime said; 0: nothing */
    const pid_t *roots; /* evidence: members whose parent is no member */
    size_t n_roots;
    const char *reason; /* evidence: one sentence */
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
    enum podpid_verdict sandbox_verdict;
    pid_t sandbox_pid; /* only if verified; else 0 */
    uint64_t sandbox_start_time_ticks;
    const char *sandbox_reason;
    const struct podpid_container *const *containers; /* by creation, then id */
    size_t n_containers;
};

/* A kubelet pod's container cgroup with live processes that the runtime does not list. */
struct podpid_stray {
    const char *container_id;
    const char *pod_uid; /* NULL: below no pod, but with the runtime's own prefix */
    const char *cgroup_path;
    const pid_t *pids;
    size_t n_pids;
    const char *reason;
};

/* Any other container-shaped cgroup: counted, never a finding. */
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
    const char *cgroup_driver; /* "systemd", "cgroupfs", NULL: not said */
    const struct podpid_condition *conditions;
    size_t n_conditions;
    const char *status_error; /* Status could not be had: why; else NULL */
};

/* ---- Snapshot ------------------------------------------------------------------------------- */

struct podpid_snapshot;

PODPID_API void podpid_snapshot_free(struct podpid_snapshot *s); /* NULL is fine */

PODPID_API int64_t
podpid_snapshot_taken_at(const struct podpid_snapshot *s);                /* ns since the epoch */
PODPID_API int64_t podpid_snapshot_took(const struct podpid_snapshot *s); /* ns */
PODPID_API bool
podpid_snapshot_complete(const struct podpid_snapshot *s); /* no status is missing */
PODPID_API const struct podpid_node *podpid_snapshot_node(const struct podpid_snapshot *s);
/* NULL without a runtime. */
PODPID_API const struct podpid_runtime *podpid_snapshot_runtime(const struct podpid_snapshot *s);
/* By namespace, name, creation; the pod-less group last. */
PODPID_API const struct podpid_pod *const *podpid_snapshot_pods(const struct podpid_snapshot *s,
                                                                size_t *ret_n);
PODPID_API const struct podpid_stray *const *podpid_snapshot_strays(const struct podpid_snapshot *s,
                                                                    size_t *ret_n);
PODPID_API const struct podpid_foreign *const *
podpid_snapshot_foreign(const struct podpid_snapshot *s, size_t *ret_n);
PODPID_API const char *const *podpid_snapshot_warnings(const struct podpid_snapshot *s,
                                                       size_t *ret_n);

/* ---- Options of a look ---------------------------------------------------------------------- */

/* Caller-owned and borrowed until the object made from it is freed. Zeroed apart from size is a
 * good default (PODPID_OPTIONS_INIT). */
struct podpid_options {
    size_t size;
    const char *endpoint;        /* -r; NULL: discover */
    const char *endpoint_source; /* what to call it in chosen_by; NULL: "--runtime-endpoint" */
    const char *config_file; /* -c, a crictl.yaml; NULL: $CRI_CONFIG_FILE, then the usual places */
    int64_t timeout;         /* ns for one look; 0: 10 s */
    const char *proc;        /* NULL: $HOST_PROC, then /proc */
    const char *replay;      /* a capture in place of runtime and /proc */
    bool no_runtime;         /* scan only */
    const char
        *vm_handlers; /* comma-separated runtime handlers whose containers are virtual machines */
    bool no_environment; /* read no environment variable */
    bool want_processes; /* keep the whole process table: podpid_whois() needs it */
    bool no_strays;      /* report none: a second sight of them costs a second */
};

#define PODPID_OPTIONS_INIT                                                                        \
    {                                                                                              \
        .size = sizeof(struct podpid_options)                                                      \
    }

/* ---- Look: one complete view of the node, as a stepper -------------------------------------- */

struct podpid_look;

PODPID_API int podpid_look_new(const struct podpid_options *options, struct podpid_look **ret,
                               struct podpid_error *error);
PODPID_API void podpid_look_free(struct podpid_look *look); /* NULL is fine; at any time */

/* Poll this for POLLIN; it stays the same for the look's life. */
PODPID_API int podpid_look_fd(const struct podpid_look *look);

/* When step() wants to run even if the descriptor stays silent. */
PODPID_API int64_t podpid_look_deadline(const struct podpid_look *look);

/* Do what can be done now. 1: done, take it; 0: call again when the descriptor is readable or the
 * deadline has come; negative: failed for good. Never blocks on the runtime. */
PODPID_API int podpid_look_step(struct podpid_look *look, int64_t now, struct podpid_error *error);

/* After step() gave 1, once: the snapshot, to be freed by the caller. NULL otherwise. */
PODPID_API struct podpid_snapshot *podpid_look_take(struct podpid_look *look);

/* All of it, blocking. cancel_fd readable ends it with PODPID_ERR_CANCELED; -1: no such descriptor.
 */
PODPID_API int podpid_look_run(const struct podpid_options *options, int cancel_fd,
                               struct podpid_snapshot **ret, struct podpid_error *error);

/* A duration as options and policies write it: 500ms, 10s, 1m30s, 2h; a bare number is seconds.
 * Into nanoseconds; PODPID_ERR_USAGE. */
PODPID_API int podpid_parse_duration(const char *text, int64_t *ret, struct podpid_error *error);

/* ---- Choosing ------------------------------------------------------------------------------- */

/* Every member that is set must hold. Globs are fnmatch(3) ones without flags. Caller-owned,
 * borrowed. */
struct podpid_selector {
    size_t size;
    const char *namespace_; /* exact */
    const char *pod;        /* glob */
    const char
        *labels; /* "k=v,k2=v2" of the pod, all of them; a bare "k": is there, with any value */
    const char *container; /* glob */
    const char *uid;       /* exact, of the pod */
};

#define PODPID_SELECTOR_INIT                                                                       \
    {                                                                                              \
        .size = sizeof(struct podpid_selector)                                                     \
    }

/* Is it well-formed? (a label selector that cannot be parsed is PODPID_ERR_USAGE) */
PODPID_API int podpid_selector_check(const struct podpid_selector *selector,
                                     struct podpid_error *error);

/* Can it be answered by this snapshot? PODPID_ERR_INPUT where it asks for labels and the snapshot
 * is of a capture that was taken without their values. */
PODPID_API int podpid_selector_answerable(const struct podpid_selector *selector,
                                          const struct podpid_snapshot *s,
                                          struct podpid_error *error);

PODPID_API bool podpid_selector_matches_pod(const struct podpid_selector *selector,
                                            const struct podpid_pod *pod);
PODPID_API bool podpid_selector_matches(const struct podpid_selector *selector,
                                        const struct podpid_container *container);

enum podpid_select_flags {
    PODPID_SELECT_ALL_STATES =
        1, /* created and exited containers too; else only running and unknown */
    PODPID_SELECT_NO_FINDINGS = 2, /* leave strays and foreign out */
};

/* A snapshot of those that the callback keeps (NULL: all). Pods without a kept container are left
 * out, unless keep_pod (may be NULL) wants them. The result borrows from `s`, which must outlive
 * it. */
PODPID_API int podpid_snapshot_select(const struct podpid_snapshot *s, unsigned flags,
                                      bool (*keep)(void *context, const struct podpid_container *c),
                                      bool (*keep_pod)(void *context, const struct podpid_pod *p),
                                      void *context, struct podpid_snapshot **ret,
                                      struct podpid_error *error);

/* What an argument names: NAMESPACE/POD, NAMESPACE/POD/CONTAINER, or a container id (with or
 * without "scheme://", shortened to 3 or more hex digits). 0 and the containers (malloc'ed array
 * the caller frees; a pod's running ones in order of creation); PODPID_ERR_ANSWER with a message if
 * none or several match; PODPID_ERR_USAGE if it is no name and no id. */
PODPID_API int podpid_snapshot_find(const struct podpid_snapshot *s, const char *name,
                                    const struct podpid_container ***ret, size_t *ret_n,
                                    struct podpid_error *error);

/* ---- Writing -------------------------------------------------------------------------------- */

/* Called with pieces of the document; not 0 stops the writing with PODPID_ERR_WRITE. */
typedef int (*podpid_write_fn)(void *context, const char *data, size_t n);

enum podpid_json_style {
    PODPID_JSON_DOCUMENT, /* schema podpid/v1, indented, pod by pod; ends with a newline */
    PODPID_JSON_COMPACT,  /* the same on one line */
    PODPID_JSON_LINES     /* one container object a line, its pod's fields prefixed pod_ */
};

PODPID_API int podpid_snapshot_to_json(const struct podpid_snapshot *s,
                                       enum podpid_json_style style, podpid_write_fn write,
                                       void *context, struct podpid_error *error);

/* Text made safe for a terminal: control bytes as \xNN or \n, \t, invalid UTF-8 as \xNN,
 * bidirectional controls as \u{...}, backslash as it is. malloc'ed, NULL if memory is out. */
PODPID_API char *podpid_escape(const char *text);

/* ---- The other direction -------------------------------------------------------------------- */

struct podpid_answer {
    pid_t pid;     /* as asked */
    bool found;    /* the process exists */
    pid_t process; /* the process of the thread that was asked for; in the /proc's namespace */
    uint64_t start_time_ticks;
    enum podpid_role role;
    const char *container_id;                 /* NULL: none */
    const struct podpid_container *container; /* NULL: none that is listed */
    const struct podpid_pod *pod;             /* NULL: none */
    const char *const *chain;
    size_t n_chain;
};

/* Which container is this process in? Needs a snapshot made with want_processes; reads /proc/<pid>
 * once more through a pinned descriptor before it answers. ns_of: 0, or a process in whose PID
 * namespace pid is to be understood: PODPID_ERR_ANSWER if it is gone, PODPID_ERR_PROC if its
 * namespace may not be read. The answer lives as long as the snapshot. */
PODPID_API int podpid_whois(struct podpid_snapshot *s, pid_t pid, pid_t ns_of,
                            const struct podpid_answer **ret, struct podpid_error *error);

/* The answer as one JSON object on one line. */
PODPID_API int podpid_answer_to_json(const struct podpid_answer *a, podpid_write_fn write,
                                     void *context, struct podpid_error *error);

/* ---- Index: look-ups without a system call -------------------------------------------------- */

struct podpid_index;

/* The index borrows from the snapshot. */
PODPID_API int podpid_index_new(const struct podpid_snapshot *s, struct podpid_index **ret,
                                struct podpid_error *error);
PODPID_API void podpid_index_free(struct podpid_index *index);

/* The start ticks are required: a PID alone may be somebody else's by now. NULL: not in a
 * container. */
PODPID_API const struct podpid_container *
podpid_index_by_process(const struct podpid_index *index, pid_t pid, uint64_t start_time_ticks,
                        const struct podpid_process **ret_process);
PODPID_API const struct podpid_container *podpid_index_by_cgroup(const struct podpid_index *index,
                                                                 uint64_t cgroup_id);
PODPID_API const struct podpid_container *podpid_index_by_id(const struct podpid_index *index,
                                                             const char *container_id);

/* For who knows only a PID: pins and reads that one process under proc_fd (an open /proc), no scan.
 * 0 with the container or NULL (a host process), and the start ticks it was seen with;
 * PODPID_ERR_ANSWER: no such process. */
PODPID_API int podpid_index_probe(const struct podpid_index *index, int proc_fd, pid_t pid,
                                  const struct podpid_container **ret,
                                  uint64_t *ret_start_time_ticks, struct podpid_error *error);

/* ---- Cgroup texts --------------------------------------------------------------------------- */

struct podpid_cgroup;

/* Explain the whole text of a /proc/<pid>/cgroup. Never fails but for memory. */
PODPID_API int podpid_cgroup_parse(const char *text, size_t n, struct podpid_cgroup **ret,
                                   struct podpid_error *error);
PODPID_API void podpid_cgroup_free(struct podpid_cgroup *c);

struct podpid_cgroup_facts {
    const char *kind; /* "container", "nested", "pod", "helper", "host" */
    const char *container_id, *pod_uid, *qos, *manager, *inner_id, *inner_pod_uid,
        *helper_for;          /* or NULL */
    size_t line;              /* the line that decided, from 1; 0: none */
    const char *line_text;    /* that line; NULL: none */
    const char *component;    /* the component of its path that decided; NULL: none */
    const char *why;          /* in words */
    const char *const *notes; /* lines that disagree, what was ignored */
    size_t n_notes;
    size_t n_lines; /* that are of such a text; 0: it is none */
};

PODPID_API const struct podpid_cgroup_facts *podpid_cgroup_facts(const struct podpid_cgroup *c);

/* One object on one line, from kind to helper_for. */
PODPID_API int podpid_cgroup_to_json(const struct podpid_cgroup *c, podpid_write_fn write,
                                     void *context, struct podpid_error *error);

/* ---- Capture -------------------------------------------------------------------------------- */

/* Look, and write runtime view and /proc extract into a new folder (0700, files 0600; it must not
 * exist or be empty). with_labels keeps the values of labels. */
PODPID_API int podpid_capture(const struct podpid_options *options, const char *dir,
                              bool with_labels, int cancel_fd, struct podpid_error *error);

/* ---- Targets: policies, manifests, selectors ------------------------------------------------ */

struct podpid_targets;

PODPID_API int podpid_targets_new(struct podpid_targets **ret, struct podpid_error *error);
PODPID_API void podpid_targets_free(struct podpid_targets *t);

/* Read a PreflightPolicy or a pod manifest (YAML or JSON; "-" is standard input); targets add up.
 * node_name: pods of another node are skipped; NULL: $NODE_NAME, then the hostname.
 * PODPID_ERR_INPUT names file, line, column. */
PODPID_API int podpid_targets_add_file(struct podpid_targets *t, const char *path,
                                       const char *node_name, struct podpid_error *error);
PODPID_API int podpid_targets_add_selector(struct podpid_targets *t,
                                           const struct podpid_selector *selector,
                                           struct podpid_error *error);
PODPID_API size_t podpid_targets_count(const struct podpid_targets *t);

/* podpid_selector_answerable() of every target. */
PODPID_API int podpid_targets_answerable(const struct podpid_targets *t,
                                         const struct podpid_snapshot *s,
                                         struct podpid_error *error);

/* The selection that `list -f` shows: a container that some target names. */
PODPID_API bool podpid_targets_match(const struct podpid_targets *t,
                                     const struct podpid_container *c);

/* Scalars of the policies; members are NULL, 0 or -1 where no policy says anything. */
struct podpid_policy {
    const char *runtime_endpoint;
    int64_t wait;            /* ns; -1: not said */
    const char *vm_handlers; /* comma-separated */
    const char *handoff_path, *handoff_group;
    int handoff_mode; /* -1: not said */
};

PODPID_API const struct podpid_policy *podpid_targets_policy(const struct podpid_targets *t);

/* ---- Preflight ------------------------------------------------------------------------------ */

enum podpid_result {
    PODPID_RESULT_PASS,
    PODPID_RESULT_WARN,
    PODPID_RESULT_FAIL,
    PODPID_RESULT_SKIP
};

PODPID_API const char *podpid_result_name(enum podpid_result r); /* "pass" */

/* One of the preflight's checks, whatever its result. Members can be added at the end. */
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
    const char *hint;         /* what to do offline; NULL where it passes */
    const char *const *items; /* what it is about, one line each */
    size_t n_items;
};

struct podpid_preflight_options {
    size_t size;
    const struct podpid_options *look;
    const struct podpid_targets *targets; /* may hold none */
    const char *const *ignore;            /* ids of checks, NULL-terminated; NULL: none */
    bool strict, allow_inferred, follow_restarts;
    int64_t wait;             /* ns; 0: one try */
    const char *handoff_path; /* NULL: none is written */
    const char *handoff_group;
    int handoff_mode;   /* 0: 0640 */
    bool pidfds;        /* open a pidfd for each target container */
    bool require_pidfd; /* a kernel without pidfd_open fails; else it warns */
};

#define PODPID_PREFLIGHT_OPTIONS_INIT                                                              \
    {                                                                                              \
        .size = sizeof(struct podpid_preflight_options)                                            \
    }

struct podpid_preflight;
struct podpid_report;
struct podpid_pidfd; /* see Handoff */

/* PODPID_ERR_USAGE: an unknown id to ignore; a handoff or pidfds without a target, of a capture, or
 * where /proc is not procfs of our own PID namespace. */
PODPID_API int podpid_preflight_new(const struct podpid_preflight_options *options,
                                    struct podpid_preflight **ret, struct podpid_error *error);
PODPID_API void podpid_preflight_free(struct podpid_preflight *p);
PODPID_API int podpid_preflight_fd(const struct podpid_preflight *p);
PODPID_API int64_t podpid_preflight_deadline(const struct podpid_preflight *p);
/* As podpid_look_step(): 1 done. A runtime that cannot be reached is a failed check, not an error.
 */
PODPID_API int podpid_preflight_step(struct podpid_preflight *p, int64_t now,
                                     struct podpid_error *error);
/* What is still missing, for a progress line; "" before the first try ended. Borrowed until the
 * next step. */
PODPID_API const char *podpid_preflight_progress(const struct podpid_preflight *p);
PODPID_API struct podpid_report *podpid_preflight_take(struct podpid_preflight *p);

PODPID_API void podpid_report_free(struct podpid_report *r);
PODPID_API enum podpid_result podpid_report_result(const struct podpid_report *r);
PODPID_API int podpid_report_exit_status(const struct podpid_report *r); /* 0, 1 or 3 */
PODPID_API const struct podpid_check *const *podpid_report_checks(const struct podpid_report *r,
                                                                  size_t *ret_n);
/* NULL if there was no look. Borrowed from the report. */
PODPID_API const struct podpid_snapshot *podpid_report_snapshot(const struct podpid_report *r);
/* The targets only, as they are handed over. NULL if there was no look. Borrowed. */
PODPID_API const struct podpid_snapshot *podpid_report_targets(const struct podpid_report *r);
/* With options.pidfds and where all is well: one for each target container. Borrowed: the report
 * closes them. */
PODPID_API const struct podpid_pidfd *podpid_report_pidfds(const struct podpid_report *r,
                                                           size_t *ret_n);
PODPID_API int podpid_report_to_json(const struct podpid_report *r, podpid_write_fn write,
                                     void *context, struct podpid_error *error);

/* ---- Handoff -------------------------------------------------------------------------------- */

/* A sealed memfd (no CLOEXEC) with the handoff document of a snapshot. */
PODPID_API int podpid_handoff_memfd(const struct podpid_snapshot *targets, int *ret_fd,
                                    struct podpid_error *error);

struct podpid_pidfd {
    int fd; /* close-on-exec; the caller clears that */
    const char *container_id;
    pid_t pid;
};

/* One pidfd per verified or inferred container, each identity checked once more after its pidfd is
 * open; leave out of targets what is not to have one.
 * malloc'ed array, the caller closes and frees. PODPID_ERR_ANSWER: one is not itself any more;
 * PODPID_ERR_USAGE with system_errno ENOSYS: this kernel has no pidfd_open. Raises the soft NOFILE
 * limit while opening and restores it. */
PODPID_API int podpid_handoff_pidfds(const struct podpid_snapshot *targets, const char *proc,
                                     struct podpid_pidfd **ret, size_t *ret_n,
                                     struct podpid_error *error);

/* Remove a handoff file, never through a symbolic link. 0 also where there is none, or only an empty
 * file, which stays. PODPID_ERR_WRITE: it cannot be removed, or it is not a podpid document
 * (system_errno EEXIST) and stays. */
PODPID_API int podpid_handoff_remove(const char *path, struct podpid_error *error);

/* ---- Watch ---------------------------------------------------------------------------------- */

enum podpid_event_kind {
    PODPID_EVENT_SNAPSHOT = 1,
    PODPID_EVENT_ADDED,
    PODPID_EVENT_REMOVED,
    PODPID_EVENT_CHANGED, /* PID, verdict, state; or its pod's state or sandbox */
    PODPID_EVENT_RUNTIME  /* the runtime went away or came back; detail says which */
};

struct podpid_event {
    enum podpid_event_kind kind;
    uint64_t seq, generation;
    int64_t at;
    bool stale;                               /* the runtime is away: this is the last truth */
    const char *source;                       /* "look" or "pidfd" */
    const char *detail;                       /* RUNTIME: in words; else NULL */
    const struct podpid_container *container; /* ADDED, REMOVED, CHANGED */
    const struct podpid_snapshot *snapshot;   /* SNAPSHOT */
};

struct podpid_watch_options {
    size_t size;
    const struct podpid_options *look;
    const struct podpid_targets *targets;     /* what is watched; NULL or none: everything */
    const char *handoff_path, *handoff_group; /* NULL: none. A handoff needs a target */
    int handoff_mode;                         /* 0: 0640 */
    int64_t period;                           /* ns between full looks in any case; 0: 30 s */
};

#define PODPID_WATCH_OPTIONS_INIT                                                                  \
    {                                                                                              \
        .size = sizeof(struct podpid_watch_options)                                                \
    }

struct podpid_watch;

/* PODPID_ERR_USAGE: a capture; a handoff without a target, or where /proc is not procfs of our own
 * PID namespace. Everything in options is borrowed until the watch is freed. */
PODPID_API int podpid_watch_new(const struct podpid_watch_options *options,
                                struct podpid_watch **ret, struct podpid_error *error);
PODPID_API void podpid_watch_free(struct podpid_watch *w);
PODPID_API int podpid_watch_fd(const struct podpid_watch *w);
PODPID_API int64_t podpid_watch_deadline(const struct podpid_watch *w);
/* 0; negative: cannot go on. Once the first look is done, what keeps a look from being finished (a
 * runtime that is away, a configuration that cannot be read) is an event, not an error. Does
 * nothing while there are events that were not taken. */
PODPID_API int podpid_watch_step(struct podpid_watch *w, int64_t now, struct podpid_error *error);
/* The next event, NULL if there is none now. Borrowed until the next call of next() or step(). */
PODPID_API const struct podpid_event *podpid_watch_next(struct podpid_watch *w);
/* What is true now, as far as it was asked for. NULL before the first look is done. Borrowed until
 * the next step(). */
PODPID_API const struct podpid_snapshot *podpid_watch_snapshot(const struct podpid_watch *w);
/* The runtime is away: what is true now is the last that it said. */
PODPID_API bool podpid_watch_stale(const struct podpid_watch *w);
/* What would wake it and cannot be had (inotify, pidfds), a line each with what that costs and what
 * to do; they are the last of that snapshot's warnings, too. Tried again at every look: none of
 * them is for good. Borrowed until the next step(). */
PODPID_API const char *const *podpid_watch_lost(const struct podpid_watch *w, size_t *ret_n);
/* Look at all again as soon as possible. */
PODPID_API void podpid_watch_look_now(struct podpid_watch *w);
PODPID_API const char *podpid_event_name(enum podpid_event_kind k); /* "added" */
PODPID_API int podpid_event_to_json(const struct podpid_event *e, podpid_write_fn write,
                                    void *context, struct podpid_error *error);

#ifdef __cplusplus
}
#endif

#endif
