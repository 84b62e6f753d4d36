/* Reading runtime.json: the runtime view. */
#include "resolver/capture/impl.h"

#include <errno.h>
#include <string.h>

#include "resolver/capture/read_json.h"

/* The longest ID that is read, in characters; runtimes give IDs of 64 hexadecimal digits. */
enum { ID_MOST = 128 };

/* Whether s is a UUID ("8-4-4-4-12" hexadecimal digits), which some runtimes use as an ID. */
static bool is_uuid(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? s.p[i] != '-' : !str_is_hex((struct str){s.p + i, 1})) {
            return false;
        }
    }
    return s.n == 36;
}

static int check_id(const struct json_place *at, const char *key, const char *id)
{
    struct str s = str_of(id);

    if (s.n <= ID_MOST && (str_is_hex(s) || is_uuid(s))) {
        return 0;
    }
    return json_refuse(at, key, "\"%.80s\" is no id: lower-case hex digits, %d at most", id,
                       ID_MOST);
}

static int read_id(const struct json_place *at, const char **ret)
{
    int rc = json_need_string(at, "id", ret);

    return rc < 0 ? rc : check_id(at, "id", *ret);
}

/* Read the labels. *all_values becomes false where a value is missing: without --with-labels a
 * capture has the keys only. */
static int read_labels(const struct json_place *at, const struct view_label **ret, size_t *ret_n,
                       bool *all_values)
{
    struct view_label *all;
    const json_t *labels;
    const char *key;
    json_t *value;
    size_t n = 0;
    int rc = json_get_object(at, "labels", &labels);

    if (rc < 0) {
        return rc;
    }
    if (!labels) {
        *all_values = false;
        return 0;
    }
    all = arena_calloc(at->arena, json_object_size(labels), sizeof(*all));
    if (!all) {
        return err_nomem(at->err);
    }
    /* jansson's macro takes no pointer to const, though it changes nothing. */
    json_object_foreach((json_t *)(uintptr_t)labels, key, value)
    {
        if (!json_is_string(value) && !json_is_null(value)) {
            return json_refuse(at, "labels", "the value of \"%.60s\" is no string", key);
        }
        all[n].key = arena_strdup(at->arena, key);
        all[n].value = arena_strdup(at->arena, json_string_value(value));
        if (!all[n].key || (json_is_string(value) && !all[n].value)) {
            return err_nomem(at->err);
        }
        if (!all[n].value) {
            *all_values = false;
        }
        n++;
    }
    *ret = all;
    *ret_n = n;
    return 0;
}

/* Read what pods and containers have in common: pid, cgroups_path, runtime_type and error. */
static int read_status(const struct json_place *at, int32_t *ret_pid, const char **ret_path,
                       const char **ret_type, enum view_status *ret_status, const char **ret_error)
{
    int64_t pid = 0;
    const char *error = NULL;
    int rc;

    rc = json_get_integer(at, "pid", 0, INT32_MAX, &pid);
    if (rc < 0) {
        return rc;
    }
    rc = json_get_texts(at,
                        (struct json_text[]){{"cgroups_path", ret_path},
                                             {"runtime_type", ret_type},
                                             {"error", &error}},
                        3);
    if (rc < 0) {
        return rc;
    }
    *ret_pid = (int32_t)pid;
    *ret_status = VIEW_STATUS_OK;
    if (error && *error) {
        *ret_status = VIEW_STATUS_FAILED;
        *ret_error = error;
    }
    return 0;
}

static int read_attempt(const struct json_place *at, uint32_t *ret)
{
    int64_t attempt = 0;
    int rc = json_get_integer(at, "attempt", 0, UINT32_MAX, &attempt);

    *ret = (uint32_t)attempt;
    return rc;
}

static int read_pod(const struct json_place *at, struct view_pod *p, bool *label_values)
{
    const char *state = NULL;
    int rc;

    if ((rc = read_id(at, &p->id)) < 0 || (rc = json_need_string(at, "state", &state)) < 0 ||
        (rc = json_get_texts(at,
                             (struct json_text[]){{"namespace", &p->namespace_},
                                                  {"name", &p->name},
                                                  {"uid", &p->uid},
                                                  {"runtime_handler", &p->runtime_handler},
                                                  {"cgroup_parent", &p->cgroup_parent}},
                             5)) < 0 ||
        (rc = read_attempt(at, &p->attempt)) < 0 ||
        (rc = json_get_time(at, "created_at", &p->created_at)) < 0 ||
        (rc = read_labels(at, &p->labels, &p->n_labels, label_values)) < 0 ||
        (rc = read_status(at, &p->pid, &p->cgroups_path, &p->runtime_type, &p->status, &p->error)) <
            0) {
        return rc;
    }
    p->ready = strcmp(state, "ready") == 0;
    if (!p->ready && strcmp(state, "notready") != 0) {
        return json_refuse(at, "state", "\"%.60s\" is neither \"ready\" nor \"notready\"", state);
    }
    return 0;
}

static int read_container(const struct json_place *at, struct view_container *c)
{
    int64_t exit_code = 0;
    const char *state = NULL;
    bool label_values = true;
    int rc;

    if ((rc = read_id(at, &c->id)) < 0 || (rc = json_need_string(at, "state", &state)) < 0 ||
        (rc = json_get_texts(at,
                             (struct json_text[]){{"sandbox_id", &c->sandbox_id},
                                                  {"name", &c->name},
                                                  {"image", &c->image}},
                             3)) < 0 ||
        (rc = read_attempt(at, &c->attempt)) < 0 ||
        (rc = json_get_time(at, "created_at", &c->created_at)) < 0 ||
        (rc = json_get_time(at, "started_at", &c->started_at)) < 0 ||
        (rc = json_get_time(at, "finished_at", &c->finished_at)) < 0 ||
        (rc = json_get_integer(at, "exit_code", INT32_MIN, INT32_MAX, &exit_code)) < 0 ||
        (rc = read_labels(at, &c->labels, &c->n_labels, &label_values)) < 0 ||
        (rc = read_status(at, &c->pid, &c->cgroups_path, &c->runtime_type, &c->status, &c->error)) <
            0) {
        return rc;
    }
    c->exit_code = (int32_t)exit_code;
    if (!view_state_parse(state, &c->state)) {
        return json_refuse(at, "state", "\"%.60s\" is none of created, running, exited, unknown",
                           state);
    }
    return 0;
}

static int read_pods(struct json_place at, struct view *v, bool *label_values)
{
    const json_t *list;
    int rc = json_get_array(&at, "pods", &list);

    if (rc < 0 || !list) {
        return rc;
    }
    v->n_pods = json_array_size(list);
    v->pods = arena_calloc(at.arena, v->n_pods, sizeof(*v->pods));
    if (!v->pods) {
        return err_nomem(at.err);
    }
    at.list = "pods";
    for (at.index = 0; at.index < v->n_pods; at.index++) {
        at.object = json_array_get(list, at.index);
        rc = json_is_object(at.object) ? read_pod(&at, &v->pods[at.index], label_values)
                                       : json_refuse(&at, NULL, "not an object");
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

static int read_containers(struct json_place at, struct view *v)
{
    const json_t *list;
    int rc = json_get_array(&at, "containers", &list);

    if (rc < 0 || !list) {
        return rc;
    }
    v->n_containers = json_array_size(list);
    v->containers = arena_calloc(at.arena, v->n_containers, sizeof(*v->containers));
    if (!v->containers) {
        return err_nomem(at.err);
    }
    at.list = "containers";
    for (at.index = 0; at.index < v->n_containers; at.index++) {
        at.object = json_array_get(list, at.index);
        rc = json_is_object(at.object) ? read_container(&at, &v->containers[at.index])
                                       : json_refuse(&at, NULL, "not an object");
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

/* Check what no row shows by itself: IDs that are there twice, sandboxes that are missing. The view
 * is sorted. */
static int check_whole(const struct json_place *at, const struct view *v)
{
    for (size_t i = 1; i < v->n_pods; i++) {
        if (strcmp(v->pods[i - 1].id, v->pods[i].id) == 0) {
            return json_refuse(at, "pods", "two pods have the id %.80s", v->pods[i].id);
        }
    }
    for (size_t i = 0; i < v->n_containers; i++) {
        const struct view_container *c = &v->containers[i];

        if (i > 0 && strcmp(v->containers[i - 1].id, c->id) == 0) {
            return json_refuse(at, "containers", "two containers have the id %.80s", c->id);
        }
        if (view_find_pod(v, c->id)) {
            return json_refuse(at, "containers", "a pod and a container have the id %.80s", c->id);
        }
        if (c->sandbox_id && !view_find_pod(v, c->sandbox_id)) {
            return json_refuse(at, "containers", "%.80s is in the sandbox %.80s, which is no pod",
                               c->id, c->sandbox_id);
        }
    }
    return 0;
}

int capture_read_view(int dir_fd, const char *dir, struct arena *a, struct capture *ret,
                      struct err *err)
{
    static const char file[] = "runtime.json";
    AUTO_JSON json_t *root = NULL;
    struct view *v = &ret->view;
    struct json_place at = {.dir = dir, .file = file, .arena = a, .err = err};
    int64_t format = CAPTURE_FORMAT;
    int rc = capture_read_json(dir_fd, dir, file, &root, err);

    if (rc < 0) {
        return rc;
    }
    at.object = root;
    rc = json_get_integer(&at, "format", 1, INT64_MAX, &format);
    if (rc < 0) {
        return rc;
    }
    if (format > CAPTURE_FORMAT) {
        return json_refuse(&at, "format", "%lld is newer than this program, which reads %d",
                           (long long)format, CAPTURE_FORMAT);
    }
    ret->has_label_values = true;
    if ((rc = json_get_texts(&at,
                             (struct json_text[]){{"name", &v->runtime.name},
                                                  {"version", &v->runtime.version},
                                                  {"api", &v->runtime.api},
                                                  {"cgroup_driver", &v->runtime.cgroup_driver},
                                                  {"endpoint", &ret->endpoint}},
                             5)) < 0 ||
        (rc = json_get_strings(&at, "warnings", &v->warnings, &v->n_warnings)) < 0 ||
        (rc = read_pods(at, v, &ret->has_label_values)) < 0 || (rc = read_containers(at, v)) < 0) {
        return rc;
    }
    view_sort(v);
    ret->has_runtime = v->runtime.name || v->n_pods || v->n_containers;
    return check_whole(&at, v);
}
