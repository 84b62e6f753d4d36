#include "test/support/cri_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cri/rpc/client.h"
#include "test/support/unit.h"

enum { ROUNDS_MOST = 200000 };

static void start(struct rig *r)
{
    int fds[2];

    assert_non_null(r->fake);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    r->conn = fake_conn_new(r->fake, fds[0]);
    assert_int_equal(cri_client_open(NULL, fds[1], &r->client, &r->err), 0);
    r->now = NSEC_PER_SEC;
}

void rig_open(struct rig *r, const char *script)
{
    char text[8192];
    json_error_t e;
    json_t *doc;

    *r = (struct rig){0};
    snprintf(text, sizeof(text), "%s", script);
    for (char *p = text; *p; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    doc = json_loads(text, 0, &e);
    if (!doc) {
        fail_msg("script: %s", e.text);
    }
    r->fake = fake_cri_new(doc, ".");
    start(r);
}

void rig_open_runtime(struct rig *r, const char *runtime)
{
    char path[512];

    *r = (struct rig){0};
    snprintf(path, sizeof(path), "%s/fixtures/runtimes/%s/script.json", TEST_DIR, runtime);
    r->fake = fake_cri_load(path);
    start(r);
}

void rig_close(struct rig *r)
{
    client_close(r->client);
    fake_conn_free(r->conn);
    fake_cri_free(r->fake);
    arena_free(&r->arena);
    free(r->replies);
}

static void one_round(struct rig *r)
{
    struct client_reply reply;

    r->now += NSEC_PER_MSEC;
    if (r->conn && !fake_conn_step(r->conn, r->now)) {
        fake_conn_free(r->conn);
        r->conn = NULL;
    }
    r->rc = client_step(r->client, r->now, &r->err);
    while (client_next(r->client, &reply)) {
        r->replies = realloc(r->replies, (r->n_replies + 1) * sizeof(reply));
        assert_non_null(r->replies);
        r->replies[r->n_replies++] = reply;
    }
}

void rig_rounds(struct rig *r, unsigned n)
{
    for (unsigned i = 0; i < n && r->rc == 0; i++) {
        one_round(r);
    }
}

void rig_run(struct rig *r)
{
    for (unsigned i = 0; r->rc == 0 && client_pending(r->client) > 0; i++) {
        if (i == ROUNDS_MOST) {
            fail_msg("%u requests are never answered", client_pending(r->client));
        }
        one_round(r);
    }
}

void rig_ask(struct rig *r)
{
    assert_int_equal(client_get_identity(r->client, &r->arena, &r->err), 0);
    assert_int_equal(client_get_list(r->client, &r->arena, &r->err), 0);
}

const struct view *rig_ask_all(struct rig *r)
{
    const struct client_reply *list;

    rig_ask(r);
    rig_run(r);
    assert_int_equal(r->rc, 0);
    list = rig_reply(r, CLIENT_LIST);
    if (!list || list->rc != 0) {
        fail_msg("no list: %s", list ? list->err.text : "none came");
        return NULL;
    }
    for (size_t i = 0; i < list->list.n_pods; i++) {
        client_get_pod(r->client, list->list.pods[i].id, &r->arena, &r->err);
    }
    for (size_t i = 0; i < list->list.n_containers; i++) {
        client_get_container(r->client, list->list.containers[i].id, &r->arena, &r->err);
    }
    rig_run(r);
    assert_int_equal(r->rc, 0);
    return &rig_reply(r, CLIENT_LIST)->list;
}

const struct client_reply *rig_reply(const struct rig *r, enum client_reply_kind kind)
{
    for (size_t i = 0; i < r->n_replies; i++) {
        if (r->replies[i].kind == kind) {
            return &r->replies[i];
        }
    }
    return NULL;
}

const struct client_reply *rig_reply_of(const struct rig *r, const char *id)
{
    for (size_t i = 0; i < r->n_replies; i++) {
        const struct client_reply *reply = &r->replies[i];

        if ((reply->kind == CLIENT_POD && strcmp(reply->pod.id, id) == 0) ||
            (reply->kind == CLIENT_CONTAINER && strcmp(reply->container.id, id) == 0)) {
            return reply;
        }
    }
    fail_msg("no status of %s came", id);
    return NULL;
}

const struct view_container *rig_status_named(const struct rig *r, const char *name)
{
    for (size_t i = 0; i < r->n_replies; i++) {
        const struct client_reply *reply = &r->replies[i];

        if (reply->kind == CLIENT_CONTAINER && reply->rc == 0 &&
            strcmp(reply->container.name, name) == 0) {
            return &reply->container;
        }
    }
    fail_msg("no status of %s", name);
    return NULL;
}

unsigned rig_count(const struct rig *r, enum client_reply_kind kind)
{
    unsigned n = 0;

    for (size_t i = 0; i < r->n_replies; i++) {
        n += r->replies[i].kind == kind ? 1 : 0;
    }
    return n;
}
