/* Where no whole anchor is known, or to be seen: whose a cgroup is goes by its shape then, see the
 * head of member.h. */
#include <string.h>

#include "resolver/join/impl.h"

static int32_t by_id(const struct members *m, const struct cgroup_facts *f)
{
    const struct unit *u;
    int32_t i;

    if (!f->container_id || f->in_user_slice) {
        return MEMBER_NONE;
    }
    i = unit_map_find(&m->maps->ids, str_of(f->container_id));
    if (i == MEMBER_NONE) {
        return MEMBER_NONE;
    }
    u = &m->units[i];
    if (u->anchor.n_paths) {
        return MEMBER_NONE;
    }
    /* What is in no pod is not found in one. */
    if (u->container && !u->container->sandbox_id && f->pod_uid) {
        return MEMBER_NONE;
    }
    if (u->pod && u->pod->uid && (!f->pod_uid || strcmp(u->pod->uid, f->pod_uid) != 0)) {
        return MEMBER_NONE;
    }
    return i;
}

/* The text of the next line's path that is in the unit's cgroup by shape, up to that cgroup. */
static bool next_place(const struct ptable *t, const struct unit *u, struct str *text,
                       struct cgroup_line *line, struct str *ret)
{
    struct str raw;

    while (str_next_line(text, &raw)) {
        if (cgroup_line_parse(raw, line)) {
            *ret = members_anchor_in(t, u, line->path);
            if (ret->n) {
                return true;
            }
        }
    }
    return false;
}

bool members_share_place(const struct ptable *t, const struct unit *u, struct str a, struct str b)
{
    struct cgroup_line line;
    struct str x, y;

    while (next_place(t, u, &a, &line, &x)) {
        for (struct str rest = b; next_place(t, u, &rest, &line, &y);) {
            if (str_eq(x, y)) {
                return true;
            }
        }
    }
    return false;
}

bool members_place_deleted(const struct ptable *t, const struct unit *u, struct str text)
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

/* Who may make cgroups anywhere can make one that has the shape, at another place. There is one
 * that is the unit's: where its reported process is, if that is of the shape itself. */
static const struct ptable_cgroup *home_of(const struct ptable *t, const struct unit *u)
{
    pid_t pid = u->container ? u->container->pid : u->pod->pid;
    const struct proc *row = pid > 0 ? ptable_find(t, pid) : NULL;

    return row && !(row->have & (PROC_GONE | PROC_DENIED)) ? &t->cgroups[row->cgroup] : NULL;
}

int32_t members_by_shape(const struct members *m, const struct ptable *t,
                         const struct cgroup_facts *f, struct str text)
{
    int32_t i = by_id(m, f);
    const struct unit *u = i == MEMBER_NONE ? NULL : &m->units[i];
    const struct ptable_cgroup *home = u ? home_of(t, u) : NULL;

    if (!home || by_id(m, &home->facts) != i || members_share_place(t, u, home->text, text)) {
        return i;
    }
    return MEMBER_NONE;
}

bool members_tail_fits(const struct ptable *t, const struct unit *u, struct str line)
{
    const struct ptable_cgroup *home = home_of(t, u);
    struct cgroup_line parsed;
    struct str text, place;

    if (!home) {
        return true;
    }
    text = home->text;
    return !next_place(t, u, &text, &parsed, &place) || members_share_place(t, u, home->text, line);
}
