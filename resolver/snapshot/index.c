/* Look-ups without a system call and without an allocation: four hash tables over one snapshot,
 * built once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/arena.h"
#include "cri/base/text.h"
#include "resolver/cgroup/line.h"
#include "resolver/cgroup/path.h"
#include "resolver/error.h"
#include "resolver/podpid.h"
#include "resolver/proc/pin.h"
#include "resolver/proc/procfs.h"

/* Open addressing over entries; the key is in the entry, equality is the caller's. */
struct table {
    uint32_t *slots; /* index + 1; 0 is free */
    size_t mask;
};

struct process_entry {
    const struct podpid_process *process;
    const struct podpid_container *container;
};

struct cgroup_entry {
    uint64_t id;
    const struct podpid_container *container;
};

struct podpid_index {
    struct arena arena;
    struct process_entry *processes;
    struct cgroup_entry *cgroups;
    const struct podpid_container **containers; /* both by id and by path */
    size_t n_processes, n_cgroups, n_containers;
    struct table by_process, by_cgroup, by_id, by_path;
};

static uint64_t mix(uint64_t h)
{
    h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
    return h ^ (h >> 31);
}

static const uint64_t hash_none = UINT64_C(0xcbf29ce484222325);

static uint64_t hash_byte(uint64_t h, char c)
{
    return (h ^ (unsigned char)c) * UINT64_C(0x100000001b3);
}

static uint64_t hash_text(struct str s)
{
    uint64_t h = hash_none;

    for (size_t i = 0; i < s.n; i++) {
        h = hash_byte(h, s.p[i]);
    }
    return mix(h);
}

static uint64_t hash_process(pid_t pid, uint64_t start)
{
    return mix(start * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)pid);
}

static int table_init(struct table *t, size_t n, struct arena *a)
{
    size_t size = 16;

    while (size < n * 2) {
        size *= 2;
    }
    t->slots = arena_calloc(a, size, sizeof(*t->slots));
    t->mask = size - 1;
    return t->slots ? 0 : -ENOMEM;
}

static void table_add(struct table *t, uint64_t hash, size_t index)
{
    size_t i = (size_t)hash & t->mask;

    while (t->slots[i]) {
        i = (i + 1) & t->mask;
    }
    t->slots[i] = (uint32_t)index + 1;
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
    table_add(&x->by_id, hash_text(str_of(c->id)), at);
    if (c->cgroup_path) {
        table_add(&x->by_path, hash_text(str_of(c->cgroup_path)), at);
    }
    for (size_t i = 0; i < c->n_processes; i++) {
        const struct podpid_process *p = c->processes[i];

        table_add(&x->by_process, hash_process(p->pid, p->start_time_ticks), x->n_processes);
        x->processes[x->n_processes++] = (struct process_entry){p, c};
    }
    for (size_t i = 0; i < c->n_cgroup_ids; i++) {
        table_add(&x->by_cgroup, mix(c->cgroup_ids[i].id), x->n_cgroups);
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
        table_init(&x->by_process, x->n_processes, &x->arena) < 0 ||
        table_init(&x->by_cgroup, x->n_cgroups, &x->arena) < 0 ||
        table_init(&x->by_id, x->n_containers, &x->arena) < 0 ||
        table_init(&x->by_path, x->n_containers, &x->arena) < 0) {
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
    struct podpid_index *x = calloc(1, sizeof(*x));
    struct err err = {0};

    if (!x || index_build(s, x) < 0) {
        podpid_index_free(x);
        err_nomem(&err);
        return error_publish(&err, error);
    }
    *ret = x;
    return 0;
}

void podpid_index_free(struct podpid_index *x)
{
    if (x) {
        arena_free(&x->arena);
        free(x);
    }
}

const struct podpid_container *podpid_index_by_process(const struct podpid_index *x, pid_t pid,
                                                       uint64_t start_time_ticks,
                                                       const struct podpid_process **ret_process)
{
    const struct table *t = &x->by_process;

    for (size_t i = (size_t)hash_process(pid, start_time_ticks) & t->mask; t->slots[i];
         i = (i + 1) & t->mask) {
        const struct process_entry *e = &x->processes[t->slots[i] - 1];

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
    const struct table *t = &x->by_cgroup;

    for (size_t i = (size_t)mix(id) & t->mask; t->slots[i]; i = (i + 1) & t->mask) {
        const struct cgroup_entry *e = &x->cgroups[t->slots[i] - 1];

        if (e->id == id) {
            return e->container;
        }
    }
    return NULL;
}

const struct podpid_container *podpid_index_by_id(const struct podpid_index *x, const char *id)
{
    const struct table *t = &x->by_id;

    for (size_t i = (size_t)hash_text(str_of(id)) & t->mask; t->slots[i]; i = (i + 1) & t->mask) {
        const struct podpid_container *c = x->containers[t->slots[i] - 1];

        if (strcmp(c->id, id) == 0) {
            return c;
        }
    }
    return NULL;
}

/* ---- Probing --------------------------------------------------------------------------------- */

static const struct podpid_container *by_exact_path(const struct podpid_index *x, struct str path,
                                                    uint64_t hash)
{
    const struct table *t = &x->by_path;

    for (size_t i = (size_t)mix(hash) & t->mask; t->slots[i]; i = (i + 1) & t->mask) {
        const struct podpid_container *c = x->containers[t->slots[i] - 1];

        if (str_is(path, c->cgroup_path)) {
            return c;
        }
    }
    return NULL;
}

/* The container whose anchor is the outermost on this path. Hashed as it goes: a path may have
 * thousands of components. */
static const struct podpid_container *by_path(const struct podpid_index *x, struct str path)
{
    uint64_t hash = path.n ? hash_byte(hash_none, path.p[0]) : hash_none;

    for (size_t i = 1; i <= path.n; i++) {
        const struct podpid_container *c = NULL;

        if (i == path.n || path.p[i] == '/') {
            c = by_exact_path(x, (struct str){path.p, i}, hash);
        }
        if (i < path.n) {
            hash = hash_byte(hash, path.p[i]);
        }
        if (c) {
            return c;
        }
    }
    return NULL;
}

/* Is the outermost container of this path another one than c? A prefix of c's own path is the
 * node's root, on a node that is a container itself. */
static bool names_another(const struct podpid_container *c, struct str path)
{
    struct str other = cgroup_container_prefix(path), own = str_of(c->cgroup_path);

    return other.n && !(str_starts(own, other) && (own.n == other.n || own.p[other.n] == '/'));
}

/* Where hierarchies name different containers nobody is named: a wrong answer would be worse. */
static const struct podpid_container *by_text(const struct podpid_index *x, struct str text)
{
    const struct podpid_container *found = NULL;
    struct str again = text;
    struct cgroup_line line;

    while (cgroup_next_line(&text, &line)) {
        const struct podpid_container *c;

        /* The name that somebody gave to a cgroup; or the process is a zombie, and does nothing. */
        if (line.deleted) {
            continue;
        }
        c = by_path(x, line.path);
        if (c && found && c != found) {
            return NULL;
        }
        found = c ? c : found;
    }
    /* Of the others, some may be of no container of this index. */
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
    int rc = procfs_pin(proc_fd, pid, &pin);

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
    *ret_start_time_ticks = pin.stat.start;
    buf_free(&pin.cgroup);
    return 0;
}
