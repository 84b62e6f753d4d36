/* The sandbox processes of pods. The end of one only wakes a look, which finds out what it means
 * for the pod: it makes no container's row wrong. */
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

static struct handle *find_sandbox(const struct podpid_watch *w, pid_t pid, uint64_t start)
{
    const struct handle key = {.pid = pid, .start = start}, *at = &key;
    struct handle **found = w->n_sandboxes ? bsearch(&at, w->sandboxes, w->n_sandboxes,
                                                     sizeof(struct handle *), by_process)
                                           : NULL;

    return found ? *found : NULL;
}

static struct handle *new_sandbox(pid_t pid, uint64_t start)
{
    struct handle *h = calloc(1, sizeof(*h));

    if (h) {
        *h = (struct handle){.fd = -1, .pid = pid, .start = start};
    }
    return h;
}

static void free_sandbox(struct podpid_watch *w, struct handle *h)
{
    handle_close(w, h);
    free(h);
}

/* Collect one handle for each sandbox process that the document names: the old one, with its pidfd,
 * or a new one. A process that two pods name is collected once. */
static int collect(struct podpid_watch *w, struct handle **all, size_t *n)
{
    const struct podpid_snapshot *s = w->now.shown;

    for (size_t i = 0; i < s->n_pods; i++) {
        const struct podpid_pod *pod = s->pods[i];
        struct handle *h = find_sandbox(w, pod->sandbox_pid, pod->sandbox_start_time_ticks);

        if (pod->sandbox_pid == 0 || (h && h->kept)) {
            continue;
        }
        h = h ? h : new_sandbox(pod->sandbox_pid, pod->sandbox_start_time_ticks);
        if (!h) {
            return -ENOMEM;
        }
        h->kept = true;
        all[(*n)++] = h;
    }
    return 0;
}

/* Ends at the first process without room for its pidfd: the next one would have none either. */
static void follow_all(struct podpid_watch *w)
{
    int rc = 0;

    w->lost.sandboxes = 0;
    for (size_t i = 0; i < w->n_sandboxes && !handle_has_no_room(rc); i++) {
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
    rc = collect(w, all, &n);
    for (size_t i = 0; i < w->n_sandboxes; i++) {
        if (!w->sandboxes[i]->kept) {
            free_sandbox(w, w->sandboxes[i]);
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
            handle_close(w, w->sandboxes[i - 1]);
            return true;
        }
    }
    return false;
}

void watch_sandboxes_free(struct podpid_watch *w)
{
    for (size_t i = 0; i < w->n_sandboxes; i++) {
        free_sandbox(w, w->sandboxes[i]);
    }
    free(w->sandboxes);
}
