/* The well-known sockets that were not chosen. Where nobody named a runtime, the first socket need
 * not be the right one: Docker's own containerd listens where a Kubernetes node's does, and serves
 * no CRI or lists nothing. */
#include "resolver/look/impl.h"

#include <errno.h>
#include <string.h>

#include "cri/base/cleanup.h"

/* From the start of the look: for the lists of other sockets, where the chosen one lists nothing.
 * A healthy runtime answers much sooner; a look at an empty node takes no longer than this. */
static const nsec patience = 500 * NSEC_PER_MSEC;

static int ask(struct podpid_look *k, const struct endpoint *where, struct client **ret)
{
    struct client *c;
    int rc = client_open(where, &c, NULL);

    if (rc < 0) {
        return rc;
    }
    rc = client_get_list(c, &k->arena, NULL);
    rc = rc < 0 ? rc : look_listen_to(k, c);
    if (rc < 0) {
        client_close(c);
        return rc;
    }
    *ret = c;
    return 0;
}

int look_ask_others(struct podpid_look *k, struct err *err)
{
    for (unsigned i = 0; i < k->discovered.n_others; i++) {
        int rc = ask(k, &k->discovered.others[i], &k->others[i].client);

        if (err_is_shortage(rc)) {
            char where[ENDPOINT_TEXT_SIZE];

            endpoint_format(&k->discovered.others[i], where, sizeof(where));
            return rc == -ENOMEM ? err_nomem(err)
                                 : err_set(err, ERR_INTERNAL, -rc, "%s: %s", where, strerror(-rc));
        }
        k->n_others++;
    }
    return 0;
}

void look_step_others(struct podpid_look *k, nsec now)
{
    for (unsigned i = 0; i < k->n_others; i++) {
        struct look_other *o = &k->others[i];
        struct client_reply r;

        if (!o->client || o->answered) {
            continue;
        }
        if (client_step(o->client, now, NULL) < 0) {
            client_close(o->client);
            o->client = NULL;
            continue;
        }
        while (client_next(o->client, &r)) {
            if (r.kind == CLIENT_LIST) {
                o->answered = true;
                o->failed = r.rc < 0;
                o->has_pods = r.rc == 0 && r.list.n_pods;
                o->has_containers = r.rc == 0 && r.list.n_containers;
            }
        }
    }
}

static bool is_awaited(const struct look_other *o)
{
    return o->client && !o->answered;
}

nsec look_others_deadline(const struct podpid_look *k, bool wait_for_lists)
{
    nsec until = NSEC_NEVER;

    for (unsigned i = 0; i < k->n_others; i++) {
        if (is_awaited(&k->others[i])) {
            until = nsec_min(until, client_deadline(k->others[i].client));
            until = wait_for_lists ? nsec_min(until, nsec_after(k->started, patience)) : until;
        }
    }
    return until;
}

bool look_others_may_answer(const struct podpid_look *k, nsec now)
{
    bool waiting = false;

    for (unsigned i = 0; i < k->n_others; i++) {
        waiting = waiting || is_awaited(&k->others[i]);
    }
    return waiting && now < nsec_after(k->started, patience);
}

static bool put_in_place(struct podpid_look *k, unsigned i, const char *why)
{
    char where[ENDPOINT_TEXT_SIZE];
    const char *chosen_by;

    endpoint_format(&k->discovered.endpoint, where, sizeof(where));
    chosen_by = arena_printf(&k->arena, "well-known socket (%s %s)", where, why);
    if (!chosen_by) {
        return false;
    }
    client_close(k->client);
    k->client = TAKE_PTR(k->others[i].client);
    k->discovered.endpoint = k->discovered.others[i];
    k->discovered.chosen_by = chosen_by;
    return true;
}

bool look_switch_socket(struct podpid_look *k, const char *why, bool with_content)
{
    for (unsigned i = 0; i < k->n_others; i++) {
        const struct look_other *o = &k->others[i];

        if (o->client && !o->failed && (!with_content || o->has_pods || o->has_containers)) {
            return put_in_place(k, i, why);
        }
    }
    return false;
}
