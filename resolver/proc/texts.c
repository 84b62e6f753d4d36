/* The cgroup texts of a process table: each one is kept and parsed once. Their hash is keyed,
 * because a container that can make cgroups chooses their names. */
#include <errno.h>

#include "resolver/cgroup/line.h"
#include "resolver/proc/ptable.h"

/* Whether the text has v1 lines, and the path of each is "/". */
static bool is_v1_root(struct str text)
{
    struct cgroup_line line;
    bool any = false;

    while (cgroup_next_line(&text, &line)) {
        if (line.hierarchy != 0 && !str_is(line.path, "/")) {
            return false;
        }
        any = any || line.hierarchy != 0;
    }
    return any;
}

/* Room of the first index, which doubles when it is full. A host without containers has about that
 * many texts, one for each systemd service. */
enum { FIRST_TEXTS = 32 };

/* Make room for one more text in the index. 0 or -ENOMEM. */
static int index_grow(struct ptable *t)
{
    size_t room = hash_index_room(&t->index);
    int rc;

    if (t->n_cgroups < room) {
        return 0;
    }
    if (t->n_cgroups >= INT32_MAX) {
        return -ENOMEM;
    }
    if (room == 0) {
        t->seed = hash_seed_make();
    }
    rc = hash_index_init(&t->index, room ? room * 2 : FIRST_TEXTS, &t->arena);
    if (rc < 0) {
        return rc;
    }
    for (size_t i = 0; i < t->n_cgroups; i++) {
        hash_index_add(&t->index, t->cgroups[i].hash, (uint32_t)i);
    }
    return 0;
}

int64_t ptable_intern(struct ptable *t, struct str text)
{
    struct ptable_cgroup c = {.owner = -1};
    uint32_t i;
    int rc = index_grow(t);

    if (rc < 0) {
        return rc;
    }
    c.hash = hash_keyed(t->seed, text);
    for (size_t at = hash_index_start(&t->index, c.hash); hash_index_next(&t->index, &at, &i);) {
        if (t->cgroups[i].hash == c.hash && str_eq(t->cgroups[i].text, text)) {
            return i;
        }
    }
    c.text = (struct str){arena_strndup(&t->arena, text.p, text.n), text.n};
    if (!c.text.p) {
        return -ENOMEM;
    }
    rc = cgroup_parse(c.text, &t->arena, &c.facts);
    if (rc < 0) {
        return rc;
    }
    c.v1_root = is_v1_root(c.text);
    rc = ARENA_APPEND(&t->arena, t->cgroups, t->n_cgroups, t->cap_cgroups, c);
    if (rc < 0) {
        return rc;
    }
    hash_index_add(&t->index, c.hash, (uint32_t)t->n_cgroups - 1);
    return (int64_t)t->n_cgroups - 1;
}
