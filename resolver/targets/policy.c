/* PreflightPolicy: every mistake is one line with file, line, column and what was expected. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cri/base/text.h"
#include "cri/endpoint.h"
#include "resolver/snapshot/selector.h"
#include "resolver/targets/targets.h"

struct policy {
    struct podpid_targets *t;
    const char *file;
    struct err *err;
};

/* One key of a map, and what reads its value. */
struct field {
    const char *name;
    int (*read)(struct policy *p, const struct yaml_value *v, void *into);
};

static int read_map(struct policy *p, const struct yaml_value *map, const char *what,
                    const struct field *fields, size_t n_fields, void *into)
{
    if (map->kind != YAML_MAP) {
        return yaml_error(p->err, p->file, map, "expected a map for %s, not %s", what,
                          yaml_kind_name(map));
    }
    for (size_t i = 0; i + 1 < map->n; i += 2) {
        size_t k = 0;
        int rc;

        while (k < n_fields && strcmp(fields[k].name, map->items[i]->text) != 0) {
            k++;
        }
        if (k == n_fields) {
            struct buf known = {0};

            for (size_t j = 0; j < n_fields; j++) {
                buf_printf(&known, "%s%s", j ? ", " : "", fields[j].name);
            }
            rc = known.failed ? err_nomem(p->err)
                              : yaml_error(p->err, p->file, map->items[i],
                                           "unknown key \"%.64s\" in %s: expected one of %s",
                                           map->items[i]->text, what, known.p);
            buf_free(&known);
            return rc;
        }
        rc = fields[k].read(p, map->items[i + 1], into);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

static int want_string(struct policy *p, const struct yaml_value *v, const char *what)
{
    if (v->kind == YAML_TEXT && !yaml_is_null(v) && !yaml_is_string(v)) {
        return yaml_error(p->err, p->file, v, "expected a string for %s, not %s: put it in quotes",
                          what, yaml_kind_name(v));
    }
    if (!yaml_is_string(v)) {
        return yaml_error(p->err, p->file, v, "expected a string for %s, not %s", what,
                          yaml_kind_name(v));
    }
    if (v->n == 0) {
        return yaml_error(p->err, p->file, v, "expected %s, not an empty string", what);
    }
    return 0;
}

static int want_glob(struct policy *p, const struct yaml_value *v, const char *what)
{
    int rc = want_string(p, v, what);
    const char *problem;

    if (rc < 0) {
        return rc;
    }
    problem = glob_problem(v->text);
    return problem ? yaml_error(p->err, p->file, v, "expected a glob for %s: %s", what, problem)
                   : 0;
}

/* The first to say a scalar; a second one must say the same. */
static int claim(struct policy *p, const struct yaml_value *v, const char **said_at, bool same,
                 const char *what)
{
    if (*said_at) {
        return same ? 0
                    : yaml_error(p->err, p->file, v, "expected the same %s as in %s", what,
                                 *said_at);
    }
    *said_at = arena_printf(&p->t->arena, "%s:%u:%u", p->file, v->line, v->column);
    return *said_at ? 0 : err_nomem(p->err);
}

/* Seen before the map is read. */
static int read_api_version(struct policy *p, const struct yaml_value *v, void *into)
{
    (void)p;
    (void)v;
    (void)into;
    return 0;
}

static int read_kind(struct policy *p, const struct yaml_value *v, void *into)
{
    (void)into;
    if (!yaml_is_string(v) || strcmp(v->text, "PreflightPolicy") != 0) {
        return yaml_error(p->err, p->file, v, "expected kind PreflightPolicy");
    }
    return 0;
}

static int read_endpoint(struct policy *p, const struct yaml_value *v, void *into)
{
    struct podpid_policy *policy = &p->t->policy;
    int rc = want_string(p, v, "runtimeEndpoint");
    struct endpoint endpoint;
    struct err why;

    (void)into;
    if (rc < 0) {
        return rc;
    }
    if (endpoint_parse(v->text, &endpoint, &why) < 0) {
        return yaml_error(p->err, p->file, v,
                          "expected a unix socket for runtimeEndpoint, such as "
                          "unix:///run/containerd/containerd.sock: %s",
                          why.text);
    }
    rc = claim(p, v, &p->t->said_at[SCALAR_ENDPOINT],
               policy->runtime_endpoint && strcmp(policy->runtime_endpoint, v->text) == 0,
               "runtimeEndpoint");
    policy->runtime_endpoint = rc < 0 ? policy->runtime_endpoint : v->text;
    return rc;
}

static int read_wait(struct policy *p, const struct yaml_value *v, void *into)
{
    struct podpid_policy *policy = &p->t->policy;
    int64_t wait;
    int rc;

    (void)into;
    if (v->kind != YAML_TEXT || yaml_is_null(v) || !text_to_duration(v->text, &wait)) {
        return yaml_error(p->err, p->file, v, "expected a duration for wait, such as 60s or 2m");
    }
    rc = claim(p, v, &p->t->said_at[SCALAR_WAIT], policy->wait == wait, "wait");
    policy->wait = rc < 0 ? policy->wait : wait;
    return rc;
}

static int want_list(struct policy *p, const struct yaml_value *v, const char *what)
{
    if (v->kind != YAML_LIST) {
        return yaml_error(p->err, p->file, v, "expected a list for %s, not %s", what,
                          yaml_kind_name(v));
    }
    if (v->n == 0) {
        return yaml_error(p->err, p->file, v, "expected at least one member of %s", what);
    }
    return 0;
}

/* Handlers of several policies add up. */
static int read_vm_handlers(struct policy *p, const struct yaml_value *v, void *into)
{
    int rc = want_list(p, v, "vmHandlers");

    (void)into;
    for (size_t i = 0; rc == 0 && i < v->n; i++) {
        const char *before = p->t->policy.vm_handlers, *all;

        rc = want_string(p, v->items[i], "a runtime handler");
        if (rc == 0 && strchr(v->items[i]->text, ',')) {
            rc = yaml_error(p->err, p->file, v->items[i],
                            "expected one runtime handler, without a comma");
        }
        if (rc == 0) {
            all = arena_printf(&p->t->arena, "%s%s%s", before ? before : "", before ? "," : "",
                               v->items[i]->text);
            p->t->policy.vm_handlers = all ? all : before;
            rc = all ? 0 : err_nomem(p->err);
        }
    }
    return rc;
}

static int read_namespace(struct policy *p, const struct yaml_value *v, void *into)
{
    struct target *target = into;
    int rc = want_string(p, v, "namespace");

    target->selector.namespace_ = v->text;
    return rc;
}

static int read_pod(struct policy *p, const struct yaml_value *v, void *into)
{
    struct target *target = into;
    int rc = want_glob(p, v, "pod");

    target->selector.pod = v->text;
    return rc;
}

static bool is_label(const struct yaml_value *v)
{
    return v->text[strspn(v->text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789-_./")] == '\0';
}

static int read_selector(struct policy *p, const struct yaml_value *v, void *into)
{
    struct target *target = into;
    struct buf all = {0};
    int rc = 0;

    if (v->kind != YAML_MAP || v->n == 0) {
        return yaml_error(p->err, p->file, v,
                          "expected labels for selector, such as {app: web}, not %s",
                          v->kind == YAML_MAP ? "an empty map" : yaml_kind_name(v));
    }
    for (size_t i = 0; rc == 0 && i + 1 < v->n; i += 2) {
        const struct yaml_value *key = v->items[i], *value = v->items[i + 1];

        if (!is_label(key) || key->n == 0) {
            rc = yaml_error(p->err, p->file, key, "expected a label's key");
        } else if (value->kind != YAML_TEXT || (value->plain && !yaml_is_string(value))) {
            rc = yaml_error(
                p->err, p->file, value, "expected a string for a label's value, not %s%s",
                yaml_kind_name(value), value->kind == YAML_TEXT ? ": put it in quotes" : "");
        } else if (!is_label(value)) {
            rc = yaml_error(p->err, p->file, value, "expected a label's value");
        }
        buf_printf(&all, "%s%s=%s", i ? "," : "", key->text,
                   value->kind == YAML_TEXT ? value->text : "");
    }
    if (rc == 0) {
        target->selector.labels = all.failed ? NULL : arena_strdup(&p->t->arena, all.p);
        rc = target->selector.labels ? 0 : err_nomem(p->err);
    }
    buf_free(&all);
    return rc;
}

static int read_containers(struct policy *p, const struct yaml_value *v, void *into)
{
    struct target *target = into;
    const char **globs;
    int rc = want_list(p, v, "containers");

    if (rc < 0) {
        return rc;
    }
    globs = arena_calloc(&p->t->arena, v->n, sizeof(*globs));
    if (!globs) {
        return err_nomem(p->err);
    }
    for (size_t i = 0; i < v->n; i++) {
        rc = want_glob(p, v->items[i], "a container's name");
        if (rc < 0) {
            return rc;
        }
        globs[i] = v->items[i]->text;
    }
    target->containers = globs;
    target->n_containers = v->n;
    return 0;
}

static int read_min_pods(struct policy *p, const struct yaml_value *v, void *into)
{
    struct target *target = into;
    uint64_t n = 0;

    if (v->kind != YAML_TEXT || !v->plain || !str_to_u64(str_of(v->text), &n) || n < 1 ||
        n > 100000) {
        return yaml_error(p->err, p->file, v,
                          "expected a whole number from 1 to 100000 for minPods");
    }
    target->min_pods = (unsigned)n;
    return 0;
}

static int describe(struct policy *p, const struct yaml_value *at, struct target *target)
{
    const struct podpid_selector *s = &target->selector;
    struct buf what = {0};
    int rc;

    buf_printf(&what, "%s/%s", s->namespace_ ? s->namespace_ : "*", s->pod ? s->pod : "*");
    if (s->labels) {
        buf_printf(&what, " with %s", s->labels);
    }
    buf_printf(&what, " (%s:%u)", p->file, at->line);
    target->what = what.failed ? NULL : arena_strdup(&p->t->arena, what.p);
    rc = target->what ? 0 : err_nomem(p->err);
    buf_free(&what);
    return rc;
}

static int read_target(struct policy *p, const struct yaml_value *v)
{
    static const struct field fields[] = {
        {"namespace", read_namespace},   {"pod", read_pod},          {"selector", read_selector},
        {"containers", read_containers}, {"minPods", read_min_pods},
    };
    struct target target = {.selector = PODPID_SELECTOR_INIT, .min_pods = 1};
    int rc = read_map(p, v, "a target", fields, sizeof(fields) / sizeof(fields[0]), &target);

    if (rc < 0) {
        return rc;
    }
    if (!target.selector.namespace_ && !target.selector.pod && !target.selector.labels &&
        !target.containers) {
        return yaml_error(p->err, p->file, v,
                          "expected at least one of namespace, pod, selector, containers in a "
                          "target (pod: \"*\" is all)");
    }
    rc = describe(p, v, &target);
    return rc < 0 ? rc : targets_append(p->t, &target, p->err);
}

static int read_targets(struct policy *p, const struct yaml_value *v, void *into)
{
    int rc = want_list(p, v, "targets");

    (void)into;
    for (size_t i = 0; rc == 0 && i < v->n; i++) {
        rc = read_target(p, v->items[i]);
    }
    return rc;
}

static int read_check(struct policy *p, const struct yaml_value *key, const struct yaml_value *v)
{
    static const struct {
        const char *name;
        enum check_level level;
    } levels[] = {{"fail", LEVEL_FAIL}, {"warn", LEVEL_WARN}, {"ignore", LEVEL_IGNORE}};
    enum check_id id;

    if (!check_by_name(key->text, &id)) {
        return yaml_error(p->err, p->file, key,
                          "unknown check \"%.64s\": expected an id such as runtime.ready "
                          "(podpid preflight lists them)",
                          key->text);
    }
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        if (yaml_is_string(v) && strcmp(v->text, levels[i].name) == 0) {
            int rc = claim(p, v, &p->t->level_said_at[id], p->t->levels[id] == levels[i].level,
                           key->text);

            p->t->levels[id] = rc < 0 ? p->t->levels[id] : levels[i].level;
            return rc;
        }
    }
    return yaml_error(p->err, p->file, v, "expected fail, warn or ignore for %s", key->text);
}

static int read_checks(struct policy *p, const struct yaml_value *v, void *into)
{
    int rc = 0;

    (void)into;
    if (v->kind != YAML_MAP) {
        return yaml_error(p->err, p->file, v, "expected a map for checks, not %s",
                          yaml_kind_name(v));
    }
    for (size_t i = 0; rc == 0 && i + 1 < v->n; i += 2) {
        rc = read_check(p, v->items[i], v->items[i + 1]);
    }
    return rc;
}

static int read_path(struct policy *p, const struct yaml_value *v, void *into)
{
    struct podpid_policy *policy = &p->t->policy;
    int rc = want_string(p, v, "path");

    (void)into;
    if (rc < 0) {
        return rc;
    }
    if (v->text[0] != '/' || v->text[v->n - 1] == '/') {
        return yaml_error(p->err, p->file, v, "expected the absolute path of a file for path");
    }
    rc = claim(p, v, &p->t->said_at[SCALAR_PATH],
               policy->handoff_path && strcmp(policy->handoff_path, v->text) == 0, "handoff path");
    policy->handoff_path = rc < 0 ? policy->handoff_path : v->text;
    return rc;
}

static int read_mode(struct policy *p, const struct yaml_value *v, void *into)
{
    struct podpid_policy *policy = &p->t->policy;
    int mode = 0, rc;

    (void)into;
    if (v->kind != YAML_TEXT || v->n < 3 || v->n > 4 || (v->n == 4 && v->text[0] != '0') ||
        strspn(v->text, "01234567") != v->n) {
        return yaml_error(p->err, p->file, v,
                          "expected a mode of three or four octal digits such as \"0640\"");
    }
    for (size_t i = 0; i < v->n; i++) {
        mode = mode * 8 + (v->text[i] - '0');
    }
    if (mode == 0) {
        return yaml_error(p->err, p->file, v, "expected a mode that lets somebody read the file");
    }
    rc = claim(p, v, &p->t->said_at[SCALAR_MODE], policy->handoff_mode == mode, "handoff mode");
    policy->handoff_mode = rc < 0 ? policy->handoff_mode : mode;
    return rc;
}

static int read_group(struct policy *p, const struct yaml_value *v, void *into)
{
    struct podpid_policy *policy = &p->t->policy;
    int rc = want_string(p, v, "group");

    (void)into;
    if (rc < 0) {
        return rc;
    }
    rc = claim(p, v, &p->t->said_at[SCALAR_GROUP],
               policy->handoff_group && strcmp(policy->handoff_group, v->text) == 0,
               "handoff group");
    policy->handoff_group = rc < 0 ? policy->handoff_group : v->text;
    return rc;
}

static int read_handoff(struct policy *p, const struct yaml_value *v, void *into)
{
    static const struct field fields[] = {
        {"path", read_path}, {"mode", read_mode}, {"group", read_group}};

    return read_map(p, v, "handoff", fields, sizeof(fields) / sizeof(fields[0]), into);
}

static bool has_version(const struct yaml_value *root, const char *wanted)
{
    const char *version = yaml_string(yaml_get(root, "apiVersion"));

    return version && strcmp(version, wanted) == 0;
}

int policy_read(struct podpid_targets *t, const struct yaml_stream *s, struct err *err)
{
    static const struct field fields[] = {
        {"apiVersion", read_api_version},
        {"kind", read_kind},
        {"runtimeEndpoint", read_endpoint},
        {"wait", read_wait},
        {"vmHandlers", read_vm_handlers},
        {"targets", read_targets},
        {"checks", read_checks},
        {"handoff", read_handoff},
    };
    struct policy p = {.t = t, .file = s->file, .err = err};
    const struct yaml_value *root = s->roots[0];

    if (!has_version(root, "podpid/v1")) {
        return targets_bad_version(s, root, err);
    }
    for (size_t i = 1; i < s->n; i++) {
        if (has_version(s->roots[i], "v1")) {
            return targets_mixed(s, s->roots[i], err);
        }
    }
    if (s->n > 1) {
        return yaml_error(err, s->file, s->roots[1], "expected one document in a policy");
    }
    if (!yaml_get(root, "kind")) {
        return yaml_error(err, s->file, root, "expected kind PreflightPolicy");
    }
    return read_map(&p, root, "a PreflightPolicy", fields, sizeof(fields) / sizeof(fields[0]),
                    NULL);
}
