/* The checks runtime.*: is there a runtime, does it answer, and is it ready by its own account? */
#include "resolver/preflight/checks.h"

#include <stdio.h>

#include "cri/base/text.h"
#include "cri/runtimes.h"

static const char is_it_running[] =
    "is the runtime running (systemctl status " RUNTIME_USUAL_UNITS ")? name its socket with "
    "--runtime-endpoint, as in the kubelet's --container-runtime-endpoint";

static const char *or_unknown(const char *s)
{
    return s ? s : "unknown";
}

/* The runtime as the look found it; NULL: the look failed or asked no runtime. */
static const struct podpid_runtime *runtime_of(const struct check_facts *f)
{
    return f->snapshot ? podpid_snapshot_runtime(f->snapshot) : NULL;
}

/* Set the check to skip where no runtime was asked. False: the check can be made. */
static bool skip_unasked(struct check_table *t, enum check_id id, const struct check_facts *f)
{
    const char *why = NULL;

    if (f->replay) {
        why = "a capture was read: no runtime was asked";
    } else if (f->no_runtime) {
        why = "no runtime was asked (--no-runtime)";
    } else if (f->snapshot && !runtime_of(f)) {
        why = "no runtime was asked";
    } else if (!f->snapshot && (!f->node || f->look_error->code == PODPID_ERR_PROC)) {
        why = "no look without /proc";
    }
    if (why) {
        check_set(t, id, PODPID_RESULT_SKIP, NULL, "%s", why);
    }
    return why != NULL;
}

void check_runtime_endpoint(struct check_table *t, const struct check_facts *f)
{
    const struct podpid_runtime *r = runtime_of(f);

    if (skip_unasked(t, CHECK_RUNTIME_ENDPOINT, f)) {
        return;
    }
    if (r) {
        check_set(t, CHECK_RUNTIME_ENDPOINT, PODPID_RESULT_PASS, NULL, "%s (%s)",
                  or_unknown(r->endpoint), or_unknown(r->chosen_by));
    } else if (f->connected) {
        check_set(t, CHECK_RUNTIME_ENDPOINT, PODPID_RESULT_PASS, NULL, "%s (%s)", f->endpoint,
                  f->chosen_by);
    } else {
        check_set(t, CHECK_RUNTIME_ENDPOINT, PODPID_RESULT_FAIL,
                  check_hint(f->endpoint_error->hint, is_it_running), "%s",
                  f->endpoint_error->text);
    }
}

void check_runtime_api(struct check_table *t, const struct check_facts *f)
{
    const struct podpid_runtime *r = runtime_of(f);

    if (skip_unasked(t, CHECK_RUNTIME_API, f)) {
        return;
    }
    if (r) {
        check_set(t, CHECK_RUNTIME_API, PODPID_RESULT_PASS, NULL, "%s, %s %s", or_unknown(r->api),
                  or_unknown(r->name), r->version ? r->version : "");
    } else if (f->connected) {
        check_set(t, CHECK_RUNTIME_API, PODPID_RESULT_FAIL,
                  check_hint(f->look_error->hint, is_it_running), "%s", f->look_error->message);
    } else {
        check_set(t, CHECK_RUNTIME_API, PODPID_RESULT_SKIP, NULL, "there is no connection");
    }
}

/* Conditions that are not met, each appended to the check's items. */
static size_t list_unmet(struct check_table *t, const struct podpid_runtime *r)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n_conditions; i++) {
        const struct podpid_condition *c = &r->conditions[i];

        if (!c->status) {
            check_item(t, CHECK_RUNTIME_READY, "%s is false: %s%s%s", or_unknown(c->type),
                       c->reason ? c->reason : "", c->message && *c->message ? ": " : "",
                       c->message ? c->message : "");
            n++;
        }
    }
    return n;
}

void check_runtime_ready(struct check_table *t, const struct check_facts *f)
{
    const struct podpid_runtime *r = runtime_of(f);
    char hint[128];
    size_t unmet;

    if (skip_unasked(t, CHECK_RUNTIME_READY, f)) {
        return;
    }
    unmet = r ? list_unmet(t, r) : 0;
    if (!r) {
        check_set(t, CHECK_RUNTIME_READY, PODPID_RESULT_SKIP, NULL, "the runtime did not answer");
    } else if (r->status_error) {
        snprintf(hint, sizeof(hint), "look at the runtime's log, such as journalctl -u %s",
                 runtime_find(r->name, r->api)->unit);
        check_set(t, CHECK_RUNTIME_READY, PODPID_RESULT_WARN, hint,
                  "the runtime does not give its status: %s", r->status_error);
    } else if (unmet) {
        check_set(t, CHECK_RUNTIME_READY, PODPID_RESULT_WARN,
                  "NetworkReady: look for the CNI plugin's configuration in /etc/cni/net.d; "
                  "RuntimeReady: look at the runtime's log",
                  "%zu of %zu %s not met", unmet, r->n_conditions,
                  plural(r->n_conditions, "condition is", "conditions are"));
    } else if (r->n_conditions == 0) {
        check_set(t, CHECK_RUNTIME_READY, PODPID_RESULT_SKIP, NULL,
                  "the runtime states no conditions");
    } else {
        check_set(t, CHECK_RUNTIME_READY, PODPID_RESULT_PASS, NULL, "%zu of %zu %s met",
                  r->n_conditions, r->n_conditions,
                  plural(r->n_conditions, "condition is", "conditions are"));
    }
}
