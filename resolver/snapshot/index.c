/* Look-ups without a system call and without an allocation: four hash tables over the containers of
 * one snapshot, built once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/arena.h"
#include "cri/base/hash.h"
#include "cri/base/text.h"
#include "resolver/arguments.h"
#include "resolver/cgroup/line.h"
#include "resolver/cgroup/path.h"
#include "resolver/podpid.h"
#include "resolver/proc/pin.h"
#include "resolver/proc/procfs.h"

struct process_entry {
    const struct podpid_process *process;
    const struct podpid_container *container;
};

struct cgroup_entry {
    uint64_t id;
    const struct podpid_container *container;
};

struct podpid_index {
    const struct podpid_snapshot *snapshot; /* a reference */
    struct arena arena;
    struct process_entry *processes;
    struct cgroup_entry *cgroups;
    const struct podpid_container **containers; /* both by id and by path */
    size_t n_processes, n_cgroups, n_containers;
    struct hash_index by_process, by_cgroup, by_id, by_path;
};

static uint64_t hash_process(pid_t pid, uint64_t start)
{
    /* The factor (2^64 / golden ratio) keeps pairs apart whose sums are equal. */
    return hash_number(start * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)pid);
}

static void count_all(const struct podpid_snapshot *s, struct podpid_index *x)
{
    size_t n;
    const struct podpid_pod *const *pods = podpid_snapshot_pods(s, &n);

    for (size_t p = 0; p < n; p++) {
        x->n_containers += pods[p]->n_containers;
        for (size_t c = 0; c < pods[p]->n_containers; c++) {
            x->n_processes += pods[p]->containers[c]->n_processes;
            x->n_cgroups += pods[p]->containers[c]->n_cgroup_ids;
        }
    }
}

static void add_container(struct podpid_index *x, const struct podpid_container *c)
{
    size_t at = x->n_containers++;

    x->containers[at] = c;
    hash_index_add(&x->by_id, hash_text(str_of(c->id)), (uint32_t)at);
    if (c->cgroup_path) {
        hash_index_add(&x->by_path, hash_text(str_of(c->cgroup_path)), (uint32_t)at);
    }
    for (size_t i = 0; i < c->n_processes; i++) {
        const struct podpid_process *p = c->processes[i];

        hash_index_add(&x->by_process, hash_process(p->pid, p->start_time_ticks),
                       (uint32_t)x->n_processes);
        x->processes[x->n_processes++] = (struct process_entry){p, c};
    }
    for (size_t i = 0; i < c->n_cgroup_ids; i++) {
        hash_index_add(&x->by_cgroup, hash_number(c->cgroup_ids[i].id), (uint32_t)x->n_cgroups);
        x->cgroups[x->n_cgroups++] = (struct cgroup_entry){c->cgroup_ids[i].id, c};
    }
}

static int index_build(const struct podpid_snapshot *s, struct podpid_index *x)
{
    size_t n;
    const struct podpid_pod *const *pods = podpid_snapshot_pods(s, &n);

    count_all(s, x);
    x->processes = arena_calloc(&x->arena, x->n_processes, sizeof(*x->processes));
    x->cgroups = arena_calloc(&x->arena, x->n_cgroups, sizeof(*x->cgroups));
    x->containers = arena_calloc(&x->arena, x->n_containers, sizeof(*x->containers));
    if (!x->processes || !x->cgroups || !x->containers ||
        hash_index_init(&x->by_process, x->n_processes, &x->arena) < 0 ||
        hash_index_init(&x->by_cgroup, x->n_cgroups, &x->arena) < 0 ||
        hash_index_init(&x->by_id, x->n_containers, &x->arena) < 0 ||
        hash_index_init(&x->by_path, x->n_containers, &x->arena) < 0) {
        return -ENOMEM;
    }
    x->n_processes = x->n_cgroups = x->n_containers = 0;
    for (size_t p = 0; p < n; p++) {
        for (size_t c = 0; c < pods[p]->n_containers; c++) {
            add_container(x, pods[p]->containers[c]);
        }
    }
    return 0;
}

int podpid_index_new(const struct podpid_snapshot *s, struct podpid_index **ret,
                     struct podpid_error *error)
{
    struct podpid_index *x;
    struct err err = {0};

    if (!s || !ret) {
        return bad_argument(__func__, error);
    }
    x = calloc(1, sizeof(*x));
    if (!x || index_build(s, x) < 0) {
        podpid_index_free(x);
        err_nomem(&err);
        return error_publish(&err, error);
    }
    x->snapshot = podpid_snapshot_ref(s);
    *ret = x;
    return PODPID_OK;
}

void podpid_index_free(struct podpid_index *x)
{
    if (x) {
        podpid_snapshot_free(x->snapshot);
        arena_free(&x->arena);
        free(x);
    }
}

const struct podpid_container *podpid_index_by_process(const struct podpid_index *x, pid_t pid,
                                                       uint64_t start_time_ticks,
                                                       const struct podpid_process **ret_process)
{
    uint32_t i;

    if (!x) {
        return NULL;
    }
    for (size_t at = hash_index_start(&x->by_process, hash_process(pid, start_time_ticks));
         hash_index_next(&x->by_process, &at, &i);) {
        const struct process_entry *e = &x->processes[i];

        if (e->process->pid == pid && e->process->start_time_ticks == start_time_ticks) {
            if (ret_process) {
                *ret_process = e->process;
            }
            return e->container;
        }
    }
    return NULL;
}

const struct podpid_container *podpid_index_by_cgroup(const struct podpid_index *x, uint64_t id)
{
    uint32_t i;

    if (!x) {
        return NULL;
    }
    for (size_t at = hash_index_start(&x->by_cgroup, hash_number(id));
         hash_index_next(&x->by_cgroup, &at, &i);) {
        if (x->cgroups[i].id == id) {
            return x->cgroups[i].container;
        }
    }
    return NULL;
}

const struct podpid_container *podpid_index_by_id(const struct podpid_index *x, const char *id)
{
    uint32_t i;

    if (!x || !id) {
        return NULL;
    }
    for (size_t at = hash_index_start(&x->by_id, hash_text(str_of(id)));
         hash_index_next(&x->by_id, &at, &i);) {
        if (strcmp(x->containers[i]->id, id) == 0) {
            return x->containers[i];
        }
    }
    return NULL;
}

/* ---- Probing --------------------------------------------------------------------------------- */

static const struct podpid_container *by_exact_path(const struct podpid_index *x, struct str path,
                                                    uint64_t hash)
{
    uint32_t i;

    for (size_t at = hash_index_start(&x->by_path, hash); hash_index_next(&x->by_path, &at, &i);) {
        if (str_is(path, x->containers[i]->cgroup_path)) {
            return x->containers[i];
        }
    }
    return NULL;
}

/* The container whose own cgroup is the outermost on this path; NULL: none. The hash of each prefix
 * is made from that of the one before: a path may have thousands of components. */
static const struct podpid_container *by_path(const struct podpid_index *x, struct str path)
{
    uint64_t hash = HASH_START;

    for (size_t i = 0; i < path.n; i++) {
        if (i > 0 && path.p[i] == '/') {
            const struct podpid_container *c = by_exact_path(x, (struct str){path.p, i}, hash);

            if (c) {
                return c;
            }
        }
        hash = hash_more(hash, path.p + i, 1);
    }
    return path.n ? by_exact_path(x, path, hash) : NULL;
}

/* Whether the outermost container on this path is another one than c. It is not if it is a prefix
 * of c's own path: then the node itself is a container, and the prefix is the node's root. */
static bool names_another(const struct podpid_container *c, struct str path)
{
    struct str other = cgroup_container_prefix(path), own = str_of(c->cgroup_path);

    return other.n && !(str_starts(own, other) && (own.n == other.n || own.p[other.n] == '/'));
}

/* The container that the whole text of a /proc/<pid>/cgroup names; NULL: none, or its lines name
 * different ones, for a wrong answer would be worse than none. */
static const struct podpid_container *by_text(const struct podpid_index *x, struct str text)
{
    const struct podpid_container *found = NULL;
    struct str again = text;
    struct cgroup_line line;

    while (cgroup_next_line(&text, &line)) {
        const struct podpid_container *c;

        /* " (deleted)": the process is a zombie, or the cgroup was named so on purpose. */
        if (line.deleted) {
            continue;
        }
        c = by_path(x, line.path);
        if (c && found && c != found) {
            return NULL;
        }
        found = c ? c : found;
    }
    /* A line that names no container of this index may still name one that came later. */
    while (found && cgroup_next_line(&again, &line)) {
        if (!by_path(x, line.path) && names_another(found, line.path)) {
            return NULL;
        }
    }
    return found;
}

int podpid_index_probe(const struct podpid_index *x, int proc_fd, pid_t pid,
                       const struct podpid_container **ret, uint64_t *ret_start_time_ticks,
                       struct podpid_error *error)
{
    struct pin pin = {0};
    struct err err = {0};
    int rc;

    if (!x || !ret || proc_fd < 0) {
        return bad_argument(__func__, error);
    }
    rc = procfs_pin(proc_fd, pid, &pin);
    if (rc == -ENOMEM) {
        err_nomem(&err);
        return error_publish(&err, error);
    }
    if (rc < 0) {
        err_set(&err, err_is_gone(rc) ? ERR_ANSWER : ERR_PROC, -rc, "PID %d: %s", pid,
                err_is_gone(rc) ? "no such process" : strerror(-rc));
        return error_publish(&err, error);
    }
    *ret = by_text(x, (struct str){pin.cgroup.p, pin.cgroup.n});
    if (ret_start_time_ticks) {
        *ret_start_time_ticks = pin.stat.start;
    }
    buf_free(&pin.cgroup);
    return 0;
}
