#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "cri/base/text.h"
#include "resolver/error.h"
#include "resolver/snapshot/snapshot.h"

/* Names in Kubernetes end at 253 bytes; what a runtime makes of longer ones is cut before it is
 * held against a glob. */
enum { NAME_BYTES = 1024 };

/* The next "k=v" or "k" of a label selector. False: it is over. */
static bool next_term(struct str *rest, struct str *ret_key, struct str *ret_value)
{
    const char *end, *eq;
    struct str term;

    if (!rest->p) {
        return false;
    }
    end = memchr(rest->p, ',', rest->n);
    term = (struct str){rest->p, end ? (size_t)(end - rest->p) : rest->n};
    if (end) {
        rest->p += term.n + 1;
        rest->n -= term.n + 1;
    } else {
        *rest = (struct str){NULL, 0};
    }
    eq = memchr(term.p, '=', term.n);
    *ret_key = (struct str){term.p, eq ? (size_t)(eq - term.p) : term.n};
    *ret_value = (struct str){NULL, 0};
    if (eq) {
        size_t skip = ret_key->n + 1;

        if (skip < term.n && term.p[skip] == '=') {
            skip++; /* kubectl takes "k==v" as well */
        }
        *ret_value = (struct str){term.p + skip, term.n - skip};
    }
    return true;
}

int podpid_selector_check(const struct podpid_selector *selector, struct podpid_error *error)
{
    struct str rest = str_of(selector->labels), key, value;
    struct err err = {0};

    while (next_term(&rest, &key, &value)) {
        bool odd = key.n == 0 || memchr(key.p, '!', key.n) || memchr(key.p, ' ', key.n) ||
                   memchr(key.p, '(', key.n);

        if (odd || (value.p && memchr(value.p, '=', value.n))) {
            err_set(&err, ERR_USAGE, EINVAL,
                    "label selector '%.200s': write k=v,k2=v2; a bare k is any value",
                    selector->labels);
            return error_publish(&err, error);
        }
    }
    return PODPID_OK;
}

int podpid_selector_answerable(const struct podpid_selector *selector,
                               const struct podpid_snapshot *s, struct podpid_error *error)
{
    struct err err = {0};

    if (!selector->labels || !s->no_label_values) {
        return PODPID_OK;
    }
    err_set(&err, ERR_INPUT, ENODATA,
            "label selector '%.200s': the capture was taken without the values of labels",
            selector->labels);
    err_hint(&err, "take it with: podpid capture --with-labels DIR");
    return error_publish(&err, error);
}

static bool glob_matches(const char *glob, const char *text)
{
    char cut[NAME_BYTES + 1];

    if (!text) {
        return false;
    }
    if (strnlen(text, sizeof(cut)) > NAME_BYTES) {
        memcpy(cut, text, NAME_BYTES);
        cut[NAME_BYTES] = '\0';
        text = cut;
    }
    return fnmatch(glob, text, 0) == 0;
}

static bool has_label(const struct podpid_pod *pod, struct str key, struct str value)
{
    for (size_t i = 0; i < pod->n_labels; i++) {
        if (str_is(key, pod->labels[i].key)) {
            return !value.p || str_is(value, pod->labels[i].value);
        }
    }
    return false;
}

static bool is_exactly(const char *wanted, const char *text)
{
    return !wanted || (text && strcmp(wanted, text) == 0);
}

bool podpid_selector_matches_pod(const struct podpid_selector *selector,
                                 const struct podpid_pod *pod)
{
    struct str rest = str_of(selector->labels), key, value;

    if (!is_exactly(selector->namespace_, pod->namespace_) ||
        !is_exactly(selector->uid, pod->uid) ||
        (selector->pod && !glob_matches(selector->pod, pod->name))) {
        return false;
    }
    while (next_term(&rest, &key, &value)) {
        if (!has_label(pod, key, value)) {
            return false;
        }
    }
    return true;
}

bool podpid_selector_matches(const struct podpid_selector *selector,
                             const struct podpid_container *container)
{
    return podpid_selector_matches_pod(selector, container->pod) &&
           (!selector->container || glob_matches(selector->container, container->name));
}

struct selection {
    unsigned flags;
    bool (*keep)(void *context, const struct podpid_container *c);
    bool (*keep_pod)(void *context, const struct podpid_pod *p);
    void *context;
};

static bool is_kept(const struct selection *sel, const struct podpid_container *c)
{
    bool over = c->state == PODPID_STATE_CREATED || c->state == PODPID_STATE_EXITED;

    if (over && !(sel->flags & PODPID_SELECT_ALL_STATES)) {
        return false;
    }
    return !sel->keep || sel->keep(sel->context, c);
}

/* The pod with its kept containers; *ret NULL where it is left out. */
static int select_pod(const struct selection *sel, struct arena *a, const struct podpid_pod *pod,
                      const struct podpid_pod **ret)
{
    const struct podpid_container **kept =
        arena_calloc(a, pod->n_containers, sizeof(struct podpid_container *));
    struct podpid_pod *copy;
    size_t n = 0;

    *ret = NULL;
    if (!kept) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < pod->n_containers; i++) {
        if (is_kept(sel, pod->containers[i])) {
            kept[n++] = pod->containers[i];
        }
    }
    if (n == 0 && !(sel->keep_pod && sel->keep_pod(sel->context, pod))) {
        return 0;
    }
    copy = arena_alloc(a, sizeof(*copy));
    if (!copy) {
        return -ENOMEM;
    }
    *copy = *pod;
    copy->containers = kept;
    copy->n_containers = n;
    *ret = copy;
    return 0;
}

static size_t count_errors(const struct podpid_snapshot *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_pods; i++) {
        n += s->pods[i]->sandbox_verdict == PODPID_VERDICT_ERROR;
        for (size_t k = 0; k < s->pods[i]->n_containers; k++) {
            n += s->pods[i]->containers[k]->verdict == PODPID_VERDICT_ERROR;
        }
    }
    return n;
}

static int select_rows(const struct podpid_snapshot *s, const struct selection *sel,
                       struct podpid_snapshot *to)
{
    to->pods = arena_calloc(&to->arena, s->n_pods, sizeof(struct podpid_pod *));
    if (!to->pods) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < s->n_pods; i++) {
        const struct podpid_pod *pod;
        int rc = select_pod(sel, &to->arena, s->pods[i], &pod);

        if (rc < 0) {
            return rc;
        }
        if (pod) {
            to->pods[to->n_pods++] = pod;
        }
    }
    /* What is missing of rows that are left out is nobody's concern here. */
    to->complete = s->complete || (count_errors(s) > 0 && count_errors(to) == 0);
    return 0;
}

static struct podpid_snapshot *like(const struct podpid_snapshot *s, bool findings)
{
    struct podpid_snapshot *to = calloc(1, sizeof(*to));

    if (!to) {
        return NULL;
    }
    to->taken_at = s->taken_at;
    to->took = s->took;
    to->node = s->node;
    to->runtime = s->runtime;
    to->warnings = s->warnings;
    to->n_warnings = s->n_warnings;
    to->node_facts = s->node_facts;
    to->replay = s->replay;
    if (findings) {
        to->strays = s->strays;
        to->n_strays = s->n_strays;
        to->foreign = s->foreign;
        to->n_foreign = s->n_foreign;
    }
    return to;
}

static void free_snapshot(struct podpid_snapshot **s)
{
    podpid_snapshot_free(*s);
}

int podpid_snapshot_select(const struct podpid_snapshot *s, unsigned flags,
                           bool (*keep)(void *context, const struct podpid_container *c),
                           bool (*keep_pod)(void *context, const struct podpid_pod *p),
                           void *context, struct podpid_snapshot **ret, struct podpid_error *error)
{
    const struct selection sel = {flags, keep, keep_pod, context};
    CLEANUP(free_snapshot)
    struct podpid_snapshot *to = like(s, !(flags & PODPID_SELECT_NO_FINDINGS));
    struct err err = {0};

    if (!to || select_rows(s, &sel, to) < 0) {
        err_nomem(&err);
        return error_publish(&err, error);
    }
    *ret = TAKE_PTR(to);
    return PODPID_OK;
}
