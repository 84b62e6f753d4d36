#include "resolver/snapshot/json.h"

#include <stdio.h>
#include <string.h>

#include "cri/base/text.h"
#include "resolver/arguments.h"
#include "resolver/snapshot/snapshot.h"

static json_t *doc_pid(pid_t pid)
{
    return pid > 0 ? json_integer(pid) : json_null();
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

static double milliseconds(int64_t ns)
{
    return (double)(ns / 100000) / 10;
}

void doc_snapshot(struct doc_writer *w, const char *key, const struct podpid_snapshot *s)
{
    size_t n, n_warnings;
    const struct podpid_pod *const *pods = podpid_snapshot_pods(s, &n);
    const struct podpid_stray *const *strays;
    const struct podpid_foreign *const *foreign;
    const char *const *warnings = podpid_snapshot_warnings(s, &n_warnings);

    doc_open(w, key, '{');
    doc_value(w, "schema", doc_text("podpid/v1"));
    doc_value(w, "taken_at", doc_time(podpid_snapshot_taken_at(s)));
    doc_value(w, "took_ms", json_real(milliseconds(podpid_snapshot_took(s))));
    doc_value(w, "complete", json_boolean(podpid_snapshot_complete(s)));
    if (s->generation) {
        doc_value(w, "generation", doc_number(s->generation));
    }
    doc_value(w, "node", doc_node(podpid_snapshot_node(s)));
    doc_value(w, "runtime", doc_runtime(podpid_snapshot_runtime(s)));
    doc_open(w, "pods", '[');
    for (size_t i = 0; i < n && w->failure == ERR_NONE; i++) {
        doc_value(w, NULL, doc_pod(pods[i]));
    }
    doc_close(w, ']');
    strays = podpid_snapshot_strays(s, &n);
    doc_open(w, "strays", '[');
    for (size_t i = 0; i < n && w->failure == ERR_NONE; i++) {
        doc_value(w, NULL, doc_stray(strays[i]));
    }
    doc_close(w, ']');
    foreign = podpid_snapshot_foreign(s, &n);
    doc_open(w, "foreign", '[');
    for (size_t i = 0; i < n && w->failure == ERR_NONE; i++) {
        doc_value(w, NULL, doc_foreign(foreign[i]));
    }
    doc_close(w, ']');
    doc_value(w, "warnings", doc_texts(warnings, n_warnings));
    doc_close(w, '}');
}

static int write_lines(const struct podpid_snapshot *s, podpid_write_fn write, void *context,
                       struct err *err)
{
    size_t n;
    const struct podpid_pod *const *pods = podpid_snapshot_pods(s, &n);

    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < pods[i]->n_containers; k++) {
            struct doc_writer w;
            int rc;

            doc_writer_init(&w, write, context, false);
            doc_value(&w, NULL, doc_container_line(pods[i]->containers[k]));
            rc = doc_finish(&w, err);
            if (rc < 0) {
                return rc;
            }
        }
    }
    return 0;
}

int podpid_snapshot_to_json(const struct podpid_snapshot *s, enum podpid_json_style style,
                            podpid_write_fn write, void *context, struct podpid_error *error)
{
    struct doc_writer w;
    struct err err = {0};
    int rc;

    if (!s || !write || (unsigned)style > PODPID_JSON_LINES) {
        return bad_argument(__func__, error);
    }
    if (style == PODPID_JSON_LINES) {
        rc = write_lines(s, write, context, &err);
    } else {
        doc_writer_init(&w, write, context, style == PODPID_JSON_DOCUMENT);
        doc_snapshot(&w, NULL, s);
        rc = doc_finish(&w, &err);
    }
    return rc < 0 ? error_publish(&err, error) : PODPID_OK;
}
