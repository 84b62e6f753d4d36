/* -o tree: pod, container, processes with their roles. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/cli/format.h"
#include "resolver/cli/table.h"

enum column { NAME, PID, STATE, ABOUT };
static const struct table_column columns[] = {
    [NAME] = {"NAME", SCOLS_FL_TREE | SCOLS_FL_TRUNC, 0},
    [PID] = {"PID", SCOLS_FL_RIGHT, 0},
    [STATE] = {"VERDICT/ROLE", 0, 0},
    [ABOUT] = {"ABOUT", SCOLS_FL_TRUNC, 0.05},
};

enum { MAX_DEPTH = 32 }; /* deeper processes are shown at this depth, beside their parents */

struct node {
    pid_t pid;
    size_t index; /* of the process in podpid_container.processes */
    unsigned depth;
    struct libscols_line *row;
};

static int by_pid(const void *a, const void *b)
{
    const struct node *x = a, *y = b;

    return x->pid != y->pid ? (x->pid > y->pid) - (x->pid < y->pid)
                            : (x->index > y->index) - (x->index < y->index);
}

static struct node *find(struct node *nodes, size_t n, pid_t pid)
{
    size_t lo = 0, hi = n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (nodes[mid].pid < pid) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo < n && nodes[lo].pid == pid ? &nodes[lo] : NULL;
}

static void describe_chain(struct table *t, struct libscols_line *row,
                           const struct podpid_process *p)
{
    char text[64];

    if (p->n_chain) {
        snprintf(text, sizeof(text), "in %.12s inside", p->chain[p->n_chain - 1]);
        table_text(t, row, ABOUT, text);
    }
}

static void add_process(struct table *t, struct libscols_line *container, struct node *nodes,
                        size_t n, size_t index, const struct podpid_process *p)
{
    struct node *own = find(nodes, n, p->pid), *parent = find(nodes, n, p->ppid);
    struct libscols_line *above = container;

    /* Processes come by start time, so a parent's row exists already; if not, it is no real parent.
     */
    if (parent && parent->row && parent != own) {
        above = parent->row;
        if (parent->depth >= MAX_DEPTH) {
            struct libscols_line *beside = scols_line_get_parent(parent->row);

            above = beside ? beside : container;
        }
    }
    while (own && own->index != index) {
        own++; /* the PID is listed twice: find the node of this process */
    }
    if (!own) {
        return;
    }
    own->depth = parent && parent->row ? parent->depth + 1 : 0;
    if (own->depth > MAX_DEPTH) {
        own->depth = MAX_DEPTH;
    }
    own->row = table_row(t, above);
    table_text(t, own->row, NAME, p->comm);
    table_number(t, own->row, PID, (uint64_t)p->pid);
    table_text(t, own->row, STATE, podpid_role_name(p->role));
    describe_chain(t, own->row, p);
}

static void add_processes(struct table *t, struct libscols_line *row,
                          const struct podpid_container *c)
{
    CLI_AUTO(cli_free) struct node *nodes = calloc(c->n_processes + 1, sizeof(*nodes));

    if (!nodes) {
        t->failed = true;
        return;
    }
    for (size_t i = 0; i < c->n_processes; i++) {
        nodes[i].pid = c->processes[i]->pid;
        nodes[i].index = i;
    }
    qsort(nodes, c->n_processes, sizeof(*nodes), by_pid);
    for (size_t i = 0; i < c->n_processes && !t->failed; i++) {
        add_process(t, row, nodes, c->n_processes, i, c->processes[i]);
    }
}

static void add_container(struct table *t, struct libscols_line *pod,
                          const struct podpid_container *c)
{
    struct libscols_line *row = table_row(t, pod);

    table_text(t, row, NAME, c->name ? c->name : c->id);
    table_pid(t, row, PID, c);
    table_verdict(t, row, STATE, c->verdict);
    if (c->verdict == PODPID_VERDICT_VERIFIED) {
        table_id(t, row, ABOUT, c->id);
    } else {
        table_text(t, row, ABOUT, c->reason);
    }
    add_processes(t, row, c);
}

static void add_pod(struct table *t, const struct podpid_pod *p)
{
    struct libscols_line *row = table_row(t, NULL);
    CLI_AUTO(cli_free) char *name = NULL;

    if (p->name) {
        if (asprintf(&name, "%s/%s", p->namespace_ ? p->namespace_ : "", p->name) < 0) {
            name = NULL;
            t->failed = true;
        }
        table_text(t, row, NAME, name);
    } else {
        table_text(t, row, NAME, p->uid ? p->uid : "(no pod)");
    }
    if (p->sandbox_pid > 0) {
        table_number(t, row, PID, (uint64_t)p->sandbox_pid);
    }
    if (p->sandbox_id) {
        table_text(t, row, STATE, p->ready ? "sandbox" : "notready");
        table_id(t, row, ABOUT, p->sandbox_id);
    }
    for (size_t i = 0; i < p->n_containers; i++) {
        add_container(t, row, p->containers[i]);
    }
}

static void add_stray(struct table *t, struct libscols_line *above, const struct podpid_stray *s)
{
    struct libscols_line *row = table_row(t, above);

    table_id(t, row, NAME, s->container_id);
    table_text(t, row, ABOUT, s->reason);
    for (size_t i = 0; i < s->n_pids; i++) {
        struct libscols_line *process = table_row(t, row);

        table_text(t, process, NAME, "process");
        table_number(t, process, PID, (uint64_t)s->pids[i]);
    }
}

enum { MOST_STRAYS = 10 };

int out_tree(const struct cli *cli, const struct podpid_snapshot *s)
{
    struct table t;
    size_t n, n_strays;
    const struct podpid_pod *const *pods = podpid_snapshot_pods(s, &n);
    const struct podpid_stray *const *strays = podpid_snapshot_strays(s, &n_strays);

    if (n + n_strays == 0) {
        return CLI_OK;
    }
    table_begin(&t, cli, columns, sizeof(columns) / sizeof(columns[0]), true);
    for (size_t i = 0; i < n; i++) {
        add_pod(&t, pods[i]);
    }
    if (n_strays) {
        struct libscols_line *row = table_row(&t, NULL);

        table_text(&t, row, NAME, "(strays)");
        for (size_t i = 0; i < n_strays && i < MOST_STRAYS; i++) {
            add_stray(&t, row, strays[i]);
        }
        if (n_strays > MOST_STRAYS) {
            table_text(&t, table_row(&t, row), NAME, "(more: -o json has them)");
        }
    }
    return table_print(&t);
}
