#include "resolver/snapshot/selector.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

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

const char *glob_problem(const char *glob)
{
    if (!*glob) {
        return "it is empty (\"*\" is all)";
    }
    for (const char *p = glob; *p; p++) {
        if (*p == '\\' && !*++p) {
            return "a backslash at the end";
        }
        if (*p == '[') {
            const char *end = p + 1;

            end += *end == '!' || *end == '^' ? 1 : 0;
            end += *end == ']' ? 1 : 0;
            end = strchr(end, ']');
            if (!end) {
                return "an open bracket that is never closed";
            }
            p = end;
        }
    }
    return NULL;
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
