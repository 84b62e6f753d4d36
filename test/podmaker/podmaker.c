/* Makes pods as a kubelet would, through the RPCs of CRI that write. A test tool: never linked into
 * podpid, which only ever reads.
 *
 *   podmaker SOCKET FOLDER VERB ...
 *
 * FOLDER keeps, for each sandbox made, the config that CreateContainer wants to see again; `names`
 * with a line "NAMESPACE/POD/CONTAINER ID" for each container; `cgroups` with each pod's cgroup. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "cri/base/cleanup.h"
#include "cri/base/text.h"
#include "test/podmaker/config.h"
#include "test/podmaker/rpc.h"

struct maker {
    struct rpc *rpc;
    const char *folder;
    struct arena arena;
};

static void complain(const char *what)
{
    fprintf(stderr, "podmaker: %s: %s\n", what, strerror(errno));
}

static char *text(struct maker *m, const char *s)
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

static Podmaker__SandboxConfig *load_config(struct maker *m, const char *sandbox)
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
static int say(const char *path, const char *line)
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

/* A line more in a file of the folder. */
static int note(struct maker *m, const char *file, const char *line)
{
    return say(must(arena_printf(&m->arena, "%s/%s", m->folder, file)),
               must(arena_printf(&m->arena, "%s\n", line)));
}

static int call_id(struct maker *m, const char *method, char *id)
{
    Podmaker__IdRequest request;
    ProtobufCMessage *reply;

    podmaker__id_request__init(&request);
    request.id = id ? id : request.id;
    reply = rpc_call(m->rpc, method, &request.base, &podmaker__empty__descriptor);
    if (!reply) {
        return -1;
    }
    protobuf_c_message_free_unpacked(reply, NULL);
    return 0;
}

static char *run_pod(struct maker *m, Podmaker__SandboxConfig *config)
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
    id = text(m, ((Podmaker__RunPodSandboxResponse *)reply)->pod_sandbox_id);
    protobuf_c_message_free_unpacked(reply, NULL);
    return save_config(m, id, config) == 0 ? id : NULL;
}

static char *run_container(struct maker *m, char *sandbox, Podmaker__SandboxConfig *pod,
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
    id = text(m, ((Podmaker__CreateContainerResponse *)reply)->container_id);
    protobuf_c_message_free_unpacked(reply, NULL);
    if (!o->create_only && call_id(m, "StartContainer", id) < 0) {
        return NULL;
    }
    if (note(m, "names",
             must(arena_printf(&m->arena, "%s/%s/%s %s", pod->metadata->namespace_,
                               pod->metadata->name, o->name, id))) < 0) {
        return NULL;
    }
    return id;
}

static int verb_pod(struct maker *m, const struct options *o, char **args, int n_args)
{
    char *id;

    (void)args;
    if (n_args != 0) {
        return 2;
    }
    id = run_pod(m, sandbox_config(&m->arena, o));
    return id && say(NULL, must(arena_printf(&m->arena, "%s\n", id))) == 0 ? 0 : 1;
}

static int verb_container(struct maker *m, const struct options *o, char **args, int n_args)
{
    char *sleep_forever[] = {text(m, "sleep"), text(m, "1000000")};
    struct options with_command = *o;
    Podmaker__SandboxConfig *pod;
    char *id;

    if (n_args < 1 || !(pod = load_config(m, args[0]))) {
        return 2;
    }
    with_command.command = n_args > 1 ? args + 1 : sleep_forever;
    with_command.n_command = n_args > 1 ? (size_t)n_args - 1 : 2;
    id = run_container(m, args[0], pod, &with_command);
    podmaker__sandbox_config__free_unpacked(pod, NULL);
    return id && say(NULL, must(arena_printf(&m->arena, "%s\n", id))) == 0 ? 0 : 1;
}

/* The i-th pod of a node that looks like somebody's. */
static void name_pod(struct maker *m, struct options *o, long i)
{
    static const struct {
        const char *namespace_, *name;
    } pods[] = {
        {"prod", "web"}, {"prod", "db"}, {"prod", "cache"}, {"staging", "web"}, {"batch", "report"},
    };
    long n = sizeof(pods) / sizeof(*pods);

    o->namespace_ = pods[i % n].namespace_;
    o->name =
        i < n ? pods[i % n].name : must(arena_printf(&m->arena, "%s-%ld", pods[i % n].name, i / n));
}

static const char *name_container(struct maker *m, long i)
{
    static const char *const names[] = {"app", "sidecar", "metrics"};
    long n = sizeof(names) / sizeof(*names);

    return i < n ? names[i] : must(arena_printf(&m->arena, "extra-%ld", i - n + 1));
}

/* A shell that is the parent of what is asked for beyond itself. */
static char *many_processes(struct maker *m, long n)
{
    struct buf script = {0};
    char *copy;

    for (long i = 1; i < n; i++) {
        buf_printf(&script, "sleep %ld & ", 1000000 + i);
    }
    buf_puts(&script, "wait");
    copy = text(m, must(script.p));
    buf_free(&script);
    return copy;
}

static int fill_pod(struct maker *m, const struct options *o, long i)
{
    char *shell[] = {text(m, "sh"), text(m, "-c"), many_processes(m, o->processes)};
    char *alone[] = {text(m, "sleep"), text(m, "1000000")};
    struct options pod_options = *o;
    Podmaker__SandboxConfig *pod;
    char *sandbox;

    name_pod(m, &pod_options, i);
    pod = sandbox_config(&m->arena, &pod_options);
    sandbox = run_pod(m, pod);
    for (long k = 0; sandbox && k < o->containers; k++) {
        struct options c = *o;
        char *id;

        c.name = name_container(m, k);
        c.command = o->processes > 1 ? shell : alone;
        c.n_command = o->processes > 1 ? 3 : 2;
        id = run_container(m, sandbox, pod, &c);
        if (!id || say(NULL, must(arena_printf(&m->arena, "%s/%s/%s %s\n", pod_options.namespace_,
                                               pod_options.name, c.name, id))) < 0) {
            return -1;
        }
    }
    return sandbox ? 0 : -1;
}

/* Several workers, each on its own connection: a runtime spends most of the time waiting. */
static int verb_fill(struct maker *m, const struct options *o, const char *socket_path)
{
    int worst = 0;

    for (long job = 0; job < o->jobs; job++) {
        pid_t pid = fork();

        if (pid < 0) {
            worst = 1;
        }
        if (pid != 0) {
            continue;
        }
        struct rpc *rpc = rpc_open(socket_path);
        struct maker mine = {.rpc = rpc, .folder = m->folder};

        for (long i = job; rpc && i < o->pods; i += o->jobs) {
            if (fill_pod(&mine, o, o->first + i) < 0) {
                _exit(1);
            }
        }
        _exit(rpc ? 0 : 1);
    }
    for (int status; wait(&status) > 0;) {
        if (status != 0) {
            worst = 1;
        }
    }
    return worst;
}

static int verb_stop(struct maker *m, const struct options *o, char *id)
{
    Podmaker__StopContainerRequest request;
    ProtobufCMessage *reply;

    podmaker__stop_container_request__init(&request);
    request.container_id = id;
    request.timeout = o->timeout;
    reply = rpc_call(m->rpc, "StopContainer", &request.base, &podmaker__empty__descriptor);
    if (!reply) {
        return 1;
    }
    protobuf_c_message_free_unpacked(reply, NULL);
    return 0;
}

/* The debug map of the verbose status, as the runtime gives it. */
static int verb_info(struct maker *m, char *id)
{
    Podmaker__ContainerStatusRequest request;
    Podmaker__ContainerStatusResponse *reply;

    podmaker__container_status_request__init(&request);
    request.container_id = id;
    request.verbose = true;
    reply = (Podmaker__ContainerStatusResponse *)rpc_call(
        m->rpc, "ContainerStatus", &request.base, &podmaker__container_status_response__descriptor);
    if (!reply) {
        return 1;
    }
    for (size_t i = 0; i < reply->n_info; i++) {
        puts(reply->info[i]->value);
    }
    podmaker__container_status_response__free_unpacked(reply, NULL);
    return 0;
}

static int verb_exec(struct maker *m, const struct options *o, char **args, int n_args)
{
    Podmaker__ExecSyncRequest request;
    Podmaker__ExecSyncResponse *reply;
    int code;

    podmaker__exec_sync_request__init(&request);
    if (n_args < 2) {
        return 2;
    }
    request.container_id = args[0];
    request.cmd = args + 1;
    request.n_cmd = (size_t)n_args - 1;
    request.timeout = o->timeout;
    reply = (Podmaker__ExecSyncResponse *)rpc_call(m->rpc, "ExecSync", &request.base,
                                                   &podmaker__exec_sync_response__descriptor);
    if (!reply) {
        return 1;
    }
    fwrite(reply->stdout.data, 1, reply->stdout.len, stdout);
    fwrite(reply->stderr.data, 1, reply->stderr.len, stderr);
    code = reply->exit_code;
    podmaker__exec_sync_response__free_unpacked(reply, NULL);
    return code;
}

static const char usage[] =
    "usage: podmaker SOCKET FOLDER VERB ...\n"
    "  pod [--namespace N] [--name P] [--uid U] [--attempt A] [--label K=V]... [--privileged]\n"
    "      [--host-pid | --shared-pid] [--cgroup-parent PATH]         prints the sandbox's id\n"
    "  container [--name C] [--attempt A] [--image I] [--label K=V]... [--privileged]\n"
    "      [--mount HOST:INSIDE]... [--create-only] SANDBOX [COMMAND ARG...]   prints the id\n"
    "  fill --pods N [--first I] --containers M --processes P [--jobs J] [pod options]\n"
    "      prints NAMESPACE/POD/CONTAINER ID for each\n"
    "  ready                                            whether anybody is served\n"
    "  info ID                                          the verbose status's debug map\n"
    "  start ID | stop [--timeout S] ID | rm ID | stop-pod ID | rm-pod ID\n"
    "  exec [--timeout S] ID COMMAND ARG...                           waits for its end\n";

enum option_key {
    OPT_NAMESPACE = 1,
    OPT_NAME,
    OPT_UID,
    OPT_ATTEMPT,
    OPT_LABEL,
    OPT_PRIVILEGED,
    OPT_HOST_PID,
    OPT_SHARED_PID,
    OPT_CGROUP_PARENT,
    OPT_IMAGE,
    OPT_MOUNT,
    OPT_CREATE_ONLY,
    OPT_FIRST,
    OPT_PODS,
    OPT_CONTAINERS,
    OPT_PROCESSES,
    OPT_JOBS,
    OPT_TIMEOUT
};

static const struct option long_options[] = {
    {"namespace", required_argument, NULL, OPT_NAMESPACE},
    {"name", required_argument, NULL, OPT_NAME},
    {"uid", required_argument, NULL, OPT_UID},
    {"attempt", required_argument, NULL, OPT_ATTEMPT},
    {"label", required_argument, NULL, OPT_LABEL},
    {"privileged", no_argument, NULL, OPT_PRIVILEGED},
    {"host-pid", no_argument, NULL, OPT_HOST_PID},
    {"shared-pid", no_argument, NULL, OPT_SHARED_PID},
    {"cgroup-parent", required_argument, NULL, OPT_CGROUP_PARENT},
    {"image", required_argument, NULL, OPT_IMAGE},
    {"mount", required_argument, NULL, OPT_MOUNT},
    {"create-only", no_argument, NULL, OPT_CREATE_ONLY},
    {"first", required_argument, NULL, OPT_FIRST},
    {"pods", required_argument, NULL, OPT_PODS},
    {"containers", required_argument, NULL, OPT_CONTAINERS},
    {"processes", required_argument, NULL, OPT_PROCESSES},
    {"jobs", required_argument, NULL, OPT_JOBS},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {0},
};

/* False for an option that is unknown or once too often. */
static bool take_option(struct options *o, int key, char *value)
{
    switch (key) {
    case OPT_NAMESPACE:
        o->namespace_ = value;
        return true;
    case OPT_NAME:
        o->name = value;
        return true;
    case OPT_UID:
        o->uid = value;
        return true;
    case OPT_ATTEMPT:
        o->attempt = (uint32_t)atoi(value);
        return true;
    case OPT_PRIVILEGED:
        o->privileged = true;
        return true;
    case OPT_HOST_PID:
        o->pid = PODMAKER__NAMESPACE_MODE__NODE;
        return true;
    case OPT_SHARED_PID:
        o->pid = PODMAKER__NAMESPACE_MODE__POD;
        return true;
    case OPT_CGROUP_PARENT:
        o->cgroup_parent = value;
        return true;
    case OPT_IMAGE:
        o->image = value;
        return true;
    case OPT_CREATE_ONLY:
        o->create_only = true;
        return true;
    case OPT_FIRST:
        o->first = atol(value);
        return true;
    case OPT_PODS:
        o->pods = atol(value);
        return true;
    case OPT_CONTAINERS:
        o->containers = atol(value);
        return true;
    case OPT_PROCESSES:
        o->processes = atol(value);
        return true;
    case OPT_JOBS:
        o->jobs = atol(value);
        return true;
    case OPT_TIMEOUT:
        o->timeout = atol(value);
        return true;
    case OPT_LABEL:
        if (o->n_labels < MAX_LABELS) {
            o->labels[o->n_labels++] = value;
            return true;
        }
        return false;
    case OPT_MOUNT:
        if (o->n_mounts < MAX_MOUNTS) {
            o->mounts[o->n_mounts++] = value;
            return true;
        }
        return false;
    default:
        return false;
    }
}

static int run(struct maker *m, const struct options *o, const char *socket_path, const char *verb,
               char **args, int n_args)
{
    static const struct {
        const char *verb, *method;
    } simple[] = {
        {"start", "StartContainer"},
        {"rm", "RemoveContainer"},
        {"stop-pod", "StopPodSandbox"},
        {"rm-pod", "RemovePodSandbox"},
    };

    if (strcmp(verb, "pod") == 0) {
        return verb_pod(m, o, args, n_args);
    }
    if (strcmp(verb, "container") == 0) {
        return verb_container(m, o, args, n_args);
    }
    if (strcmp(verb, "fill") == 0 && n_args == 0) {
        return verb_fill(m, o, socket_path);
    }
    if (strcmp(verb, "exec") == 0) {
        return verb_exec(m, o, args, n_args);
    }
    if (strcmp(verb, "stop") == 0 && n_args == 1) {
        return verb_stop(m, o, args[0]);
    }
    if (strcmp(verb, "info") == 0 && n_args == 1) {
        return verb_info(m, args[0]);
    }
    if (strcmp(verb, "ready") == 0 && n_args == 0) {
        return call_id(m, "Version", NULL) == 0 ? 0 : 1;
    }
    for (size_t i = 0; i < sizeof(simple) / sizeof(*simple); i++) {
        if (strcmp(verb, simple[i].verb) == 0 && n_args == 1) {
            return call_id(m, simple[i].method, args[0]) == 0 ? 0 : 1;
        }
    }
    return 2;
}

int main(int argc, char **argv)
{
    struct options o = {.namespace_ = "prod",
                        .name = "app",
                        .image = "docker.io/library/busybox:latest",
                        .pid = PODMAKER__NAMESPACE_MODE__CONTAINER,
                        .pods = 1,
                        .containers = 1,
                        .processes = 1,
                        .jobs = 4};
    struct maker m = {0};
    int rc = 2, key;

    if (argc < 4) {
        fputs(usage, stderr);
        return 2;
    }
    /* The verb stands in for the program's name; the command of a container is not ours to read. */
    argv += 3;
    argc -= 3;
    while ((key = getopt_long(argc, argv, "+", long_options, NULL)) != -1) {
        if (!take_option(&o, key, optarg)) {
            fputs(usage, stderr);
            return 2;
        }
    }
    m.folder = o.folder = argv[-1];
    m.rpc = rpc_open(argv[-2]);
    if (!m.rpc) {
        return 1;
    }
    rc = run(&m, &o, argv[-2], argv[0], argv + optind, argc - optind);
    if (rc == 2) {
        fputs(usage, stderr);
    }
    rpc_close(m.rpc);
    arena_free(&m.arena);
    return rc;
}
