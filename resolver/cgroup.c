#include "resolver/cgroup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "resolver/anchor.h"
#include "resolver/cgroup_shapes.h"

/* What one path says. Text points into the path. */
struct path_facts {
    enum cgroup_kind kind;
    struct str id; /* of the outermost container, or whom the helper serves, or the pod's uid */
    struct str manager;
    struct str pod;  /* raw: systemd's names have underscores for dashes */
    const char *qos; /* NULL: not visible */
    struct str component;
    const char *what;
    struct str inner, inner_pod; /* the innermost container below it */
    size_t n_inner;              /* how many there are */
    bool user_slice;
};

/* ---- A path, component by component ---- */

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

static void path_parse(struct str path, struct path_facts *ret)
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

/* ---- A line ---- */

bool cgroup_line_parse(struct str line, struct cgroup_line *ret)
{
    struct cgroup_line l = {.deleted = false};
    const char *first, *second;

    if (line.n > 0 && line.p[line.n - 1] == '\r') {
        line.n--;
    }
    first = line.n > 0 ? memchr(line.p, ':', line.n) : NULL;
    if (!first || !str_to_u64((struct str){line.p, (size_t)(first - line.p)}, &l.hierarchy)) {
        return false;
    }
    line.n -= (size_t)(first + 1 - line.p);
    line.p = first + 1;
    second = line.n > 0 ? memchr(line.p, ':', line.n) : NULL;
    if (!second) {
        return false;
    }
    l.controllers = (struct str){line.p, (size_t)(second - line.p)};
    l.path = (struct str){second + 1, line.n - l.controllers.n - 1};
    /* The kernel writes no NUL; one would let a text end early wherever it is a C string. */
    if (l.path.n == 0 || l.path.p[0] != '/' || memchr(l.path.p, '\0', l.path.n)) {
        return false;
    }
    if (str_ends(l.path, STR(" (deleted)"))) {
        l.path.n -= STR(" (deleted)").n;
        l.deleted = true;
    }
    *ret = l;
    return true;
}

/* Which line to believe where a vote is a draw, lowest first. */
static unsigned line_rank(const struct cgroup_line *l)
{
    struct str list = l->controllers;

    if (l->hierarchy == 0) {
        return 0;
    }
    if (str_is(list, "name=systemd")) {
        return 1;
    }
    while (list.n > 0) {
        const char *comma = memchr(list.p, ',', list.n);
        size_t n = comma ? (size_t)(comma - list.p) : list.n;

        if (str_is((struct str){list.p, n}, "memory")) {
            return 2;
        }
        n += comma ? 1 : 0;
        list.p += n;
        list.n -= n;
    }
    return 3;
}

/* ---- The vote of the lines ---- */

struct ballot {
    size_t number; /* of the line, from 1 */
    struct cgroup_line line;
    struct str path; /* of the line, without the node's own root */
    struct path_facts facts;
    unsigned rank;
    /* What is voted on at the moment: */
    struct str name;
    bool in_vote, with_pod;
};

static int str_order(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n > 0 ? memcmp(a.p, b.p, n) : 0;

    return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

/* How much a line tells beyond the name: its pod, the pod's QoS class, the manager. */
static int how_telling(const struct ballot *b)
{
    return (b->with_pod ? 4 : 0) + (b->facts.qos ? 2 : 0) + (b->facts.manager.p ? 1 : 0);
}

/* Those in the vote first, by name; the best line of a name before its others. The order of the
 * lines in the text decides only between equal ones. */
static int ballot_order(const void *pa, const void *pb)
{
    const struct ballot *a = pa, *b = pb;
    int c;

    if (a->in_vote != b->in_vote) {
        return a->in_vote ? -1 : 1;
    }
    c = str_order(a->name, b->name);
    if (c != 0) {
        return c;
    }
    c = how_telling(b) - how_telling(a);
    if (c != 0) {
        return c;
    }
    if (a->rank != b->rank) {
        return a->rank < b->rank ? -1 : 1;
    }
    if (a->line.hierarchy != b->line.hierarchy) {
        return a->line.hierarchy < b->line.hierarchy ? -1 : 1;
    }
    c = str_order(a->line.path, b->line.path);
    return c != 0 ? c : (a->number > b->number) - (a->number < b->number);
}

struct result {
    size_t first, n; /* the winner's ballots, the best one first; n 0: there was no vote */
    bool disputed;   /* there were other names */
};

/* A name with a pod beats one without, then the majority wins. */
static struct result vote(struct ballot *ballots, size_t n)
{
    struct result win = {0};
    unsigned win_rank = 0;

    qsort(ballots, n, sizeof(*ballots), ballot_order);
    for (size_t i = 0; i < n && ballots[i].in_vote;) {
        unsigned rank = ballots[i].rank;
        size_t end = i + 1;
        bool pod = ballots[i].with_pod, better;

        while (end < n && ballots[end].in_vote && str_eq(ballots[end].name, ballots[i].name)) {
            rank = ballots[end].rank < rank ? ballots[end].rank : rank;
            end++;
        }
        if (win.n == 0 || pod != ballots[win.first].with_pod) {
            better = win.n == 0 || pod;
        } else {
            better = end - i > win.n || (end - i == win.n && rank < win_rank);
        }
        win.disputed = win.n > 0;
        if (better) {
            win.first = i;
            win.n = end - i;
            win_rank = rank;
        }
        i = end;
    }
    return win;
}

/* ---- The whole text ---- */

/* Copies into the document, and remembers that one failed. */
struct copier {
    struct arena *arena;
    bool failed;
};

static char *copy(struct copier *c, struct str s)
{
    char *p = s.p ? arena_strndup(c->arena, s.p, s.n) : NULL;

    c->failed = c->failed || (s.p && !p);
    return p;
}

static const char *copy_uid(struct copier *c, struct str s)
{
    char *p = copy(c, s);

    for (char *q = p; q && *q != '\0'; q++) {
        if (*q == '_') {
            *q = '-';
        }
    }
    return p;
}

static void copy_chain(struct copier *c, struct str path, size_t n, struct cgroup_facts *f)
{
    const char **chain = arena_calloc(c->arena, n, sizeof(*chain));
    struct shape_match m;
    struct str component;
    struct walk w;
    size_t i = 0;

    if (!chain) {
        c->failed = true;
        return;
    }
    walk_start(&w, path);
    walk_next(&w, &component, &m);
    walk_enter(&w);
    while (walk_next(&w, &component, &m)) {
        if (!m.shape->helper) {
            chain[i++] = copy(c, m.id);
        }
        walk_enter(&w);
    }
    f->chain = chain;
    f->n_chain = n;
}

static int kind_rank(enum cgroup_kind k)
{
    return k == CGROUP_HOST ? 0 : k == CGROUP_POD ? 1 : k == CGROUP_HELPER ? 2 : 3;
}

static void free_ballots(struct ballot **b)
{
    free(*b);
}

/* The lines that name anything, parsed. *ret_user_slice: whether any line is below /user.slice. */
static int read_ballots(struct str text, struct str root, struct ballot **ret, size_t *ret_n,
                        bool *ret_user_slice)
{
    CLEANUP(free_ballots) struct ballot *ballots = NULL;
    struct str line;
    struct ballot b = {0};
    size_t n = 0, cap = 0;
    bool user_slice = false;

    for (size_t number = 1; str_next_line(&text, &line); number++) {
        struct str last = b.line.path;

        if (!cgroup_line_parse(line, &b.line)) {
            continue;
        }
        b.number = number;
        b.rank = line_rank(&b.line);
        /* The lines of one text mostly have one path. */
        if (!last.p || !str_eq(last, b.line.path)) {
            b.path = anchor_strip_root(b.line.path, root);
            path_parse(b.path, &b.facts);
            user_slice = user_slice || b.facts.user_slice;
        }
        if (b.facts.kind == CGROUP_HOST) {
            continue;
        }
        if (n == cap) {
            size_t more = cap > 0 ? cap * 2 : 16;
            struct ballot *grown = reallocarray(ballots, more, sizeof(*ballots));

            if (!grown) {
                return -ENOMEM;
            }
            ballots = grown;
            cap = more;
        }
        ballots[n++] = b;
    }
    *ret = TAKE_PTR(ballots);
    *ret_n = n;
    *ret_user_slice = user_slice;
    return 0;
}

/* Containers of containers: the lines of the chosen container vote once more. */
static void vote_inner(struct ballot *ballots, size_t n, struct copier *c, struct cgroup_facts *f)
{
    struct result win;

    for (size_t i = 0; i < n; i++) {
        ballots[i].name = ballots[i].facts.inner;
        ballots[i].in_vote = ballots[i].facts.n_inner > 0;
        ballots[i].with_pod = ballots[i].facts.inner_pod.p != NULL;
    }
    win = vote(ballots, n);
    if (win.n > 0) {
        const struct ballot *b = &ballots[win.first];

        f->inner_id = copy(c, b->facts.inner);
        f->inner_pod_uid = copy_uid(c, b->facts.inner_pod);
        copy_chain(c, b->path, b->facts.n_inner, f);
    }
}

int cgroup_parse_below(struct str text, struct str root, struct arena *a, struct cgroup_facts *ret)
{
    CLEANUP(free_ballots) struct ballot *ballots = NULL;
    struct cgroup_facts f = {.kind = CGROUP_HOST};
    struct copier c = {.arena = a};
    const struct ballot *best;
    struct result win;
    size_t n = 0;
    int top = 0, rc;

    rc = read_ballots(text, root, &ballots, &n, &f.in_user_slice);
    if (rc < 0) {
        return rc;
    }
    if (n == 0) {
        *ret = f;
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        int rank = kind_rank(ballots[i].facts.kind);

        top = rank > top ? rank : top;
    }
    for (size_t i = 0; i < n; i++) {
        ballots[i].name = ballots[i].facts.id;
        ballots[i].in_vote = kind_rank(ballots[i].facts.kind) == top;
        ballots[i].with_pod = ballots[i].facts.pod.p != NULL;
    }
    win = vote(ballots, n);
    best = &ballots[win.first];
    f.kind = best->facts.kind;
    f.in_user_slice = false;
    for (size_t i = win.first; i < win.first + win.n; i++) {
        f.in_user_slice = f.in_user_slice || ballots[i].facts.user_slice;
        if (ballots[i].facts.kind == CGROUP_NESTED) {
            f.kind = CGROUP_NESTED;
        }
    }
    if (f.kind == CGROUP_HELPER) {
        f.helper_for = copy(&c, best->facts.id);
    } else if (f.kind != CGROUP_POD) {
        f.container_id = copy(&c, best->facts.id);
    }
    f.pod_uid = copy_uid(&c, best->facts.pod);
    f.qos = best->facts.qos;
    f.manager = copy(&c, best->facts.manager);
    f.line = best->number;
    f.path = copy(&c, best->line.path);
    f.component = copy(&c, best->facts.component);
    f.shape = best->facts.what;
    f.disagreement = win.disputed;
    vote_inner(ballots + win.first, win.n, &c, &f);
    if (c.failed) {
        return -ENOMEM;
    }
    *ret = f;
    return 0;
}

int cgroup_parse(struct str text, struct arena *a, struct cgroup_facts *ret)
{
    return cgroup_parse_below(text, (struct str){NULL, 0}, a, ret);
}

const char *cgroup_kind_name(enum cgroup_kind k)
{
    static const char *const names[] = {
        [CGROUP_HOST] = "host",           [CGROUP_POD] = "pod",       [CGROUP_HELPER] = "helper",
        [CGROUP_CONTAINER] = "container", [CGROUP_NESTED] = "nested",
    };

    return names[k];
}
