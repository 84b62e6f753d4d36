/* The sandbox processes of pods. Their ends only wake a look, which says what that means for the
 * pod: no container's row is wrong by it. */
#include <errno.h>
#include <stdlib.h>

#include "cri/base/cleanup.h"
#include "resolver/watch/impl.h"

static int by_process(const void *pa, const void *pb)
{
    const struct handle *a = *(const struct handle *const *)pa;
    const struct handle *b = *(const struct handle *const *)pb;

    if (a->pid != b->pid) {
        return a->pid < b->pid ? -1 : 1;
    }
    return a->start < b->start ? -1 : a->start > b->start;
}

static struct handle *find(const struct podpid_watch *w, pid_t pid, uint64_t start)
{
    const struct handle key = {.pid = pid, .start = start}, *at = &key;
    struct handle **found = w->n_sandboxes ? bsearch(&at, w->sandboxes, w->n_sandboxes,
                                                     sizeof(struct handle *), by_process)
                                           : NULL;

    return found ? *found : NULL;
}

static struct handle *handle_new(pid_t pid, uint64_t start)
{
    struct handle *h = calloc(1, sizeof(*h));

    if (h) {
        *h = (struct handle){.fd = -1, .pid = pid, .start = start};
    }
    return h;
}

static void handle_free(struct podpid_watch *w, struct handle *h)
{
    handle_drop(w, h);
    free(h);
}

/* The handles of the sandboxes that the document names, those that were there among them. */
static int gather(struct podpid_watch *w, struct handle **all, size_t *n)
{
    const struct podpid_snapshot *s = w->now.shown;

    for (size_t i = 0; i < s->n_pods; i++) {
        const struct podpid_pod *pod = s->pods[i];
        struct handle *h = find(w, pod->sandbox_pid, pod->sandbox_start_time_ticks);

        if (pod->sandbox_pid == 0 || (h && h->kept)) {
            continue;
        }
        h = h ? h : handle_new(pod->sandbox_pid, pod->sandbox_start_time_ticks);
        if (!h) {
            return -ENOMEM;
        }
        h->kept = true;
        all[(*n)++] = h;
    }
    return 0;
}

/* One after the other until there is no room: it will not be found for the next one either. */
static void follow_all(struct podpid_watch *w)
{
    int rc = 0;

    w->lost.sandboxes = 0;
    for (size_t i = 0; i < w->n_sandboxes && !handle_is_short(rc); i++) {
        struct handle *h = w->sandboxes[i];

        rc = handle_follow(w, h, h->pid, h->start);
        if (rc == -ESRCH) {
            w->look_again = true;
        } else if (rc < 0) {
            w->lost.sandboxes = -rc;
        }
    }
}

int watch_sandboxes_follow(struct podpid_watch *w)
{
    AUTO_FREE struct handle **all = calloc(w->now.shown->n_pods + 1, sizeof(*all));
    size_t n = 0;
    int rc;

    if (!all) {
        return -ENOMEM;
    }
    rc = gather(w, all, &n);
    for (size_t i = 0; i < w->n_sandboxes; i++) {
        if (!w->sandboxes[i]->kept) {
            handle_free(w, w->sandboxes[i]);
        }
    }
    for (size_t i = 0; i < n; i++) {
        all[i]->kept = false;
    }
    qsort(all, n, sizeof(struct handle *), by_process);
    free(w->sandboxes);
    w->sandboxes = TAKE_PTR(all);
    w->n_sandboxes = n;
    follow_all(w);
    return rc;
}

bool watch_sandboxes_yield(struct podpid_watch *w)
{
    for (size_t i = w->n_sandboxes; i > 0; i--) {
        if (w->sandboxes[i - 1]->fd >= 0) {
            handle_drop(w, w->sandboxes[i - 1]);
            return true;
        }
    }
    return false;
}

void watch_sandboxes_free(struct podpid_watch *w)
{
    for (size_t i = 0; i < w->n_sandboxes; i++) {
        handle_free(w, w->sandboxes[i]);
    }
    free(w->sandboxes);
}
