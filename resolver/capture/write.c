#include "resolver/capture/write.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cri/base/cleanup.h"
#include "resolver/capture/impl.h"
#include "resolver/capture/read.h"
#include "resolver/proc/cgroupfs.h"
#include "resolver/snapshot/json.h"

/* ---- Files ----------------------------------------------------------------------------------- */

static int cannot_write(const char *where, const char *name, int errnum, struct err *err)
{
    return err_set(err, ERR_WRITE, errnum, "%s/%s: cannot be written: %s", where, name,
                   strerror(errnum));
}

int capture_put(int dir_fd, const char *where, const char *name, const char *p, size_t n,
                struct err *err)
{
    int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int errnum = 0;

    if (fd < 0) {
        return cannot_write(where, name, errno, err);
    }
    while (n && errnum == 0) {
        ssize_t done = write(fd, p, n);

        if (done < 0) {
            errnum = errno == EINTR ? 0 : errno;
            continue;
        }
        p += done;
        n -= (size_t)done;
    }
    if (close(fd) < 0 && errnum == 0) {
        errnum = errno;
    }
    return errnum ? cannot_write(where, name, errnum, err) : 0;
}

int capture_folder(int dir_fd, const char *where, const char *name, struct err *err)
{
    int fd = -1;

    if (mkdirat(dir_fd, name, 0700) == 0) {
        fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    return fd < 0 ? cannot_write(where, name, errno, err) : fd;
}

int capture_put_json(int dir_fd, const char *where, const char *name, json_t *object,
                     struct err *err)
{
    AUTO_FREE char *text = object ? json_dumps(object, JSON_INDENT(1)) : NULL;

    json_decref(object);
    return text ? capture_put(dir_fd, where, name, text, strlen(text), err) : err_nomem(err);
}

/* All that is in the folder: it was empty when we came. */
static void remove_contents(int dir_fd)
{
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *e;

    if (!d) {
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    while ((e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
            continue;
        }
        if (unlinkat(dir_fd, e->d_name, 0) < 0 && (errno == EISDIR || errno == EPERM)) {
            AUTO_CLOSE int below =
                openat(dir_fd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

            if (below >= 0) {
                remove_contents(below);
            }
            unlinkat(dir_fd, e->d_name, AT_REMOVEDIR);
        }
    }
    closedir(d);
}

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

static json_t *pod_of(const struct capture_source *src, const struct view_pod *p)
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
    doc_put(&o, "labels", labels_of(p->labels, p->n_labels, src->with_labels));
    doc_put(&o, "pid", doc_number(p->pid > 0 ? (uint64_t)p->pid : 0));
    doc_put(&o, "cgroup_parent", doc_text(p->cgroup_parent));
    doc_put(&o, "cgroups_path", doc_text(p->cgroups_path));
    doc_put(&o, "error", error_of(p->status, p->error));
    return o;
}

static json_t *container_of(const struct capture_source *src, const struct view_container *c)
{
    json_t *o = json_object();
    bool in_pod = view_find_pod(src->view, c->sandbox_id) != NULL;

    doc_put(&o, "id", doc_text(c->id));
    /* A container that outlived its sandbox is reported without a pod, and read back so. */
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
    doc_put(&o, "labels", labels_of(c->labels, c->n_labels, src->with_labels));
    doc_put(&o, "error", error_of(c->status, c->error));
    return o;
}

static json_t *runtime_of(const struct capture_source *src)
{
    static const struct view none;
    const struct view *v = src->view ? src->view : &none;
    json_t *o = json_object(), *pods = json_array(), *containers = json_array();

    for (size_t i = 0; i < v->n_pods; i++) {
        if (v->pods[i].status != VIEW_STATUS_GONE) {
            doc_append(&pods, pod_of(src, &v->pods[i]));
        }
    }
    for (size_t i = 0; i < v->n_containers; i++) {
        if (v->containers[i].status != VIEW_STATUS_GONE) {
            doc_append(&containers, container_of(src, &v->containers[i]));
        }
    }
    doc_put(&o, "format", json_integer(1));
    doc_put(&o, "name", doc_text(v->runtime.name));
    doc_put(&o, "version", doc_text(v->runtime.version));
    doc_put(&o, "api", doc_text(v->runtime.api));
    doc_put(&o, "endpoint", doc_text(src->view ? src->endpoint : NULL));
    doc_put(&o, "cgroup_driver", doc_text(v->runtime.cgroup_driver));
    doc_put(&o, "warnings", doc_texts(v->warnings, v->n_warnings));
    doc_put(&o, "pods", pods);
    doc_put(&o, "containers", containers);
    return o;
}

/* ---- The rest -------------------------------------------------------------------------------- */

static json_t *node_of(const struct capture_source *src)
{
    json_t *o = doc_node(&src->node->node);

    doc_put(&o, "taken_at", doc_time(src->taken_at));
    doc_put(&o, "warnings", doc_texts(src->node->warnings, src->node->n_warnings));
    return o;
}

static json_t *ids_of(const struct capture_source *src, json_t *paths)
{
    json_t *o = json_object();
    const char *path;
    json_t *value;

    json_object_foreach(paths, path, value)
    {
        uint64_t id;

        if (cgroupfs_id(src->cgroupfs, path, &id) < 0) {
            json_decref(o);
            return NULL;
        }
        if (id && id <= INT64_MAX) {
            doc_put(&o, path, doc_number(id));
        }
    }
    return o;
}

static int write_all(const struct capture_source *src, int fd, const char *dir, struct err *err)
{
    json_t *paths = json_object();
    int rc = paths ? 0 : err_nomem(err);

    if (rc == 0) {
        rc = capture_put_proc(fd, dir, src->procfs, paths, err);
    }
    if (rc == 0) {
        rc = capture_put_json(fd, dir, "runtime.json", runtime_of(src), err);
    }
    if (rc == 0) {
        rc = capture_put_json(fd, dir, "node.json", node_of(src), err);
    }
    if (rc == 0) {
        rc = capture_put_json(fd, dir, "cgroups.json", ids_of(src, paths), err);
    }
    json_decref(paths);
    return rc;
}

/* What cannot be read back is worth nothing: a runtime that gives one id twice, say. */
static int read_back(const char *dir, struct err *err)
{
    struct arena a = {0};
    struct replay r = {0};
    struct err why = {0};
    int rc = replay_open(dir, &a, &r, &why);

    if (rc == 0) {
        procfs_close(&r.procfs);
    } else {
        rc = err_set(err, ERR_WRITE, EINVAL, "what this node says makes no capture: %s", why.text);
    }
    arena_free(&a);
    return rc;
}

/* An empty folder of that name, made if there is none. */
static int open_target(const char *dir, bool *ret_made, struct err *err)
{
    AUTO_CLOSE int fd = -1;
    struct dir_reader reader = {0};
    struct dir_entry e;
    int rc;

    *ret_made = mkdir(dir, 0700) == 0;
    if (!*ret_made && errno != EEXIST) {
        return err_set(err, ERR_WRITE, errno, "%s: cannot be made: %s", dir, strerror(errno));
    }
    /* In /tmp a link may be anybody's, and root's files would go where it says. */
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return err_set(err, ERR_WRITE, errno, "%s: %s", dir,
                       errno == ELOOP || errno == ENOTDIR ? "is no folder; no link is followed"
                                                          : strerror(errno));
    }
    reader.fd = fd;
    while ((rc = dir_next(&reader, &e)) > 0) {
        if (strcmp(e.name, ".") != 0 && strcmp(e.name, "..") != 0) {
            return err_set(err, ERR_WRITE, ENOTEMPTY, "%s: is not empty; nothing is overwritten",
                           dir);
        }
    }
    if (rc < 0) {
        return err_set(err, ERR_WRITE, -rc, "%s: %s", dir, strerror(-rc));
    }
    return TAKE_FD(fd);
}

int capture_write(const struct capture_source *src, const char *dir, struct err *err)
{
    AUTO_CLOSE int fd = -1;
    bool made;
    int rc;

    fd = open_target(dir, &made, err);
    if (fd < 0) {
        return fd;
    }
    rc = write_all(src, fd, dir, err);
    if (rc == 0) {
        rc = read_back(dir, err);
    }
    if (rc < 0) {
        remove_contents(fd);
        if (made) {
            rmdir(dir);
        }
    }
    return rc;
}
