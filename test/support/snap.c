#include "test/support/snap.h"

#include <stdlib.h>
#include <string.h>

#include "cri/base/clock.h"

static void *must(void *p)
{
    if (!p) {
        abort();
    }
    return p;
}

/* A pointer more at the end of an array of n. */
static void *appended(struct arena *a, const void *items, size_t n, const void *item)
{
    const void **grown = must(arena_calloc(a, n + 1, sizeof(void *)));

    if (n) {
        memcpy(grown, items, n * sizeof(void *));
    }
    grown[n] = item;
    return grown;
}

struct podpid_snapshot *snap_new(void)
{
    static const struct podpid_runtime containerd = {
        .name = "containerd",
        .version = "1.6.20",
        .api = "cri/v1",
        .endpoint = "unix:///run/containerd/containerd.sock",
        .chosen_by = "the well-known socket",
        .cgroup_driver = "systemd",
    };
    struct podpid_snapshot *s = must(calloc(1, sizeof(*s)));

    s->taken_at = INT64_C(1767323045) * NSEC_PER_SEC + 600 * NSEC_PER_MSEC;
    s->took = 12 * NSEC_PER_MSEC + 345678;
    s->complete = true;
    s->node = (struct podpid_node){.hostname = "node1",
                                   .boot_id = "11111111-2222-3333-4444-555555555555",
                                   .kernel = "6.1.0-18-amd64",
                                   .cgroup_mode = "v2",
                                   .pid_namespace = 4026531836};
    s->runtime = &containerd;
    return s;
}

struct podpid_pod *snap_pod(struct podpid_snapshot *s, const char *namespace_, const char *name,
                            const char *uid)
{
    struct podpid_pod *p = must(arena_alloc(&s->arena, sizeof(*p)));

    p->namespace_ = namespace_;
    p->name = name;
    p->uid = uid;
    if (name) {
        p->sandbox_id = must(arena_printf(&s->arena, "5a%062zu", s->n_pods));
        p->ready = true;
        p->created_at = s->taken_at - 3600 * NSEC_PER_SEC;
        p->runtime_handler = "";
        p->sandbox_verdict = PODPID_VERDICT_VERIFIED;
        p->sandbox_pid = (pid_t)(1000 + s->n_pods);
        p->sandbox_start_time_ticks = 100000 + s->n_pods;
    }
    s->pods = appended(&s->arena, s->pods, s->n_pods++, p);
    return p;
}

void snap_label(struct podpid_snapshot *s, struct podpid_pod *p, const char *key, const char *value)
{
    struct podpid_label *labels =
        must(arena_calloc(&s->arena, p->n_labels + 1, sizeof(struct podpid_label)));

    if (p->n_labels) {
        memcpy(labels, p->labels, p->n_labels * sizeof(struct podpid_label));
    }
    labels[p->n_labels++] = (struct podpid_label){key, value};
    p->labels = labels;
}

struct podpid_process *snap_process(struct podpid_snapshot *s, struct podpid_container *c,
                                    pid_t pid, pid_t ppid, const char *comm, enum podpid_role role)
{
    struct podpid_process *p = must(arena_alloc(&s->arena, sizeof(*p)));

    p->pid = pid;
    p->ppid = ppid;
    p->start_time_ticks = 200000 + (uint64_t)pid;
    p->comm = comm;
    p->role = role;
    c->processes = appended(&s->arena, (const void *)c->processes, c->n_processes++, p);
    return p;
}

static void be_verified(struct podpid_snapshot *s, struct podpid_container *c, pid_t pid)
{
    struct podpid_cgroup_id *id = must(arena_alloc(&s->arena, sizeof(*id)));
    pid_t *root = must(arena_alloc(&s->arena, sizeof(*root)));

    *id = (struct podpid_cgroup_id){7000 + (uint64_t)pid, c->cgroup_path};
    *root = pid;
    c->pid = c->reported_pid = pid;
    c->start_time_ticks = 200000 + (uint64_t)pid;
    c->roots = root;
    c->n_roots = 1;
    c->cgroup_id = id->id;
    c->cgroup_level = 4;
    c->cgroup_ids = id;
    c->n_cgroup_ids = 1;
    c->ns_pid = 4026532000 + (uint64_t)pid;
    c->ns_mnt = c->ns_pid + 1;
    c->ns_net = c->ns_pid + 2;
    c->ns_cgroup = c->ns_pid + 3;
    c->reason = "the runtime's PID is the container's first process";
    snap_process(s, c, pid, 900, "app", PODPID_ROLE_MAIN);
}

struct podpid_container *snap_container(struct podpid_snapshot *s, struct podpid_pod *p,
                                        const char *name, const char *id, pid_t pid)
{
    struct podpid_container *c = must(arena_alloc(&s->arena, sizeof(*c)));

    c->pod = p;
    c->name = name;
    c->id = id;
    c->image = "registry.example/app:1";
    c->state = PODPID_STATE_RUNNING;
    c->verdict = PODPID_VERDICT_VERIFIED;
    c->created_at = s->taken_at - 3000 * NSEC_PER_SEC;
    c->started_at = c->created_at + NSEC_PER_SEC;
    c->cgroup_level = -1;
    c->cgroup_path =
        must(arena_printf(&s->arena, "/kubepods.slice/kubepods-pod%s.slice/cri-containerd-%s.scope",
                          p->uid ? p->uid : "0", id));
    if (pid) {
        be_verified(s, c, pid);
    }
    p->containers = appended(&s->arena, (const void *)p->containers, p->n_containers++, c);
    return c;
}

void snap_verdict(struct podpid_container *c, enum podpid_state state, enum podpid_verdict verdict,
                  const char *reason)
{
    c->state = state;
    c->verdict = verdict;
    c->reason = reason;
    c->pid = c->inferred_pid = 0;
    c->start_time_ticks = 0;
}

void snap_stray(struct podpid_snapshot *s, const char *id, const char *pod_uid, pid_t pid)
{
    struct podpid_stray *stray = must(arena_alloc(&s->arena, sizeof(*stray)));
    pid_t *pids = must(arena_alloc(&s->arena, sizeof(*pids)));

    *pids = pid;
    *stray = (struct podpid_stray){
        .container_id = id,
        .pod_uid = pod_uid,
        .cgroup_path = must(arena_printf(&s->arena, "/kubepods.slice/cri-containerd-%s.scope", id)),
        .pids = pids,
        .n_pids = 1,
        .reason = "live processes in a container cgroup that the runtime does not list"};
    s->strays = appended(&s->arena, s->strays, s->n_strays++, stray);
}

void snap_foreign(struct podpid_snapshot *s, const char *id, const char *manager, size_t n)
{
    struct podpid_foreign *f = must(arena_alloc(&s->arena, sizeof(*f)));

    *f = (struct podpid_foreign){id, manager, n};
    s->foreign = appended(&s->arena, s->foreign, s->n_foreign++, f);
}

void snap_warn(struct podpid_snapshot *s, const char *text)
{
    s->warnings = appended(&s->arena, s->warnings, s->n_warnings++, text);
}

const char *snap_id(struct podpid_snapshot *s, const char *prefix)
{
    char id[65];

    memset(id, '0', 64);
    id[64] = '\0';
    memcpy(id, prefix, strnlen(prefix, 64));
    return must(arena_strdup(&s->arena, id));
}

struct podpid_snapshot *snap_zoo(void)
{
    struct podpid_snapshot *s = snap_new();
    struct podpid_pod *web, *db, *plain;
    struct podpid_container *c;

    db = snap_pod(s, "prod", "db-0", "22222222-0000-0000-0000-000000000000");
    snap_label(s, db, "app", "db");
    c = snap_container(s, db, "postgres", snap_id(s, "d0"), 0);
    c->reported_pid = 4321;
    snap_verdict(c, PODPID_STATE_RUNNING, PODPID_VERDICT_DEAD, "no process 4321");
    c = snap_container(s, db, "init", snap_id(s, "d1"), 0);
    snap_verdict(c, PODPID_STATE_EXITED, PODPID_VERDICT_EXITED, "the runtime says exited");
    c->finished_at = c->started_at + NSEC_PER_SEC;
    c->has_exit_code = true;
    c = snap_container(s, db, "backup", snap_id(s, "d2"), 0);
    snap_verdict(c, PODPID_STATE_UNKNOWN, PODPID_VERDICT_UNKNOWN, "the runtime says unknown");

    web = snap_pod(s, "prod", "web-7d9f", "11111111-0000-0000-0000-000000000000");
    snap_label(s, web, "app", "web");
    snap_label(s, web, "tier", "");
    c = snap_container(s, web, "app", snap_id(s, "a0"), 6637);
    snap_process(s, c, 6650, 6637, "worker", PODPID_ROLE_CHILD);
    snap_process(s, c, 7001, 900, "sh", PODPID_ROLE_EXEC);
    c = snap_container(s, web, "sidecar", snap_id(s, "a1"), 0);
    snap_verdict(c, PODPID_STATE_RUNNING, PODPID_VERDICT_INFERRED, "the runtime gives no PID");
    c->inferred_pid = 6700;
    c->start_time_ticks = 206700;
    c = snap_container(s, web, "broken", snap_id(s, "a2"), 0);
    snap_verdict(c, PODPID_STATE_RUNNING, PODPID_VERDICT_ERROR, "status: rpc error: internal");
    s->complete = false;

    plain = snap_pod(s, NULL, NULL, NULL);
    snap_container(s, plain, "registry", snap_id(s, "b0"), 8001);

    snap_stray(s, snap_id(s, "e0"), "33333333-0000-0000-0000-000000000000", 9001);
    snap_foreign(s, snap_id(s, "f0"), "libpod", 3);
    snap_warn(s, "two runtimes answer here");
    return s;
}
