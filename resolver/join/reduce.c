/* Reduction: which of a unit's members is its first process, and the roles of the others. */
#include "resolver/join/impl.h"

#include <stdlib.h>

#include "resolver/join/verdict.h"

static int compare_indexes(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

bool unit_has_root(const struct ptable *t, const struct unit *u, const struct proc *row)
{
    uint32_t key = (uint32_t)(row - t->procs);

    return u->n_roots && bsearch(&key, u->roots, u->n_roots, sizeof(key), compare_indexes) != NULL;
}

static bool comes_first(const struct proc *a, const struct proc *b)
{
    bool init_a = a->nspid == 1, init_b = b->nspid == 1;

    if (a->start != b->start) {
        return a->start < b->start;
    }
    if (init_a != init_b) {
        return init_a;
    }
    return a->pid < b->pid;
}

const struct proc *reduce_main(const struct ptable *t, const struct unit *u)
{
    const struct proc *first = NULL;

    for (uint32_t i = 0; i < u->n_roots; i++) {
        const struct proc *row = &t->procs[u->roots[i]];

        if (!first || comes_first(row, first)) {
            first = row;
        }
    }
    return first;
}

enum podpid_role role_of(const struct verdict_input *in, const struct unit *u,
                         const struct proc *row, const struct proc *main_process)
{
    if (row == main_process) {
        return PODPID_ROLE_MAIN;
    }
    if (!unit_has_root(in->table, u, row)) {
        return PODPID_ROLE_CHILD;
    }
    if (u->pod && u->pod->pid && row->ppid == u->pod->pid) {
        return PODPID_ROLE_ORPHAN;
    }
    return row->session == row->pid ? PODPID_ROLE_EXEC : PODPID_ROLE_ORPHAN;
}
