/* Pod manifests as kubectl prints them: a v1 Pod or List, YAML or JSON, several documents. */
#include "resolver/targets/targets.h"

#include <string.h>

enum {
    MOST_ID_BYTES = 128,   /* ids are 64 hex digits; room for a longer hash */
    MOST_CONTAINERS = 1000 /* of a pod: each container of the spec is compared with each status */
};

struct manifest {
    struct podpid_targets *t;
    const char *file;
    const char *node; /* this node's name; NULL: not known, the pods of every node are read */
    struct err *err;
};

/* "containerd://<id>" without the scheme. */
static const char *without_scheme(const char *id)
{
    const char *colon = strstr(id, "://");

    return colon ? colon + 3 : id;
}

static int check_id(struct manifest *m, const struct yaml_value *at, const char *id)
{
    if (!str_is_hex(str_of(id)) || strlen(id) > MOST_ID_BYTES) {
        return yaml_error(m->err, m->file, at,
                          "expected a container id such as containerd://<64 hex digits>");
    }
    return 0;
}

/* Read one member of a ...Statuses list; lastState is left out: it names a container that has
 * ended. only_running: *ret_take is false for a container that does not run. */
static int read_status(struct manifest *m, const struct yaml_value *v, bool only_running,
                       struct manifest_container *ret, bool *ret_take)
{
    const struct yaml_value *id = yaml_get(v, "containerID");

    if (v->kind != YAML_MAP) {
        return yaml_error(m->err, m->file, v, "expected a map for a container's status, not %s",
                          yaml_kind_name(v));
    }
    if (id && id->kind != YAML_TEXT) {
        return yaml_error(m->err, m->file, id, "expected a string for containerID, not %s",
                          yaml_kind_name(id));
    }
    *ret_take = !only_running || yaml_path(v, "state", "running", NULL);
    ret->name = yaml_string(yaml_get(v, "name"));
    ret->id = id && id->n ? without_scheme(id->text) : NULL;
    return ret->id ? check_id(m, id, ret->id) : 0;
}

/* Append the containers of one list of statuses (status.<key>) to all, which has room for them. */
static int read_statuses(struct manifest *m, const struct yaml_value *pod_value, const char *key,
                         bool only_running, struct manifest_container *all, size_t *n)
{
    const struct yaml_value *list = yaml_path(pod_value, "status", key, NULL);

    if (!list) {
        return 0;
    }
    if (list->kind != YAML_LIST) {
        return yaml_error(m->err, m->file, list, "expected a list for %s, not %s", key,
                          yaml_kind_name(list));
    }
    for (size_t i = 0; i < list->n; i++) {
        struct manifest_container one;
        bool take = false;
        int rc = read_status(m, list->items[i], only_running, &one, &take);

        if (rc < 0) {
            return rc;
        }
        if (take) {
            all[(*n)++] = one;
        }
    }
    return 0;
}

/* Members of a list; 0 for NULL and for any other value. */
static size_t list_length(const struct yaml_value *list)
{
    return list && list->kind == YAML_LIST ? list->n : 0;
}

/* Append the containers of the spec that have no status yet: they are targets that have not
 * started. */
static void add_unstarted(const struct yaml_value *pod_value, struct manifest_container *all,
                          size_t *n)
{
    const struct yaml_value *spec = yaml_path(pod_value, "spec", "containers", NULL);
    size_t known = *n;

    for (size_t i = 0; i < list_length(spec); i++) {
        const char *name = yaml_string(yaml_get(spec->items[i], "name"));
        size_t k = 0;

        while (name && k < known && !(all[k].name && strcmp(all[k].name, name) == 0)) {
            k++;
        }
        if (name && k == known) {
            all[(*n)++] = (struct manifest_container){.name = name};
        }
    }
}

static int read_containers(struct manifest *m, const struct yaml_value *v, struct manifest_pod *pod)
{
    size_t most = list_length(yaml_path(v, "status", "containerStatuses", NULL)) +
                  list_length(yaml_path(v, "status", "initContainerStatuses", NULL)) +
                  list_length(yaml_path(v, "status", "ephemeralContainerStatuses", NULL)) +
                  list_length(yaml_path(v, "spec", "containers", NULL));
    struct manifest_container *all = arena_calloc(&m->t->arena, most, sizeof(*all));
    size_t n = 0;
    int rc;

    if (!all) {
        return err_nomem(m->err);
    }
    if (most > MOST_CONTAINERS) {
        return yaml_error(m->err, m->file, v, "expected at most %d containers in one pod",
                          MOST_CONTAINERS);
    }
    rc = read_statuses(m, v, "containerStatuses", false, all, &n);
    if (rc < 0) {
        return rc;
    }
    add_unstarted(v, all, &n);
    rc = read_statuses(m, v, "initContainerStatuses", true, all, &n);
    if (rc < 0) {
        return rc;
    }
    rc = read_statuses(m, v, "ephemeralContainerStatuses", true, all, &n);
    if (rc < 0) {
        return rc;
    }
    pod->containers = all;
    pod->n_containers = n;
    if (n == 0) {
        return yaml_error(m->err, m->file, v, "expected containers in the pod's status or spec");
    }
    return 0;
}

static int read_pod(struct manifest *m, const struct yaml_value *v)
{
    const struct yaml_value *name = yaml_path(v, "metadata", "name", NULL);
    const char *phase = yaml_string(yaml_path(v, "status", "phase", NULL));
    struct manifest_pod pod = {.file = m->file};
    int rc;

    if (!name || name->kind != YAML_TEXT || name->n == 0) {
        return yaml_error(m->err, m->file, name ? name : v, "expected a name in metadata");
    }
    pod.name = name->text;
    pod.namespace_ = yaml_string(yaml_path(v, "metadata", "namespace", NULL));
    pod.namespace_ = pod.namespace_ ? pod.namespace_ : "default";
    pod.uid = yaml_string(yaml_path(v, "metadata", "uid", NULL));
    pod.config_hash =
        yaml_string(yaml_path(v, "metadata", "annotations", "kubernetes.io/config.hash", NULL));
    pod.node = yaml_string(yaml_path(v, "spec", "nodeName", NULL));
    if (pod.node && m->node && strcmp(pod.node, m->node) != 0) {
        m->t->n_other_node++;
        return 0;
    }
    if (phase && (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0)) {
        m->t->n_finished++;
        return 0;
    }
    rc = read_containers(m, v, &pod);
    if (rc < 0) {
        return rc;
    }
    return ARENA_APPEND(&m->t->arena, m->t->pods, m->t->n_pods, m->t->cap_pods, pod) < 0
               ? err_nomem(m->err)
               : 0;
}

static int read_list(struct manifest *m, const struct yaml_value *list)
{
    const struct yaml_value *items = yaml_get(list, "items");

    if (!items || items->kind != YAML_LIST) {
        return yaml_error(m->err, m->file, items ? items : list, "expected a list of items");
    }
    for (size_t i = 0; i < items->n; i++) {
        const struct yaml_value *item = items->items[i];
        const char *kind = yaml_string(yaml_get(item, "kind"));
        int rc = 0;

        if (item->kind != YAML_MAP) {
            return yaml_error(m->err, m->file, item, "expected a Pod, not %s",
                              yaml_kind_name(item));
        }
        /* Items of a PodList have no kind. */
        if (!kind || strcmp(kind, "Pod") == 0) {
            rc = read_pod(m, item);
        }
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

static int read_document(struct manifest *m, const struct yaml_stream *s,
                         const struct yaml_value *root)
{
    const struct yaml_value *kind = yaml_get(root, "kind");
    const char *name = yaml_string(kind);
    const char *version = yaml_string(yaml_get(root, "apiVersion"));

    if (version && strcmp(version, "podpid/v1") == 0) {
        return targets_mixed(s, root, m->err);
    }
    if (!version || strcmp(version, "v1") != 0) {
        return targets_bad_version(s, root, m->err);
    }
    if (name && strcmp(name, "Pod") == 0) {
        return read_pod(m, root);
    }
    if (name && (strcmp(name, "List") == 0 || strcmp(name, "PodList") == 0)) {
        return read_list(m, root);
    }
    return yaml_error(m->err, m->file, kind ? kind : root, "expected kind Pod or List");
}

int manifest_read(struct podpid_targets *t, const struct yaml_stream *s, const char *node_name,
                  struct err *err)
{
    struct manifest m = {.t = t, .file = s->file, .node = node_name, .err = err};
    int rc = 0;

    t->manifest = true;
    for (size_t i = 0; rc == 0 && i < s->n; i++) {
        rc = read_document(&m, s, s->roots[i]);
    }
    return rc;
}
