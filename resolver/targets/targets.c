#include "resolver/targets/targets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/text.h"
#include "resolver/arguments.h"
#include "resolver/snapshot/selector.h"

int podpid_targets_new(struct podpid_targets **ret, struct podpid_error *error)
{
    struct podpid_targets *t;
    struct err err = {0};

    if (!ret) {
        return bad_argument(__func__, error);
    }
    t = calloc(1, sizeof(*t));
    if (!t) {
        err_nomem(&err);
        return error_publish(&err, error);
    }
    t->policy.wait = -1;
    t->policy.handoff_mode = -1;
    *ret = t;
    return 0;
}

void podpid_targets_free(struct podpid_targets *t)
{
    if (t) {
        arena_free(&t->arena);
        free(t);
    }
}

int targets_add(struct podpid_targets *t, const struct target *target, struct err *err)
{
    return ARENA_APPEND(&t->arena, t->targets, t->n_targets, t->cap_targets, *target) < 0
               ? err_nomem(err)
               : 0;
}

const char *target_label(struct arena *a, const struct podpid_selector *s)
{
    return arena_printf(a, "%s/%s%s%s%s%s", s->namespace_ ? s->namespace_ : "*",
                        s->pod ? s->pod : "*", s->labels ? " with " : "",
                        s->labels ? s->labels : "", s->uid ? " of uid " : "", s->uid ? s->uid : "");
}

/* ---- What the readers of policies and manifests refuse alike ---- */

int targets_bad_version(const struct yaml_stream *s, const struct yaml_value *root, struct err *err)
{
    const struct yaml_value *version = yaml_get(root, "apiVersion");

    return yaml_error(err, s->file, version ? version : root,
                      "expected apiVersion v1 (a Pod or List) or podpid/v1 (a PreflightPolicy)");
}

int targets_mixed(const struct yaml_stream *s, const struct yaml_value *root, struct err *err)
{
    return yaml_error(err, s->file, root, "a file holds pods or one policy, not both");
}

/* ---- Selectors ---- */

static int copy_text(struct arena *a, const char *from, const char **ret)
{
    *ret = arena_strdup(a, from);
    return from && !*ret ? -ENOMEM : 0;
}

/* Globs are refused that fnmatch(3) would take for something else; labels by
 * podpid_selector_check(). */
static int check_selector(const struct podpid_selector *s, struct err *err)
{
    const char *const globs[] = {s->pod, s->container};
    struct podpid_error why = PODPID_ERROR_INIT;

    if (!s->namespace_ && !s->pod && !s->labels && !s->container && !s->uid) {
        return err_set(err, ERR_USAGE, EINVAL, "a selector that selects nothing in particular");
    }
    for (size_t i = 0; i < N_ELEMENTS(globs); i++) {
        const char *problem = globs[i] ? glob_problem(globs[i]) : NULL;

        if (problem) {
            return err_set(err, ERR_USAGE, EINVAL, "bad glob \"%s\": %s", globs[i], problem);
        }
    }
    return podpid_selector_check(s, &why) < 0 ? err_set(err, ERR_USAGE, EINVAL, "%s", why.message)
                                              : 0;
}

static int add_selector(struct podpid_targets *t, const struct podpid_selector *from,
                        struct err *err)
{
    struct target target = {.selector = PODPID_SELECTOR_INIT, .min_pods = 1};
    const char **containers;
    int rc = check_selector(from, err);

    if (rc < 0) {
        return rc;
    }
    containers = arena_calloc(&t->arena, 1, sizeof(*containers));
    if (!containers || copy_text(&t->arena, from->namespace_, &target.selector.namespace_) < 0 ||
        copy_text(&t->arena, from->pod, &target.selector.pod) < 0 ||
        copy_text(&t->arena, from->labels, &target.selector.labels) < 0 ||
        copy_text(&t->arena, from->uid, &target.selector.uid) < 0 ||
        copy_text(&t->arena, from->container, containers) < 0) {
        return err_nomem(err);
    }
    target.containers = containers;
    target.n_containers = from->container ? 1 : 0;
    target.what = target_label(&t->arena, &target.selector);
    return target.what ? targets_add(t, &target, err) : err_nomem(err);
}

int podpid_targets_add_selector(struct podpid_targets *t, const struct podpid_selector *selector,
                                struct podpid_error *error)
{
    struct podpid_selector known;
    struct err err = {0};

    if (!t) {
        return bad_argument(__func__, error);
    }
    if (SIZED_COPY(&known, selector, &err) < 0 || add_selector(t, &known, &err) < 0) {
        return error_publish(&err, error);
    }
    return PODPID_OK;
}

int podpid_targets_answerable(const struct podpid_targets *t, const struct podpid_snapshot *s,
                              struct podpid_error *error)
{
    int rc = 0;

    if (!t || !s) {
        return bad_argument(__func__, error);
    }
    for (size_t i = 0; rc == 0 && i < t->n_targets; i++) {
        rc = podpid_selector_answerable(&t->targets[i].selector, s, error);
    }
    return rc;
}

size_t podpid_targets_count(const struct podpid_targets *t)
{
    return t ? t->n_targets + t->n_pods : 0;
}

const struct podpid_policy *podpid_targets_policy(const struct podpid_targets *t)
{
    return t ? &t->policy : NULL;
}

bool target_names(const struct target *target, size_t i, const struct podpid_container *c)
{
    struct podpid_selector by_name = PODPID_SELECTOR_INIT;

    by_name.container = target->containers[i];
    return podpid_selector_matches(&by_name, c);
}

/* Whether the target means this container of a pod that its selector matches. */
static bool names_any(const struct target *target, const struct podpid_container *c)
{
    for (size_t i = 0; i < target->n_containers; i++) {
        if (target_names(target, i, c)) {
            return true;
        }
    }
    return target->n_containers == 0;
}

bool podpid_targets_match(const struct podpid_targets *t, const struct podpid_container *c)
{
    if (!t || !c) {
        return false;
    }
    for (size_t i = 0; i < t->n_targets; i++) {
        if (podpid_selector_matches_pod(&t->targets[i].selector, c->pod) &&
            names_any(&t->targets[i], c)) {
            return true;
        }
    }
    for (size_t i = 0; i < t->n_pods; i++) {
        for (size_t k = 0; k < t->pods[i].n_containers; k++) {
            const char *id = t->pods[i].containers[k].id;

            if (id && strcmp(id, c->id) == 0) {
                return true;
            }
        }
    }
    return false;
}
