/* Sources that cannot be had: the watch goes on without, and whoever relies on it is told what that
 * costs. The lines have no counts in them: they change when something is lost or had again, not
 * with every container. */
#include <errno.h>
#include <string.h>

#include "resolver/watch/impl.h"

static const char starts[] = "starts of containers that no event of the runtime tells of are seen";
static const char descriptors[] = "LimitNOFILE= (ulimit -n)";

struct writer {
    struct arena *arena;
    double period; /* s */
    struct lost_lines *to;
};

/* what, and what is seen late by it; todo NULL: nothing can be done. */
static int add(const struct writer *w, const char *what, const char *seen, const char *todo)
{
    char *line = what ? arena_printf(w->arena, "%s: %s at the next look, every %g s%s%s", what,
                                     seen, w->period, todo ? "; " : "", todo ? todo : "")
                      : NULL;

    w->to->all[w->to->n++] = line;
    return line ? 0 : -ENOMEM;
}

/* A setting that is in the way, or what the system says. */
static int add_limit(const struct writer *w, const char *what, const char *seen, int errnum,
                     const char *limit)
{
    char *why = limit ? arena_printf(w->arena, "%s, for %s is used up", what, limit)
                      : arena_printf(w->arena, "%s (%s)", what, strerror(errnum));
    char *todo = limit ? arena_printf(w->arena, "raise %s", limit) : NULL;

    return limit && !todo ? -ENOMEM : add(w, why, seen, todo);
}

static int add_dirs(const struct writer *w, const struct watch_lost *l)
{
    if (l->no_cgroups) {
        return add(w, "no cgroup file system is mounted here that could be watched", starts,
                   "mount it at /sys/fs/cgroup");
    }
    if (l->inotify) {
        return add_limit(w, "inotify cannot be had", starts, l->inotify,
                         l->inotify == EMFILE ? "fs.inotify.max_user_instances" : NULL);
    }
    if (l->dirs == LOST_TOO_MANY) {
        return add(w, "there are more cgroups of pods than are watched at most", starts, NULL);
    }
    if (l->dirs) {
        return add_limit(w, "not all cgroups of pods can be watched", starts, l->dirs,
                         l->dirs == ENOSPC ? "fs.inotify.max_user_watches" : NULL);
    }
    return 0;
}

static int add_pidfds(const struct writer *w, const struct watch_lost *l)
{
    int errnum = l->mains ? l->mains : l->sandboxes;

    if (errnum == ENOSYS) {
        return add(w, "this kernel has no pidfd_open", "ends of processes are seen",
                   "Linux 5.3 or later has it");
    }
    if (errnum) {
        return add_limit(w,
                         l->mains ? "not all main processes can be followed by a pidfd"
                                  : "not all sandbox processes can be followed by a pidfd",
                         "their ends are seen", errnum,
                         errnum == EMFILE   ? descriptors
                         : errnum == ENOSPC ? "fs.epoll.max_user_watches"
                                            : NULL);
    }
    return 0;
}

int watch_lost_lines(const struct watch_lost *l, nsec period, struct arena *a,
                     struct lost_lines *ret)
{
    const struct writer w = {a, (double)period / (double)NSEC_PER_SEC, ret};

    ret->n = 0;
    return add_dirs(&w, l) < 0 || add_pidfds(&w, l) < 0 ? -ENOMEM : 0;
}

static bool is_news(const struct watch_lost *a, const struct watch_lost *b)
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
    *ret_news = is_news(&w->lost, &w->published_lost);
    w->published_lost = w->lost;
    return 0;
}

const char *const *podpid_watch_lost(const struct podpid_watch *w, size_t *ret_n)
{
    const struct podpid_snapshot *s = w->now.shown;

    *ret_n = w->now.n_lost;
    return w->now.n_lost ? s->warnings + (s->n_warnings - w->now.n_lost) : NULL;
}
