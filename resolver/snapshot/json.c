/* The rows of a snapshot as JSON values, by the schema podpid/v1. */
#include <limits.h>
#include <string.h>

#include "cri/base/text.h"
#include "resolver/format/json.h"

json_t *doc_text(const char *s)
{
    struct buf clean = {0};
    json_t *v;
    size_t n;

    if (!s) {
        return json_null();
    }
    n = strlen(s);
    if (text_is_utf8(s, n)) {
        return json_stringn_nocheck(s, n);
    }
    buf_put_utf8(&clean, s, n);
    v = clean.failed ? NULL : json_stringn_nocheck(clean.p, clean.n);
    buf_free(&clean);
    return v;
}

json_t *doc_number(uint64_t n)
{
    /* jansson's integers are signed; nothing that the kernel counts comes near. */
    return json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n);
}

json_t *doc_number_or_null(uint64_t n)
{
    return n ? doc_number(n) : json_null();
}

static json_t *doc_pid(pid_t pid)
{
    return pid > 0 ? json_integer(pid) : json_null();
}

json_t *doc_time(int64_t epoch_ns)
{
    char text[40];

    if (epoch_ns == 0) {
        return json_null();
    }
    text_time(epoch_ns, text, sizeof(text));
    return json_string(text);
}

void doc_put(json_t **object, const char *key, json_t *value)
{
    if (!*object) {
        json_decref(value);
    } else if (json_object_set_new_nocheck(*object, key, value) < 0) {
        json_decref(*object);
        *object = NULL;
    }
}

void doc_append(json_t **array, json_t *value)
{
    if (!*array) {
        json_decref(value);
    } else if (json_array_append_new(*array, value) < 0) {
        json_decref(*array);
        *array = NULL;
    }
}

json_t *doc_texts(const char *const *items, size_t n)
{
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++) {
        doc_append(&array, doc_text(items[i]));
    }
    return array;
}

json_t *doc_pids(const pid_t *pids, size_t n)
{
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++) {
        doc_append(&array, json_integer(pids[i]));
    }
    return array;
}

void doc_put_named(json_t **object, const char *name, json_t *value)
{
    struct buf key = {0};

    buf_puts(&key, "");
    buf_put_utf8(&key, name, strlen(name));
    if (key.failed) {
        json_decref(value);
        json_decref(*object);
        *object = NULL;
    } else {
        doc_put(object, key.p, value);
    }
    buf_free(&key);
}

static json_t *doc_labels(const struct podpid_label *labels, size_t n)
{
    json_t *object = json_object();

    for (size_t i = 0; i < n; i++) {
        doc_put_named(&object, labels[i].key, doc_text(labels[i].value));
    }
    return object;
}

json_t *doc_node(const struct podpid_node *n)
{
    json_t *o = json_object();

    doc_put(&o, "hostname", doc_text(n->hostname));
    doc_put(&o, "boot_id", doc_text(n->boot_id));
    doc_put(&o, "kernel", doc_text(n->kernel));
    doc_put(&o, "cgroup_mode", doc_text(n->cgroup_mode));
    doc_put(&o, "pid_namespace", doc_number_or_null(n->pid_namespace));
    return o;
}

json_t *doc_runtime(const struct podpid_runtime *r)
{
    json_t *o;

    if (!r) {
        return json_null();
    }
    o = json_object();
    doc_put(&o, "name", doc_text(r->name));
    doc_put(&o, "version", doc_text(r->version));
    doc_put(&o, "api", doc_text(r->api));
    doc_put(&o, "endpoint", doc_text(r->endpoint));
    doc_put(&o, "chosen_by", doc_text(r->chosen_by));
    doc_put(&o, "cgroup_driver", doc_text(r->cgroup_driver));
    return o;
}

static json_t *doc_process(const struct podpid_process *p)
{
    json_t *o = json_object();

    doc_put(&o, "pid", json_integer(p->pid));
    doc_put(&o, "ppid", json_integer(p->ppid));
    doc_put(&o, "start_time_ticks", doc_number(p->start_time_ticks));
    doc_put(&o, "comm", doc_text(p->comm));
    doc_put(&o, "role", doc_text(podpid_role_name(p->role)));
    doc_put(&o, "chain", doc_texts(p->chain, p->n_chain));
    return o;
}

static json_t *doc_cgroup_ids(const struct podpid_container *c)
{
    json_t *array = json_array();

    for (size_t i = 0; i < c->n_cgroup_ids; i++) {
        json_t *o = json_object();

        doc_put(&o, "id", doc_number(c->cgroup_ids[i].id));
        doc_put(&o, "path", doc_text(c->cgroup_ids[i].path));
        doc_append(&array, o);
    }
    return array;
}

static json_t *doc_namespaces(const struct podpid_container *c)
{
    json_t *o = json_object();

    doc_put(&o, "pid", doc_number_or_null(c->ns_pid));
    doc_put(&o, "mnt", doc_number_or_null(c->ns_mnt));
    doc_put(&o, "net", doc_number_or_null(c->ns_net));
    doc_put(&o, "cgroup", doc_number_or_null(c->ns_cgroup));
    return o;
}

static json_t *doc_evidence(const struct podpid_container *c)
{
    json_t *o = json_object();

    doc_put(&o, "reported_pid", doc_pid(c->reported_pid));
    doc_put(&o, "roots", doc_pids(c->roots, c->n_roots));
    doc_put(&o, "reason", doc_text(c->reason));
    return o;
}

/* Without a runtime there are no names, and nobody counts attempts or knows a state. */
static void put_container(json_t **o, const struct podpid_container *c)
{
    json_t *processes = json_array();

    doc_put(o, "name", doc_text(c->name));
    doc_put(o, "id", doc_text(c->id));
    doc_put(o, "image", doc_text(c->image));
    doc_put(o, "attempt", c->name ? json_integer(c->attempt) : json_null());
    doc_put(o, "state", c->state ? doc_text(podpid_state_name(c->state)) : json_null());
    doc_put(o, "verdict", doc_text(podpid_verdict_name(c->verdict)));
    doc_put(o, "pid", doc_pid(c->pid));
    doc_put(o, "inferred_pid", doc_pid(c->inferred_pid));
    doc_put(o, "created_at", doc_time(c->created_at));
    doc_put(o, "started_at", doc_time(c->started_at));
    doc_put(o, "finished_at", doc_time(c->finished_at));
    doc_put(o, "exit_code", c->has_exit_code ? json_integer(c->exit_code) : json_null());
    doc_put(o, "start_time_ticks", doc_number_or_null(c->start_time_ticks));
    doc_put(o, "cgroup_path", doc_text(c->cgroup_path));
    doc_put(o, "cgroup_id", doc_number_or_null(c->cgroup_id));
    doc_put(o, "cgroup_ids", doc_cgroup_ids(c));
    doc_put(o, "cgroup_level", c->cgroup_level >= 0 ? json_integer(c->cgroup_level) : json_null());
    doc_put(o, "namespaces", doc_namespaces(c));
    for (size_t i = 0; i < c->n_processes; i++) {
        doc_append(&processes, doc_process(c->processes[i]));
    }
    doc_put(o, "processes", processes);
    doc_put(o, "evidence", doc_evidence(c));
}

json_t *doc_container(const struct podpid_container *c)
{
    json_t *o = json_object();

    put_container(&o, c);
    return o;
}

static json_t *doc_sandbox(const struct podpid_pod *p)
{
    json_t *o = json_object();

    doc_put(&o, "verdict",
            p->sandbox_verdict ? doc_text(podpid_verdict_name(p->sandbox_verdict)) : json_null());
    doc_put(&o, "pid", doc_pid(p->sandbox_pid));
    doc_put(&o, "start_time_ticks", doc_number_or_null(p->sandbox_start_time_ticks));
    return o;
}

/* The pod's own fields, each key with prefix in front. */
static void put_pod(json_t **o, const char *prefix, const struct podpid_pod *p)
{
    bool is_pod = p->sandbox_id != NULL;
    const struct {
        const char *key;
        json_t *value;
    } fields[] = {
        {"namespace", doc_text(p->namespace_)},
        {"name", doc_text(p->name)},
        {"uid", doc_text(p->uid)},
        {"attempt", is_pod ? json_integer(p->attempt) : json_null()},
        {"sandbox_id", doc_text(p->sandbox_id)},
        {"state", is_pod ? doc_text(p->ready ? "ready" : "notready") : json_null()},
        {"created_at", doc_time(p->created_at)},
        {"runtime_handler", doc_text(p->runtime_handler)},
        {"labels", doc_labels(p->labels, p->n_labels)},
        {"sandbox", doc_sandbox(p)},
    };

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        char key[32];

        snprintf(key, sizeof(key), "%s%s", prefix, fields[i].key);
        doc_put(o, key, fields[i].value);
    }
}

json_t *doc_pod(const struct podpid_pod *p)
{
    json_t *o = json_object(), *containers = json_array();

    put_pod(&o, "", p);
    for (size_t i = 0; i < p->n_containers; i++) {
        doc_append(&containers, doc_container(p->containers[i]));
    }
    doc_put(&o, "containers", containers);
    return o;
}

json_t *doc_container_line(const struct podpid_container *c)
{
    json_t *o = json_object();

    put_pod(&o, "pod_", c->pod);
    put_container(&o, c);
    return o;
}

json_t *doc_stray(const struct podpid_stray *s)
{
    json_t *o = json_object();

    doc_put(&o, "container_id", doc_text(s->container_id));
    doc_put(&o, "pod_uid", doc_text(s->pod_uid));
    doc_put(&o, "cgroup_path", doc_text(s->cgroup_path));
    doc_put(&o, "pids", doc_pids(s->pids, s->n_pids));
    doc_put(&o, "reason", doc_text(s->reason));
    return o;
}

json_t *doc_foreign(const struct podpid_foreign *f)
{
    json_t *o = json_object();

    doc_put(&o, "container_id", doc_text(f->container_id));
    doc_put(&o, "manager", doc_text(f->manager));
    doc_put(&o, "processes", doc_number(f->n_processes));
    return o;
}
