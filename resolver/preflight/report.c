#include "resolver/preflight/report.h"

#include <stdlib.h>

#include "resolver/arguments.h"
#include "resolver/snapshot/json.h"

void podpid_report_free(struct podpid_report *r)
{
    if (!r) {
        return;
    }
    podpid_pidfds_free(r->pidfds, r->n_pidfds);
    podpid_snapshot_free(r->targets);
    podpid_snapshot_free(r->snapshot);
    arena_free(&r->arena);
    free(r);
}

enum podpid_result podpid_report_result(const struct podpid_report *r)
{
    return r ? check_table_result(&r->table) : PODPID_RESULT_FAIL;
}

int podpid_report_exit_status(const struct podpid_report *r)
{
    return r ? check_table_exit_status(&r->table) : podpid_exit_status(PODPID_ERR_INTERNAL);
}

const struct podpid_check *const *podpid_report_checks(const struct podpid_report *r, size_t *ret_n)
{
    if (ret_n) {
        *ret_n = r ? N_CHECKS : 0;
    }
    return r ? r->checks : NULL;
}

const struct podpid_snapshot *podpid_report_snapshot(const struct podpid_report *r)
{
    return r ? r->snapshot : NULL;
}

const struct podpid_snapshot *podpid_report_targets(const struct podpid_report *r)
{
    return r ? r->targets : NULL;
}

const struct podpid_pidfd *podpid_report_pidfds(const struct podpid_report *r, size_t *ret_n)
{
    if (ret_n) {
        *ret_n = r ? r->n_pidfds : 0;
    }
    return r ? r->pidfds : NULL;
}

static json_t *check_object(const struct podpid_check *c)
{
    json_t *o = json_object();

    doc_put(&o, "id", doc_text(c->id));
    doc_put(&o, "result", doc_text(podpid_result_name(c->result)));
    doc_put(&o, "detail", doc_text(c->detail));
    doc_put(&o, "hint", doc_text(c->hint));
    doc_put(&o, "items", doc_texts(c->items, c->n_items));
    return o;
}

int podpid_report_to_json(const struct podpid_report *r, podpid_write_fn write, void *context,
                          struct podpid_error *error)
{
    struct doc_writer w;
    struct err err = {0};

    if (!r || !write) {
        return bad_argument(__func__, error);
    }
    doc_writer_init(&w, write, context, true);
    doc_open(&w, NULL, '{');
    doc_value(&w, "schema", doc_text("podpid.preflight/v1"));
    doc_value(&w, "result", doc_text(podpid_result_name(podpid_report_result(r))));
    doc_open(&w, "checks", '[');
    for (size_t i = 0; i < N_CHECKS; i++) {
        doc_value(&w, NULL, check_object(r->checks[i]));
    }
    doc_close(&w, ']');
    if (r->snapshot) {
        doc_snapshot(&w, "snapshot", r->snapshot);
    } else {
        doc_value(&w, "snapshot", json_null());
    }
    doc_close(&w, '}');
    return doc_finish(&w, &err) < 0 ? error_publish(&err, error) : 0;
}
