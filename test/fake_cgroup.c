/* The least of a cgroup parser: what is below /kubepods or /docker is a container's, anything else
 * the host's. */
#include <string.h>

#include "resolver/cgroup.h"

int cgroup_parse(struct str text, struct arena *a, struct cgroup_facts *ret)
{
    struct str line;

    *ret = (struct cgroup_facts){0};
    while (str_next_line(&text, &line)) {
        struct cgroup_line l;

        if (!memmem(line.p, line.n, "/kubepods/", 10) && !memmem(line.p, line.n, "/docker/", 8)) {
            continue;
        }
        ret->kind = CGROUP_CONTAINER;
        if (cgroup_line_parse(line, &l)) {
            ret->path = arena_strndup(a, l.path.p, l.path.n);
        }
    }
    return 0;
}

bool cgroup_line_parse(struct str line, struct cgroup_line *ret)
{
    const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
    const char *second;

    if (!colon) {
        return false;
    }
    second = memchr(colon + 1, ':', line.n - (size_t)(colon + 1 - line.p));
    if (!second || !str_to_u64((struct str){line.p, (size_t)(colon - line.p)}, &ret->hierarchy)) {
        return false;
    }
    ret->path = (struct str){second + 1, line.n - (size_t)(second + 1 - line.p)};
    return true;
}

struct str cgroup_container_prefix(struct str path)
{
    path.n = path.n < 72 ? path.n : 72; /* /docker/<64 digits> */
    return path;
}
