/* A watch from the inside.
 *
 * A watch repeats looks: every period, and sooner when something wakes it. What wakes it says
 * nothing about the node but "look again": the runtime's events where reading them harms nobody,
 * directories that are made or removed among the pods' cgroups, the end of a main process or of a
 * sandbox process. The end of a main process is also published at once, since the kernel reports
 * it; the look that follows finds the rest. A main process is watched by pidfd before its PID is
 * published, so a look that began earlier cannot publish a process that has ended.
 *
 * Who calls whom: watch.c calls all others. truth.c calls handle.c, sandboxes.c and queue.c;
 * sandboxes.c calls handle.c; dirs.c calls events.c. The others call nobody here. */
#ifndef PODPID_WATCH_IMPL_H
#define PODPID_WATCH_IMPL_H

#include <errno.h>
#include <sys/epoll.h>

#include "cri/base/clock.h"
#include "cri/client.h"
#include "cri/runtimes.h"
#include "resolver/node/node.h"
#include "resolver/podpid.h"
#include "resolver/snapshot/snapshot.h"

/* The published document. Its rows are copies, because the end of a process is entered into them.
 */
struct document {
    struct podpid_snapshot *full;   /* the look's whole snapshot */
    struct podpid_snapshot *shown;  /* its part that was asked for; borrows from full */
    struct podpid_container **rows; /* shown's containers, by pod; in shown's arena */
    size_t n_rows;
    size_t n_lost; /* how many of shown's warnings, at their end, are lines of lost.c */
};

/* Sources that would wake the watch and cannot be had, as of the last look. Positive errnos; 0:
 * that source works. */
struct watch_lost {
    bool no_cgroups; /* no cgroup filesystem is mounted here */
    int inotify;     /* of inotify itself */
    int dirs;        /* of a directory that cannot be watched; LOST_TOO_MANY: more than DIRS_MOST */
    int mains;       /* of a main process without a pidfd */
    int sandboxes;   /* of a sandbox process without a pidfd */
};
enum { LOST_TOO_MANY = -1, LOST_LINES = 2 /* at most: one about directories, one about pidfds */ };

struct lost_lines {
    const char *all[LOST_LINES]; /* in the arena that was given */
    size_t n;
};

/* A process whose end is reported by a pidfd. epoll holds the address of this struct: it may not be
 * moved while fd is open. */
struct handle {
    struct watched *of; /* the container whose main process it is; NULL: a sandbox's process */
    int fd;             /* the pidfd; -1: none */
    pid_t pid;          /* of the process that was followed last; kept when fd is closed */
    uint64_t start;     /* its start time in ticks since boot */
    bool kept;          /* sandboxes.c: the new document names this sandbox process, too */
};

/* A container of the published document. */
struct watched {
    struct podpid_container *row; /* in now.rows */
    struct handle main;           /* its main process */
    bool kept;                    /* truth.c: the new document has this container, too */
};

struct podpid_watch {
    struct podpid_watch_options options; /* its .look is look_options */
    struct podpid_options look_options;
    int epoll_fd;
    struct podpid_look *look; /* under way; NULL: none */
    nsec look_started;        /* when the last look began */
    nsec look_took;           /* how long the last look took */
    nsec next_look;           /* when the next look is due */
    nsec next_full;           /* when the next look with strays is due: every options.period */
    bool look_again;          /* something happened that the look under way may not have seen */
    nsec follow_up_pause;     /* how long after this look the next one follows it up */
    nsec follow_up_until;     /* looks are followed up until then */
    nsec backoff;             /* pause between tries while the runtime is away; 0: it answers */
    bool stale;               /* the runtime is away: now is its last answer */
    struct procfs procfs;
    bool procfs_open;
    struct cgroupfs *cgroups; /* the mounted cgroup filesystems; NULL: none */

    /* truth.c */
    struct document now;
    struct document before; /* the one before now, until the queue is empty: removed rows are its */
    bool first_done;        /* there has been a look */
    struct watched **watched; /* the containers of now, by id; owned */
    size_t n_watched;

    /* sandboxes.c */
    struct handle **sandboxes; /* by PID and start time; owned */
    size_t n_sandboxes;

    /* lost.c */
    struct watch_lost lost;           /* written by those who miss something */
    struct watch_lost published_lost; /* what now's warnings say */

    /* dirs.c */
    int inotify_fd; /* -1: none */
    int *dirs;      /* inotify's watch descriptors, ascending */
    size_t n_dirs;

    /* events.c */
    struct client *events; /* the runtime's event stream, or only a connection; NULL: none */
    struct arena events_arena;
    nsec events_retry; /* when to connect again */

    /* queue.c */
    struct podpid_event *queue; /* events from queue_at to queue_n are not taken yet */
    size_t queue_at, queue_n, queue_cap;
    struct arena queue_arena; /* texts of queued events; emptied with the queue */
    uint64_t seq;             /* of the last event */
    uint64_t generation;      /* of the last change of the document */
    uint64_t revision;        /* counts the documents that `now` was and is */
};

/* What an epoll event is about, as its data: one of these, or the address of a struct handle, which
 * is greater than WATCH_TAGS. */
enum { WATCH_LOOK = 1, WATCH_INOTIFY, WATCH_EVENTS, WATCH_TAGS };

/* Let the watch's descriptor be readable when fd is. 0 or a negative errno. */
static inline int watch_listen(struct podpid_watch *w, int fd, uint64_t tag)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = tag};

    return epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

/* ---- queue.c: events that are not taken yet ---- */

/* Queue an event; seq, generation, time and stale are filled in. What e points to must live until
 * the queue is empty. 0 or -ENOMEM. */
int watch_queue_push(struct podpid_watch *w, const struct podpid_event *e);

/* Queue "the runtime went away" or "came back" with a copy of detail, as a new generation. 0 or
 * -ENOMEM. */
int watch_queue_runtime(struct podpid_watch *w, const char *detail);

/* Begin a new generation, and give its number to the queued events from index `from` on. They were
 * queued before it was known whether anything differs. */
void watch_queue_number(struct podpid_watch *w, size_t from);

/* The next event, which stays valid until another one is queued. NULL: there is none, and the queue
 * is empty from here on. */
const struct podpid_event *watch_queue_take(struct podpid_watch *w);

void watch_queue_free(struct podpid_watch *w);

/* ---- truth.c: the document, and how the next one differs ---- */

/* Publish a look's snapshot as the new document: follow its main processes, queue an event for each
 * difference. Takes full, also on failure. 0 or -ENOMEM. */
int watch_apply(struct podpid_watch *w, struct podpid_snapshot *full);

/* The kernel reports that the main process of this container has ended: enter that into its row and
 * queue the change. Nothing is queued if the row has named another process since. 0 or -ENOMEM. */
int watch_main_ended(struct podpid_watch *w, struct watched *c);

void document_free(struct document *d);
void watch_truth_free(struct podpid_watch *w);

/* ---- handle.c: one process and its pidfd ---- */

/* Follow this process and no other; pid 0: none. 0, also without a pidfd where /proc is not of our
 * own PID namespace. -ESRCH: the process has ended. Another negative errno: no pidfd can be had. */
int handle_follow(struct podpid_watch *w, struct handle *h, pid_t pid, uint64_t start);

void handle_close(struct podpid_watch *w, struct handle *h);

/* Whether handle_follow() failed for want of something that the next process would lack, too:
 * descriptors, memory, epoll's own limit, or pidfd_open(2). */
bool handle_has_no_room(int rc);

/* ---- sandboxes.c: the processes of the pods' sandboxes ---- */

/* Follow those that the document names, and no others. 0 or -ENOMEM; one that cannot be followed is
 * noted in lost. */
int watch_sandboxes_follow(struct podpid_watch *w);

/* Close one sandbox's pidfd, so that a main process can have the descriptor. False: none has one.
 */
bool watch_sandboxes_yield(struct podpid_watch *w);

void watch_sandboxes_free(struct podpid_watch *w);

/* ---- dirs.c: directories in which containers' cgroups are made and removed ---- */

/* Watch the directories that the newest look calls for, and no others. 0 or -ENOMEM; what cannot be
 * watched is noted in lost. */
int watch_dirs_follow(struct podpid_watch *w);

/* Read all that inotify reports. True if a directory was made or removed, or reports were lost. */
bool watch_dirs_read(struct podpid_watch *w);

void watch_dirs_close(struct podpid_watch *w);

/* ---- events.c: the runtime's events, and its end ---- */

/* Connect if it is time, and read what the runtime sends. True if it calls for a look: an event, or
 * the connection's end. */
bool watch_events_step(struct podpid_watch *w, nsec now);

/* When watch_events_step() wants to run even if the descriptor stays silent. */
nsec watch_events_deadline(const struct podpid_watch *w);

/* What is known of the runtime that the last look asked; a row that assumes nothing where there was
 * none. Never NULL. */
const struct runtime *watch_runtime(const struct podpid_watch *w);

void watch_events_close(struct podpid_watch *w);

/* ---- lost.c: sources that cannot be had, in words ---- */

/* A line for each lost source: what is missing, what is therefore seen only by the next periodic
 * look, what to do. Pure; texts in the arena. 0 or -ENOMEM. */
int watch_lost_lines(const struct watch_lost *l, nsec period, struct arena *a,
                     struct lost_lines *ret);

/* Append these lines to the warnings of the unpublished document. *ret_news: the lost sources
 * differ from those of the document before. 0 or -ENOMEM. */
int watch_lost_publish(struct podpid_watch *w, bool *ret_news);

/* ---- handoff.c ---- */

/* Write the handoff file anew, if there is to be one: targets that are not verified stand in it
 * without a PID. 0, ERR_WRITE or ERR_NOMEM. */
int watch_write_handoff(struct podpid_watch *w, struct err *err);

#endif
