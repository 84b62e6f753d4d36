#include "resolver/snapshot/selector.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "cri/base/text.h"
#include "resolver/arguments.h"
#include "resolver/snapshot/snapshot.h"

/* fnmatch(3) is slow on long texts. Kubernetes allows 253 bytes; a longer name, which only a broken
 * runtime gives, is compared by its beginning. */
enum { NAME_BYTES = 1024 };

/* Take the next "k=v" or "k" off a label selector; *ret_value is none for "k". False at the end. */
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

static int check_labels(const char *labels, struct err *err)
{
    struct str rest = str_of(labels), key, value;

    while (next_term(&rest, &key, &value)) {
        bool odd = key.n == 0 || memchr(key.p, '!', key.n) || memchr(key.p, ' ', key.n) ||
                   memchr(key.p, '(', key.n);

        if (odd || (value.p && memchr(value.p, '=', value.n))) {
            return err_set(err, ERR_USAGE, EINVAL,
                           "label selector '%.200s': write k=v,k2=v2; a bare k is any value",
                           labels);
        }
    }
    return 0;
}

int podpid_selector_check(const struct podpid_selector *selector, struct podpid_error *error)
{
    struct podpid_selector known;
    struct err err = {0};

    if (SIZED_COPY(&known, selector, &err) < 0 || check_labels(known.labels, &err) < 0) {
        return error_publish(&err, error);
    }
    return PODPID_OK;
}

int podpid_selector_answerable(const struct podpid_selector *selector,
                               const struct podpid_snapshot *s, struct podpid_error *error)
{
    struct podpid_selector known;
    struct err err = {0};

    if (!s) {
        return bad_argument(__func__, error);
    }
    if (SIZED_COPY(&known, selector, &err) < 0) {
        return error_publish(&err, error);
    }
    if (!known.labels || !s->no_label_values) {
        return PODPID_OK;
    }
    err_set(&err, ERR_INPUT, ENODATA,
            "label selector '%.200s': the capture was taken without the values of labels",
            known.labels);
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

static bool matches_pod(const struct podpid_selector *selector, const struct podpid_pod *pod)
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

bool podpid_selector_matches_pod(const struct podpid_selector *selector,
                                 const struct podpid_pod *pod)
{
    struct podpid_selector known;

    return pod && SIZED_COPY(&known, selector, NULL) == 0 && matches_pod(&known, pod);
}

bool podpid_selector_matches(const struct podpid_selector *selector,
                             const struct podpid_container *container)
{
    struct podpid_selector known;

    return container && SIZED_COPY(&known, selector, NULL) == 0 &&
           matches_pod(&known, container->pod) &&
           (!known.container || glob_matches(known.container, container->name));
}
