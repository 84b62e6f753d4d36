/* PreflightPolicy: every mistake is one line with file, line, column and what was expected. */
#include "resolver/targets/targets.h"

#include <string.h>

#include "cri/base/cleanup.h"
#include "cri/base/text.h"
#include "cri/endpoint.h"
#include "resolver/snapshot/selector.h"

enum { MOST_MIN_PODS = 100000 }; /* far more than a node can hold: anything above is a typo */

struct policy {
    struct podpid_targets *t;
    const char *file;
    struct target *target; /* the one that is being read, else NULL */
    struct err *err;
};

/* Fail at the place of a value: what was expected there. */
#define REFUSE(p, v, ...) yaml_error((p)->err, (p)->file, v, __VA_ARGS__)

/* One key of a map, and the function that reads its value; NULL: the value was read before. */
struct field {
    const char *name;
    int (*read)(struct policy *p, const struct yaml_value *v);
};

/* ---- Values ---- */

static int want_string(struct policy *p, const struct yaml_value *v, const char *what)
{
    if (v->kind == YAML_TEXT && !yaml_is_null(v) && !yaml_is_string(v)) {
        return REFUSE(p, v, "expected a string for %s, not %s: put it in quotes", what,
                      yaml_kind_name(v));
    }
    if (!yaml_is_string(v)) {
        return REFUSE(p, v, "expected a string for %s, not %s", what, yaml_kind_name(v));
    }
    if (v->n == 0) {
        return REFUSE(p, v, "expected %s, not an empty string", what);
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
    return problem ? REFUSE(p, v, "expected a glob for %s: %s", what, problem) : 0;
}

static int want_list(struct policy *p, const struct yaml_value *v, const char *what)
{
    if (v->kind != YAML_LIST) {
        return REFUSE(p, v, "expected a list for %s, not %s", what, yaml_kind_name(v));
    }
    if (v->n == 0) {
        return REFUSE(p, v, "expected at least one member of %s", what);
    }
    return 0;
}

/* ---- Scalars: several policies may give one, as long as all give the same ---- */

/* Note where a scalar or level was given first; a later policy must give the same. */
static int note_place(struct policy *p, const struct yaml_value *v, const char **said_at, bool same,
                      const char *what)
{
    if (*said_at) {
        return same ? 0 : REFUSE(p, v, "expected the same %s as in %s", what, *said_at);
    }
    *said_at = arena_printf(&p->t->arena, "%s:%u:%u", p->file, v->line, v->column);
    return *said_at ? 0 : err_nomem(p->err);
}

static int keep_text(struct policy *p, const struct yaml_value *v, enum scalar scalar,
                     const char *what, const char **into)
{
    int rc = note_place(p, v, &p->t->said_at[scalar], *into && strcmp(*into, v->text) == 0, what);

    if (rc == 0) {
        *into = v->text;
    }
    return rc;
}

static int read_endpoint(struct policy *p, const struct yaml_value *v)
{
    int rc = want_string(p, v, "runtimeEndpoint");
    struct endpoint endpoint;
    struct err why;

    if (rc < 0) {
        return rc;
    }
    if (endpoint_parse(v->text, &endpoint, &why) < 0) {
        return REFUSE(p, v,
                      "expected a unix socket for runtimeEndpoint, such as "
                      "unix:///run/containerd/containerd.sock: %s",
                      why.text);
    }
    return keep_text(p, v, SCALAR_ENDPOINT, "runtimeEndpoint", &p->t->policy.runtime_endpoint);
}

static int read_path(struct policy *p, const struct yaml_value *v)
{
    int rc = want_string(p, v, "path");

    if (rc < 0) {
        return rc;
    }
    if (v->text[0] != '/' || v->text[v->n - 1] == '/') {
        return REFUSE(p, v, "expected the absolute path of a file for path");
    }
    return keep_text(p, v, SCALAR_PATH, "handoff path", &p->t->policy.handoff_path);
}

static int read_group(struct policy *p, const struct yaml_value *v)
{
    int rc = want_string(p, v, "group");

    return rc < 0 ? rc
                  : keep_text(p, v, SCALAR_GROUP, "handoff group", &p->t->policy.handoff_group);
}

static int read_wait(struct policy *p, const struct yaml_value *v)
{
    struct podpid_policy *policy = &p->t->policy;
    int64_t wait;
    int rc;

    if (v->kind != YAML_TEXT || yaml_is_null(v) || !text_to_duration(v->text, &wait)) {
        return REFUSE(p, v, "expected a duration for wait, such as 60s or 2m");
    }
    rc = note_place(p, v, &p->t->said_at[SCALAR_WAIT], policy->wait == wait, "wait");
    if (rc == 0) {
        policy->wait = wait;
    }
    return rc;
}

static int read_mode(struct policy *p, const struct yaml_value *v)
{
    struct podpid_policy *policy = &p->t->policy;
    int mode, rc;

    if (v->kind != YAML_TEXT || v->n < 3 || v->n > 4 || (v->n == 4 && v->text[0] != '0') ||
        strspn(v->text, "01234567") != v->n) {
        return REFUSE(p, v, "expected a mode of three or four octal digits such as \"0640\"");
    }
    mode = (int)strtol(v->text, NULL, 8);
    if (mode == 0) {
        return REFUSE(p, v, "expected a mode that lets somebody read the file");
    }
    rc =
        note_place(p, v, &p->t->said_at[SCALAR_MODE], policy->handoff_mode == mode, "handoff mode");
    if (rc == 0) {
        policy->handoff_mode = mode;
    }
    return rc;
}

/* ---- Maps ---- */

static int unknown_key(struct policy *p, const struct yaml_value *key, const char *what,
                       const struct field *fields, size_t n_fields)
{
    CLEANUP(buf_free) struct buf known = {0};

    for (size_t i = 0; i < n_fields; i++) {
        buf_printf(&known, "%s%s", i ? ", " : "", fields[i].name);
    }
    return known.failed ? err_nomem(p->err)
                        : REFUSE(p, key, "unknown key \"%.64s\" in %s: expected one of %s",
                                 key->text, what, known.p);
}

/* Read each value of a map by the field of its key; what: what the map is, for messages. */
static int read_map(struct policy *p, const struct yaml_value *map, const char *what,
                    const struct field *fields, size_t n_fields)
{
    if (map->kind != YAML_MAP) {
        return REFUSE(p, map, "expected a map for %s, not %s", what, yaml_kind_name(map));
    }
    for (size_t i = 0; i + 1 < map->n; i += 2) {
        const struct yaml_value *key = map->items[i], *value = map->items[i + 1];
        size_t k = 0;
        int rc;

        while (k < n_fields && strcmp(fields[k].name, key->text) != 0) {
            k++;
        }
        if (k == n_fields) {
            return unknown_key(p, key, what, fields, n_fields);
        }
        rc = fields[k].read ? fields[k].read(p, value) : 0;
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

/* ---- Targets, handlers, levels ---- */

static int read_namespace(struct policy *p, const struct yaml_value *v)
{
    int rc = want_string(p, v, "namespace");

    p->target->selector.namespace_ = v->text;
    return rc;
}

static int read_pod(struct policy *p, const struct yaml_value *v)
{
    int rc = want_glob(p, v, "pod");

    p->target->selector.pod = v->text;
    return rc;
}

static bool is_label(const struct yaml_value *v)
{
    return v->text[strspn(v->text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789-_./")] == '\0';
}

/* Append "key=value" to all. */
static int read_label(struct policy *p, const struct yaml_value *key,
                      const struct yaml_value *value, struct buf *all)
{
    if (!is_label(key) || key->n == 0) {
        return REFUSE(p, key, "expected a label's key");
    }
    if (value->kind != YAML_TEXT || (value->plain && !yaml_is_string(value))) {
        return REFUSE(p, value, "expected a string for a label's value, not %s%s",
                      yaml_kind_name(value), value->kind == YAML_TEXT ? ": put it in quotes" : "");
    }
    if (!is_label(value)) {
        return REFUSE(p, value, "expected a label's value");
    }
    buf_printf(all, "%s%s=%s", all->n ? "," : "", key->text, value->text);
    return 0;
}

static int read_selector(struct policy *p, const struct yaml_value *v)
{
    CLEANUP(buf_free) struct buf all = {0};

    if (v->kind != YAML_MAP || v->n == 0) {
        return REFUSE(p, v, "expected labels for selector, such as {app: web}, not %s",
                      v->kind == YAML_MAP ? "an empty map" : yaml_kind_name(v));
    }
    for (size_t i = 0; i + 1 < v->n; i += 2) {
        int rc = read_label(p, v->items[i], v->items[i + 1], &all);

        if (rc < 0) {
            return rc;
        }
    }
    p->target->selector.labels = all.failed ? NULL : arena_strdup(&p->t->arena, all.p);
    return p->target->selector.labels ? 0 : err_nomem(p->err);
}

static int read_containers(struct policy *p, const struct yaml_value *v)
{
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
    p->target->containers = globs;
    p->target->n_containers = v->n;
    return 0;
}

static int read_min_pods(struct policy *p, const struct yaml_value *v)
{
    uint64_t n = 0;

    if (v->kind != YAML_TEXT || !v->plain || !str_to_u64(str_of(v->text), &n) || n < 1 ||
        n > MOST_MIN_PODS) {
        return REFUSE(p, v, "expected a whole number from 1 to %d for minPods", MOST_MIN_PODS);
    }
    p->target->min_pods = (unsigned)n;
    return 0;
}

static int read_target(struct policy *p, const struct yaml_value *v)
{
    static const struct field fields[] = {
        {"namespace", read_namespace},   {"pod", read_pod},          {"selector", read_selector},
        {"containers", read_containers}, {"minPods", read_min_pods},
    };
    struct target target = {.selector = PODPID_SELECTOR_INIT, .min_pods = 1};
    int rc;

    p->target = &target;
    rc = read_map(p, v, "a target", fields, N_ELEMENTS(fields));
    p->target = NULL;
    if (rc < 0) {
        return rc;
    }
    if (!target.selector.namespace_ && !target.selector.pod && !target.selector.labels &&
        !target.containers) {
        return REFUSE(p, v,
                      "expected at least one of namespace, pod, selector, containers in a "
                      "target (pod: \"*\" is all)");
    }
    target.what = target_label(&p->t->arena, &target.selector);
    if (target.what) {
        target.what = arena_printf(&p->t->arena, "%s (%s:%u)", target.what, p->file, v->line);
    }
    return target.what ? targets_add(p->t, &target, p->err) : err_nomem(p->err);
}

static int read_targets(struct policy *p, const struct yaml_value *v)
{
    int rc = want_list(p, v, "targets");

    for (size_t i = 0; rc == 0 && i < v->n; i++) {
        rc = read_target(p, v->items[i]);
    }
    return rc;
}

/* Handlers of several policies add up. */
static int read_vm_handlers(struct policy *p, const struct yaml_value *v)
{
    int rc = want_list(p, v, "vmHandlers");

    for (size_t i = 0; rc == 0 && i < v->n; i++) {
        const struct yaml_value *handler = v->items[i];
        const char *before = p->t->policy.vm_handlers, *all;

        rc = want_string(p, handler, "a runtime handler");
        if (rc < 0) {
            return rc;
        }
        if (strchr(handler->text, ',')) {
            return REFUSE(p, handler, "expected one runtime handler, without a comma");
        }
        all = arena_printf(&p->t->arena, "%s%s%s", before ? before : "", before ? "," : "",
                           handler->text);
        if (!all) {
            return err_nomem(p->err);
        }
        p->t->policy.vm_handlers = all;
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
        return REFUSE(p, key,
                      "unknown check \"%.64s\": expected an id such as runtime.ready "
                      "(podpid preflight lists them)",
                      key->text);
    }
    for (size_t i = 0; i < N_ELEMENTS(levels); i++) {
        if (yaml_is_string(v) && strcmp(v->text, levels[i].name) == 0) {
            int rc = note_place(p, v, &p->t->level_said_at[id], p->t->levels[id] == levels[i].level,
                                key->text);

            if (rc == 0) {
                p->t->levels[id] = levels[i].level;
            }
            return rc;
        }
    }
    return REFUSE(p, v, "expected fail, warn or ignore for %s", key->text);
}

static int read_checks(struct policy *p, const struct yaml_value *v)
{
    int rc = 0;

    if (v->kind != YAML_MAP) {
        return REFUSE(p, v, "expected a map for checks, not %s", yaml_kind_name(v));
    }
    for (size_t i = 0; rc == 0 && i + 1 < v->n; i += 2) {
        rc = read_check(p, v->items[i], v->items[i + 1]);
    }
    return rc;
}

static int read_handoff(struct policy *p, const struct yaml_value *v)
{
    static const struct field fields[] = {
        {"path", read_path},
        {"mode", read_mode},
        {"group", read_group},
    };

    return read_map(p, v, "handoff", fields, N_ELEMENTS(fields));
}

/* ---- The document ---- */

static int read_kind(struct policy *p, const struct yaml_value *v)
{
    if (!yaml_is_string(v) || strcmp(v->text, "PreflightPolicy") != 0) {
        return REFUSE(p, v, "expected kind PreflightPolicy");
    }
    return 0;
}

static bool has_version(const struct yaml_value *root, const char *wanted)
{
    const char *version = yaml_string(yaml_get(root, "apiVersion"));

    return version && strcmp(version, wanted) == 0;
}

/* Nothing but one policy in the stream. */
static int check_stream(const struct yaml_stream *s, struct err *err)
{
    if (!has_version(s->roots[0], "podpid/v1")) {
        return targets_bad_version(s, s->roots[0], err);
    }
    for (size_t i = 1; i < s->n; i++) {
        if (has_version(s->roots[i], "v1")) {
            return targets_mixed(s, s->roots[i], err);
        }
    }
    if (s->n > 1) {
        return yaml_error(err, s->file, s->roots[1], "expected one document in a policy");
    }
    if (!yaml_get(s->roots[0], "kind")) {
        return yaml_error(err, s->file, s->roots[0], "expected kind PreflightPolicy");
    }
    return 0;
}

int policy_read(struct podpid_targets *t, const struct yaml_stream *s, struct err *err)
{
    static const struct field fields[] = {
        {"apiVersion", NULL}, /* checked by check_stream() */
        {"kind", read_kind},       {"runtimeEndpoint", read_endpoint},
        {"wait", read_wait},       {"vmHandlers", read_vm_handlers},
        {"targets", read_targets}, {"checks", read_checks},
        {"handoff", read_handoff},
    };
    struct policy p = {.t = t, .file = s->file, .err = err};
    int rc = check_stream(s, err);

    return rc < 0 ? rc : read_map(&p, s->roots[0], "a PreflightPolicy", fields, N_ELEMENTS(fields));
}
