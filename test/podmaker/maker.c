#include "test/podmaker/maker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "test/podmaker/config.h"
#include "test/support/fclose.h"

static void complain(const char *what)
{
    fprintf(stderr, "podmaker: %s: %s\n", what, strerror(errno));
}

char *maker_text(struct maker *m, const char *s)
{
    return must(arena_strdup(&m->arena, s));
}

static char *config_path(struct maker *m, const char *sandbox)
{
    return must(arena_printf(&m->arena, "%s/%s.pod", m->folder, sandbox));
}

static int save_config(struct maker *m, const char *sandbox, const Podmaker__SandboxConfig *c)
{
    size_t n = podmaker__sandbox_config__get_packed_size(c);
    uint8_t *packed = must(arena_alloc(&m->arena, n));
    AUTO_FCLOSE FILE *f = fopen(config_path(m, sandbox), "we");

    podmaker__sandbox_config__pack(c, packed);
    if (!f || fwrite(packed, 1, n, f) != n || fflush(f) != 0) {
        complain(config_path(m, sandbox));
        return -1;
    }
    return 0;
}

Podmaker__SandboxConfig *maker_pod_config(struct maker *m, const char *sandbox)
{
    static uint8_t packed[65536];
    AUTO_FCLOSE FILE *f = fopen(config_path(m, sandbox), "re");
    Podmaker__SandboxConfig *c;

    if (!f) {
        complain(config_path(m, sandbox));
        return NULL;
    }
    c = podmaker__sandbox_config__unpack(NULL, fread(packed, 1, sizeof(packed), f), packed);
    if (!c) {
        fprintf(stderr, "podmaker: %s: no sandbox config\n", config_path(m, sandbox));
    }
    return c;
}

/* One write, so that the lines of several workers stay whole. */
static int append(const char *path, const char *line)
{
    AUTO_CLOSE int fd =
        path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : dup(STDOUT_FILENO);
    size_t n = strlen(line);

    if (fd < 0 || write(fd, line, n) != (ssize_t)n) {
        complain(path ? path : "stdout");
        return -1;
    }
    return 0;
}

int maker_say(const char *line)
{
    return append(NULL, line);
}

/* A line more in a file of the folder. */
static int note(struct maker *m, const char *file, const char *line)
{
    return append(must(arena_printf(&m->arena, "%s/%s", m->folder, file)),
                  must(arena_printf(&m->arena, "%s\n", line)));
}

int maker_call(struct maker *m, const char *method, const ProtobufCMessage *request)
{
    ProtobufCMessage *reply = rpc_call(m->rpc, method, request, &podmaker__empty__descriptor);

    if (!reply) {
        return -1;
    }
    protobuf_c_message_free_unpacked(reply, NULL);
    return 0;
}

int maker_call_id(struct maker *m, const char *method, char *id)
{
    Podmaker__IdRequest request;

    podmaker__id_request__init(&request);
    request.id = id ? id : request.id;
    return maker_call(m, method, &request.base);
}

char *maker_run_pod(struct maker *m, Podmaker__SandboxConfig *config)
{
    Podmaker__RunPodSandboxRequest request;
    ProtobufCMessage *reply;
    char *id;

    podmaker__run_pod_sandbox_request__init(&request);
    if (note(m, "cgroups", config->linux->cgroup_parent) < 0) {
        return NULL;
    }
    request.config = config;
    reply = rpc_call(m->rpc, "RunPodSandbox", &request.base,
                     &podmaker__run_pod_sandbox_response__descriptor);
    if (!reply) {
        return NULL;
    }
    id = maker_text(m, ((Podmaker__RunPodSandboxResponse *)reply)->pod_sandbox_id);
    protobuf_c_message_free_unpacked(reply, NULL);
    return save_config(m, id, config) == 0 ? id : NULL;
}

char *maker_run_container(struct maker *m, char *sandbox, Podmaker__SandboxConfig *pod,
                          const struct options *o)
{
    Podmaker__CreateContainerRequest request;
    ProtobufCMessage *reply;
    char *id;

    podmaker__create_container_request__init(&request);
    request.pod_sandbox_id = sandbox;
    request.config = container_config(&m->arena, o, pod);
    request.sandbox_config = pod;
    reply = rpc_call(m->rpc, "CreateContainer", &request.base,
                     &podmaker__create_container_response__descriptor);
    if (!reply) {
        return NULL;
    }
    id = maker_text(m, ((Podmaker__CreateContainerResponse *)reply)->container_id);
    protobuf_c_message_free_unpacked(reply, NULL);
    if (!o->create_only && maker_call_id(m, "StartContainer", id) < 0) {
        return NULL;
    }
    if (note(m, "names",
             must(arena_printf(&m->arena, "%s/%s/%s %s", pod->metadata->namespace_,
                               pod->metadata->name, o->name, id))) < 0) {
        return NULL;
    }
    return id;
}
