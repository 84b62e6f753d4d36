#include "test/support/rows.h"
#include "test/support/unit.h"

#include <stdlib.h>
#include <string.h>

static const struct podpid_condition conditions[] = {
    {.type = "RuntimeReady", .status = true, .reason = "", .message = ""},
    {.type = "NetworkReady", .status = true, .reason = "", .message = ""}};

const struct podpid_runtime rows_runtime = {.name = "containerd",
                                            .version = "1.6.20",
                                            .api = "cri/v1",
                                            .endpoint = "unix:///run/none.sock",
                                            .chosen_by = "--runtime-endpoint",
                                            .conditions = conditions,
                                            .n_conditions = 2};

static void *zeroed(struct arena *a, size_t n, size_t size)
{
    void *p = arena_calloc(a, n, size);

    assert_non_null(p);
    return p;
}

static enum podpid_state state_of(enum podpid_verdict v)
{
    switch (v) {
    case PODPID_VERDICT_CREATED:
        return PODPID_STATE_CREATED;
    case PODPID_VERDICT_EXITED:
        return PODPID_STATE_EXITED;
    case PODPID_VERDICT_UNKNOWN:
        return PODPID_STATE_UNKNOWN;
    default:
        return PODPID_STATE_RUNNING;
    }
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_pod(const struct row_line *a, const struct row_line *b)
{
    return same(a->namespace_, b->namespace_) && same(a->pod, b->pod) && same(a->uid, b->uid) &&
           same(a->sandbox, b->sandbox);
}

static struct podpid_container *container(struct arena *a, const struct row_line *l,
                                          const struct podpid_pod *pod)
{
    struct podpid_container *c = zeroed(a, 1, sizeof(*c));

    c->pod = pod;
    c->name = l->name;
    c->id = l->id;
    c->verdict = l->verdict;
    c->state = state_of(l->verdict);
    c->created_at = l->created_at;
    c->has_exit_code = l->verdict == PODPID_VERDICT_EXITED;
    c->exit_code = l->exit_code;
    c->reported_pid = l->pid;
    c->reason = l->reason ? l->reason : "";
    c->cgroup_path = l->cgroup;
    c->cgroup_level = -1;
    if (l->verdict == PODPID_VERDICT_VERIFIED) {
        c->pid = l->pid;
        c->start_time_ticks = (uint64_t)l->pid * 100;
    }
    if (l->verdict == PODPID_VERDICT_INFERRED) {
        c->inferred_pid = l->pid;
        c->start_time_ticks = (uint64_t)l->pid * 100;
    }
    return c;
}

static const struct podpid_pod *pod(struct arena *a, const struct row_line *lines, size_t n)
{
    struct podpid_pod *p = zeroed(a, 1, sizeof(*p));
    const struct podpid_container **all = zeroed(a, n, sizeof(struct podpid_container *));
    struct podpid_label *label = zeroed(a, 1, sizeof(*label));

    p->namespace_ = lines->namespace_;
    p->name = lines->pod;
    p->uid = lines->uid;
    p->sandbox_id = lines->sandbox;
    p->ready = lines->sandbox && lines->sandbox[0] != '-';
    p->sandbox_verdict = p->ready ? PODPID_VERDICT_VERIFIED : PODPID_VERDICT_EXITED;
    *label = (struct podpid_label){"app", lines->app};
    p->labels = label;
    p->n_labels = lines->app ? 1 : 0;
    p->containers = all;
    for (size_t i = 0; i < n; i++) {
        if (lines[i].name || lines[i].id) {
            all[p->n_containers++] = container(a, &lines[i], p);
        }
    }
    return p;
}

struct podpid_snapshot *rows_snapshot(const struct row_line *lines, size_t n,
                                      const struct podpid_runtime *runtime)
{
    struct podpid_snapshot *s = calloc(1, sizeof(*s));

    assert_non_null(s);
    s->complete = true;
    s->node.hostname = "node-a";
    s->node.boot_id = "4f2c0e6e-6f0b-4e0e-8f5f-3a1d8f1f2b3c";
    s->node.kernel = "6.1.0";
    s->node.cgroup_mode = "v2";
    s->runtime = runtime;
    s->pods = zeroed(&s->arena, n, sizeof(struct podpid_pod *));
    for (size_t i = 0; i < n;) {
        size_t end = i + 1;

        while (end < n && same_pod(&lines[end], &lines[i])) {
            end++;
        }
        s->pods[s->n_pods++] = pod(&s->arena, &lines[i], end - i);
        i = end;
    }
    return s;
}
