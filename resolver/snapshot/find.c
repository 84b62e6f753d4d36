/* What a name on the command line means: NAMESPACE/POD[/CONTAINER], or a container id. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/text.h"
#include "resolver/arguments.h"
#include "resolver/snapshot/snapshot.h"

enum {
    MIN_PREFIX = 3, /* hex digits of a shortened id: fewer would often name several containers */
    SHOWN_MORE = 13 /* digits shown beyond an ambiguous prefix, so that the ids can be told apart */
};

/* Containers found so far, in a malloc'ed array. */
struct found {
    const struct podpid_container **items;
    size_t n, cap;
};

static int add_found(struct found *f, const struct podpid_container *c, struct err *err)
{
    if (f->n == f->cap) {
        size_t cap = f->cap ? f->cap * 2 : 8;
        const struct podpid_container **items =
            realloc(f->items, cap * sizeof(struct podpid_container *));

        if (!items) {
            return err_nomem(err);
        }
        f->items = items;
        f->cap = cap;
    }
    f->items[f->n++] = c;
    return 0;
}

/* ---- Ids ---- */

/* The id in "containerd://<id>", the form of a pod's status. */
static const char *skip_scheme(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789+.-");

    return n > 0 && strncmp(name + n, "://", 3) == 0 ? name + n + 3 : name;
}

typedef bool (*test_fn)(const struct podpid_container *c, struct str id);

static bool has_id(const struct podpid_container *c, struct str id)
{
    return str_is(id, c->id);
}

static bool runs_with_prefix(const struct podpid_container *c, struct str id)
{
    return c->state == PODPID_STATE_RUNNING && str_starts(str_of(c->id), id);
}

static bool has_prefix(const struct podpid_container *c, struct str id)
{
    return str_starts(str_of(c->id), id);
}

static int collect(const struct podpid_snapshot *s, test_fn test, struct str id, struct found *f,
                   struct err *err)
{
    for (size_t i = 0; i < s->n_pods; i++) {
        for (size_t k = 0; k < s->pods[i]->n_containers; k++) {
            const struct podpid_container *c = s->pods[i]->containers[k];
            int rc = test(c, id) ? add_found(f, c, err) : 0;

            if (rc < 0) {
                return rc;
            }
        }
    }
    return 0;
}

static int no_such_id(const struct podpid_snapshot *s, struct str id, struct err *err)
{
    for (size_t i = 0; i < s->n_pods; i++) {
        if (s->pods[i]->sandbox_id && str_starts(str_of(s->pods[i]->sandbox_id), id)) {
            err_set(err, ERR_ANSWER, ENOENT, "%.64s is a pod sandbox, not a container", id.p);
            err_hint(err, "its containers are named by %.200s/%.200s",
                     s->pods[i]->namespace_ ? s->pods[i]->namespace_ : "?",
                     s->pods[i]->name ? s->pods[i]->name : "?");
            return -ENOENT;
        }
    }
    return err_set(err, ERR_ANSWER, ENOENT, "no container with id %.64s", id.p);
}

static int ambiguous_id(struct str id, const struct found *f, struct err *err)
{
    return err_set(err, ERR_ANSWER, ENOTUNIQ, "%.64s names %zu containers: %.*s, %.*s%s", id.p,
                   f->n, (int)id.n + SHOWN_MORE, f->items[0]->id, (int)id.n + SHOWN_MORE,
                   f->items[1]->id, f->n > 2 ? ", ..." : "");
}

static int find_by_id(const struct podpid_snapshot *s, const char *name, struct found *f,
                      struct err *err)
{
    static const test_fn tests[] = {has_id, runs_with_prefix, has_prefix};
    struct str id = str_of(name);
    size_t n_tests = 1;

    if (str_is_hex(id)) {
        if (id.n < MIN_PREFIX) {
            return err_set(err, ERR_USAGE, EINVAL,
                           "%s: a shortened container id has %d digits or "
                           "more",
                           name, MIN_PREFIX);
        }
        n_tests = N_ELEMENTS(tests);
    }
    for (size_t i = 0; i < n_tests && f->n == 0; i++) {
        int rc = collect(s, tests[i], id, f, err);

        if (rc < 0) {
            return rc;
        }
    }
    if (f->n == 1) {
        return 0;
    }
    if (f->n > 1) {
        return ambiguous_id(id, f, err);
    }
    if (n_tests == 1) {
        return err_set(err, ERR_USAGE, EINVAL,
                       "'%.200s' is no NAMESPACE/POD[/CONTAINER] and no container id", name);
    }
    return no_such_id(s, id, err);
}

/* ---- Names ---- */

struct name {
    struct str namespace_, pod, container; /* container {NULL, 0}: not given */
};

static bool split_name(const char *text, struct name *ret)
{
    struct str part[3] = {{0}};
    unsigned n = 0;

    for (;;) {
        size_t len = strcspn(text, "/");

        if (len == 0 || n == 3) {
            return false;
        }
        part[n++] = (struct str){text, len};
        if (text[len] == '\0') {
            break;
        }
        text += len + 1;
    }
    *ret = (struct name){part[0], part[1], part[2]};
    return n >= 2;
}

static bool is_newer(const struct podpid_pod *a, const struct podpid_pod *b)
{
    return a->attempt != b->attempt ? a->attempt > b->attempt : a->created_at > b->created_at;
}

static int ambiguous_pod(const char *text, const struct podpid_pod *a, const struct podpid_pod *b,
                         struct err *err)
{
    err_set(err, ERR_ANSWER, ENOTUNIQ, "%.300s is ambiguous: two ready pods, uid %.64s and %.64s",
            text, a->uid ? a->uid : "?", b->uid ? b->uid : "?");
    err_hint(err, "name the container by its id");
    return -ENOTUNIQ;
}

/* The newest ready sandbox of that name; an error if two pods, by uid, have it. */
static int find_pod(const struct podpid_snapshot *s, const char *text, const struct name *name,
                    const struct podpid_pod **ret, struct err *err)
{
    const struct podpid_pod *best = NULL;
    bool seen = false;

    for (size_t i = 0; i < s->n_pods; i++) {
        const struct podpid_pod *pod = s->pods[i];

        if (!pod->name || !str_is(name->pod, pod->name) ||
            !str_is(name->namespace_, pod->namespace_)) {
            continue;
        }
        seen = true;
        if (!pod->ready) {
            continue;
        }
        if (best && !str_eq(str_of(best->uid), str_of(pod->uid))) {
            return ambiguous_pod(text, best, pod, err);
        }
        if (!best || is_newer(pod, best)) {
            best = pod;
        }
    }
    if (!best) {
        return err_set(err, ERR_ANSWER, ENOENT,
                       seen ? "pod %.*s/%.*s is not ready" : "no pod %.*s/%.*s on this node",
                       (int)(name->namespace_.n), name->namespace_.p, (int)name->pod.n,
                       name->pod.p);
    }
    *ret = best;
    return 0;
}

static int find_in_pod(const struct podpid_pod *pod, const char *text, const struct name *name,
                       struct found *f, struct err *err)
{
    const struct podpid_container *newest = NULL;

    for (size_t i = 0; i < pod->n_containers; i++) {
        const struct podpid_container *c = pod->containers[i];

        /* The containers are in order of creation. */
        if (c->name && str_is(name->container, c->name) &&
            (!newest || c->attempt >= newest->attempt)) {
            newest = c;
        }
    }
    if (!newest) {
        return err_set(err, ERR_ANSWER, ENOENT, "no container %s", text);
    }
    return add_found(f, newest, err);
}

/* All running containers. Those of unknown state count as well: without them the answer would look
 * complete though it is not. */
static int find_running(const struct podpid_pod *pod, const char *text, struct found *f,
                        struct err *err)
{
    for (size_t i = 0; i < pod->n_containers; i++) {
        const struct podpid_container *c = pod->containers[i];
        bool counts = c->state == PODPID_STATE_RUNNING || c->state == PODPID_STATE_UNKNOWN;
        int rc = counts ? add_found(f, c, err) : 0;

        if (rc < 0) {
            return rc;
        }
    }
    if (f->n == 0) {
        return err_set(err, ERR_ANSWER, ENOENT, "pod %s has no running container", text);
    }
    return 0;
}

static int find_by_name(const struct podpid_snapshot *s, const char *text, struct found *f,
                        struct err *err)
{
    const struct podpid_pod *pod = NULL;
    struct name name;
    int rc;

    if (!split_name(text, &name)) {
        return err_set(err, ERR_USAGE, EINVAL,
                       "'%.300s' is no NAMESPACE/POD[/CONTAINER] and no container id", text);
    }
    rc = find_pod(s, text, &name, &pod, err);
    if (rc < 0) {
        return rc;
    }
    return name.container.p ? find_in_pod(pod, text, &name, f, err)
                            : find_running(pod, text, f, err);
}

int podpid_snapshot_find(const struct podpid_snapshot *s, const char *name,
                         const struct podpid_container ***ret, size_t *ret_n,
                         struct podpid_error *error)
{
    struct found f = {0};
    struct err err = {0};
    const char *id;
    int rc;

    if (!s || !name || !ret || !ret_n) {
        return bad_argument(__func__, error);
    }
    id = skip_scheme(name);
    rc = id == name && strchr(name, '/') ? find_by_name(s, name, &f, &err)
                                         : find_by_id(s, id, &f, &err);
    if (rc < 0) {
        free(f.items);
        return error_publish(&err, error);
    }
    *ret = f.items;
    *ret_n = f.n;
    return PODPID_OK;
}
