/* The state of a look, and what the files of this room ask of each other.
 *
 * A look goes in rounds. A round asks the runtime for the status of every open unit (in the first
 * round: of all units), scans /proc meanwhile, lists again, and judges the open units. A unit whose
 * verdict is a disagreement between runtime and kernel stays open for up to LOOK_TRIES rounds; the
 * closing list may add units and drop others. When no unit is open, every process that is about to
 * be published is read once more through a pinned descriptor, and a unit whose process has changed
 * meanwhile is opened again. Strays take one more round, a second after they were first seen.
 *
 * Calls between the files go down this list only:
 *
 *     run.c              the calls that block: a look, a capture
 *     look.c             the phases; makes, steps and frees a look
 *     without_runtime.c  the view that a scan alone gives
 *     publish.c          the snapshot of the last judgement
 *     warnings.c         its warnings
 *     judge.c            join, reduce and cross-check of a round; whether another round follows
 *     sockets.c          the well-known sockets that were not chosen
 *     runtime.c          requests to the runtime, and its replies
 *     view.c             one view out of lists and statuses
 *     strays.c           which strays were seen, and since when
 *     load.c             parts of the process table that the scan left out
 *     pin.c              the last reading before a PID is published
 *     units.c            what a look knows of each unit
 *
 * Functions that return int give 0 or a negative errno. Without a struct err that is -ENOMEM, or a
 * shortage of descriptors or kernel memory (err_is_shortage()) in functions that read /proc or
 * cgroups: nothing may be concluded from such a reading, and the look fails. */
#ifndef PODPID_LOOK_IMPL_H
#define PODPID_LOOK_IMPL_H

#include "cri/base/clock.h"
#include "cri/client.h"
#include "resolver/capture/capture.h"
#include "resolver/join/member.h"
#include "resolver/join/verdict.h"
#include "resolver/node/discover.h"
#include "resolver/node/node.h"
#include "resolver/podpid.h"
#include "resolver/proc/ptable.h"
#include "resolver/snapshot/snapshot.h"

/* A unit is judged at most this often. The pauses between the tries, in judge.c, add up to the time
 * for which runtimes are known to report a dead PID. */
enum { LOOK_TRIES = 5 };

/* Room for endpoint_format(): "unix://" and a sun_path. */
enum { ENDPOINT_TEXT_SIZE = 128 };

/* What a look knows of one unit (a container or a pod's sandbox) across its rounds. */
struct look_unit {
    const char *id;
    bool open;         /* its status is asked for, and it is judged, in the next round */
    bool seen;         /* it is in the newest list */
    bool contradicted; /* the newest list, which came after its status, gives another state */
    unsigned tries;    /* how often it was judged */
    nsec first_try;    /* when it was judged first */
    struct podpid_container
        *row;                   /* of a container: the newest judgement, in the snapshot's arena */
    struct podpid_pod *pod_row; /* of a sandbox: likewise */
    pid_t pid;                  /* verified or inferred, about to be published; 0: none */
    uint64_t start;             /* start time of that process, in ticks since boot */
    const char *cgroup;         /* its whole cgroup text, when it was judged */
};

struct look_units {
    struct look_unit **items; /* ascending by id */
    size_t n, cap;
};

/* The cgroup of a container that no list has, with live processes in it. */
struct stray_candidate {
    const char *container_id;
    const char *pod_uid; /* "": it is below no pod */
    nsec first_seen, last_seen;
};

/* A well-known socket that was not chosen. */
struct look_other {
    struct client *client; /* NULL: it cannot be asked, or the look uses it as its own by now */
    bool answered, failed; /* its list has come; as an error */
    bool has_pods, has_containers;
};

enum look_phase {
    LOOK_START,
    LOOK_LIST,   /* identity and first list under way */
    LOOK_GATHER, /* statuses under way, the scan going on */
    LOOK_RELIST, /* the closing list of a round under way */
    LOOK_PAUSE,  /* until resume_at, when the next round begins */
    LOOK_DONE
};

/* Each member is written by the file that its group names, and read by any other. */
struct podpid_look {
    /* look.c: what is looked at, settled before the first step. */
    const struct podpid_options *options; /* own_options */
    struct podpid_options own_options;    /* a copy of the caller's; its texts are the caller's */
    bool has_runtime; /* false: --no-runtime, or a capture that was taken without one */
    bool is_replay;
    struct capture replay; /* with is_replay */
    struct procfs procfs;
    bool procfs_open; /* procfs is ours to close */
    struct node_facts node;
    struct cgroupfs *cgroupfs;        /* NULL: no cgroup hierarchy is mounted here, or a replay */
    struct arena arena;               /* discovery, lists, statuses, units; freed with the look */
    struct podpid_snapshot *snapshot; /* publish.c fills it; rows are made in its arena before */

    /* look.c: how far it is. */
    enum look_phase phase;
    int epoll_fd; /* readable when a client has something to do */
    nsec started, deadline;
    int64_t wall_started; /* ns since the epoch */
    nsec resume_at;       /* end of LOOK_PAUSE */

    /* look.c: the scans. load.c and judge.c add what the scan left out. */
    struct ptable *table; /* of the newest judgement, whose rows point into it */
    struct ptable *next;  /* of the round under way */
    struct ptable_scan *scan;
    bool scanned;        /* next is complete */
    size_t loaded_ahead; /* load.c: how many rows of next look_load_ahead() has gone through */

    /* runtime.c: the connection, and the newest replies. */
    struct client *client; /* sockets.c may put another one in its place; NULL: a replay */
    struct view_runtime runtime;
    bool identified; /* runtime is known, or will not be in time */
    bool
        runtime_elsewhere; /* it runs in no PID namespace at or below ours: its PIDs mean nothing */
    struct view list;      /* the newest list */
    bool listed;
    unsigned asked; /* statuses under way */
    nsec status_deadline;

    /* sockets.c: where the runtime may be; the chosen endpoint changes with the client. */
    struct discovered discovered;
    struct look_other others[N_ELEMENTS(((struct discovered *)NULL)->others)];
    unsigned n_others;

    /* view.c: the view across lists and statuses, as the runtime told it. */
    struct view view;  /* sorted by id */
    const char **gone; /* ids that an earlier list had and the newest does not; sorted */
    size_t n_gone, cap_gone;
    bool late_welcome; /* judge.c sets it: the next list may add units though a round is over */

    /* units.c keeps the list; view.c, judge.c and pin.c write what they find into the units. */
    struct look_units units;

    /* judge.c: the newest judgement. */
    unsigned rounds;          /* judgements so far */
    struct arena judge_arena; /* freed at the next judgement */
    struct view settled;      /* the view with Docker's claims settled */
    struct members members;
    struct verdict_input input;

    /* strays.c */
    struct stray_candidate *candidates; /* those that the newest judgement saw */
    size_t n_candidates, cap_candidates;
    bool skip_strays;       /* report none, and do not take the second that they need */
    bool waited_for_strays; /* a round was added for them; there is one at most */
};

/* ---- runtime.c ----------------------------------------------------------------------------- */

/* Connect to the chosen endpoint and ask it for its identity and the first list. */
int look_open_runtime(struct podpid_look *k, struct err *err);

/* Ask the present client for its identity and the first list. */
int look_ask_first(struct podpid_look *k, struct err *err);

int look_ask_list(struct podpid_look *k, struct err *err);

/* Forget the statuses of all open units and ask for them anew. */
int look_ask_statuses(struct podpid_look *k, nsec now, struct err *err);

/* Cancel the statuses that are under way: their units get an error in place of an answer. */
void look_fail_unanswered(struct podpid_look *k);

/* Move bytes and take all replies that have come. Fails when the connection is lost, or when a
 * reply without which the look cannot go on is an error. */
int look_step_runtime(struct podpid_look *k, nsec now, struct err *err);

/* Let podpid_look_fd() tell when that client has something to do. */
int look_listen_to(struct podpid_look *k, const struct client *c);

/* ---- sockets.c ----------------------------------------------------------------------------- */

/* Ask every other well-known socket for a list. One that cannot be asked is left out, unless the
 * reason is a shortage. */
int look_ask_others(struct podpid_look *k, struct err *err);

void look_step_others(struct podpid_look *k, nsec now);

/* When look_step_others() wants to run; NSEC_NEVER: no such time. wait_for_lists: the time until
 * which look_others_may_answer() holds counts, too. */
nsec look_others_deadline(const struct podpid_look *k, bool wait_for_lists);

/* Whether a list of another socket is still worth waiting for. */
bool look_others_may_answer(const struct podpid_look *k, nsec now);

/* Put the client of another socket that has not failed in place of the chosen one; with_content:
 * of one that lists something. why goes into the report ("well-known socket (OLD why)"). The
 * caller asks it anew by look_ask_first(). False: there is none, and nothing has changed. */
bool look_switch_socket(struct podpid_look *k, const char *why, bool with_content);

/* ---- view.c -------------------------------------------------------------------------------- */

/* Bring the view up to the newest list: units that it adds are opened, units that it lacks are
 * dropped, units whose state it contradicts are opened again. */
int look_merge_list(struct podpid_look *k);

/* Take the reply to a status request into the view. */
void look_take_container(struct podpid_look *k, const struct client_reply *r);
void look_take_pod(struct podpid_look *k, const struct client_reply *r);

/* Whether a sandbox's status is asked for. */
bool look_is_asked(const struct view_pod *pod);

/* Give the row of that id, if its status was asked for and has not come, the status "failed". why
 * is kept, not copied. */
void look_fail_status(const struct view *v, const char *id, const char *why);

/* Whether any list of this look has a container or sandbox of this id. */
bool look_is_listed(const struct podpid_look *k, const char *id);

/* ---- without_runtime.c --------------------------------------------------------------------- */

/* Without a runtime: make list and view of the container cgroups that the judged table shows. */
int look_view_of_scan(struct podpid_look *k);

/* ---- load.c -------------------------------------------------------------------------------- */

/* While answers are under way: read what the judgement will want of processes of the next table
 * that look like roots. One call goes through a slice of the table. */
int look_load_ahead(struct podpid_look *k);
bool look_has_more_ahead(const struct podpid_look *k);

/* stat and NSpid of the processes whose PIDs the runtime reports for open units. */
int look_load_reported(struct podpid_look *k);

/* stat of all members. */
int look_load_members(struct podpid_look *k);

/* NSpid, namespaces and cgroup ids of open units' roots; of all units' roots where a verdict
 * depends on who else is in a PID namespace. */
int look_load_roots(struct podpid_look *k);

/* ---- judge.c ------------------------------------------------------------------------------- */

/* Judge the open units by the newest list, statuses and table. *ret_resume_at: when the next round
 * is to begin; NSEC_NEVER: there is nothing left to find out, the judgement can be published. */
int look_judge(struct podpid_look *k, nsec now, nsec *ret_resume_at);

/* At the deadline: give units that are listed and were never judged the verdict `error`. */
int look_judge_unread(struct podpid_look *k);

/* ---- strays.c ------------------------------------------------------------------------------ */

/* Do not take the second that strays need, and report none: for a watch, which looks again anyway.
 * Before the first step. */
void look_skip_strays(struct podpid_look *k);

/* Whether all that is left to do is to see whether strays stay. */
bool look_waits_for_strays(const struct podpid_look *k);

/* Note the strays of the newest judgement; those that it does not have any more are forgotten. */
int look_note_strays(struct podpid_look *k, nsec now);

/* When the newest candidate will have been seen for long enough; now if nothing is to be waited
 * for. */
nsec look_strays_due(const struct podpid_look *k, nsec now);

/* Whether that cgroup was seen twice, long enough apart; in a replay, whether it was seen. */
bool look_is_confirmed_stray(const struct podpid_look *k, const struct other_cgroup *o);

/* ---- pin.c --------------------------------------------------------------------------------- */

/* Read every process that is about to be published once more. A unit whose process is not the one
 * that was judged is opened again (*ret_again); with last, or after LOOK_TRIES, its verdict becomes
 * `changed`. Other roots that have ended are left out of the rows. */
int look_pin(struct podpid_look *k, bool last, bool *ret_again);

/* ---- publish.c, warnings.c ----------------------------------------------------------------- */

/* Fill the snapshot. */
int look_publish(struct podpid_look *k, nsec now);

/* Fill its warnings; strays must be in it. */
int look_build_warnings(struct podpid_look *k);

/* ---- units.c ------------------------------------------------------------------------------- */

/* NULL: there is none of this id. */
struct look_unit *look_unit_find(const struct look_units *all, const char *id);

/* The unit of this id, which is kept, not copied; a new one is open. NULL: memory is out. */
struct look_unit *look_unit_add(struct look_units *all, struct arena *a, const char *id);

#endif
