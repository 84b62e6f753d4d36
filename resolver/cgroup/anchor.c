#include "resolver/cgroup/anchor.h"

#include <errno.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "resolver/cgroup/path.h"

/* /proc shows at most PATH_MAX (4,096) bytes of a path, with its NUL: a longer anchor never
 * matches. */
enum { ANCHOR_MAX = 4095 };

/* The text from p to the next slash, or to end. */
static struct str component_at(const char *p, const char *end)
{
    const char *slash = memchr(p, '/', (size_t)(end - p));

    return (struct str){p, (size_t)((slash ? slash : end) - p)};
}

/* Write the path "/a//b/./c/" as "/a/b/c" to out, which has room for path.n + 1 bytes; the root as
 * "". out, or NULL if the path has a ".." component. */
static const char *normalise(struct str path, char *out)
{
    const char *end = path.p + path.n;
    char *to = out;

    for (const char *p = path.p; p < end;) {
        struct str c = component_at(p, end);

        if (str_is(c, "..")) {
            return NULL;
        }
        if (c.n > 0 && !str_is(c, ".")) {
            *to++ = '/';
            memcpy(to, c.p, c.n);
            to += c.n;
        }
        p += c.n + (c.p + c.n < end ? 1 : 0);
    }
    *to = '\0';
    return out;
}

/* Append the path that systemd makes for a slice, "/a.slice/a-b.slice" for "a-b.slice". False: not
 * the name of a slice; some text may have been appended. */
static bool append_slice(struct str slice, struct buf *to)
{
    struct str name = slice;

    if (!str_ends(slice, STR(".slice"))) {
        return false;
    }
    name.n -= STR(".slice").n;
    if (str_is(name, "-")) {
        return true;
    }
    for (size_t i = 0, start = 0; i <= name.n; i++) {
        if (i < name.n && name.p[i] != '-') {
            continue;
        }
        if (i == start) {
            return false; /* an empty name between two dashes */
        }
        buf_append(to, "/", 1);
        buf_append(to, name.p, i);
        buf_puts(to, ".slice");
        start = i + 1;
    }
    return true;
}

/* Split "slice:prefix:id" at its colons. False: not such a text. */
static bool split_systemd(struct str s, struct str parts[3])
{
    if (s.n == 0 || memchr(s.p, '/', s.n)) {
        return false;
    }
    for (size_t i = 0; i < 3; i++) {
        const char *colon = s.n > 0 ? memchr(s.p, ':', s.n) : NULL;
        size_t n = colon ? (size_t)(colon - s.p) : s.n;

        if ((i < 2) != (colon != NULL)) {
            return false;
        }
        parts[i] = (struct str){s.p, n};
        n += colon ? 1 : 0;
        s.p += n;
        s.n -= n;
    }
    return parts[2].n > 0;
}

/* Append the path that the systemd driver makes of "slice:prefix:id"; nothing if slice is no
 * slice's name. */
static void append_unit_path(const struct str parts[3], struct buf *path)
{
    struct str slice = parts[0].n > 0 ? parts[0] : STR("system.slice");

    if (!append_slice(slice, path)) {
        path->n = 0;
        return;
    }
    buf_append(path, "/", 1);
    if (str_ends(parts[2], STR(".slice"))) {
        buf_append(path, parts[2].p, parts[2].n);
        return;
    }
    if (parts[1].n > 0) {
        buf_append(path, parts[1].p, parts[1].n);
        buf_append(path, "-", 1);
    }
    buf_append(path, parts[2].p, parts[2].n);
    buf_puts(path, ".scope");
}

static int parse_systemd(struct str text, const struct str parts[3], struct arena *a,
                         struct anchor *ret)
{
    CLEANUP(buf_free) struct buf path = {0};
    struct anchor r = {.literal_systemd = true};

    append_unit_path(parts, &path);
    if (path.failed) {
        return -ENOMEM;
    }
    if (path.n > 0 && path.n <= ANCHOR_MAX) {
        r.paths[r.n_paths] = arena_strndup(a, path.p, path.n);
        if (!r.paths[r.n_paths++]) {
            return -ENOMEM;
        }
    }
    r.paths[r.n_paths] = arena_printf(a, "/%.*s", (int)text.n, text.p);
    if (!r.paths[r.n_paths++]) {
        return -ENOMEM;
    }
    *ret = r;
    return 0;
}

int anchor_parse(const char *cgroups_path, struct arena *a, struct anchor *ret)
{
    struct str text = str_of(cgroups_path), parts[3];
    const char *path;
    char *room;

    if (text.n > ANCHOR_MAX) {
        text.n = 0;
    }
    if (split_systemd(text, parts)) {
        return parse_systemd(text, parts, a, ret);
    }
    *ret = (struct anchor){0};
    /* A relative path is relative to the runtime's own cgroup, which is not known here. */
    if (text.n == 0 || text.p[0] != '/') {
        return 0;
    }
    room = arena_alloc(a, text.n + 1);
    if (!room) {
        return -ENOMEM;
    }
    path = normalise(text, room);
    if (path && path[0] != '\0') {
        ret->paths[0] = path;
        ret->n_paths = 1;
    }
    return 0;
}

/* The path without the "/.." components at its start. */
static struct str visible_tail(struct str path)
{
    const struct str up = STR("/..");

    while (path_is_below(path, up)) {
        path.p += up.n;
        path.n -= up.n;
    }
    return path;
}

/* Whether the visible tail of a path starts with the last component of the anchor, or its last two,
 * and so on. */
static bool tail_starts_with_anchor_end(struct str tail, struct str anchor)
{
    for (size_t i = anchor.n; i > 0; i--) {
        if (anchor.p[i - 1] == '/' &&
            path_is_below(tail, (struct str){anchor.p + i - 1, anchor.n - (i - 1)})) {
            return true;
        }
    }
    return false;
}

/* Whether path is in the cgroup of a misconfigured runtime's container; see anchor_holds(). */
static bool holds_literally(struct str literal, struct str path)
{
    struct str container = cgroup_container_prefix(path);

    return container.p && str_ends(container, literal) &&
           !path_is_below(visible_tail(path), STR("/user.slice"));
}

bool anchor_holds(const struct anchor *anchor, struct str path)
{
    struct str tail = path.n > 0 ? visible_tail(path) : path;

    for (unsigned i = 0; i < anchor->n_paths; i++) {
        struct str p = str_of(anchor->paths[i]);
        bool literal = anchor->literal_systemd && i + 1 == anchor->n_paths;

        if (path_is_below(path, p) || (tail.n < path.n && tail_starts_with_anchor_end(tail, p)) ||
            (literal && holds_literally(p, path))) {
            return true;
        }
    }
    return false;
}
