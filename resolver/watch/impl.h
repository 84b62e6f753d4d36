/* A watch from the inside.
 *
 * The look is the truth: it runs every period, and sooner when something wakes it. What wakes it
 * only says "look": the runtime's events where reading them harms nobody, directories that come and
 * go under the pods' cgroups, the exit of a main process or of a sandbox. That of a main process is
 * kernel truth and published at once; the look that follows brings the rest. A main process is
 * followed from before its PID is published, so that no look can bring back one that the kernel has
 * buried. */
#ifndef PODPID_WATCH_IMPL_H
#define PODPID_WATCH_IMPL_H

#include "cri/base/clock.h"
#include "cri/client.h"
#include "resolver/node/node.h"
#include "resolver/podpid.h"
#include "resolver/snapshot/snapshot.h"

/* The document that is published: rows of the newest look, copied so that an exit can be entered.
 */
struct document {
    struct podpid_snapshot *full;   /* the look's */
    struct podpid_snapshot *shown;  /* the part that was asked for, its rows copied */
    struct podpid_container **rows; /* the copies; in shown's arena */
    size_t n_rows;
    size_t n_lost; /* the last so many of shown's warnings */
};

/* What would wake us and cannot be had, as of the last look: positive errnos, 0 where all is well.
 */
struct watch_lost {
    bool no_cgroups; /* no cgroup file system is mounted here */
    int inotify;
    int dirs;             /* of one that is not watched */
    int mains, sandboxes; /* of one that has no pidfd */
};
enum { LOST_TOO_MANY = -1 /* in place of dirs' errno */, LOST_LINES = 2 };

struct lost_lines {
    const char *all[LOST_LINES];
    size_t n;
};

/* A process that is followed. It stays where it is: epoll holds its address. */
struct handle {
    struct live *live; /* whose main process it is; NULL: a sandbox's */
    int fd;            /* its pidfd; -1: none */
    pid_t pid;         /* as of when it was followed last */
    uint64_t start;
    bool kept; /* a sandbox's, while the set is made anew */
};

/* One container as it was last published. */
struct live {
    struct podpid_container *row; /* in the document */
    struct handle process;
    bool kept; /* while two documents are compared */
};

struct podpid_watch {
    struct podpid_watch_options options;
    int epoll_fd;
    struct podpid_look *look; /* under way; NULL: none */
    nsec look_started, look_took, next_look, next_full;
    bool look_again;  /* something woke us while a look was under way */
    nsec chase_pause; /* pause before the next look of a chase; 0: none */
    nsec chase_until; /* a change is being followed until then */
    nsec backoff;     /* while the runtime is away */
    bool stale, first_done;

    struct document now;
    struct live **lives; /* by id */
    size_t n_lives;
    struct handle **sandboxes; /* by PID and start time */
    size_t n_sandboxes;
    struct procfs procfs; /* for the identity of pidfds */
    bool procfs_open;

    struct watch_lost lost, published_lost;

    int inotify_fd; /* -1: none */
    struct cgroup_ids *cgroups;
    int *dirs; /* watch descriptors, ascending */
    size_t n_dirs;

    struct client *events; /* the runtime's event stream, or only its connection; NULL: none */
    struct arena events_arena;
    nsec events_retry; /* when to ask for one */

    struct podpid_event *queue; /* what is not taken yet is from queue_at on */
    size_t queue_at, queue_n, queue_cap;
    struct arena queue_arena; /* texts of queued events; emptied with the queue */
    struct document before;   /* kept until the queue is empty: removed rows are its */
    uint64_t seq, generation;
};

/* watch_truth.c */

/* The runtime went away or came back, which is a new generation. 0 or -ENOMEM. */
int watch_push_runtime(struct podpid_watch *w, const char *detail);
/* Take a look's snapshot as the new truth, and queue what differs. Takes full. 0 or -ENOMEM (full
 * is freed). */
int watch_apply(struct podpid_watch *w, struct podpid_snapshot *full);
/* What was queued from there on is one new generation: known once it is known whether anything
 * differs. */
void watch_number_batch(struct podpid_watch *w, size_t from);
/* The kernel says that this container's main process has ended. 0 or -ENOMEM; nothing is queued
 * where that is no news. */
int watch_exited(struct podpid_watch *w, struct live *l);
void document_free(struct document *d);

/* watch_wake.c: what wakes a look. */

int watch_wake_open(struct podpid_watch *w, struct err *err);
void watch_wake_close(struct podpid_watch *w);
/* 0 or negative errno. */
int watch_listen_to(struct podpid_watch *w, int fd, uint64_t tag);
/* True if there was anything. */
bool watch_step_events(struct podpid_watch *w, nsec now);
nsec watch_events_deadline(const struct podpid_watch *w);

/* watch_pidfds.c: processes whose ends are told. */

/* Follow this process and no other; pid 0: none. 0, also where /proc is not of our PID namespace.
 * -ESRCH: it has ended. Another negative errno: no pidfd can be had for it; a main process takes
 * that of a sandbox where there is no room. */
int handle_follow(struct podpid_watch *w, struct handle *h, pid_t pid, uint64_t start);
void handle_drop(struct podpid_watch *w, struct handle *h);
/* Is this what the next process will meet with, too? */
bool handle_is_short(int rc);

/* watch_sandboxes.c: those of pods' sandboxes. */

/* Follow those that the document names, and no others. 0 or -ENOMEM. */
int watch_sandboxes_follow(struct podpid_watch *w);
/* One gives its descriptor up. False: none has one. */
bool watch_sandboxes_yield(struct podpid_watch *w);
void watch_sandboxes_free(struct podpid_watch *w);

/* watch_dirs.c: the directories where containers' cgroups come and go. */

/* Watch those that the newest look calls for, and no others. 0 or -ENOMEM; what cannot be watched
 * is in lost. */
int watch_dirs_follow(struct podpid_watch *w);
/* True if a directory came or went. */
bool watch_dirs_read(struct podpid_watch *w);

/* watch_lost.c: what is lost, in words. */

/* Pure; a line in the arena for each source. 0 or -ENOMEM. */
int watch_lost_lines(const struct watch_lost *l, nsec period, struct arena *a,
                     struct lost_lines *ret);
/* Into the warnings of the document, which nobody has seen yet. Is it other than what the one
 * before said? 0 or -ENOMEM. */
int watch_lost_publish(struct podpid_watch *w, bool *ret_news);

/* watch_handoff.c: make the handoff file true, if there is one. 0, ERR_WRITE or ERR_NOMEM. */
int watch_write_handoff(struct podpid_watch *w, struct err *err);

/* What an epoll event is about. Values above these are struct handle pointers. */
enum { WATCH_LOOK = 1, WATCH_INOTIFY, WATCH_EVENTS, WATCH_TAGS };

#endif
