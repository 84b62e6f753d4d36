#include "resolver/arguments.h"
#include "resolver/format/json.h"

static json_t *doc_answer(const struct podpid_answer *a)
{
    json_t *o = json_object();
    const struct podpid_container *c = a->container;

    doc_put(&o, "pid", json_integer(a->pid));
    doc_put(&o, "found", json_boolean(a->found));
    doc_put(&o, "role", a->found ? doc_text(podpid_role_name(a->role)) : json_null());
    doc_put(&o, "container_id", doc_text(a->container_id));
    doc_put(&o, "container", doc_text(c ? c->name : NULL));
    doc_put(&o, "pod", doc_text(a->pod ? a->pod->name : NULL));
    doc_put(&o, "namespace", doc_text(a->pod ? a->pod->namespace_ : NULL));
    doc_put(&o, "pod_uid", doc_text(a->pod ? a->pod->uid : NULL));
    doc_put(&o, "verdict", c ? doc_text(podpid_verdict_name(c->verdict)) : json_null());
    doc_put(&o, "chain", doc_texts(a->chain, a->n_chain));
    doc_put(&o, "host_pid", a->found ? json_integer(a->process) : json_null());
    doc_put(&o, "start_time_ticks", a->found ? doc_number(a->start_time_ticks) : json_null());
    return o;
}

int podpid_answer_to_json(const struct podpid_answer *a, podpid_write_fn write, void *context,
                          struct podpid_error *error)
{
    struct doc_writer w;
    struct err err = {0};

    if (!a || !write) {
        return bad_argument(__func__, error);
    }
    doc_writer_init(&w, write, context, false);
    doc_value(&w, NULL, doc_answer(a));
    return doc_finish(&w, &err) < 0 ? error_publish(&err, error) : PODPID_OK;
}
