/* Sources that cannot be had: the watch goes on without them, and its user is told what each costs.
 * The lines hold no counts, so that they change only when a source is lost or had again. */
#include <errno.h>
#include <string.h>

#include "resolver/watch/impl.h"

static const char starts[] = "starts of containers that no event of the runtime tells of are seen";
static const char descriptors[] = "LimitNOFILE= (ulimit -n)";

struct line_writer {
    struct arena *arena;
    double period; /* between looks, in seconds */
    struct lost_lines *to;
};

/* Add a line: what is lost (NULL: memory is out), what is therefore seen late, what to do about it
 * (NULL: nothing can be done). 0 or -ENOMEM. */
static int add_line(const struct line_writer *w, const char *what, const char *seen,
                    const char *todo)
{
    char *line = what ? arena_printf(w->arena, "%s: %s at the next look, every %g s%s%s", what,
                                     seen, w->period, todo ? "; " : "", todo ? todo : "")
                      : NULL;

    w->to->all[w->to->n++] = line;
    return line ? 0 : -ENOMEM;
}

/* The same with the reason: limit is the name of the setting that is used up; NULL: none is, and
 * errnum says why. */
static int add_limit_line(const struct line_writer *w, const char *what, const char *seen,
                          int errnum, const char *limit)
{
    char *why = limit ? arena_printf(w->arena, "%s, for %s is used up", what, limit)
                      : arena_printf(w->arena, "%s (%s)", what, strerror(errnum));
    char *todo = limit ? arena_printf(w->arena, "raise %s", limit) : NULL;

    return limit && !todo ? -ENOMEM : add_line(w, why, seen, todo);
}

static int add_dirs_line(const struct line_writer *w, const struct watch_lost *l)
{
    if (l->no_cgroups) {
        return add_line(w, "no cgroup file system is mounted here that could be watched", starts,
                        "mount it at /sys/fs/cgroup");
    }
    if (l->inotify) {
        return add_limit_line(w, "inotify cannot be had", starts, l->inotify,
                              l->inotify == EMFILE ? "fs.inotify.max_user_instances" : NULL);
    }
    if (l->dirs == LOST_TOO_MANY) {
        return add_line(w, "there are more cgroups of pods than are watched at most", starts, NULL);
    }
    if (l->dirs) {
        return add_limit_line(w, "not all cgroups of pods can be watched", starts, l->dirs,
                              l->dirs == ENOSPC ? "fs.inotify.max_user_watches" : NULL);
    }
    return 0;
}

static const char *pidfd_limit(int errnum)
{
    switch (errnum) {
    case EMFILE:
        return descriptors;
    case ENOSPC:
        return "fs.epoll.max_user_watches";
    default:
        return NULL;
    }
}

static int add_pidfds_line(const struct line_writer *w, const struct watch_lost *l)
{
    int errnum = l->mains ? l->mains : l->sandboxes;

    if (errnum == ENOSYS) {
        return add_line(w, "this kernel has no pidfd_open", "ends of processes are seen",
                        "Linux 5.3 or later has it");
    }
    if (errnum) {
        return add_limit_line(w,
                              l->mains ? "not all main processes can be followed by a pidfd"
                                       : "not all sandbox processes can be followed by a pidfd",
                              "their ends are seen", errnum, pidfd_limit(errnum));
    }
    return 0;
}

int watch_lost_lines(const struct watch_lost *l, nsec period, struct arena *a,
                     struct lost_lines *ret)
{
    const struct line_writer w = {a, (double)period / (double)NSEC_PER_SEC, ret};

    ret->n = 0;
    return add_dirs_line(&w, l) < 0 || add_pidfds_line(&w, l) < 0 ? -ENOMEM : 0;
}

static bool differs(const struct watch_lost *a, const struct watch_lost *b)
{
    return a->no_cgroups != b->no_cgroups || a->inotify != b->inotify || a->dirs != b->dirs ||
           a->mains != b->mains || a->sandboxes != b->sandboxes;
}

int watch_lost_publish(struct podpid_watch *w, bool *ret_news)
{
    struct podpid_snapshot *s = w->now.shown;
    struct lost_lines lines = {0};
    const char **all;

    if (watch_lost_lines(&w->lost, w->options.period, &s->arena, &lines) < 0) {
        return -ENOMEM;
    }
    all = arena_calloc(&s->arena, s->n_warnings + lines.n, sizeof(*all));
    if (!all) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < s->n_warnings; i++) {
        all[i] = s->warnings[i];
    }
    for (size_t i = 0; i < lines.n; i++) {
        all[s->n_warnings + i] = lines.all[i];
    }
    s->warnings = all;
    s->n_warnings += lines.n;
    w->now.n_lost = lines.n;
    *ret_news = differs(&w->lost, &w->published_lost);
    w->published_lost = w->lost;
    return 0;
}

const char *const *podpid_watch_lost(const struct podpid_watch *w, size_t *ret_n)
{
    const struct podpid_snapshot *s = w ? w->now.shown : NULL;

    if (ret_n) {
        *ret_n = w ? w->now.n_lost : 0;
    }
    return w && w->now.n_lost ? s->warnings + (s->n_warnings - w->now.n_lost) : NULL;
}
