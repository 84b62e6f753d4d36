#include "test/support/scenario_proc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/text.h"
#include "test/support/scratch.h"

enum { FIRST_SPACE = 100 };

static unsigned long space_inode(struct proc_writer *w, const char *name, size_t n, unsigned kind)
{
    char **more;
    size_t i = 0;

    while (i < w->n_spaces && (strncmp(w->spaces[i], name, n) != 0 || w->spaces[i][n] != '\0')) {
        i++;
    }
    if (i == w->n_spaces) {
        more = realloc(w->spaces, (i + 1) * sizeof(*more));
        if (!more || !(more[i] = strndup(name, n))) {
            abort();
        }
        w->spaces = more;
        w->n_spaces = i + 1;
    }
    return HOST_PID_NS + FIRST_SPACE + i * 10 + kind;
}

void proc_writer_done(struct proc_writer *w)
{
    for (size_t i = 0; i < w->n_spaces; i++) {
        free(w->spaces[i]);
    }
    free(w->spaces);
}

static void cgroup_text(const struct proc_writer *w, const struct proc_cgroup *c, struct buf *b)
{
    static const char *const controllers[] = {"pids", "memory", "cpu,cpuacct", "freezer",
                                              "name=systemd"};
    unsigned number = sizeof(controllers) / sizeof(controllers[0]);

    for (size_t i = 0; w->v1 && i < sizeof(controllers) / sizeof(controllers[0]); i++) {
        size_t n = strlen(controllers[i]);
        bool odd = c->odd && strncmp(c->odd, controllers[i], n) == 0 && c->odd[n] == ':';

        buf_printf(b, "%u:%s:%s\n", number--, controllers[i], odd ? c->odd + n + 1 : c->v1);
    }
    if (w->v2) {
        buf_printf(b, "0::%s\n", c->v2);
    }
}

static void put_file(const struct proc_writer *w, const char *folder, const char *name,
                     struct buf *b)
{
    char path[128];

    snprintf(path, sizeof(path), "proc/%s/%s", folder, name);
    scratch_write(w->dir, path, b->p, b->n);
    b->n = 0;
}

/* status shows line ends and backslashes in a name as \n and \\; stat shows them as they are. */
static void put_name_escaped(struct buf *b, const char *comm)
{
    for (; *comm; comm++) {
        if (*comm == '\n') {
            buf_puts(b, "\\n");
        } else if (*comm == '\\') {
            buf_puts(b, "\\\\");
        } else {
            buf_append(b, comm, 1);
        }
    }
}

static void put_stat(struct buf *b, const struct proc_words *p)
{
    buf_printf(b, "%d (%s) %c %d %d %d 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 %d 0 %llu", p->pid,
               p->comm, p->state, p->ppid, p->session, p->session, p->threads,
               (unsigned long long)p->start);
    for (int field = 23; field <= 52; field++) {
        buf_puts(b, " 0");
    }
    buf_puts(b, "\n");
}

static const char *state_word(char state)
{
    switch (state) {
    case 'Z':
        return "Z (zombie)";
    case 'R':
        return "R (running)";
    case 'D':
        return "D (disk sleep)";
    default:
        return "S (sleeping)";
    }
}

/* "N" or "NAME:N", the innermost one last: its inode, and NSpid's numbers into b. */
static unsigned long put_nspid(struct proc_writer *w, const struct proc_words *p, struct buf *b)
{
    const char *ns = p->ns;
    unsigned long inode = HOST_PID_NS;

    buf_printf(b, "NSpid:\t%d", p->pid);
    while (ns && *ns) {
        size_t n = strcspn(ns, ","), colon = strcspn(ns, ":");

        if (colon < n) {
            inode = space_inode(w, ns, colon, 0);
            ns += colon + 1;
            n -= colon + 1;
        } else {
            inode = space_inode(w, p->in ? p->in : "?", strlen(p->in ? p->in : "?"), 0);
        }
        buf_printf(b, "\t%.*s", (int)n, ns);
        ns += n + (ns[n] == ',');
    }
    buf_puts(b, "\n");
    return inode;
}

bool proc_write(struct proc_writer *w, const struct proc_words *p, char *why, size_t size)
{
    struct buf b = {0};
    char folder[16];
    unsigned long pid_ns, own = HOST_PID_NS;

    if (p->pid < 1 || p->ppid < 0 || p->threads < 1) {
        snprintf(why, size, "not a process: pid %d, ppid %d, %d threads", p->pid, p->ppid,
                 p->threads);
        return false;
    }
    w->has_init = w->has_init || p->pid == 1;
    snprintf(folder, sizeof(folder), "%d", p->pid);
    put_stat(&b, p);
    put_file(w, folder, "stat", &b);
    cgroup_text(w, &p->cgroup, &b);
    put_file(w, folder, "cgroup", &b);
    buf_puts(&b, "Name:\t");
    put_name_escaped(&b, p->comm);
    buf_printf(&b, "\nState:\t%s\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\n", state_word(p->state), p->pid,
               p->pid, p->ppid);
    pid_ns = put_nspid(w, p, &b);
    buf_printf(&b, "Threads:\t%d\n", p->threads);
    put_file(w, folder, "status", &b);
    if (!w->without_ns) {
        own = p->in ? space_inode(w, p->in, strlen(p->in), 1) : own;
        buf_printf(&b, "{\"pid\": %lu, \"mnt\": %lu, \"net\": %lu, \"cgroup\": %lu}\n", pid_ns, own,
                   own + 1, own + 2);
        put_file(w, folder, "ns.json", &b);
    }
    buf_free(&b);
    return true;
}

void proc_write_thread(struct proc_writer *w, const char *pid, const char *tid, char state,
                       const struct proc_cgroup *cgroup)
{
    struct buf b = {0};
    char folder[64];

    snprintf(folder, sizeof(folder), "%s/task/%s", pid, tid);
    buf_printf(&b, "%s (thread) %c 0 0 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 2 0 1000", tid, state);
    for (int field = 23; field <= 52; field++) {
        buf_puts(&b, " 0");
    }
    buf_puts(&b, "\n");
    put_file(w, folder, "stat", &b);
    cgroup_text(w, cgroup, &b);
    put_file(w, folder, "cgroup", &b);
    buf_free(&b);
}
