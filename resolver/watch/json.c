/* An event as one line of JSON (schema podpid.event/v1). */
#include "resolver/snapshot/json.h"
#include "cri/base/clock.h"
#include "resolver/arguments.h"

int podpid_event_to_json(const struct podpid_event *e, podpid_write_fn write, void *context,
                         struct podpid_error *error)
{
    struct doc_writer w;
    struct err err = {0};

    if (!e || !write || e->kind < PODPID_EVENT_SNAPSHOT || e->kind > PODPID_EVENT_RUNTIME) {
        return bad_argument(__func__, error);
    }
    doc_writer_init(&w, write, context, false);
    doc_open(&w, NULL, '{');
    doc_value(&w, "schema", json_string("podpid.event/v1"));
    doc_value(&w, "seq", doc_number(e->seq));
    doc_value(&w, "generation", doc_number(e->generation));
    doc_value(&w, "at", doc_time(e->at));
    doc_value(&w, "event", json_string(podpid_event_name(e->kind)));
    doc_value(&w, "stale", json_boolean(e->stale));
    doc_value(&w, "source", doc_text(e->source));
    if (e->detail) {
        doc_value(&w, "detail", doc_text(e->detail));
    }
    if (e->container) {
        doc_value(&w, "container", doc_container_line(e->container));
    }
    if (e->snapshot) {
        doc_snapshot(&w, "snapshot", e->snapshot);
    }
    doc_close(&w, '}');
    return doc_finish(&w, &err) < 0 ? error_publish(&err, error) : 0;
}
