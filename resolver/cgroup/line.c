#include "resolver/cgroup/line.h"

#include <errno.h>
#include <string.h>

/* One or more digits. A number that does not fit becomes UINT64_MAX: callers only compare with 0.
 */
static bool hierarchy_parse(struct str s, uint64_t *ret)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') {
            return false;
        }
    }
    if (s.n > 0 && !str_to_u64(s, ret)) {
        *ret = UINT64_MAX;
    }
    return s.n > 0;
}

bool cgroup_line_parse(struct str line, struct cgroup_line *ret)
{
    struct cgroup_line l = {.text = line};
    const char *first, *second;

    first = line.n > 0 ? memchr(line.p, ':', line.n) : NULL;
    if (!first || !hierarchy_parse((struct str){line.p, (size_t)(first - line.p)}, &l.hierarchy)) {
        return false;
    }
    line.n -= (size_t)(first + 1 - line.p);
    line.p = first + 1;
    second = line.n > 0 ? memchr(line.p, ':', line.n) : NULL;
    if (!second) {
        return false;
    }
    l.controllers = (struct str){line.p, (size_t)(second - line.p)};
    l.path = (struct str){second + 1, line.n - l.controllers.n - 1};
    /* The kernel writes no NUL, and one would cut the path short where it is used as a C string. */
    if (l.path.n == 0 || l.path.p[0] != '/' || memchr(l.path.p, '\0', l.path.n)) {
        return false;
    }
    if (str_ends(l.path, STR(" (deleted)"))) {
        l.path.n -= STR(" (deleted)").n;
        l.deleted = true;
    }
    *ret = l;
    return true;
}

bool cgroup_next_line(struct str *text, struct cgroup_line *ret)
{
    struct str line;

    while (str_next_line(text, &line)) {
        if (cgroup_line_parse(line, ret)) {
            return true;
        }
    }
    return false;
}

bool cgroup_v2_line(struct str text, struct cgroup_line *ret)
{
    struct cgroup_line line;

    while (cgroup_next_line(&text, &line)) {
        if (line.hierarchy == 0) {
            *ret = line;
            return true;
        }
    }
    return false;
}

int cgroup_drop_cr(struct str text, struct arena *a, struct str *ret)
{
    struct str rest = text, line;
    char *out, *to;

    if (text.n == 0 || !memchr(text.p, '\r', text.n)) {
        *ret = text;
        return 0;
    }
    out = to = arena_alloc(a, text.n);
    if (!out) {
        return -ENOMEM;
    }
    while (str_next_line(&rest, &line)) {
        bool ended = line.p + line.n < text.p + text.n;
        size_t n = line.n - (line.n > 0 && line.p[line.n - 1] == '\r');

        memcpy(to, line.p, n);
        to += n;
        if (ended) {
            *to++ = '\n';
        }
    }
    *ret = (struct str){out, (size_t)(to - out)};
    return 0;
}

bool cgroup_is_relative(struct str path)
{
    return path_is_below(path, STR("/.."));
}

struct str cgroup_strip_root(struct str path, struct str root)
{
    if (root.n == 0 || !path_is_below(path, root)) {
        return path;
    }
    if (path.n == root.n) {
        return STR("/");
    }
    return (struct str){path.p + root.n, path.n - root.n};
}
