/* The other well-known sockets. Where nobody said which runtime is meant, the first of them need
 * not be it: Docker's own containerd sits on the socket that a Kubernetes node's has, and serves no
 * CRI or lists nothing. */
#include "resolver/look/impl.h"

static const nsec patience =
    500 * NSEC_PER_MSEC; /* for the others' lists, when the chosen one is empty */

/* What fails here fails silently: nobody asked for these. */
void look_ask_others(struct podpid_look *k)
{
    for (unsigned i = 0; i < k->discovered.n_others; i++) {
        struct look_other *o = &k->others[k->n_others++];

        if (client_open(&k->discovered.others[i], &o->client, NULL) < 0) {
            o->client = NULL;
        } else if (client_get_list(o->client, &k->arena, 0, NULL) < 0 ||
                   look_listen_to(k, o->client) < 0) {
            client_close(o->client);
            o->client = NULL;
        }
    }
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
                o->has_pods = r.rc == 0 && r.list.n_pods;
                o->has_containers = r.rc == 0 && r.list.n_containers;
                o->failed = r.rc < 0;
            }
        }
    }
}

nsec look_others_deadline(const struct podpid_look *k)
{
    nsec until = NSEC_NEVER;

    for (unsigned i = 0; i < k->n_others; i++) {
        const struct look_other *o = &k->others[i];

        if (o->client && !o->answered) {
            until = nsec_min(until, client_deadline(o->client));
            if (k->phase == LOOK_LIST && k->listed) {
                until = nsec_min(until, nsec_after(k->started, patience));
            }
        }
    }
    return until;
}

bool look_others_may_answer(const struct podpid_look *k, nsec now)
{
    bool waiting = false;

    for (unsigned i = 0; i < k->n_others; i++) {
        waiting = waiting || (k->others[i].client && !k->others[i].answered);
    }
    return waiting && now < nsec_after(k->started, patience);
}

static bool take_over(struct podpid_look *k, unsigned i, const char *why, struct err *err)
{
    struct look_other *o = &k->others[i];
    char where[128];

    endpoint_format(&k->discovered.endpoint, where, sizeof(where));
    k->discovered.chosen_by = arena_printf(&k->arena, "well-known socket (%s %s)", where, why);
    if (!k->discovered.chosen_by) {
        return false;
    }
    client_close(k->client);
    k->client = o->client;
    o->client = NULL;
    k->discovered.endpoint = k->discovered.others[i];
    k->runtime = (struct view_runtime){0};
    k->identified = false;
    return look_ask_first(k, err) == 0;
}

bool look_fall_on(struct podpid_look *k, const char *why, bool with_content, struct err *err)
{
    for (unsigned i = 0; i < k->n_others; i++) {
        const struct look_other *o = &k->others[i];

        if (o->client && !o->failed && (!with_content || o->has_pods || o->has_containers)) {
            return take_over(k, i, why, err);
        }
    }
    return false;
}
