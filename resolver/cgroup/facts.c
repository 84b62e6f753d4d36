#include "resolver/cgroup/facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "resolver/cgroup/line.h"
#include "resolver/cgroup/path.h"

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
    AUTO_FREE struct str *ids = calloc(n, sizeof(*ids));

    if (!chain || !ids) {
        c->failed = true;
        return;
    }
    path_inner_ids(path, ids, n);
    for (size_t i = 0; i < n; i++) {
        chain[i] = copy(c, ids[i]);
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
            b.path = cgroup_strip_root(b.line.path, root);
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
