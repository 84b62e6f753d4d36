/* Makes pods as a kubelet would, through the RPCs of CRI that write. A test tool: never linked into
 * podpid, which only ever reads.
 *
 *   podmaker SOCKET FOLDER VERB ...
 *
 * FOLDER keeps, for each sandbox made, the config that CreateContainer wants to see again; `names`
 * with a line "NAMESPACE/POD/CONTAINER ID" for each container; `cgroups` with each pod's cgroup. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/podmaker/config.h"
#include "test/podmaker/fill.h"
#include "test/podmaker/maker.h"
#include "test/podmaker/options.h"
#include "test/podmaker/rpc.h"

static int verb_pod(struct maker *m, const struct options *o, char **args, int n_args)
{
    char *id;

    (void)args;
    if (n_args != 0) {
        return 2;
    }
    id = maker_run_pod(m, sandbox_config(&m->arena, o));
    return id && maker_say(must(arena_printf(&m->arena, "%s\n", id))) == 0 ? 0 : 1;
}

static int verb_container(struct maker *m, const struct options *o, char **args, int n_args)
{
    char *sleep_forever[] = {maker_text(m, "sleep"), maker_text(m, "1000000")};
    struct options with_command = *o;
    Podmaker__SandboxConfig *pod;
    char *id;

    if (n_args < 1 || !(pod = maker_pod_config(m, args[0]))) {
        return 2;
    }
    with_command.command = n_args > 1 ? args + 1 : sleep_forever;
    with_command.n_command = n_args > 1 ? (size_t)n_args - 1 : 2;
    id = maker_run_container(m, args[0], pod, &with_command);
    podmaker__sandbox_config__free_unpacked(pod, NULL);
    return id && maker_say(must(arena_printf(&m->arena, "%s\n", id))) == 0 ? 0 : 1;
}

static int verb_stop(struct maker *m, const struct options *o, char *id)
{
    Podmaker__StopContainerRequest request;

    podmaker__stop_container_request__init(&request);
    request.container_id = id;
    request.timeout = o->timeout;
    return maker_call(m, "StopContainer", &request.base) == 0 ? 0 : 1;
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
        return fill(m, o, socket_path);
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
        return maker_call_id(m, "Version", NULL) == 0 ? 0 : 1;
    }
    for (size_t i = 0; i < sizeof(simple) / sizeof(*simple); i++) {
        if (strcmp(verb, simple[i].verb) == 0 && n_args == 1) {
            return maker_call_id(m, simple[i].method, args[0]) == 0 ? 0 : 1;
        }
    }
    return 2;
}

int main(int argc, char **argv)
{
    struct options o;
    struct maker m = {0};
    int rc, first; /* of the arguments behind the verb and its options */

    if (argc < 4 || (first = options_read(&o, argc - 3, argv + 3)) < 0) {
        fputs(usage, stderr);
        return 2;
    }
    m.folder = o.folder = argv[2];
    m.rpc = rpc_open(argv[1]);
    if (!m.rpc) {
        return 1;
    }
    first += 3;
    rc = run(&m, &o, argv[1], argv[3], argv + first, argc - first);
    if (rc == 2) {
        fputs(usage, stderr);
    }
    rpc_close(m.rpc);
    arena_free(&m.arena);
    return rc;
}
