#include "resolver/look/whois.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "cri/runtimes.h"
#include "resolver/arguments.h"
#include "resolver/look/ns_numbers.h"
#include "resolver/proc/pin.h"

/* What the look leaves to its snapshot. Questions change it: a process that came after the look is
 * added to the table. The snapshot's rows are not touched. */
struct whois {
    pthread_mutex_t lock;            /* held during a question: of all that is below */
    struct arena arena, judge_arena; /* the look's: texts of the view, members, maps */
    struct members members;
    struct look_units units;
    struct ptable *table;
    struct procfs procfs;
    bool replay;              /* the table is all that there is to be read */
    const char *runtime_name; /* of the snapshot; NULL: none */
    struct ns_numbers numbers;
};

static void whois_free(struct whois *w)
{
    ns_numbers_free(&w->numbers);
    ptable_free(w->table);
    free(w->table);
    procfs_close(&w->procfs);
    arena_free(&w->judge_arena);
    arena_free(&w->arena);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

int whois_keep(struct podpid_look *k)
{
    const struct podpid_runtime *runtime = k->snapshot->runtime;
    struct whois *w = calloc(1, sizeof(*w));

    if (!w) {
        return -ENOMEM;
    }
    *w = (struct whois){.arena = k->arena,
                        .judge_arena = k->judge_arena,
                        .members = k->members,
                        .units = k->units,
                        .table = k->table,
                        .procfs = k->procfs,
                        .replay = k->is_replay,
                        .runtime_name = runtime ? runtime->name : NULL};
    pthread_mutex_init(&w->lock, NULL);
    k->snapshot->whois = w;
    k->snapshot->whois_free = whois_free;
    k->table = NULL;
    k->procfs_open = false;
    k->units = (struct look_units){0};
    k->arena = (struct arena){0};
    k->judge_arena = (struct arena){0};
    return 0;
}

static int short_of(const struct whois *w, int rc, struct err *err)
{
    return rc == -ENOMEM
               ? err_nomem(err)
               : err_set(err, ERR_PROC, -rc, "reading %s: %s", w->procfs.path, strerror(-rc));
}

/* ---- Which process is meant ------------------------------------------------------------------ */

/* *ret: the process of a thread; 0: there is none. /proc does not list threads, but opens them. 0,
 * or negative errno: a shortage. */
static int process_of_thread(const struct whois *w, pid_t pid, pid_t *ret)
{
    struct status_text st;
    int rc;

    if (w->replay && ptable_find(w->table, pid)) {
        *ret = pid;
        return 0;
    }
    rc = ns_read_status(&w->procfs, pid, &st);
    *ret = rc == 0 ? st.tgid : 0;
    return rc == -ESRCH ? 0 : rc;
}

/* *ret: the process that is meant; 0: there is none. */
static int find_process(struct whois *w, pid_t pid, pid_t ns_of, pid_t *ret, struct err *err)
{
    int rc = 0;

    if (ns_of) {
        rc = ns_numbers_find(&w->numbers, &w->procfs, w->table, ns_of, pid, &pid, err);
        if (rc < 0) {
            return rc;
        }
    }
    *ret = 0;
    if (pid > 0) {
        rc = process_of_thread(w, pid, ret);
    }
    return rc < 0 ? short_of(w, rc, err) : 0;
}

/* ---- What it is ----------------------------------------------------------------------------- */

static int read_row(struct whois *w, pid_t pid, const struct proc **ret)
{
    struct proc *row = ptable_find(w->table, pid);
    int rc = row ? ptable_load(w->table, &w->procfs, row, PROC_STAT) : 0;

    *ret = rc == 0 ? row : NULL;
    return rc;
}

/* Whether the table's row is of the process as it was read just now, in the same cgroup. */
static bool is_current(const struct whois *w, const struct proc *row, const struct pin *now)
{
    return row && row->have & PROC_STAT && row->start == now->stat.start &&
           str_eq(w->table->cgroups[row->cgroup].text, (struct str){now->cgroup.p, now->cgroup.n});
}

static int own_new_texts(struct whois *w, size_t from)
{
    for (size_t i = from; i < w->table->n_cgroups; i++) {
        int rc = members_own_text(&w->members, w->table, i);

        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

/* *ret: the table's row of a process, read anew through a pinned descriptor; NULL: it is gone. 0,
 * or negative errno: a shortage. */
static int read_row_again(struct whois *w, pid_t pid, const struct proc **ret)
{
    struct proc *row = ptable_find(w->table, pid);
    size_t n_texts = w->table->n_cgroups;
    struct pin pin = {0};
    int rc = procfs_pin(w->procfs.fd, pid, &pin);

    *ret = NULL;
    if (rc < 0) {
        return err_is_shortage(rc) ? rc : 0;
    }
    if (!is_current(w, row, &pin)) {
        rc = ptable_refresh(w->table, &w->procfs, pid, &row);
    }
    buf_free(&pin.cgroup);
    if (rc < 0) {
        return rc;
    }
    *ret = row;
    return own_new_texts(w, n_texts);
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

/* The role of a process that is not in the snapshot: it came after the look, or its container is
 * not in the runtime's list. */
static enum podpid_role guessed_role(const struct whois *w, const struct proc *row)
{
    const struct proc *parent = ptable_find(w->table, row->ppid);
    const char *id = w->table->cgroups[row->cgroup].facts.container_id;
    const char *other = parent ? w->table->cgroups[parent->cgroup].facts.container_id : NULL;

    if (id && other && strcmp(id, other) == 0) {
        return PODPID_ROLE_CHILD;
    }
    return row->session == row->pid ? PODPID_ROLE_EXEC : PODPID_ROLE_ORPHAN;
}

/* Whether a cgroup's name marks a helper process of the container. A monitor such as conmon belongs
 * to the runtime that started it: beside another runtime's container the name was chosen by
 * somebody else. Kata's helpers belong to no row of the table and run beside any runtime. */
static bool is_helper(const struct whois *w, const struct cgroup_facts *f)
{
    const struct runtime *owner = runtime_of_cgroup_prefix(f->manager);

    if (f->kind != CGROUP_HELPER) {
        return false;
    }
    if (w->runtime_name && owner && strcmp(w->runtime_name, owner->name) != 0) {
        return !members_find_id(&w->members, f->helper_for);
    }
    return true;
}

/* An answer that is under way: chain comes behind it in the same allocation. */
struct answer {
    struct podpid_answer is;
    const struct podpid_snapshot *snapshot; /* a reference: the answer points into it */
    const char *chain[];
};

static struct answer *new_answer(const struct podpid_snapshot *s, size_t max_chain)
{
    struct answer *a = calloc(1, sizeof(*a) + max_chain * sizeof(a->chain[0]));

    if (a) {
        a->snapshot = podpid_snapshot_ref(s);
        a->is.chain = a->chain;
    }
    return a;
}

/* owner: the container that the process is in for the runtime; NULL: none that is listed. */
static void fill_chain(struct answer *a, const struct cgroup_facts *f, const char *owner)
{
    if (owner && f->container_id && strcmp(owner, f->container_id) != 0) {
        a->chain[a->is.n_chain++] = f->container_id;
    }
    for (size_t i = 0; i < f->n_chain; i++) {
        a->chain[a->is.n_chain++] = f->chain[i];
    }
}

static void fill_member(struct whois *w, const struct proc *row, const struct unit *u,
                        struct answer *a)
{
    const struct look_unit *t = look_unit_find(&w->units, u->id);

    a->is.container_id = u->id;
    if (!u->container) {
        a->is.role = PODPID_ROLE_SANDBOX;
        a->is.pod = t ? t->pod_row : NULL;
        return;
    }
    a->is.container = t ? t->row : NULL;
    a->is.pod = a->is.container ? a->is.container->pod : NULL;
    a->is.role = listed_role(a->is.container, row);
    a->is.role = a->is.role ? a->is.role : guessed_role(w, row);
    fill_chain(a, &w->table->cgroups[row->cgroup].facts, u->id);
}

static void fill_answer(struct whois *w, const struct proc *row, struct answer *a)
{
    const struct cgroup_facts *f = &w->table->cgroups[row->cgroup].facts;
    const struct unit *u = members_owner(&w->members, w->table, row);

    a->is.found = true;
    a->is.process = row->pid;
    a->is.start_time_ticks = row->start;
    if (u) {
        fill_member(w, row, u, a);
    } else if (is_helper(w, f)) {
        a->is.role = PODPID_ROLE_HELPER;
        a->is.container_id = f->helper_for;
    } else if (f->container_id && !members_find_id(&w->members, f->container_id)) {
        a->is.role = guessed_role(w, row);
        a->is.container_id = f->container_id;
        fill_chain(a, f, NULL);
    } else {
        /* Also where the cgroup has the id of a listed container, but not its place: somebody chose
         * that name. */
        a->is.role = PODPID_ROLE_HOST;
    }
}

/* ---- Questions ------------------------------------------------------------------------------- */

static int ask(const struct podpid_snapshot *s, pid_t pid, pid_t ns_of, struct answer **ret,
               struct err *err)
{
    struct whois *w = s->whois;
    const struct proc *row = NULL;
    struct answer *a;
    pid_t process;
    int rc = find_process(w, pid, ns_of, &process, err);

    if (rc < 0) {
        return rc;
    }
    if (process > 0) {
        rc = w->replay ? read_row(w, process, &row) : read_row_again(w, process, &row);
        if (rc < 0) {
            return short_of(w, rc, err);
        }
    }
    a = new_answer(s, row ? w->table->cgroups[row->cgroup].facts.n_chain + 1 : 0);
    if (!a) {
        return err_nomem(err);
    }
    a->is.pid = pid;
    if (row) {
        fill_answer(w, row, a);
    }
    *ret = a;
    return 0;
}

int podpid_whois(const struct podpid_snapshot *s, pid_t pid, pid_t ns_of,
                 struct podpid_answer **ret, struct podpid_error *error)
{
    struct answer *a = NULL;
    struct err err = {0};
    int rc;

    if (!s || !ret) {
        return bad_argument(__func__, error);
    }
    if (!s->whois) {
        err_set(&err, ERR_USAGE, EINVAL, "this snapshot was made without want_processes");
        return error_publish(&err, error);
    }
    pthread_mutex_lock(&s->whois->lock);
    rc = ask(s, pid, ns_of, &a, &err);
    pthread_mutex_unlock(&s->whois->lock);
    if (rc < 0) {
        return error_publish(&err, error);
    }
    *ret = &a->is;
    return PODPID_OK;
}

void podpid_answer_free(struct podpid_answer *answer)
{
    struct answer *a = (struct answer *)answer; /* its first member */

    if (a) {
        podpid_snapshot_free(a->snapshot);
        free(a);
    }
}
