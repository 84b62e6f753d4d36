#include "cri/lists.h"

#include <errno.h>
#include <string.h>

enum { WARNINGS_MOST = 50 }; /* further ones are counted only: a list may have 100,000 bad rows */

struct settling {
    struct view *v;
    struct arena *arena;
    bool sandboxes_are_containers;
    struct texts warnings;
    size_t unsaid; /* warnings beyond WARNINGS_MOST */
};

__attribute__((format(printf, 2, 3))) static int warn(struct settling *s, const char *fmt, ...)
{
    const char *text;
    va_list ap;

    if (s->warnings.n == WARNINGS_MOST) {
        s->unsaid++;
        return 0;
    }
    va_start(ap, fmt);
    text = arena_vprintf(s->arena, fmt, ap);
    va_end(ap);
    return texts_add(&s->warnings, s->arena, text);
}

/* Whether to keep a row: 1, 0 or -ENOMEM. before: the id of the row kept last, NULL for the first;
 * rows with one id stand side by side, those without an id stand first. */
static int check_id(struct settling *s, const char *what, const char *id, const char *before)
{
    if (id[0] == '\0') {
        return warn(s, "the runtime lists a %s without an id; it is left out", what);
    }
    if (before && strcmp(id, before) == 0) {
        return warn(s, "the runtime lists %s %.128s twice; the second is left out", what, id);
    }
    return 1;
}

static int settle_pods(struct settling *s)
{
    struct view *v = s->v;
    size_t kept = 0;

    for (size_t i = 0; i < v->n_pods; i++) {
        int rc = check_id(s, "pod sandbox", v->pods[i].id, kept ? v->pods[kept - 1].id : NULL);

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

/* Whether to keep a container, by what the sandboxes are: 1, 0 or -ENOMEM. */
static int check_sandbox(struct settling *s, const struct view_container *c)
{
    int rc = 0;

    if (s->sandboxes_are_containers) {
        return view_find_pod(s->v, c->id)
                   ? warn(s,
                          "the runtime lists %.128s as a container and as a sandbox; the "
                          "container is left out",
                          c->id)
                   : 1;
    }
    if (!c->sandbox_id) {
        rc = warn(s, "container %.128s names no pod sandbox", c->id);
    } else if (!view_find_pod(s->v, c->sandbox_id)) {
        rc = warn(s, "container %.128s is in pod sandbox %.128s, which is not listed", c->id,
                  c->sandbox_id);
    }
    return rc < 0 ? rc : 1;
}

static int settle_containers(struct settling *s)
{
    struct view *v = s->v;
    size_t kept = 0;

    for (size_t i = 0; i < v->n_containers; i++) {
        const struct view_container *c = &v->containers[i];
        int rc = check_id(s, "container", c->id, kept ? v->containers[kept - 1].id : NULL);

        if (rc > 0) {
            rc = check_sandbox(s, c);
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

int lists_settle(struct view *v, bool sandboxes_are_containers, struct arena *a)
{
    struct settling s = {.v = v, .arena = a, .sandboxes_are_containers = sandboxes_are_containers};

    for (size_t i = 0; i < v->n_warnings; i++) {
        if (texts_add(&s.warnings, a, v->warnings[i]) < 0) {
            return -ENOMEM;
        }
    }
    view_sort(v);
    if (settle_pods(&s) < 0 || settle_containers(&s) < 0) {
        return -ENOMEM;
    }
    if (s.unsaid && texts_add(&s.warnings, a,
                              arena_printf(a, "%zu more rows of the runtime's lists are wrong",
                                           s.unsaid)) < 0) {
        return -ENOMEM;
    }
    v->warnings = s.warnings.items;
    v->n_warnings = s.warnings.n;
    return 0;
}
