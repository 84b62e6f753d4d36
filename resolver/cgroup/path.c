#include "resolver/cgroup/path.h"

#include <string.h>

#include "resolver/cgroup/shapes.h"

/* A walk along a path, from its top to its end. Each container component starts a new part of the
 * path: a pod or directory above it says nothing about what is below it. */
struct walk {
    struct str rest;  /* what of the path is still ahead */
    const char *part; /* where the current part starts: the path's top or a container's end */
    struct shape_place place; /* of the next component */
    struct str pod;           /* the current pod's uid; none: in no pod */
    struct str pod_component; /* the component that named the pod */
    const char *qos;          /* of the last kubepods level above; NULL: none seen */
    const char *pod_qos;      /* of the current pod; NULL: not visible */
    bool after_kubepods;      /* the component directly above is a kubepods directory */
    bool relative;            /* the path starts with "/..": its upper part is not visible */
};

/* Cut the next component off *rest, which may start with slashes. False at the end. */
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

    *w = (struct walk){.rest = path, .part = path.p};
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

/* Note what a component that is no container means for those below it. */
static void walk_past(struct walk *w, struct str component)
{
    struct kubepods_name k;
    struct str uid;
    const char *qos;
    bool after_kubepods = w->after_kubepods;

    w->after_kubepods = false;
    w->place.directly_pod = false;
    w->place.under_seen |= shape_under_bits(component);
    if (w->place.in_user_slice || w->place.in_pod) {
        return; /* the outermost pod counts; below /user.slice none is believed */
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

/* Walk to the next component that has a shape, a container or a helper; its pod is w->pod. False:
 * the path has no more. */
static bool walk_to_shape(struct walk *w, struct str *ret_component, struct shape_match *ret)
{
    struct str c;

    while (next_component(&w->rest, &c)) {
        w->place.above = (struct str){w->part, (size_t)(c.p - w->part)};
        if (shape_find(c, &w->place, ret)) {
            struct kubepods_name k;

            if (ret->slice.p && !w->place.in_pod && !w->place.in_user_slice &&
                kubepods_name_parse(ret->slice, &k) && k.uid.p) {
                walk_into_pod(w, c, k.uid, k.qos);
            }
            *ret_component = c;
            return true;
        }
        walk_past(w, c);
    }
    return false;
}

/* Go on below the component that was found, in a new part of the path. */
static void walk_into_container(struct walk *w)
{
    *w = (struct walk){.rest = w->rest, .part = w->rest.p};
}

/* Whether the path ends in the container's own cgroup: nothing follows the container's component,
 * or only the sub-cgroup named own (shape.own). */
static bool ends_in_own(struct str rest, const char *own)
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
    if (walk_to_shape(&w, &component, &m)) {
        f.id = m.id;
        f.manager = m.manager;
        f.component = component;
        f.what = m.shape->what;
        f.kind = m.shape->helper                     ? CGROUP_HELPER
                 : ends_in_own(w.rest, m.shape->own) ? CGROUP_CONTAINER
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
        walk_into_container(&w);
        while (walk_to_shape(&w, &component, &m)) {
            if (!m.shape->helper) {
                f.inner = m.id;
                f.inner_pod = w.pod;
                f.n_inner++;
            }
            walk_into_container(&w);
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
    walk_to_shape(&w, &component, &m);
    walk_into_container(&w);
    for (size_t i = 0; i < n && walk_to_shape(&w, &component, &m);) {
        if (!m.shape->helper) {
            ret[i++] = m.id;
        }
        walk_into_container(&w);
    }
}

/* Walk to the outermost container. False: there is none, or the path is a helper's. */
static bool walk_to_container(struct walk *w, struct str path, struct str *ret_component,
                              struct shape_match *ret)
{
    walk_start(w, path);
    return walk_to_shape(w, ret_component, ret) && !ret->shape->helper;
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
