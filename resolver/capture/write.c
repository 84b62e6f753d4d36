/* Writing a capture: runtime.json, node.json and cgroups.json, and the order of all parts. */
#include "resolver/capture/capture.h"

#include <errno.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "resolver/capture/folder.h"
#include "resolver/capture/impl.h"
#include "resolver/proc/cgroupfs.h"
#include "resolver/snapshot/json.h"

/* ---- runtime.json ---------------------------------------------------------------------------- */

static json_t *labels_of(const struct view_label *labels, size_t n, bool with_values)
{
    json_t *o = json_object();

    for (size_t i = 0; i < n; i++) {
        doc_put_named(&o, labels[i].key, doc_text(with_values ? labels[i].value : NULL));
    }
    return o;
}

static json_t *error_of(enum view_status status, const char *error)
{
    return status == VIEW_STATUS_FAILED ? doc_text(error && *error ? error : "no reason given")
                                        : json_null();
}

static json_t *pod_of(const struct capture *c, const struct view_pod *p)
{
    json_t *o = json_object();

    doc_put(&o, "id", doc_text(p->id));
    doc_put(&o, "namespace", doc_text(p->namespace_));
    doc_put(&o, "name", doc_text(p->name));
    doc_put(&o, "uid", doc_text(p->uid));
    doc_put(&o, "attempt", doc_number(p->attempt));
    doc_put(&o, "state", doc_text(p->ready ? "ready" : "notready"));
    doc_put(&o, "created_at", doc_time(p->created_at));
    doc_put(&o, "runtime_handler", doc_text(p->runtime_handler));
    doc_put(&o, "runtime_type", doc_text(p->runtime_type));
    doc_put(&o, "labels", labels_of(p->labels, p->n_labels, c->has_label_values));
    doc_put(&o, "pid", doc_number(p->pid > 0 ? (uint64_t)p->pid : 0));
    doc_put(&o, "cgroup_parent", doc_text(p->cgroup_parent));
    doc_put(&o, "cgroups_path", doc_text(p->cgroups_path));
    doc_put(&o, "error", error_of(p->status, p->error));
    return o;
}

static json_t *container_of(const struct capture *capture, const struct view_container *c)
{
    json_t *o = json_object();
    bool in_pod = view_find_pod(&capture->view, c->sandbox_id) != NULL;

    doc_put(&o, "id", doc_text(c->id));
    /* A container whose sandbox is gone is reported without a pod: it is written so. */
    doc_put(&o, "sandbox_id", doc_text(in_pod ? c->sandbox_id : NULL));
    doc_put(&o, "name", doc_text(c->name));
    doc_put(&o, "image", doc_text(c->image));
    doc_put(&o, "attempt", doc_number(c->attempt));
    doc_put(&o, "state", doc_text(view_state_name(c->state)));
    doc_put(&o, "created_at", doc_time(c->created_at));
    doc_put(&o, "started_at", doc_time(c->started_at));
    doc_put(&o, "finished_at", doc_time(c->finished_at));
    doc_put(&o, "exit_code", c->state == VIEW_EXITED ? json_integer(c->exit_code) : json_null());
    doc_put(&o, "pid", doc_number(c->pid > 0 ? (uint64_t)c->pid : 0));
    doc_put(&o, "cgroups_path", doc_text(c->cgroups_path));
    doc_put(&o, "runtime_type", doc_text(c->runtime_type));
    doc_put(&o, "labels", labels_of(c->labels, c->n_labels, capture->has_label_values));
    doc_put(&o, "error", error_of(c->status, c->error));
    return o;
}

static json_t *runtime_of(const struct capture *c)
{
    static const struct view none;
    const struct view *v = c->has_runtime ? &c->view : &none;
    json_t *o = json_object(), *pods = json_array(), *containers = json_array();

    for (size_t i = 0; i < v->n_pods; i++) {
        if (v->pods[i].status != VIEW_STATUS_GONE) {
            doc_append(&pods, pod_of(c, &v->pods[i]));
        }
    }
    for (size_t i = 0; i < v->n_containers; i++) {
        if (v->containers[i].status != VIEW_STATUS_GONE) {
            doc_append(&containers, container_of(c, &v->containers[i]));
        }
    }
    doc_put(&o, "format", json_integer(CAPTURE_FORMAT));
    doc_put(&o, "name", doc_text(v->runtime.name));
    doc_put(&o, "version", doc_text(v->runtime.version));
    doc_put(&o, "api", doc_text(v->runtime.api));
    doc_put(&o, "endpoint", doc_text(c->has_runtime ? c->endpoint : NULL));
    doc_put(&o, "cgroup_driver", doc_text(v->runtime.cgroup_driver));
    doc_put(&o, "warnings", doc_texts(v->warnings, v->n_warnings));
    doc_put(&o, "pods", pods);
    doc_put(&o, "containers", containers);
    return o;
}

/* ---- The rest -------------------------------------------------------------------------------- */

static json_t *node_of(const struct capture *c)
{
    json_t *o = doc_node(&c->node.node);

    doc_put(&o, "taken_at", doc_time(c->taken_at));
    doc_put(&o, "warnings", doc_texts(c->node.warnings, c->node.n_warnings));
    return o;
}

/* The IDs of the cgroups at these paths, where they are known; NULL: memory ran out. */
static json_t *ids_of(struct cgroupfs *cgroupfs, json_t *paths)
{
    json_t *o = json_object();
    const char *path;
    json_t *value;

    json_object_foreach(paths, path, value)
    {
        uint64_t id;

        if (cgroupfs_id(cgroupfs, path, &id) < 0) {
            json_decref(o);
            return NULL;
        }
        if (id && id <= INT64_MAX) {
            doc_put(&o, path, doc_number(id));
        }
    }
    return o;
}

static int write_all(const struct capture *c, struct cgroupfs *cgroupfs, int fd, const char *dir,
                     json_t *paths, struct err *err)
{
    int rc = capture_write_proc(fd, dir, &c->procfs, paths, err);

    if (rc < 0) {
        return rc;
    }
    rc = folder_write_json(fd, dir, "runtime.json", runtime_of(c), err);
    if (rc < 0) {
        return rc;
    }
    rc = folder_write_json(fd, dir, "node.json", node_of(c), err);
    if (rc < 0) {
        return rc;
    }
    return folder_write_json(fd, dir, "cgroups.json", ids_of(cgroupfs, paths), err);
}

/* A capture that cannot be read back is useless: the runtime may list one ID twice, for instance.
 */
static int read_back(const char *dir, struct err *err)
{
    struct arena a = {0};
    struct capture c = {0};
    struct err why = {0};
    int rc = capture_read(dir, &a, &c, &why);

    if (rc == 0) {
        procfs_close(&c.procfs);
    } else if (why.kind == ERR_INPUT) {
        rc = err_set(err, ERR_WRITE, EINVAL, "what this node says makes no capture: %s", why.text);
    } else if (err) {
        *err = why;
    }
    arena_free(&a);
    return rc;
}

int capture_write(const struct capture *c, struct cgroupfs *cgroupfs, const char *dir,
                  struct err *err)
{
    AUTO_CLOSE int fd = -1;
    AUTO_JSON json_t *paths = json_object();
    bool made;
    int rc;

    if (!paths) {
        return err_nomem(err);
    }
    fd = folder_open_new(dir, &made, err);
    if (fd < 0) {
        return fd;
    }
    rc = write_all(c, cgroupfs, fd, dir, paths, err);
    if (rc == 0) {
        rc = read_back(dir, err);
    }
    if (rc < 0) {
        folder_clear(fd);
        if (made) {
            rmdir(dir);
        }
    }
    return rc;
}
