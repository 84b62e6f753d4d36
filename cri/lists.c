#include <errno.h>
#include <string.h>

#include "cri/rpc/decode.h"

enum { WARNINGS_MOST = 50 }; /* said one by one; the rest is only counted */

struct warner {
    struct arena *a;
    void *texts;
    size_t n, cap, more;
};

static int warn(struct warner *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int warn(struct warner *w, const char *fmt, ...)
{
    const char **texts;
    va_list ap;

    if (w->n == WARNINGS_MOST) {
        w->more++;
        return 0;
    }
    if (arena_grow(w->a, &w->texts, w->n, &w->cap, sizeof(*texts)) < 0) {
        return -ENOMEM;
    }
    texts = w->texts;
    va_start(ap, fmt);
    texts[w->n] = arena_vprintf(w->a, fmt, ap);
    va_end(ap);
    return texts[w->n++] ? 0 : -ENOMEM;
}

/* The answers of one runtime are sorted by id: rows that share one stand together, those without
 * stand first. Whether row i is one to be kept: 1, 0 or -ENOMEM. */
static int sound(struct warner *w, const char *what, const char *id, const char *before)
{
    if (id[0] == '\0') {
        return warn(w, "the runtime lists a %s without an id; it is left out", what);
    }
    if (before && strcmp(id, before) == 0) {
        return warn(w, "the runtime lists %s %.128s twice; the second is left out", what, id);
    }
    return 1;
}

static int settle_pods(struct view *v, struct warner *w)
{
    size_t kept = 0;

    for (size_t i = 0; i < v->n_pods; i++) {
        int rc = sound(w, "pod sandbox", v->pods[i].id, kept ? v->pods[kept - 1].id : NULL);

        if (rc < 0) {
            return rc;
        }
        if (rc > 0) {
            v->pods[kept++] = v->pods[i];
        }
    }
    v->n_pods = kept;
    return 0;
}

static int settle_containers(struct view *v, struct warner *w)
{
    size_t kept = 0;

    for (size_t i = 0; i < v->n_containers; i++) {
        const struct view_container *c = &v->containers[i];
        int rc = sound(w, "container", c->id, kept ? v->containers[kept - 1].id : NULL);

        if (rc > 0 && !c->sandbox_id) {
            rc = warn(w, "container %.128s names no pod sandbox", c->id) < 0 ? -ENOMEM : 1;
        } else if (rc > 0 && !view_find_pod(v, c->sandbox_id)) {
            rc = warn(w, "container %.128s is of pod sandbox %.128s, which is not listed", c->id,
                      c->sandbox_id) < 0
                     ? -ENOMEM
                     : 1;
        }
        if (rc < 0) {
            return rc;
        }
        if (rc > 0) {
            v->containers[kept++] = *c;
        }
    }
    v->n_containers = kept;
    return 0;
}

int cri_settle_lists(struct view *v, struct arena *a)
{
    struct warner w = {.a = a};

    view_sort(v);
    if (settle_pods(v, &w) < 0 || settle_containers(v, &w) < 0) {
        return -ENOMEM;
    }
    if (w.more > 0) {
        const char **texts = w.texts;

        texts[w.n - 1] =
            arena_printf(a, "%zu more of what the runtime lists makes no sense", w.more + 1);
        if (!texts[w.n - 1]) {
            return -ENOMEM;
        }
    }
    v->warnings = w.texts;
    v->n_warnings = w.n;
    return 0;
}
