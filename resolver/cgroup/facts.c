#include "resolver/cgroup/facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "resolver/cgroup/line.h"
#include "resolver/cgroup/path.h"

/* Which line decides where a vote is a draw: that of the lowest rank. systemd has every unit in the
 * v2 and the name=systemd hierarchy; of the v1 controllers, memory is in use on nearly every node.
 */
enum { RANK_V2, RANK_SYSTEMD, RANK_MEMORY, RANK_OTHER };

static unsigned line_rank(const struct cgroup_line *l)
{
    struct str list = l->controllers;

    if (l->hierarchy == 0) {
        return RANK_V2;
    }
    if (str_is(list, "name=systemd")) {
        return RANK_SYSTEMD;
    }
    while (list.n > 0) {
        const char *comma = memchr(list.p, ',', list.n);
        size_t n = comma ? (size_t)(comma - list.p) : list.n;

        if (str_is((struct str){list.p, n}, "memory")) {
            return RANK_MEMORY;
        }
        n += comma ? 1 : 0;
        list.p += n;
        list.n -= n;
    }
    return RANK_OTHER;
}

/* ---- The vote of the lines ---- */

/* A line that names a container, a helper or a pod. */
struct ballot {
    size_t number; /* of the line, from 1 */
    struct cgroup_line line;
    struct str path; /* of the line, without the node's own root */
    struct path_facts facts;
    unsigned rank; /* line_rank() */

    /* Set by the caller before each vote(): */
    struct str name; /* what this line votes for */
    bool in_vote;    /* false: the line abstains */
    bool with_pod;   /* the line also says the pod of name */
};

static int str_order(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n > 0 ? memcmp(a.p, b.p, n) : 0;

    return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

/* How much a line says beyond the name: the pod counts more than its QoS class, that more than the
 * manager. */
static int detail_score(const struct ballot *b)
{
    return (b->with_pod ? 4 : 0) + (b->facts.qos ? 2 : 0) + (b->facts.manager.p ? 1 : 0);
}

/* Compare for qsort(): lines that vote before those that abstain, then by name. Among the lines of
 * one name the one with most details comes first. The order of the lines in the text decides last.
 */
static int compare_ballots(const void *pa, const void *pb)
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
    c = detail_score(b) - detail_score(a);
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

struct vote_result {
    size_t first;  /* the first of the winning name's ballots, the one with most details */
    size_t n;      /* how many there are, next to each other; 0: every line abstained */
    bool disputed; /* other names got votes too */
};

/* Sort the ballots and count them. A name with a pod beats one without, then the name with more
 * lines wins, then the one with the line of the lowest rank. */
static struct vote_result vote(struct ballot *ballots, size_t n)
{
    struct vote_result win = {0};
    unsigned win_rank = 0;

    qsort(ballots, n, sizeof(*ballots), compare_ballots);
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

/* Copies texts into an arena. failed: one copy had no memory; checked once at the end. */
struct copier {
    struct arena *arena;
    bool failed;
};

static char *copy_text(struct copier *c, struct str s)
{
    char *p = s.p ? arena_strndup(c->arena, s.p, s.n) : NULL;

    c->failed = c->failed || (s.p && !p);
    return p;
}

/* systemd's names have underscores for the dashes of a uid. */
static const char *copy_uid(struct copier *c, struct str s)
{
    char *p = copy_text(c, s);

    for (char *q = p; q && *q != '\0'; q++) {
        if (*q == '_') {
            *q = '-';
        }
    }
    return p;
}

static void copy_chain(struct copier *c, struct str path, size_t n, struct arena *scratch,
                       struct cgroup_facts *f)
{
    const char **chain = arena_calloc(c->arena, n, sizeof(*chain));
    struct str *ids = arena_calloc(scratch, n, sizeof(*ids));

    if (!chain || !ids) {
        c->failed = true;
        return;
    }
    path_inner_ids(path, ids, n);
    for (size_t i = 0; i < n; i++) {
        chain[i] = copy_text(c, ids[i]);
    }
    f->chain = chain;
    f->n_chain = n;
}

/* A line of a higher rank beats all lines of lower ones; enum cgroup_kind is in that order. A
 * container's own cgroup and one below it have the same rank. */
static int kind_rank(enum cgroup_kind k)
{
    return k < CGROUP_CONTAINER ? (int)k : CGROUP_CONTAINER;
}

/* Parse the lines, and give those that name anything as ballots in a. *ret_user_slice: any line is
 * below /user.slice. 0 or -ENOMEM. */
static int read_ballots(struct str text, struct str root, struct arena *a, struct ballot **ret,
                        size_t *ret_n, bool *ret_user_slice)
{
    struct ballot *ballots = NULL;
    struct str line;
    struct ballot b = {0};
    size_t n = 0, cap = 0;
    bool user_slice = false;

    for (size_t number = 1; str_next_line(&text, &line); number++) {
        struct str last = b.line.path;
        int rc;

        if (!cgroup_line_parse(line, &b.line)) {
            continue;
        }
        b.number = number;
        b.rank = line_rank(&b.line);
        /* Most lines of a v1 text have the same path: its facts are still in b. */
        if (!last.p || !str_eq(last, b.line.path)) {
            b.path = cgroup_strip_root(b.line.path, root);
            path_parse(b.path, &b.facts);
            user_slice = user_slice || b.facts.user_slice;
        }
        if (b.facts.kind == CGROUP_HOST) {
            continue;
        }
        rc = ARENA_APPEND(a, ballots, n, cap, b);
        if (rc < 0) {
            return rc;
        }
    }
    *ret = ballots;
    *ret_n = n;
    *ret_user_slice = user_slice;
    return 0;
}

/* Find the innermost container: the lines of the chosen container vote for it. scratch is for
 * temporary arrays. */
static void vote_inner(struct ballot *ballots, size_t n, struct arena *scratch, struct copier *c,
                       struct cgroup_facts *f)
{
    struct vote_result win;

    for (size_t i = 0; i < n; i++) {
        ballots[i].name = ballots[i].facts.inner;
        ballots[i].in_vote = ballots[i].facts.n_inner > 0;
        ballots[i].with_pod = ballots[i].facts.inner_pod.p != NULL;
    }
    win = vote(ballots, n);
    if (win.n > 0) {
        const struct ballot *b = &ballots[win.first];

        f->inner_id = copy_text(c, b->facts.inner);
        f->inner_pod_uid = copy_uid(c, b->facts.inner_pod);
        copy_chain(c, b->path, b->facts.n_inner, scratch, f);
    }
}

int cgroup_parse_below(struct str text, struct str root, struct arena *a, struct cgroup_facts *ret)
{
    CLEANUP(arena_free) struct arena scratch = {0};
    struct ballot *ballots = NULL;
    struct cgroup_facts f = {.kind = CGROUP_HOST};
    struct copier c = {.arena = a};
    const struct ballot *best;
    struct vote_result win;
    size_t n = 0;
    int top = 0, rc;

    rc = read_ballots(text, root, &scratch, &ballots, &n, &f.in_user_slice);
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
        f.helper_for = copy_text(&c, best->facts.id);
    } else if (f.kind != CGROUP_POD) {
        f.container_id = copy_text(&c, best->facts.id);
    }
    f.pod_uid = copy_uid(&c, best->facts.pod);
    f.qos = best->facts.qos;
    f.manager = copy_text(&c, best->facts.manager);
    f.line = best->number;
    f.path = copy_text(&c, best->line.path);
    f.component = copy_text(&c, best->facts.component);
    f.shape = best->facts.what;
    f.disagreement = win.disputed;
    vote_inner(ballots + win.first, win.n, &scratch, &c, &f);
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
