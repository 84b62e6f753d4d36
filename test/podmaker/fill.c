#include "test/podmaker/fill.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cri/base/text.h"
#include "test/podmaker/config.h"

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
    copy = maker_text(m, must(script.p));
    buf_free(&script);
    return copy;
}

static int fill_pod(struct maker *m, const struct options *o, long i)
{
    char *shell[] = {maker_text(m, "sh"), maker_text(m, "-c"), many_processes(m, o->processes)};
    char *alone[] = {maker_text(m, "sleep"), maker_text(m, "1000000")};
    struct options pod_options = *o;
    Podmaker__SandboxConfig *pod;
    char *sandbox;

    name_pod(m, &pod_options, i);
    pod = sandbox_config(&m->arena, &pod_options);
    sandbox = maker_run_pod(m, pod);
    for (long k = 0; sandbox && k < o->containers; k++) {
        struct options c = *o;
        char *id;

        c.name = name_container(m, k);
        c.command = o->processes > 1 ? shell : alone;
        c.n_command = o->processes > 1 ? 3 : 2;
        id = maker_run_container(m, sandbox, pod, &c);
        if (!id || maker_say(must(arena_printf(&m->arena, "%s/%s/%s %s\n", pod_options.namespace_,
                                               pod_options.name, c.name, id))) < 0) {
            return -1;
        }
    }
    return sandbox ? 0 : -1;
}

int fill(const struct maker *m, const struct options *o, const char *socket_path)
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
