#include "resolver/look/whois.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "cri/runtimes.h"
#include "resolver/error.h"
#include "resolver/proc/ns.h"
#include "resolver/proc/pin.h"

/* A process as it is numbered inside some PID namespace. */
struct numbered {
    pid_t inside, pid;
};

struct whois_index {
    struct arena arena, judge_arena; /* the look's: the view's strings, members, maps */
    struct members members;
    struct look_units units;
    pid_t ns_of;    /* whose namespace `numbered` is of; 0: none yet */
    uint64_t space; /* its inode, */
    unsigned level; /* and how deep it is */
    struct numbered *numbered;
    size_t n_numbered;
    struct numbered *threads; /* other than leaders, once one was asked for; pid is the thread's */
    size_t n_threads;
    bool have_threads;
};

static void release(struct podpid_snapshot *s)
{
    if (s->table) {
        ptable_free(s->table);
        free(s->table);
    }
    if (s->procfs) {
        procfs_close(s->procfs);
        free(s->procfs);
    }
    if (s->whois) {
        arena_free(&s->whois->judge_arena);
        arena_free(&s->whois->arena);
        free(s->whois);
    }
}

int whois_keep(struct podpid_look *k)
{
    struct podpid_snapshot *s = k->snapshot;
    struct whois_index *w = calloc(1, sizeof(*w));
    struct procfs *procfs = calloc(1, sizeof(*procfs));

    if (!w || !procfs) {
        free(w);
        free(procfs);
        return -ENOMEM;
    }
    *w = (struct whois_index){
        .arena = k->arena, .judge_arena = k->judge_arena, .members = k->members, .units = k->units};
    *procfs = k->procfs;
    s->whois = w;
    s->procfs = procfs;
    s->table = k->table;
    s->release = release;
    k->table = NULL;
    k->procfs_open = false;
    k->units = (struct look_units){0};
    k->arena = (struct arena){0};
    k->judge_arena = (struct arena){0};
    return 0;
}

/* ---- Which process is meant ------------------------------------------------------------------ */

static bool read_status(const struct podpid_snapshot *s, pid_t pid, struct status_text *ret)
{
    CLEANUP(buf_free) struct buf b = {0};

    return procfs_read(s->procfs->fd, pid, "status", &b) == 0 &&
           status_parse((struct str){b.p, b.n}, ret);
}

/* The inode of the PID namespace that is `up` levels above that of pid; 0 if it cannot be told. */
static uint64_t pid_namespace(const struct podpid_snapshot *s, pid_t pid, unsigned up)
{
    struct proc_ns ns;
    struct stat st;
    char path[32];
    int fd;

    if (up == 0) {
        procfs_read_ns(s->procfs, pid, PROC_NS_PID, &ns);
        return ns.pid;
    }
    if (!s->procfs->is_procfs) {
        return 0;
    }
    snprintf(path, sizeof(path), "%d/ns/pid", pid);
    fd = openat(s->procfs->fd, path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && up-- > 0) {
        int parent = ioctl(fd, NS_GET_PARENT);

        close(fd);
        fd = parent;
    }
    if (fd < 0) {
        return 0;
    }
    st.st_ino = 0;
    fstat(fd, &st);
    close(fd);
    return st.st_ino;
}

static int by_number(const void *pa, const void *pb)
{
    const struct numbered *a = pa, *b = pb;

    return a->inside < b->inside ? -1 : a->inside > b->inside;
}

/* What that namespace calls a process; 0: it is not in it. */
static pid_t number_of(const struct podpid_snapshot *s, pid_t pid)
{
    const struct whois_index *w = s->whois;
    struct status_text st;

    if (!read_status(s, pid, &st) || st.n_nspid <= w->level ||
        pid_namespace(s, pid, st.n_nspid - 1 - w->level) != w->space) {
        return 0;
    }
    return st.nspid[w->level];
}

/* Number all processes of the scan as the namespace of ns_of does: once, for thousands of
 * questions. */
static int number_all(struct podpid_snapshot *s, pid_t ns_of, struct err *err)
{
    struct whois_index *w = s->whois;
    struct status_text of;

    w->ns_of = 0;
    w->n_numbered = w->n_threads = 0;
    w->have_threads = false;
    if (!read_status(s, ns_of, &of) || of.n_nspid == 0) {
        return err_set(err, ERR_ANSWER, ESRCH,
                       "no process %d, whose PID namespace the PIDs are to be of", (int)ns_of);
    }
    w->level = of.n_nspid - 1;
    w->space = w->level ? pid_namespace(s, ns_of, 0) : 0;
    if (w->level && !w->space) {
        return err_set(err, ERR_PROC, EACCES, "the PID namespace of process %d cannot be read",
                       (int)ns_of);
    }
    w->numbered = arena_calloc(&w->arena, s->table->n_procs, sizeof(*w->numbered));
    if (!w->numbered) {
        return err_nomem(err);
    }
    for (size_t i = 0; w->level && i < s->table->n_procs; i++) {
        pid_t pid = s->table->procs[i].pid;
        pid_t inside = number_of(s, pid);

        if (inside) {
            w->numbered[w->n_numbered++] = (struct numbered){inside, pid};
        }
    }
    if (w->n_numbered) {
        qsort(w->numbered, w->n_numbered, sizeof(*w->numbered), by_number);
    }
    w->ns_of = ns_of;
    return 0;
}

static int add_thread(struct podpid_snapshot *s, pid_t tid, size_t *cap)
{
    struct whois_index *w = s->whois;
    pid_t inside = number_of(s, tid);
    void *all = w->threads;
    int rc = inside ? arena_grow(&w->arena, &all, w->n_threads, cap, sizeof(*w->threads)) : 0;

    if (rc == 0 && inside) {
        w->threads = all;
        w->threads[w->n_threads++] = (struct numbered){inside, tid};
    }
    return rc;
}

/* The threads of the processes that are numbered. They cost a reading each: only where a number is
 * no process's. */
static int number_threads(struct podpid_snapshot *s)
{
    AUTO_FREE struct dir_reader *dir = calloc(1, sizeof(*dir));
    struct whois_index *w = s->whois;
    size_t cap = 0;
    int rc = dir ? 0 : -ENOMEM;

    w->have_threads = true;
    w->threads = NULL;
    for (size_t i = 0; rc == 0 && i < w->n_numbered; i++) {
        AUTO_CLOSE int fd = -1;
        struct dir_entry entry;
        char path[32];
        int32_t tid;

        snprintf(path, sizeof(path), "%d/task", (int)w->numbered[i].pid);
        fd = openat(s->procfs->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        dir->fd = fd;
        dir->pos = dir->len = 0;
        while (fd >= 0 && rc == 0 && dir_next(dir, &entry) > 0) {
            if (str_to_i32(str_of(entry.name), &tid) && tid != w->numbered[i].pid) {
                rc = add_thread(s, tid, &cap);
            }
        }
    }
    if (w->n_threads) {
        qsort(w->threads, w->n_threads, sizeof(*w->threads), by_number);
    }
    return rc;
}

static const struct numbered *find_number(const struct numbered *all, size_t n, pid_t inside)
{
    const struct numbered key = {.inside = inside};

    return n ? bsearch(&key, all, n, sizeof(key), by_number) : NULL;
}

/* The process or thread that is `pid` in the PID namespace of ns_of; 0: there is none. */
static int translate(struct podpid_snapshot *s, pid_t pid, pid_t ns_of, pid_t *ret, struct err *err)
{
    const struct numbered *found;
    struct whois_index *w = s->whois;
    int rc = w->ns_of == ns_of ? 0 : number_all(s, ns_of, err);

    if (rc < 0) {
        return rc;
    }
    if (w->level == 0) {
        *ret = pid; /* that of the /proc which is read */
        return 0;
    }
    found = find_number(w->numbered, w->n_numbered, pid);
    if (!found && !w->have_threads && number_threads(s) < 0) {
        return err_nomem(err);
    }
    found = found ? found : find_number(w->threads, w->n_threads, pid);
    /* Its PID may be somebody else's by now. */
    *ret = found && number_of(s, found->pid) == pid ? found->pid : 0;
    return 0;
}

/* Threads are not listed in /proc but can be opened there: their process is their Tgid. */
static pid_t process_of(const struct podpid_snapshot *s, pid_t pid)
{
    struct status_text st;

    if (ptable_find(s->table, pid) && s->replay) {
        return pid;
    }
    return read_status(s, pid, &st) ? st.tgid : 0;
}

/* ---- Where it is ----------------------------------------------------------------------------- */

/* The row as it is now: read through a pinned descriptor, and put into the table where it is not
 * the process that the scan saw. NULL: it is gone, or we are short of memory or
 * descriptors (*ret_rc). */
static const struct proc *row_of_now(struct podpid_snapshot *s, pid_t pid, int *ret_rc)
{
    struct proc *row = ptable_find(s->table, pid);
    struct pin pin = {0};
    size_t texts = s->table->n_cgroups;
    int rc;

    *ret_rc = 0;
    if (s->replay) {
        *ret_rc = row ? ptable_load(s->table, s->procfs, row, PROC_STAT) : 0;
        return *ret_rc == 0 ? row : NULL;
    }
    rc = procfs_pin(s->procfs->fd, pid, &pin);
    if (rc < 0) {
        *ret_rc = err_is_shortage(rc) ? rc : 0;
        return NULL;
    }
    if (!row || !(row->have & PROC_STAT) || row->start != pin.stat.start ||
        !str_eq(s->table->cgroups[row->cgroup].text, (struct str){pin.cgroup.p, pin.cgroup.n})) {
        *ret_rc = ptable_refresh(s->table, s->procfs, pid, &row);
    }
    buf_free(&pin.cgroup);
    if (*ret_rc < 0) {
        return NULL;
    }
    for (size_t i = texts; i < s->table->n_cgroups; i++) {
        *ret_rc = members_own_text(&s->whois->members, s->table, i);
        if (*ret_rc < 0) {
            return NULL;
        }
    }
    return row;
}

static enum podpid_role listed_role(const struct podpid_container *c, const struct proc *row)
{
    for (size_t i = 0; c && i < c->n_processes; i++) {
        if (c->processes[i]->pid == row->pid && c->processes[i]->start_time_ticks == row->start) {
            return c->processes[i]->role;
        }
    }
    return 0;
}

/* Of a process that came after the look, or into a container that no list has. */
static enum podpid_role guessed_role(const struct podpid_snapshot *s, const struct proc *row)
{
    const struct proc *parent = ptable_find(s->table, row->ppid);
    const char *id = s->table->cgroups[row->cgroup].facts.container_id;
    const char *other = parent ? s->table->cgroups[parent->cgroup].facts.container_id : NULL;

    if (id && other && strcmp(id, other) == 0) {
        return PODPID_ROLE_CHILD;
    }
    return row->session == row->pid ? PODPID_ROLE_EXEC : PODPID_ROLE_ORPHAN;
}

static int fill_chain(struct podpid_snapshot *s, const struct cgroup_facts *f, const char *owner,
                      struct podpid_answer *a)
{
    bool outermost = owner && f->container_id && strcmp(owner, f->container_id) != 0;
    const char **chain = arena_calloc(&s->arena, f->n_chain + 1, sizeof(*chain));

    if (!chain) {
        return -ENOMEM;
    }
    if (outermost) {
        chain[a->n_chain++] = f->container_id;
    }
    for (size_t i = 0; i < f->n_chain; i++) {
        chain[a->n_chain++] = f->chain[i];
    }
    a->chain = chain;
    return 0;
}

/* Whether a cgroup's name marks a helper process of the container. A monitor such as conmon belongs
 * to the runtime that started it: beside another runtime's container the name was chosen by
 * somebody else. Kata's helpers belong to no row of the table and run beside any runtime. */
static bool is_helper(const struct podpid_snapshot *s, const struct cgroup_facts *f)
{
    const struct podpid_runtime *r = podpid_snapshot_runtime(s);
    const struct runtime *owner = runtime_of_cgroup_prefix(f->manager);

    if (f->kind != CGROUP_HELPER) {
        return false;
    }
    if (r && r->name && owner && strcmp(r->name, owner->name) != 0) {
        return !members_find_id(&s->whois->members, f->helper_for);
    }
    return true;
}

static int fill_answer(struct podpid_snapshot *s, const struct proc *row, struct podpid_answer *a)
{
    const struct cgroup_facts *f = &s->table->cgroups[row->cgroup].facts;
    const struct unit *u = members_owner(&s->whois->members, s->table, row);
    const struct look_unit *t = u ? look_unit_find(&s->whois->units, u->id) : NULL;

    a->found = true;
    a->process = row->pid;
    a->start_time_ticks = row->start;
    if (u && !u->container) {
        a->role = PODPID_ROLE_SANDBOX;
        a->container_id = u->id;
        a->pod = t ? t->pod_row : NULL;
        return 0;
    }
    if (u) {
        a->container_id = u->id;
        a->container = t ? t->row : NULL;
        a->pod = a->container ? a->container->pod : NULL;
        a->role = listed_role(a->container, row);
        a->role = a->role ? a->role : guessed_role(s, row);
        return fill_chain(s, f, u->id, a);
    }
    if (is_helper(s, f)) {
        a->role = PODPID_ROLE_HELPER;
        a->container_id = f->helper_for;
        return 0;
    }
    /* An id that is a unit's, where that unit is not: somebody's choice of a name. */
    if (f->container_id && !members_find_id(&s->whois->members, f->container_id)) {
        a->role = guessed_role(s, row);
        a->container_id = f->container_id;
        return fill_chain(s, f, NULL, a);
    }
    a->role = PODPID_ROLE_HOST;
    return 0;
}

int podpid_whois(struct podpid_snapshot *s, pid_t pid, pid_t ns_of,
                 const struct podpid_answer **ret, struct podpid_error *error)
{
    struct podpid_answer *a = arena_alloc(&s->arena, sizeof(*a));
    struct err err = {0};
    const struct proc *row = NULL;
    pid_t process = pid;
    int rc = a ? 0 : -ENOMEM;

    if (!s->whois) {
        err_set(&err, ERR_USAGE, EINVAL, "this snapshot was made without want_processes");
        return error_publish(&err, error);
    }
    if (rc == 0 && ns_of && translate(s, pid, ns_of, &process, &err) < 0) {
        return error_publish(&err, error);
    }
    if (rc == 0) {
        a->pid = pid;
    }
    if (rc == 0 && process > 0) {
        process = process_of(s, process);
        row = process > 0 ? row_of_now(s, process, &rc) : NULL;
    }
    if (rc == 0 && row) {
        rc = fill_answer(s, row, a);
    }
    if (rc < 0 && rc != -ENOMEM) {
        err_set(&err, ERR_PROC, -rc, "reading %s: %s", s->procfs->path, strerror(-rc));
        return error_publish(&err, error);
    }
    if (rc < 0) {
        err_nomem(&err);
        return error_publish(&err, error);
    }
    *ret = a;
    return 0;
}
