#include "cri/docker/pods.h"

#include <errno.h>
#include <string.h>

#include "cri/base/text.h"
#include "cri/runtimes.h"

#define LABEL_TYPE "io.kubernetes.docker.type"
#define LABEL_SANDBOX "io.kubernetes.sandbox.id"
#define LABEL_NAMESPACE "io.kubernetes.pod.namespace"
#define LABEL_POD "io.kubernetes.pod.name"
#define LABEL_UID "io.kubernetes.pod.uid"
#define LABEL_CONTAINER "io.kubernetes.container.name"
#define LABEL_LOG "io.kubernetes.container.logpath"
#define ANNOTATION "annotation." /* annotations are kept as labels with this prefix */

/* Claims ------------------------------------------------------------------------------------- */

static const char *fact_label(const struct view_container *c, const char *key)
{
    const char *value = view_label(c->docker->labels, c->docker->n_labels, key);

    return value && *value ? value : NULL;
}

/* dockershim's names: k8s_<container>_<pod>_<namespace>_<uid>_<attempt>. */
static uint32_t attempt_of(const char *name)
{
    struct str rest = str_of(name);
    unsigned parts = 0;
    uint64_t attempt;
    size_t at = 0;

    if (!str_starts(rest, STR("k8s_"))) {
        return 0;
    }
    for (size_t i = 0; i < rest.n; i++) {
        if (rest.p[i] == '_') {
            parts++;
            at = i + 1;
        }
    }
    return parts == 5 && str_to_u64((struct str){rest.p + at, rest.n - at}, &attempt) &&
                   attempt <= UINT32_MAX
               ? (uint32_t)attempt
               : 0;
}

bool docker_claims_sandbox(const struct view_container *c)
{
    const char *type = fact_label(c, LABEL_TYPE);

    return type && strcmp(type, "podsandbox") == 0;
}

static bool claims_container(const struct view_container *c)
{
    const char *type = fact_label(c, LABEL_TYPE);

    return type && strcmp(type, "container") == 0 && fact_label(c, LABEL_SANDBOX);
}

void docker_claim(struct view_container *c)
{
    const struct docker_facts *facts = c->docker;
    const char *name = fact_label(c, LABEL_CONTAINER);

    c->name = facts->name;
    c->labels = facts->labels;
    c->n_labels = facts->n_labels;
    if (claims_container(c)) {
        c->sandbox_id = fact_label(c, LABEL_SANDBOX);
        c->name = name ? name : facts->name;
        c->attempt = attempt_of(facts->name);
    }
}

void docker_pod_of(const struct view_container *c, struct view_pod *ret)
{
    *ret = (struct view_pod){
        .id = c->id,
        .namespace_ = fact_label(c, LABEL_NAMESPACE),
        .name = fact_label(c, LABEL_POD),
        .uid = fact_label(c, LABEL_UID),
        .attempt = attempt_of(c->docker->name),
        .ready = c->state == VIEW_RUNNING,
        .created_at = c->created_at,
        .labels = c->labels,
        .n_labels = c->n_labels,
        .config_hash = fact_label(c, ANNOTATION "kubernetes.io/config.hash"),
        .status = c->status,
        .error = c->error,
        .pid = c->pid,
        .cgroup_parent = c->docker->cgroup_parent,
        .runtime_type = c->runtime_type,
        .as_container = c,
    };
}

/* Anchors ------------------------------------------------------------------------------------- */

/* Whether the last component of a cgroup parent is that of the pod with this uid: "pod<uid>", or
 * under systemd "...-pod<uid with _ for ->.slice". */
static bool parent_is_of_pod(const char *cgroup_parent, const char *uid)
{
    struct str last = path_last(str_of(cgroup_parent)), pod = STR("pod");
    size_t n = uid ? strlen(uid) : 0;

    if (n == 0) {
        return false;
    }
    if (str_starts(last, pod) && str_is((struct str){last.p + pod.n, last.n - pod.n}, uid)) {
        return true;
    }
    /* systemd: the uid's '-' are '_', since a '-' in a slice's name separates levels. */
    if (!str_ends(last, STR(".slice"))) {
        return false;
    }
    last.n -= strlen(".slice");
    if (last.n < n + strlen("-pod") ||
        memcmp(last.p + (last.n - n) - strlen("-pod"), "-pod", strlen("-pod")) != 0) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (last.p[last.n - n + i] != (uid[i] == '-' ? '_' : uid[i])) {
            return false;
        }
    }
    return true;
}

int docker_cgroups_path(const struct view_runtime *who, const char *cgroup_parent, const char *id,
                        struct arena *a, const char **ret)
{
    const struct runtime *r = runtime_find(who->name, "docker");
    const char *driver = who->cgroup_driver ? who->cgroup_driver : "", *path = NULL, *parent;

    *ret = NULL;
    if (strcmp(driver, "systemd") == 0) {
        struct str slice;

        parent = cgroup_parent ? cgroup_parent : r->default_slice;
        if (!parent) {
            return 0;
        }
        slice = path_last(str_of(parent));
        path = arena_printf(a, "%.*s:%s:%s", (int)slice.n, slice.p, r->cgroup_prefix, id);
    } else if (strcmp(driver, "cgroupfs") == 0) {
        parent = cgroup_parent ? cgroup_parent : r->default_parent;
        /* A relative path is below the daemon's own cgroup, which is not known here. */
        if (!parent || parent[0] != '/') {
            return 0;
        }
        path = arena_printf(a, "%s%s%s%s", parent, str_ends(str_of(parent), STR("/")) ? "" : "/",
                            r->cgroupfs_prefix, id);
    } else {
        return 0;
    }
    if (!path) {
        return -ENOMEM;
    }
    *ret = path;
    return 0;
}

/* Settling --------------------------------------------------------------------------------------
 */

struct settling {
    const struct view_runtime *who;
    struct arena *arena;
    struct view *v;        /* the new rows */
    const char **warnings; /* room for one warning a row */
};

static int warn(struct settling *s, const char *what, const struct view_container *c,
                const char *why)
{
    const char *name = c->docker && c->docker->name ? c->docker->name : "";
    const char *text = arena_printf(s->arena, "%s %s (%s) claims by its labels to be %s, but %s",
                                    "container", c->id, name, what, why);

    if (!text) {
        return -ENOMEM;
    }
    s->warnings[s->v->n_warnings++] = text;
    return 0;
}

static const char *refuse_sandbox(const struct view_pod *p)
{
    if (p->status != VIEW_STATUS_OK) {
        return "its status could not be read";
    }
    if (!p->namespace_ || !p->name || !p->uid) {
        return "namespace, name or uid is missing";
    }
    if (!p->cgroup_parent || !parent_is_of_pod(p->cgroup_parent, p->uid)) {
        return "its cgroup parent is not that pod's";
    }
    return NULL;
}

static bool is_container_mode(const char *mode, const char *sandbox)
{
    const struct str prefix = STR("container:");
    struct str m = str_of(mode);

    return mode && str_starts(m, prefix) &&
           str_is((struct str){m.p + prefix.n, m.n - prefix.n}, sandbox);
}

static bool same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static const char *refuse_container(const struct settling *s, const struct view_container *c)
{
    const struct view_pod *p = view_find_pod(s->v, c->sandbox_id);
    const struct docker_facts *facts = c->docker;

    /* A pod whose status is gone still has its row. */
    if (!p || p->status != VIEW_STATUS_OK) {
        return "there is no such sandbox";
    }
    if (!same(fact_label(c, LABEL_NAMESPACE), p->namespace_) ||
        !same(fact_label(c, LABEL_POD), p->name) || !same(fact_label(c, LABEL_UID), p->uid)) {
        return "namespace, name or uid are not its sandbox's";
    }
    if (c->status != VIEW_STATUS_OK) {
        return NULL; /* without a status the row has no PID to be wrong about */
    }
    if (!facts->cgroup_parent || !parent_is_of_pod(facts->cgroup_parent, p->uid)) {
        return "its cgroup parent is not that pod's";
    }
    if (!is_container_mode(facts->network_mode, p->id) &&
        !is_container_mode(facts->ipc_mode, p->id)) {
        return "it shares no namespace with its sandbox";
    }
    return NULL;
}

/* Labels that dockershim writes for itself and CRI never shows. */
static bool is_internal(const char *key, bool sandbox)
{
    return strcmp(key, LABEL_TYPE) == 0 || strcmp(key, LABEL_LOG) == 0 ||
           strcmp(key, LABEL_SANDBOX) == 0 || strncmp(key, ANNOTATION, strlen(ANNOTATION)) == 0 ||
           (sandbox && strcmp(key, LABEL_CONTAINER) == 0);
}

static int public_labels(struct settling *s, const struct view_label *all, size_t n, bool sandbox,
                         const struct view_label **ret, size_t *ret_n)
{
    struct view_label *kept = arena_calloc(s->arena, n, sizeof(*kept));
    size_t n_kept = 0;

    if (!kept) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        if (!is_internal(all[i].key, sandbox)) {
            kept[n_kept++] = all[i];
        }
    }
    *ret = kept;
    *ret_n = n_kept;
    return 0;
}

/* Rows without a status, or of containers that are gone, are left where they are. */
static bool is_open(enum view_status status)
{
    return status == VIEW_STATUS_NONE || status == VIEW_STATUS_GONE;
}

static int settle_pod(struct settling *s, const struct view_pod *p)
{
    struct view *v = s->v;
    struct view_pod *row = &v->pods[v->n_pods];
    const char *why = is_open(p->status) || !p->as_container ? NULL : refuse_sandbox(p);
    struct view_container *c;

    if (!why) {
        *row = *p;
        v->n_pods++;
        if (docker_cgroups_path(s->who, p->cgroup_parent, p->id, s->arena, &row->cgroups_path) <
            0) {
            return -ENOMEM;
        }
        return public_labels(s, p->labels, p->n_labels, true, &row->labels, &row->n_labels);
    }
    c = &v->containers[v->n_containers++];
    *c = *p->as_container;
    c->status = p->status;
    c->error = p->error;
    return warn(s, "a pod's sandbox", c, why);
}

static int settle_container(struct settling *s, struct view_container *c)
{
    const char *parent = c->docker ? c->docker->cgroup_parent : NULL;
    const char *why;

    if (is_open(c->status) || !c->docker) {
        return 0;
    }
    why = c->sandbox_id ? refuse_container(s, c) : NULL;
    if (why) {
        c->sandbox_id = NULL;
        c->name = c->docker->name;
        c->attempt = 0;
        if (warn(s, "one of a pod's", c, why) < 0) {
            return -ENOMEM;
        }
    }
    if (c->sandbox_id &&
        public_labels(s, c->labels, c->n_labels, false, &c->labels, &c->n_labels) < 0) {
        return -ENOMEM;
    }
    return c->status == VIEW_STATUS_OK
               ? docker_cgroups_path(s->who, parent, c->id, s->arena, &c->cgroups_path)
               : 0;
}

int docker_settle(const struct view_runtime *who, struct view *v, struct arena *a)
{
    size_t most = v->n_pods + v->n_containers;
    struct view fresh = *v;
    struct settling s = {.who = who, .arena = a, .v = &fresh};
    int rc = 0;

    fresh.n_pods = 0;
    fresh.pods = arena_calloc(a, v->n_pods, sizeof(*fresh.pods));
    fresh.containers = arena_calloc(a, most, sizeof(*fresh.containers));
    s.warnings = arena_calloc(a, most + v->n_warnings, sizeof(*s.warnings));
    if (!fresh.pods || !fresh.containers || !s.warnings) {
        return -ENOMEM;
    }
    if (v->n_warnings) {
        memcpy(s.warnings, v->warnings, v->n_warnings * sizeof(*s.warnings));
    }
    if (v->n_containers) {
        memcpy(fresh.containers, v->containers, v->n_containers * sizeof(*fresh.containers));
    }
    for (size_t i = 0; i < v->n_pods && rc == 0; i++) {
        rc = settle_pod(&s, &v->pods[i]); /* in the order of ids, so still sorted */
    }
    for (size_t i = 0; i < fresh.n_containers && rc == 0; i++) {
        rc = settle_container(&s, &fresh.containers[i]);
    }
    if (rc < 0) {
        return rc;
    }
    fresh.warnings = s.warnings;
    view_sort(&fresh);
    *v = fresh;
    return 0;
}
