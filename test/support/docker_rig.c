#include "test/support/docker_rig.h"

#include <poll.h>
#include <stdio.h>

#include "test/support/scratch.h"
#include "test/support/unit.h"

void docker_rig_open(struct docker_rig *rig, struct http_answer *script, size_t n)
{
    struct err err = {0};

    *rig = (struct docker_rig){.dir = scratch_new()};
    snprintf(rig->ep.path, sizeof(rig->ep.path), "%s/s", rig->dir);
    rig->server = http_server_new(rig->ep.path, script, n);
    if (docker_client_open(&rig->ep, &rig->client, &err) < 0) {
        fail_msg("%s", err.text);
    }
}

void docker_rig_daemon_dies(struct docker_rig *rig)
{
    if (rig->server) {
        http_server_free(rig->server);
        rig->server = NULL;
    }
}

void docker_rig_close(struct docker_rig *rig)
{
    client_close(rig->client);
    docker_rig_daemon_dies(rig);
    arena_free(&rig->arena);
    scratch_remove(rig->dir);
}

bool docker_rig_next(struct docker_rig *rig, struct client_reply *ret, struct err *err)
{
    nsec now = clock_now();

    for (unsigned idle = 0; idle < 1000;) {
        struct pollfd p = {.fd = client_fd(rig->client), .events = POLLIN};
        bool did = rig->server && http_server_step(rig->server);

        if (client_step(rig->client, now, err) < 0) {
            return false;
        }
        if (client_next(rig->client, ret)) {
            return true;
        }
        did |= poll(&p, 1, 0) > 0;
        idle = did ? 0 : idle + 1;
        now += did ? 0 : 10 * NSEC_PER_MSEC;
    }
    fail_msg("no reply, and nobody has anything to do");
    return false;
}

void docker_rig_reply(struct docker_rig *rig, struct client_reply *ret)
{
    struct err err = {0};

    if (!docker_rig_next(rig, ret, &err)) {
        fail_msg("%s", err.text);
    }
}

void docker_rig_silence(struct docker_rig *rig)
{
    struct client_reply reply;
    struct err err = {0};

    for (unsigned i = 0; i < 100; i++) {
        http_server_step(rig->server);
        if (client_step(rig->client, clock_now(), &err) < 0) {
            fail_msg("%s", err.text);
        }
        assert_false(client_next(rig->client, &reply));
    }
}
