/* A speaker of the Docker Engine's API and a server that answers as a script says, stepped in turn
 * by the test: no threads, no waiting. */
#ifndef PODPID_TEST_DOCKER_RIG_H
#define PODPID_TEST_DOCKER_RIG_H

#include "cri/client.h"
#include "cri/docker/client.h"
#include "test/support/http.h"

#define ENGINE_VERSION "{\"Version\":\"20.10\",\"Components\":[{\"Name\":\"Engine\"}]}"
#define ENGINE_INFO "{\"CgroupDriver\":\"cgroupfs\"}"
#define ENGINE_INSPECT(id)                                                                         \
    "{\"Id\":\"" id "\",\"State\":{\"Status\":\"running\",\"Pid\":7},\"Name\":\"/n\","             \
    "\"HostConfig\":{\"CgroupParent\":\"/x\"}}"

struct docker_rig {
    char *dir;
    struct endpoint ep;
    struct http_server *server; /* NULL: it died */
    struct client *client;
    struct arena arena;
};

/* The script is borrowed. */
void docker_rig_open(struct docker_rig *rig, struct http_answer *script, size_t n);
#define DOCKER_RIG_OPEN(rig, script)                                                               \
    docker_rig_open(rig, script, sizeof(script) / sizeof(*(script)))
void docker_rig_close(struct docker_rig *rig);

/* Steps both sides until there is a reply. False: the client's step failed. Where both have nothing
 * to do the client's own time is let pass, for its timers; the test fails if that brings nothing.
 */
bool docker_rig_next(struct docker_rig *rig, struct client_reply *ret, struct err *err);
void docker_rig_reply(struct docker_rig *rig, struct client_reply *ret); /* there has to be one */

/* Steps both sides for a while in which there may be no reply. */
void docker_rig_silence(struct docker_rig *rig);

/* The daemon is gone, and its socket with it. */
void docker_rig_daemon_dies(struct docker_rig *rig);

#endif
