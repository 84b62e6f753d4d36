/* A look from the inside.
 *
 * It goes in rounds. A round asks the status of every unit that is open (all, in the first round),
 * scans /proc meanwhile, lists again, and judges the open units by what that brought. A unit whose
 * verdict is a disagreement stays open, up to LOOK_TRIES rounds; one that came meanwhile is opened,
 * one that went is dropped. When none is open any more, every process that is about to be published
 * is read once more through a pinned descriptor; those that are not themselves any more open their
 * unit again. Strays need a round of their own, a second after they were first seen. */
#ifndef PODPID_LOOK_IMPL_H
#define PODPID_LOOK_IMPL_H

#include "cri/base/clock.h"
#include "cri/client.h"
#include "resolver/capture/read.h"
#include "resolver/join/member.h"
#include "resolver/join/verdict.h"
#include "resolver/node/discover.h"
#include "resolver/node/node.h"
#include "resolver/podpid.h"
#include "resolver/proc/ptable.h"
#include "resolver/snapshot/snapshot.h"

enum { LOOK_TRIES = 5 };

/* What a look knows of one unit across its rounds. */
struct track {
    const char *id;
    bool sandbox;
    bool open;         /* to be asked and judged in the next round */
    bool seen;         /* in the newest list */
    bool contradicted; /* the newest list came after its status, and says another state */
    unsigned tries;
    nsec first_try;         /* when it was judged first: half a second later no more tries begin */
    struct verdict verdict; /* its row pointers are void once the round is over */
    struct podpid_container
        *row;                   /* of a container; the newest judgement, in the snapshot's arena */
    struct podpid_pod *pod_row; /* of a sandbox */
    pid_t pid;                  /* what is about to be published: verified or inferred */
    uint64_t start;
    const char *cgroup; /* whole text of it */
};

struct stray_candidate {
    const char *container_id, *pod_uid;
    nsec first_seen, last_seen;
};

/* A well-known socket that was not chosen. */
struct look_other {
    struct client *client; /* NULL: cannot be asked, or was taken */
    bool answered, failed, has_pods, has_containers;
};

enum look_phase {
    LOOK_START,
    LOOK_LIST,   /* identity and first list under way */
    LOOK_GATHER, /* statuses under way, the scan going on */
    LOOK_RELIST, /* the closing list of a round under way */
    LOOK_PAUSE,  /* until resume_at: before the next round */
    LOOK_DONE
};

struct podpid_look {
    const struct podpid_options *options;
    enum look_phase phase;
    nsec started, deadline, resume_at, status_deadline;
    int64_t wall_started;
    int epoll_fd;
    bool has_runtime; /* false: --no-runtime, or a capture taken so */

    struct arena arena; /* the runtime's side: discovery, lists, statuses. Gone with the look */
    struct discovered discovered;
    struct client *client;
    struct look_other others[8]; /* other well-known sockets: look_others.c */
    unsigned n_others;
    struct view_runtime runtime;
    bool identified;
    struct view view; /* as it was told; sorted */
    struct view list; /* the newest */
    bool listed;
    unsigned asked; /* statuses under way */

    struct procfs procfs;
    bool procfs_open;
    bool is_replay;
    struct replay replay;
    struct node_facts node;
    struct cgroup_ids *ids;
    bool runtime_elsewhere; /* the peer of the socket is in no PID namespace below ours */

    struct ptable *table; /* that of the newest judgement: members and verdicts point into it */
    struct ptable *next;  /* that of the round under way */
    struct ptable_scan *scan;
    bool scanned;
    size_t loaded_ahead; /* rows of the next table that look_load_ahead() went through */

    struct track **tracks; /* by id */
    size_t n_tracks, cap_tracks;
    const char **gone; /* ids that were in a list of this look and are not any more; sorted */
    size_t n_gone, cap_gone;
    unsigned rounds;
    struct stray_candidate *candidates;
    size_t n_candidates, cap_candidates;
    bool quick;             /* do not wait for strays to prove themselves; none are reported then */
    bool late_welcome;      /* the next list may bring newcomers */
    bool waited_for_strays; /* once is enough */

    struct podpid_snapshot *snapshot; /* being built; its arena takes the rows */
    struct arena judge_arena;         /* the newest round's members and settled view */
    struct view settled;
    struct members members;
    struct verdict_input input;
};

/* look.c: step until it is done, blocking. 0, or a negative podpid code. */
int look_drive(struct podpid_look *k, int cancel_fd, struct podpid_error *error);

/* A look that does not take the second that strays need, for who looks again and again. Before the
 * first step. */
void look_be_quick(struct podpid_look *k);

/* All that is left to do is to see whether strays stay. */
bool look_waits_for_strays(const struct podpid_look *k);

/* look_runtime.c: asking, and taking what came back. */
int look_open_runtime(struct podpid_look *k, struct err *err); /* identity and list asked for */
int look_ask_first(struct podpid_look *k, struct err *err);    /* those, of the present client */
int look_listen_to(struct podpid_look *k, const struct client *c);
int look_step_runtime(struct podpid_look *k, nsec now, struct err *err);
int look_ask_list(struct podpid_look *k, struct err *err);
int look_ask_statuses(struct podpid_look *k, nsec now, struct err *err); /* of the open units */
void look_forget_statuses(struct podpid_look *k);                        /* likewise */
void look_fail_unanswered(struct podpid_look *k); /* what has no answer becomes an error */

/* look_others.c: the other well-known sockets. */
void look_ask_others(struct podpid_look *k);
void look_step_others(struct podpid_look *k, nsec now);
nsec look_others_deadline(const struct podpid_look *k);
bool look_others_may_answer(const struct podpid_look *k, nsec now);
/* Go on with one of them instead (with_content: only one that lists something); why the chosen one
 * is left goes into the report. False: there is none. */
bool look_fall_on(struct podpid_look *k, const char *why, bool with_content, struct err *err);

/* look_view.c: the view across lists and statuses. */
int look_merge_list(struct podpid_look *k);
int look_take_container(struct podpid_look *k, const struct client_reply *r);
int look_take_pod(struct podpid_look *k, const struct client_reply *r);
/* Is there a container or sandbox of this id in any list of this look? */
bool look_is_listed(const struct podpid_look *k, const char *id);
struct track *look_track(const struct podpid_look *k, const char *id);
/* The unit's track, made if it is new; NULL: memory is out. */
struct track *look_track_add(struct podpid_look *k, const char *id, bool sandbox);
/* Without a runtime: a view of whatever the scan shows. */
int look_view_of_scan(struct podpid_look *k);

/* look_load.c: what the scan did not read, for those rows that need it. 0, or negative errno: a
 * shortage, from which nothing is concluded; so do look_judge() and look_pin(). */
/* While answers are under way: what the judgement will want of processes that look like roots, of
 * the table that the scan has just made. A slice of them. */
int look_load_ahead(struct podpid_look *k);
bool look_has_more_ahead(const struct podpid_look *k);
int look_load_reported(struct podpid_look *k);
int look_load_members(struct podpid_look *k);
int look_load_roots(struct podpid_look *k);

/* look_judge.c: join, reduce, cross-check of the open units; what stays open. */
int look_judge(struct podpid_look *k, nsec now);
/* At the deadline: what is listed and was never judged is an error, it must not be missing. */
int look_judge_unread(struct podpid_look *k);
/* Seen twice, long enough apart; in a replay seen at all. */
bool look_is_old_stray(const struct podpid_look *k, const struct stray_candidate *c);

/* look_pin.c: read what is to be published once more. Units that are not themselves any more are
 * opened again; with last, or after LOOK_TRIES, their verdict is `changed`. */
int look_pin(struct podpid_look *k, bool last, bool *ret_again);

/* look_publish.c: the rows put together, findings and warnings. -ENOMEM or 0. */
int look_publish(struct podpid_look *k, nsec now);

/* Why this /proc cannot show all that the runtime speaks of; NULL: it can. */
const char *look_blind(const struct podpid_look *k);

#endif
