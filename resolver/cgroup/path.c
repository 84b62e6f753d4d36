#include "resolver/cgroup/path.h"

#include <string.h>

#include "resolver/cgroup/shapes.h"

/* A walk is in the host's part of the path until the first container, then inside that one, and so
 * on: what is known about pods is forgotten at every container. */
struct walk {
    struct str rest;          /* not walked yet */
    const char *scope;        /* where the part that we are in starts */
    struct shape_place place; /* of the next component */
    struct str pod;           /* its uid; none: in no pod */
    struct str pod_component;
    const char *qos, *pod_qos; /* of the kubepods level above; of the pod */
    bool after_kubepods;       /* the component above is a kubepods directory */
    bool relative;             /* /..: the upper part of the path is not visible */
};

static bool next_component(struct str *rest, struct str *ret)
{
    const char *end;

    while (rest->n > 0 && rest->p[0] == '/') {
        rest->p++;
        rest->n--;
    }
    if (rest->n == 0) {
        return false;
    }
    end = memchr(rest->p, '/', rest->n);
    *ret = (struct str){rest->p, end ? (size_t)(end - rest->p) : rest->n};
    rest->p += ret->n;
    rest->n -= ret->n;
    return true;
}

static void walk_start(struct walk *w, struct str path)
{
    struct str c, rest;

    *w = (struct walk){.rest = path, .scope = path.p};
    rest = path;
    while (next_component(&rest, &c) && str_is(c, "..")) {
        w->relative = true;
        w->rest = rest;
    }
    rest = w->rest;
    w->place.in_user_slice = next_component(&rest, &c) && str_is(c, "user.slice");
}

static void walk_into_pod(struct walk *w, struct str component, struct str uid, const char *qos)
{
    w->pod = uid;
    w->pod_component = component;
    w->pod_qos = qos;
    w->place.in_pod = true;
    w->place.directly_pod = true;
}

/* A component that is no container: what does it mean for those below it? */
static void walk_below(struct walk *w, struct str component)
{
    struct kubepods_name k;
    struct str uid;
    const char *qos;
    bool after_kubepods = w->after_kubepods;

    w->after_kubepods = false;
    w->place.directly_pod = false;
    w->place.seen |= shape_seen(component);
    if (w->place.in_user_slice || w->place.in_pod) {
        return; /* the outermost pod counts, and in a user's part there is none */
    }
    if (kubepods_name_parse(component, &k)) {
        if (k.uid.p) {
            walk_into_pod(w, component, k.uid, k.qos);
        } else {
            w->qos = k.qos;
            w->after_kubepods = true;
        }
        return;
    }
    qos = qos_of_dir(component);
    if (after_kubepods && qos) {
        w->qos = qos;
        return;
    }
    if (pod_dir_parse(component, &uid) && (w->qos || (w->relative && pod_uid_is_usual(uid)))) {
        walk_into_pod(w, component, uid, w->qos);
    }
}

/* The next container or helper on the way down; its pod is w->pod. */
static bool walk_next(struct walk *w, struct str *ret_component, struct shape_match *ret)
{
    struct str c;

    while (next_component(&w->rest, &c)) {
        w->place.above = (struct str){w->scope, (size_t)(c.p - w->scope)};
        if (shape_find(c, &w->place, ret)) {
            struct kubepods_name k;

            if (ret->slice.p && !w->place.in_pod && !w->place.in_user_slice &&
                kubepods_name_parse(ret->slice, &k) && k.uid.p) {
                walk_into_pod(w, c, k.uid, k.qos);
            }
            *ret_component = c;
            return true;
        }
        walk_below(w, c);
    }
    return false;
}

/* Go on inside the container that was found. */
static void walk_enter(struct walk *w)
{
    *w = (struct walk){.rest = w->rest, .scope = w->rest.p};
}

/* Is what follows the container's component its own cgroup still? */
static bool is_own(struct str rest, const char *own)
{
    struct str c;

    if (!next_component(&rest, &c)) {
        return true;
    }
    return own && str_is(c, own) && !next_component(&rest, &c);
}

void path_parse(struct str path, struct path_facts *ret)
{
    struct path_facts f = {.kind = CGROUP_HOST};
    struct shape_match m;
    struct str component;
    struct walk w;

    walk_start(&w, path);
    f.user_slice = w.place.in_user_slice;
    if (walk_next(&w, &component, &m)) {
        f.id = m.id;
        f.manager = m.manager;
        f.component = component;
        f.what = m.shape->what;
        f.kind = m.shape->helper                ? CGROUP_HELPER
                 : is_own(w.rest, m.shape->own) ? CGROUP_CONTAINER
                                                : CGROUP_NESTED;
    } else if (w.pod.p) {
        f.kind = CGROUP_POD;
        f.id = w.pod;
        f.component = w.pod_component;
        f.what = "a pod";
    }
    f.pod = w.pod;
    f.qos = w.pod_qos;
    if (f.kind == CGROUP_NESTED) {
        walk_enter(&w);
        while (walk_next(&w, &component, &m)) {
            if (!m.shape->helper) {
                f.inner = m.id;
                f.inner_pod = w.pod;
                f.n_inner++;
            }
            walk_enter(&w);
        }
    }
    *ret = f;
}

void path_inner_ids(struct str path, struct str *ret, size_t n)
{
    struct shape_match m;
    struct str component;
    struct walk w;

    walk_start(&w, path);
    walk_next(&w, &component, &m);
    walk_enter(&w);
    for (size_t i = 0; i < n && walk_next(&w, &component, &m);) {
        if (!m.shape->helper) {
            ret[i++] = m.id;
        }
        walk_enter(&w);
    }
}

static bool walk_to_container(struct walk *w, struct str path, struct str *ret_component,
                              struct shape_match *ret)
{
    walk_start(w, path);
    return walk_next(w, ret_component, ret) && !ret->shape->helper;
}

struct str cgroup_container_prefix(struct str path)
{
    struct shape_match m;
    struct str c;
    struct walk w;

    if (!walk_to_container(&w, path, &c, &m)) {
        return (struct str){NULL, 0};
    }
    return (struct str){path.p, (size_t)(c.p + c.n - path.p)};
}

struct str cgroup_node_root(struct str path)
{
    struct shape_match m;
    struct str c, own;
    struct walk w;

    if (!walk_to_container(&w, path, &c, &m)) {
        return (struct str){NULL, 0};
    }
    if (m.shape->own && next_component(&w.rest, &own) && str_is(own, m.shape->own)) {
        c = own;
    }
    return (struct str){path.p, (size_t)(c.p + c.n - path.p)};
}
