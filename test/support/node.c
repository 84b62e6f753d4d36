#include "test/support/node.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "test/support/scratch.h"
#include "test/support/unit.h"

#define POD_UID NODE_POD_UID
#define SANDBOX NODE_SANDBOX

/* ---- The runtime ---- */

const char *node_id(unsigned number)
{
    static char id[65];

    snprintf(id, sizeof(id), "%064x", 0xc0000000U + number);
    return id;
}

static unsigned number_of(const char *id)
{
    return (unsigned)(strtoul(id + 56, NULL, 16) - 0xc0000000U);
}

static json_t *status_of(const struct node_container *c)
{
    const char *id = node_id(c->number);
    char info[1024], name[16];

    snprintf(name, sizeof(name), "c%u", c->number);
    snprintf(info, sizeof(info),
             "{\"sandboxID\":\"" SANDBOX
             "\",\"pid\":%d,\"runtimeType\":\"io.containerd.runc.v2\",\"runtimeSpec\":{\"linux\":"
             "{\"cgroupsPath\":\"%s/%s\"}}}",
             c->pid, c->anchor, id);
    return json_pack("{s:{s:s, s:{s:s}, s:i, s:I, s:I, s:{s:s}}, s:{s:s}}", "status", "id", id,
                     "metadata", "name", name, "state", c->state, "created_at",
                     (json_int_t)(1000000000 + c->number), "started_at",
                     (json_int_t)(c->state ? 2000000000 : 0), "image", "image", "app:1", "info",
                     "info", info);
}

static void say_all(struct node *n)
{
    json_t *replies = json_object_get(fake_cri_script(n->cri), "replies");
    json_t *rows = json_array(), *statuses = json_object();

    for (size_t i = 0; i < n->n_containers; i++) {
        const struct node_container *c = &n->containers[i];
        const char *id = node_id(c->number);
        char name[16];

        snprintf(name, sizeof(name), "c%u", c->number);
        json_array_append_new(rows,
                              json_pack("{s:s, s:s, s:{s:s}, s:i, s:I}", "id", id, "pod_sandbox_id",
                                        SANDBOX, "metadata", "name", name, "state", c->state,
                                        "created_at", (json_int_t)(1000000000 + c->number)));
        json_object_set_new(statuses, id, status_of(c));
    }
    json_object_set_new(replies, "ListContainers", json_pack("{s:o}", "containers", rows));
    json_object_set_new(replies, "ContainerStatus", statuses);
}

void node_says(struct node *n, unsigned number, int state, int pid)
{
    struct node_container *c = NULL;

    for (size_t i = 0; i < n->n_containers; i++) {
        c = n->containers[i].number == number ? &n->containers[i] : c;
    }
    if (!c) {
        n->containers = realloc(n->containers, (n->n_containers + 1) * sizeof(*c));
        assert_non_null(n->containers);
        c = &n->containers[n->n_containers++];
        c->number = number;
        snprintf(c->anchor, sizeof(c->anchor), "%s", n->anchor);
    }
    c->pid = pid;
    c->state = state;
    say_all(n);
}

void node_drops(struct node *n, unsigned number)
{
    size_t kept = 0;

    for (size_t i = 0; i < n->n_containers; i++) {
        if (n->containers[i].number != number) {
            n->containers[kept++] = n->containers[i];
        }
    }
    assert_int_equal(kept, n->n_containers - 1);
    n->n_containers = kept;
    say_all(n);
}

void node_sandbox(struct node *n, int pid)
{
    json_t *replies = json_object_get(fake_cri_script(n->cri), "replies");
    json_t *status = json_object_get(json_object_get(replies, "PodSandboxStatus"), SANDBOX);
    char info[512];

    snprintf(info, sizeof(info),
             "{\"pid\":%d,\"runtimeSpec\":{\"linux\":{\"cgroupsPath\":\"%s/" SANDBOX "\"}}}", pid,
             n->anchor);
    assert_int_equal(json_object_set_new(status, "info", json_pack("{s:s}", "info", info)), 0);
}

void node_up(struct node *n)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", n->endpoint + strlen("unix://"));
    unlink(addr.sun_path);
    n->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(n->listener >= 0);
    assert_int_equal(bind(n->listener, (const struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(listen(n->listener, NODE_CONNS), 0);
}

void node_down(struct node *n)
{
    /* A child of the test may hold the listener: the name must go, too. */
    unlink(n->endpoint + strlen("unix://"));
    close(n->listener);
    n->listener = -1;
    while (n->n_conns) {
        fake_conn_free(n->conns[--n->n_conns]);
    }
}

static void step_runtime(struct node *n)
{
    size_t kept = 0;
    int fd;

    while (n->listener >= 0 && n->n_conns < NODE_CONNS &&
           (fd = accept4(n->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        n->conns[n->n_conns++] = fake_conn_new(n->cri, fd);
        n->accepted++;
    }
    for (size_t i = 0; i < n->n_conns; i++) {
        if (fake_conn_step(n->conns[i], n->now)) {
            n->conns[kept++] = n->conns[i];
        } else {
            fake_conn_free(n->conns[i]);
        }
    }
    n->n_conns = kept;
}

/* ---- The node ---- */

static const char script[] =
    "{\"replies\": {\"Version\": {\"runtime_name\": \"containerd\", \"runtime_version\": "
    "\"1.6.20\"}, \"Status\": {\"status\": {\"conditions\": [{\"type\": \"RuntimeReady\", "
    "\"status\": true}]}}, \"ListPodSandbox\": {\"items\": [{\"id\": \"" SANDBOX
    "\", \"metadata\": {\"name\": \"web\", \"namespace\": \"prod\", \"uid\": \"" POD_UID
    "\"}, \"state\": 0}]}, \"PodSandboxStatus\": {\"" SANDBOX "\": {\"status\": {\"id\": \"" SANDBOX
    "\", \"metadata\": {\"name\": \"web\", \"namespace\": \"prod\", \"uid\": \"" POD_UID
    "\"}, \"state\": 0}, \"info\": {\"info\": \"{}\"}}}}}";

void node_open(struct node *n, bool folder)
{
    *n = (struct node){.look = PODPID_OPTIONS_INIT,
                       .options = PODPID_WATCH_OPTIONS_INIT,
                       .error = PODPID_ERROR_INIT,
                       .now = 1000 * NSEC_PER_SEC};
    n->dir = scratch_new();
    snprintf(n->endpoint, sizeof(n->endpoint), "unix://%s/cri.sock", n->dir);
    snprintf(n->anchor, sizeof(n->anchor), "/kubepods/pod" POD_UID);
    n->cri = fake_cri_new(json_loads(script, 0, NULL), n->dir);
    assert_non_null(n->cri);
    n->schema = schema_open(TEST_DIR "/../resolver/schema/podpid.event.v1.json");
    assert_non_null(n->schema);
    n->look.endpoint = n->endpoint;
    n->look.no_environment = true;
    n->options.look = &n->look;
    if (folder) {
        char *proc;

        scratch_puts(n->dir, "proc/stat", "btime 1767225600\n");
        scratch_puts(n->dir, "proc/1/stat",
                     "1 (init) S 0 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 1 0 0\n");
        scratch_puts(n->dir, "proc/1/cgroup", "0::/init.scope\n");
        assert_true(asprintf(&proc, "%s/proc", n->dir) > 0);
        n->look.proc = proc;
    }
    say_all(n);
    node_up(n);
}

void node_close(struct node *n)
{
    podpid_watch_free(n->watch);
    if (n->listener >= 0) {
        node_down(n);
    }
    fake_cri_free(n->cri);
    schema_close(n->schema);
    free((char *)(uintptr_t)n->look.proc);
    free(n->containers);
    scratch_remove(n->dir);
}

void node_process(struct node *n, int pid, unsigned container, unsigned start)
{
    char name[64], text[512];

    snprintf(name, sizeof(name), "proc/%d/stat", pid);
    snprintf(text, sizeof(text),
             "%d (app) S 1 %d %d 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %u 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 "
             "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
             pid, pid, pid, start);
    scratch_puts(n->dir, name, text);
    snprintf(name, sizeof(name), "proc/%d/cgroup", pid);
    snprintf(text, sizeof(text), "0::%s/%s\n", n->anchor, node_id(container));
    scratch_puts(n->dir, name, text);
    snprintf(name, sizeof(name), "proc/%d/status", pid);
    snprintf(text, sizeof(text),
             "Name:\tapp\nState:\tS (sleeping)\nTgid:\t%d\nPid:\t%d\nPPid:\t1\nNSpid:\t%d\t1\n"
             "Threads:\t1\n",
             pid, pid, pid);
    scratch_puts(n->dir, name, text);
}

void node_process_ends(struct node *n, int pid)
{
    char name[32];

    snprintf(name, sizeof(name), "proc/%d", pid);
    scratch_delete(n->dir, name);
}

/* ---- The watch ---- */

void node_watch(struct node *n)
{
    if (podpid_watch_new(&n->options, &n->watch, &n->error) < 0) {
        fail_msg("%s", n->error.message);
    }
}

static int into_buf(void *context, const char *data, size_t size)
{
    buf_append(context, data, size);
    return 0;
}

static void take_events(struct node *n)
{
    const struct podpid_event *e;

    while ((e = podpid_watch_next(n->watch))) {
        struct node_event *to = &n->events[n->n_events++];
        struct buf text = {0};
        char why[1024];

        assert_true(n->n_events < NODE_EVENTS);
        *to = (struct node_event){.kind = e->kind,
                                  .seq = e->seq,
                                  .generation = e->generation,
                                  .stale = e->stale,
                                  .by_pidfd = strcmp(e->source, "pidfd") == 0};
        if (e->container) {
            to->number = number_of(e->container->id);
            to->verdict = e->container->verdict;
            to->pid = e->container->pid;
            to->inferred_pid = e->container->inferred_pid;
            assert_true((e->container->pid != 0) ==
                        (e->container->verdict == PODPID_VERDICT_VERIFIED));
        }
        assert_int_equal(podpid_event_to_json(e, into_buf, &text, NULL), 0);
        if (!schema_holds_text(n->schema, text.p, text.n, false, why, sizeof(why))) {
            fail_msg("%s: %s", why, text.p);
        }
        buf_free(&text);
    }
}

static bool rounds(struct node *n, unsigned count, bool alone)
{
    for (unsigned i = 0; i < count; i++) {
        n->now += NSEC_PER_MSEC;
        if (!alone) {
            step_runtime(n);
        }
        if (podpid_watch_step(n->watch, n->now, &n->error) < 0) {
            return false;
        }
        take_events(n);
    }
    return true;
}

bool node_rounds(struct node *n, unsigned count)
{
    return rounds(n, count, false);
}

bool node_rounds_alone(struct node *n, unsigned count)
{
    return rounds(n, count, true);
}

void node_forget(struct node *n)
{
    n->n_events = 0;
}

const struct node_event *node_event(const struct node *n, enum podpid_event_kind kind,
                                    unsigned number)
{
    const struct node_event *found = NULL;

    for (size_t i = 0; i < n->n_events; i++) {
        const struct node_event *e = &n->events[i];

        if (e->kind == kind && (number == 0 || e->number == number)) {
            if (found) {
                fail_msg("two events %s of container %u", podpid_event_name(kind), number);
            }
            found = e;
        }
    }
    if (!found) {
        fail_msg("no event %s of container %u", podpid_event_name(kind), number);
    }
    return found;
}

unsigned node_lists(const struct node *n)
{
    return fake_cri_calls(n->cri, "ListContainers");
}
