#include "cri/rpc/decode.h"

#include <errno.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "cri/base/text.h"
#include "cri/cri.pb-c.h"
#include "cri/rpc/info.h"

/* Bytes that an unpacked message may take: it may be many times as large as its encoding, where an
 * empty row has two bytes. The whole scratch arena is freed once the wanted values are copied. */
enum { SCRATCH_MOST = 256 * 1024 * 1024 };

static void *scratch_alloc(void *scratch, size_t size)
{
    struct arena *a = scratch;

    return size < SCRATCH_MOST && a->bytes < SCRATCH_MOST - size ? arena_alloc(a, size) : NULL;
}

static void scratch_free(void *scratch, void *p)
{
    (void)scratch;
    (void)p;
}

#define SCRATCH(name)                                                                              \
    CLEANUP(arena_free) struct arena name##_arena = {0};                                           \
    ProtobufCAllocator name = {scratch_alloc, scratch_free, &name##_arena}

static int undecodable(const char *what, struct err *err)
{
    return err_set(err, ERR_RUNTIME, EBADMSG, "the answer is no %s message", what);
}

/* An arena for copies; failed is set by the first copy that finds no memory, and checked once. */
struct keeper {
    struct arena *a;
    bool failed;
};

static const char *keep(struct keeper *k, const char *s)
{
    const char *copy = arena_strdup(k->a, s);

    k->failed |= !copy;
    return copy;
}

/* A text that is not given is "" on the wire and NULL in the view. */
static const char *keep_known(struct keeper *k, const char *s)
{
    return s && s[0] ? keep(k, s) : NULL;
}

static const struct view_label *keep_labels(struct keeper *k, Cri__Entry *const *entries, size_t n)
{
    struct view_label *labels = arena_calloc(k->a, n, sizeof(*labels));

    if (!labels) {
        k->failed = true;
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        labels[i].key = keep(k, entries[i]->key);
        labels[i].value = keep(k, entries[i]->value);
    }
    return labels;
}

static const char *entry(Cri__Entry *const *entries, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(entries[i]->key, key) == 0) {
            return entries[i]->value;
        }
    }
    return NULL;
}

/* A time that never came is 0 or, from cri-dockerd, Go's zero time far before the epoch. */
static int64_t time_of(int64_t ns)
{
    return ns > 0 ? ns : 0;
}

static enum view_state state_of(Cri__ContainerState s)
{
    switch (s) {
    case CRI__CONTAINER_STATE__CONTAINER_CREATED:
        return VIEW_CREATED;
    case CRI__CONTAINER_STATE__CONTAINER_RUNNING:
        return VIEW_RUNNING;
    case CRI__CONTAINER_STATE__CONTAINER_EXITED:
        return VIEW_EXITED;
    default:
        return VIEW_UNKNOWN;
    }
}

/* The image as the user named it; image->image is a digest in containerd's lists. */
static const char *image_of(struct keeper *k, const Cri__ImageSpec *image)
{
    if (!image) {
        return NULL;
    }
    return keep_known(k,
                      image->user_specified_image[0] ? image->user_specified_image : image->image);
}

static void keep_pod_metadata(struct keeper *k, const Cri__PodSandboxMetadata *m,
                              struct view_pod *ret)
{
    if (m) {
        ret->name = keep_known(k, m->name);
        ret->namespace_ = keep_known(k, m->namespace_);
        ret->uid = keep_known(k, m->uid);
        ret->attempt = m->attempt;
    }
}

int cri_decode_version(struct wire w, struct arena *a, struct view_runtime *ret, struct err *err)
{
    SCRATCH(scratch);
    const Cri__VersionResponse *m = cri__version_response__unpack(&scratch, w.n, w.p);
    struct keeper k = {.a = a};

    if (!m) {
        return undecodable("VersionResponse", err);
    }
    ret->name = keep_known(&k, m->runtime_name);
    ret->version = keep_known(&k, m->runtime_version);
    return k.failed ? err_nomem(err) : 0;
}

int cri_decode_status(struct wire w, struct arena *a, struct view_runtime *ret, struct err *err)
{
    SCRATCH(scratch);
    const Cri__StatusResponse *m = cri__status_response__unpack(&scratch, w.n, w.p);
    struct keeper k = {.a = a};
    struct view_condition *conditions;
    size_t n;

    if (!m) {
        return undecodable("StatusResponse", err);
    }
    n = m->status ? m->status->n_conditions : 0;
    conditions = arena_calloc(a, n, sizeof(*conditions));
    if (!conditions) {
        return err_nomem(err);
    }
    for (size_t i = 0; i < n; i++) {
        const Cri__RuntimeCondition *c = m->status->conditions[i];

        conditions[i] = (struct view_condition){
            .type = keep(&k, c->type),
            .status = c->status,
            .reason = keep(&k, c->reason),
            .message = keep(&k, c->message),
        };
    }
    if (k.failed) {
        return err_nomem(err);
    }
    ret->conditions = conditions;
    ret->n_conditions = n;
    return 0;
}

int cri_decode_config(struct wire w, struct view_runtime *ret, struct err *err)
{
    SCRATCH(scratch);
    const Cri__RuntimeConfigResponse *m = cri__runtime_config_response__unpack(&scratch, w.n, w.p);

    if (!m) {
        return undecodable("RuntimeConfigResponse", err);
    }
    if (m->linux) {
        switch (m->linux->cgroup_driver) {
        case CRI__CGROUP_DRIVER__SYSTEMD:
            ret->cgroup_driver = "systemd";
            break;
        case CRI__CGROUP_DRIVER__CGROUPFS:
            ret->cgroup_driver = "cgroupfs";
            break;
        default:
            break;
        }
    }
    return 0;
}

static int too_many(size_t n, const char *what, struct err *err)
{
    return err_set(err, ERR_RUNTIME, EBADMSG, "lists %zu %s, more than a node can have", n, what);
}

int cri_decode_pods(struct wire w, struct arena *a, struct view *ret, struct err *err)
{
    SCRATCH(scratch);
    const Cri__ListPodSandboxResponse *m =
        cri__list_pod_sandbox_response__unpack(&scratch, w.n, w.p);
    struct keeper k = {.a = a};
    struct view_pod *pods;

    if (!m) {
        return undecodable("ListPodSandboxResponse", err);
    }
    if (m->n_items > CRI_ROWS_MOST) {
        return too_many(m->n_items, "pod sandboxes", err);
    }
    pods = arena_calloc(a, m->n_items, sizeof(*pods));
    if (!pods) {
        return err_nomem(err);
    }
    for (size_t i = 0; i < m->n_items; i++) {
        const Cri__PodSandbox *s = m->items[i];

        pods[i] = (struct view_pod){
            .id = keep(&k, s->id),
            .ready = s->state == CRI__POD_SANDBOX_STATE__SANDBOX_READY,
            .created_at = time_of(s->created_at),
            .runtime_handler = keep(&k, s->runtime_handler),
            .labels = keep_labels(&k, s->labels, s->n_labels),
            .n_labels = s->n_labels,
            .config_hash = keep_known(
                &k, entry(s->annotations, s->n_annotations, "kubernetes.io/config.hash")),
        };
        keep_pod_metadata(&k, s->metadata, &pods[i]);
    }
    if (k.failed) {
        return err_nomem(err);
    }
    ret->pods = pods;
    ret->n_pods = m->n_items;
    return 0;
}

int cri_decode_containers(struct wire w, struct arena *a, struct view *ret, struct err *err)
{
    SCRATCH(scratch);
    const Cri__ListContainersResponse *m =
        cri__list_containers_response__unpack(&scratch, w.n, w.p);
    struct keeper k = {.a = a};
    struct view_container *rows;

    if (!m) {
        return undecodable("ListContainersResponse", err);
    }
    if (m->n_containers > CRI_ROWS_MOST) {
        return too_many(m->n_containers, "containers", err);
    }
    rows = arena_calloc(a, m->n_containers, sizeof(*rows));
    if (!rows) {
        return err_nomem(err);
    }
    for (size_t i = 0; i < m->n_containers; i++) {
        const Cri__Container *c = m->containers[i];

        rows[i] = (struct view_container){
            .id = keep(&k, c->id),
            .sandbox_id = keep_known(&k, c->pod_sandbox_id),
            .name = c->metadata ? keep_known(&k, c->metadata->name) : NULL,
            .attempt = c->metadata ? c->metadata->attempt : 0,
            .image = image_of(&k, c->image),
            .state = state_of(c->state),
            .created_at = time_of(c->created_at),
            .labels = keep_labels(&k, c->labels, c->n_labels),
            .n_labels = c->n_labels,
        };
    }
    if (k.failed) {
        return err_nomem(err);
    }
    ret->containers = rows;
    ret->n_containers = m->n_containers;
    return 0;
}

static int decode_info(Cri__Entry *const *entries, size_t n, struct arena *a, struct info *ret,
                       struct err *err)
{
    return info_parse(str_of(entry(entries, n, "info")), a, ret, err);
}

static int another(const char *id, const char *got, struct err *err)
{
    return err_set(err, ERR_RUNTIME, EBADMSG, "asked for %s, the answer is of \"%.64s\"", id, got);
}

int cri_decode_pod_status(struct wire w, const char *id, struct arena *a, struct view_pod *ret,
                          struct err *err)
{
    SCRATCH(scratch);
    const Cri__PodSandboxStatusResponse *m =
        cri__pod_sandbox_status_response__unpack(&scratch, w.n, w.p);
    struct keeper k = {.a = a};
    const Cri__PodSandboxStatus *s;
    struct info info = {0};
    struct view_pod pod;
    int rc;

    if (!m || !m->status) {
        return undecodable("PodSandboxStatusResponse", err);
    }
    s = m->status;
    if (strcmp(s->id, id) != 0) {
        return another(id, s->id, err);
    }
    rc = decode_info(m->info, m->n_info, a, &info, err);
    if (rc < 0) {
        return rc;
    }
    pod = (struct view_pod){
        .id = keep(&k, s->id),
        .ready = s->state == CRI__POD_SANDBOX_STATE__SANDBOX_READY,
        .created_at = time_of(s->created_at),
        .runtime_handler = s->runtime_handler[0] || !info.runtime_handler
                               ? keep(&k, s->runtime_handler)
                               : info.runtime_handler,
        .labels = keep_labels(&k, s->labels, s->n_labels),
        .n_labels = s->n_labels,
        .config_hash =
            keep_known(&k, entry(s->annotations, s->n_annotations, "kubernetes.io/config.hash")),
        .status = VIEW_STATUS_OK,
        .pid = info.pid,
        .cgroup_parent = info.cgroup_parent,
        .cgroups_path = info.cgroups_path,
        .runtime_type = info.runtime_type,
    };
    keep_pod_metadata(&k, s->metadata, &pod);
    if (k.failed) {
        return err_nomem(err);
    }
    *ret = pod;
    return 0;
}

int cri_decode_container_status(struct wire w, const char *id, struct arena *a,
                                struct view_container *ret, struct err *err)
{
    SCRATCH(scratch);
    const Cri__ContainerStatusResponse *m =
        cri__container_status_response__unpack(&scratch, w.n, w.p);
    struct keeper k = {.a = a};
    const Cri__ContainerStatus *s;
    struct info info = {0};
    struct view_container row;
    int rc;

    if (!m || !m->status) {
        return undecodable("ContainerStatusResponse", err);
    }
    s = m->status;
    if (strcmp(s->id, id) != 0) {
        return another(id, s->id, err);
    }
    rc = decode_info(m->info, m->n_info, a, &info, err);
    if (rc < 0) {
        return rc;
    }
    row = (struct view_container){
        .id = keep(&k, s->id),
        .name = s->metadata ? keep_known(&k, s->metadata->name) : NULL,
        .attempt = s->metadata ? s->metadata->attempt : 0,
        .image = image_of(&k, s->image),
        .state = state_of(s->state),
        .created_at = time_of(s->created_at),
        .started_at = time_of(s->started_at),
        .finished_at = time_of(s->finished_at),
        .exit_code = s->exit_code,
        .labels = keep_labels(&k, s->labels, s->n_labels),
        .n_labels = s->n_labels,
        .status = VIEW_STATUS_OK,
        .pid = info.pid,
        .cgroups_path = info.cgroups_path,
        .runtime_type = info.runtime_type,
    };
    if (k.failed) {
        return err_nomem(err);
    }
    *ret = row;
    return 0;
}
