#include "cri/docker/json.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "cri/base/clock.h"
#include "cri/docker/pods.h"
#include "cri/lists.h"
#include "cri/runtimes.h"

DEFINE_CLEANUP(json_decref, json_t *)
#define AUTO_JSON CLEANUP(cleanup_json_decref)

/* Reads one reply. what names the reply in errors; rc and err keep its first error. */
struct reader {
    struct arena *arena;
    const char *what;
    struct err *err;
    int rc;
};

static void wrong(struct reader *r, const char *key, const char *expected)
{
    if (r->rc == 0) {
        r->rc = err_set(r->err, ERR_RUNTIME, EPROTO, "%s: %s is not %s", r->what, key, expected);
    }
}

static void out_of_memory(struct reader *r)
{
    r->rc = err_nomem(r->err);
}

/* For each getter null is the same as a missing key. */

static json_t *get_object(struct reader *r, const json_t *o, const char *key)
{
    json_t *v = json_object_get(o, key);

    if (!v || json_is_null(v)) {
        return NULL;
    }
    if (!json_is_object(v)) {
        wrong(r, key, "an object");
        return NULL;
    }
    return v;
}

static const char *copy_string(struct reader *r, const json_t *v)
{
    /* Cut at a NUL inside. */
    const char *s = arena_strdup(r->arena, json_string_value(v));

    if (!s) {
        out_of_memory(r);
    }
    return s;
}

static const char *get_string(struct reader *r, const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);

    if (!v || json_is_null(v)) {
        return NULL;
    }
    if (!json_is_string(v)) {
        wrong(r, key, "a text");
        return NULL;
    }
    return json_string_length(v) ? copy_string(r, v) : NULL;
}

static int64_t get_integer(struct reader *r, const json_t *o, const char *key, int64_t min,
                           int64_t max)
{
    const json_t *v = json_object_get(o, key);

    if (!v || json_is_null(v)) {
        return 0;
    }
    if (!json_is_integer(v) || json_integer_value(v) < min || json_integer_value(v) > max) {
        wrong(r, key, "a number that makes sense");
        return 0;
    }
    return json_integer_value(v);
}

/* Go's zero time "0001-01-01T00:00:00Z" means never; it does not fit nanoseconds and gives 0. */
static int64_t get_time(struct reader *r, const json_t *o, const char *key)
{
    const char *s = get_string(r, o, key);
    int64_t ns;

    return s && text_to_time(s, &ns) && ns > 0 ? ns : 0;
}

static void get_labels(struct reader *r, const json_t *o, const char *key, struct docker_facts *ret)
{
    json_t *labels = get_object(r, o, key), *value;
    struct view_label *all;
    const char *name;

    if (!labels) {
        return;
    }
    all = arena_calloc(r->arena, json_object_size(labels), sizeof(*all));
    if (!all) {
        out_of_memory(r);
        return;
    }
    ret->labels = all;
    json_object_foreach(labels, name, value)
    {
        struct view_label *l = &all[ret->n_labels];

        if (!json_is_string(value)) {
            wrong(r, key, "an object of texts");
            return;
        }
        l->key = arena_strdup(r->arena, name);
        l->value = copy_string(r, value);
        if (!l->key || !l->value) {
            out_of_memory(r);
            return;
        }
        ret->n_labels++;
    }
}

/* An image's label may hold an escaped NUL, which would make the whole list unreadable: it becomes
 * U+FFFD. A backslash is always followed by what it escapes. */
static void replace_nul_escapes(char *p, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        if (p[i] != '\\') {
            continue;
        }
        if (n - i >= 6 && memcmp(p + i + 1, "u0000", 5) == 0) {
            memcpy(p + i + 2, "fffd", 4);
        }
        i++;
    }
}

static json_t *load(struct reader *r, struct str body)
{
    CLEANUP(buf_free) struct buf clean = {0};
    json_error_t error;
    json_t *root;

    buf_put_utf8(&clean, body.p, body.n);
    if (clean.failed) {
        out_of_memory(r);
        return NULL;
    }
    replace_nul_escapes(clean.p, clean.n);
    root = json_loadb(clean.n ? clean.p : "", clean.n, 0, &error);
    if (!root) {
        r->rc = err_set(r->err, ERR_RUNTIME, EPROTO, "%s: %s", r->what, error.text);
    }
    return root;
}

/* The name of the engine that says in the components of its /version which one it is; else
 * "docker". */
static const char *engine_name(const json_t *version)
{
    const json_t *components = json_object_get(version, "Components"), *c;
    size_t i;

    json_array_foreach(components, i, c)
    {
        const struct runtime *r =
            runtime_of_component(json_string_value(json_object_get(c, "Name")));

        if (r) {
            return r->name;
        }
    }
    return "docker";
}

int docker_parse_version(struct str body, struct arena *a, struct view_runtime *ret,
                         struct err *err)
{
    struct reader r = {.arena = a, .what = "/version", .err = err};
    AUTO_JSON json_t *root = load(&r, body);
    const char *version;

    if (!root) {
        return r.rc;
    }
    version = get_string(&r, root, "Version");
    if (!version) {
        wrong(&r, "Version", "given");
        return r.rc;
    }
    *ret = (struct view_runtime){.name = engine_name(root), .version = version, .api = "docker"};
    return 0;
}

int docker_parse_info(struct str body, struct arena *a, const char **ret_driver, struct err *err)
{
    struct reader r = {.arena = a, .what = "/info", .err = err};
    AUTO_JSON json_t *root = load(&r, body);
    const char *driver;

    if (!root) {
        return r.rc;
    }
    if (!json_is_object(root)) {
        wrong(&r, "it", "an object");
    }
    driver = get_string(&r, root, "CgroupDriver");
    if (r.rc == 0) {
        *ret_driver = driver;
    }
    return r.rc;
}

/* The states of dockerd and of podman's service. A paused container is a running one. */
static enum view_state state_of(const char *name)
{
    static const struct {
        const char *name;
        enum view_state state;
    } states[] = {
        {"running", VIEW_RUNNING},   {"paused", VIEW_RUNNING},      {"stopping", VIEW_RUNNING},
        {"created", VIEW_CREATED},   {"initialized", VIEW_CREATED}, {"configured", VIEW_CREATED},
        {"restarting", VIEW_EXITED}, {"dead", VIEW_EXITED},         {"removing", VIEW_EXITED},
        {"exited", VIEW_EXITED},     {"stopped", VIEW_EXITED},
    };

    for (size_t i = 0; name && i < N_ELEMENTS(states); i++) {
        if (strcmp(name, states[i].name) == 0) {
            return states[i].state;
        }
    }
    return VIEW_UNKNOWN;
}

static const char *without_slash(const char *name)
{
    return name && name[0] == '/' ? name + 1 : name;
}

/* Attach the facts to a row and apply its labels; for lists and inspections. */
static void finish_row(struct reader *r, const struct docker_facts *facts,
                       struct view_container *row)
{
    struct docker_facts *copy = arena_alloc(r->arena, sizeof(*copy));

    if (!copy) {
        out_of_memory(r);
        return;
    }
    *copy = *facts;
    row->docker = copy;
    row->runtime_type = copy->runtime;
    docker_claim(row);
}

/* False: r->err says why the row cannot be used. */
static bool parse_list_row(struct reader *r, const json_t *o, struct view_container *ret)
{
    const json_t *names = json_object_get(o, "Names");
    struct docker_facts facts = {0};
    const json_t *host;
    int64_t created;

    if (!json_is_object(o)) {
        wrong(r, "a row", "an object");
        return false;
    }
    ret->id = get_string(r, o, "Id");
    if (r->rc == 0 && !(ret->id && docker_id_is_plain(ret->id))) {
        wrong(r, "Id", "an id");
    }
    if (json_is_string(json_array_get(names, 0))) {
        facts.name = without_slash(copy_string(r, json_array_get(names, 0)));
    }
    ret->image = get_string(r, o, "Image");
    ret->state = state_of(get_string(r, o, "State"));
    created = get_integer(r, o, "Created", INT64_MIN, INT64_MAX / NSEC_PER_SEC);
    ret->created_at = created > 0 ? created * NSEC_PER_SEC : 0;
    get_labels(r, o, "Labels", &facts);
    host = get_object(r, o, "HostConfig");
    facts.network_mode = get_string(r, host, "NetworkMode");
    finish_row(r, &facts, ret);
    return r->rc == 0;
}

/* Put a claimed sandbox with the pods, any other row with the containers. */
static int place_row(struct reader *r, const struct view_container *row, struct view *v)
{
    struct view_container *copy;

    if (!docker_claims_sandbox(row)) {
        v->containers[v->n_containers++] = *row;
        return 0;
    }
    copy = arena_alloc(r->arena, sizeof(*copy));
    if (!copy) {
        return err_nomem(r->err);
    }
    *copy = *row;
    docker_pod_of(copy, &v->pods[v->n_pods++]);
    return 0;
}

static int warn_of_rows(struct arena *a, struct view *v, size_t bad, const struct err *first)
{
    const char **warnings = arena_calloc(a, 1, sizeof(*warnings));

    if (!warnings) {
        return -ENOMEM;
    }
    warnings[0] =
        arena_printf(a, "%zu of the runtime's containers cannot be listed: %s", bad, first->text);
    v->warnings = warnings;
    v->n_warnings = 1;
    return warnings[0] ? 0 : -ENOMEM;
}

int docker_parse_list(struct str body, struct arena *a, struct view *ret, struct err *err)
{
    struct reader r = {.arena = a, .what = "/containers/json", .err = err};
    AUTO_JSON json_t *root = load(&r, body);
    struct err first = {0};
    struct view v = {0};
    size_t i, n, bad = 0;
    const json_t *o;

    if (!root) {
        return r.rc;
    }
    if (!json_is_array(root)) {
        wrong(&r, "it", "a list");
        return r.rc;
    }
    n = json_array_size(root);
    v.pods = arena_calloc(a, n, sizeof(*v.pods));
    v.containers = arena_calloc(a, n, sizeof(*v.containers));
    if (!v.pods || !v.containers) {
        return err_nomem(err);
    }
    json_array_foreach(root, i, o)
    {
        struct err why = {0};
        struct reader row_reader = {.arena = a, .what = r.what, .err = &why};
        struct view_container row = {0};

        if (parse_list_row(&row_reader, o, &row) && place_row(&row_reader, &row, &v) == 0) {
            continue;
        }
        if (row_reader.rc == -ENOMEM) {
            return err_nomem(err);
        }
        if (bad++ == 0) {
            first = why;
        }
    }
    if (bad && warn_of_rows(a, &v, bad, &first) < 0) {
        return err_nomem(err);
    }
    if (lists_settle(&v, true, a) < 0) {
        return err_nomem(err);
    }
    *ret = v;
    return 0;
}

static void parse_state(struct reader *r, const json_t *root, struct view_container *row)
{
    const json_t *state = get_object(r, root, "State");
    const char *status = get_string(r, state, "Status");

    if (!status) {
        wrong(r, "State.Status", "given");
        return;
    }
    row->state = state_of(status);
    row->pid = (int32_t)get_integer(r, state, "Pid", 0, INT32_MAX);
    row->exit_code = (int32_t)get_integer(r, state, "ExitCode", INT32_MIN, INT32_MAX);
    row->started_at = get_time(r, state, "StartedAt");
    row->finished_at = get_time(r, state, "FinishedAt");
}

int docker_parse_inspect(struct str body, struct arena *a, struct view_container *ret,
                         struct err *err)
{
    struct reader r = {.arena = a, .what = "/containers/<id>/json", .err = err};
    AUTO_JSON json_t *root = load(&r, body);
    struct view_container row = {.status = VIEW_STATUS_OK};
    struct docker_facts facts = {0};
    const json_t *host, *config;

    if (!root) {
        return r.rc;
    }
    row.id = get_string(&r, root, "Id");
    if (!row.id) {
        wrong(&r, "Id", "given");
        return r.rc;
    }
    parse_state(&r, root, &row);
    row.created_at = get_time(&r, root, "Created");
    facts.name = without_slash(get_string(&r, root, "Name"));
    host = get_object(&r, root, "HostConfig");
    facts.cgroup_parent = get_string(&r, host, "CgroupParent");
    facts.network_mode = get_string(&r, host, "NetworkMode");
    facts.ipc_mode = get_string(&r, host, "IpcMode");
    facts.runtime = get_string(&r, host, "Runtime");
    config = get_object(&r, root, "Config");
    row.image = get_string(&r, config, "Image");
    get_labels(&r, config, "Labels", &facts);
    finish_row(&r, &facts, &row);
    if (r.rc == 0) {
        *ret = row;
    }
    return r.rc;
}

const char *docker_parse_message(struct str body, struct arena *a)
{
    struct reader r = {.arena = a, .what = "error"};
    AUTO_JSON json_t *root = load(&r, body);

    return root ? get_string(&r, root, "message") : NULL;
}

bool docker_id_is_plain(const char *id)
{
    size_t n = strspn(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.-");

    return n > 0 && n <= 128 && id[n] == '\0' && id[0] != '.';
}
