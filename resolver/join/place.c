/* The place of a unit: the cgroup that is its anchor, as a path of the process table shows it. */
#include "resolver/join/impl.h"

struct str members_anchor_in(const struct ptable *t, const struct unit *u, struct str path)
{
    struct str rest = cgroup_strip_root(path, t->root);
    size_t cut = (size_t)(rest.p - path.p);

    for (unsigned i = 0; i < u->anchor.n_paths; i++) {
        struct str anchor = str_of(u->anchor.paths[i]);

        if (path_is_below(rest, anchor)) {
            return (struct str){path.p, cut + anchor.n};
        }
    }
    if (u->anchor.n_paths == 0 || ((u->anchor.literal_systemd || cgroup_is_relative(rest)) &&
                                   anchor_holds(&u->anchor, rest))) {
        struct str prefix = cgroup_container_prefix(rest);
        struct str name = path_last(prefix), id = str_of(u->id);

        /* One hierarchy may have the process in another container's cgroup. */
        if (prefix.n && memmem(name.p, name.n, id.p, id.n)) {
            return (struct str){path.p, cut + prefix.n};
        }
    }
    return (struct str){NULL, 0};
}

/* Find the next line of *text that shows the unit's place, and cut the text after it. *ret is the
 * line's path up to the place. */
static bool next_place(const struct ptable *t, const struct unit *u, struct str *text,
                       struct cgroup_line *line, struct str *ret)
{
    while (cgroup_next_line(text, line)) {
        *ret = members_anchor_in(t, u, line->path);
        if (ret->n) {
            return true;
        }
    }
    return false;
}

bool members_share_place(const struct ptable *t, const struct unit *u, struct str a, struct str b)
{
    struct cgroup_line line;
    struct str place_a, place_b;

    while (next_place(t, u, &a, &line, &place_a)) {
        for (struct str rest = b; next_place(t, u, &rest, &line, &place_b);) {
            if (str_eq(place_a, place_b)) {
                return true;
            }
        }
    }
    return false;
}

bool place_is_deleted(const struct ptable *t, const struct unit *u, struct str text)
{
    struct cgroup_line line;
    struct str place;
    bool any = false;

    while (next_place(t, u, &text, &line, &place)) {
        if (!line.deleted || place.n < line.path.n) {
            return false;
        }
        any = true;
    }
    return any;
}

const struct ptable_cgroup *place_of_reported(const struct ptable *t, const struct unit *u)
{
    pid_t pid = unit_reported_pid(u);
    const struct proc *row = pid > 0 ? ptable_find(t, pid) : NULL;

    return row && !(row->have & (PROC_GONE | PROC_DENIED)) ? &t->cgroups[row->cgroup] : NULL;
}

bool place_fits_reported(const struct ptable *t, const struct unit *u, struct str line)
{
    const struct ptable_cgroup *reported = place_of_reported(t, u);
    struct cgroup_line parsed;
    struct str text, place;

    if (!reported) {
        return true;
    }
    text = reported->text;
    return !next_place(t, u, &text, &parsed, &place) ||
           members_share_place(t, u, reported->text, line);
}
