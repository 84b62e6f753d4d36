#include "resolver/cgroup/anchor.h"

#include <errno.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "resolver/cgroup/path.h"

/* What /proc shows of a path at most; a longer anchor could match nothing. */
enum { PATH_MOST = 4095 };

static struct str component_at(const char *p, const char *end)
{
    const char *slash = memchr(p, '/', (size_t)(end - p));

    return (struct str){p, (size_t)((slash ? slash : end) - p)};
}

/* "/a//b/./c/" as "/a/b/c"; "" for the root, NULL for a path with "..". out has room for path.n + 1
 * bytes and the result is out. */
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

/* Append to buf the folders that systemd makes for a slice: "a-b.slice" is /a.slice/a-b.slice.
 * False: not the name of a slice. */
static bool expand_slice(struct str slice, struct buf *to)
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

/* "slice:prefix:id", three names. */
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

/* The path that systemd's driver gives "slice:prefix:id"; nothing in path if slice is no slice. */
static void expand(const struct str parts[3], struct buf *path)
{
    struct str slice = parts[0].n > 0 ? parts[0] : STR("system.slice");

    if (!expand_slice(slice, path)) {
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

    expand(parts, &path);
    if (path.failed) {
        return -ENOMEM;
    }
    if (path.n > 0 && path.n <= PATH_MOST) {
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

    if (text.n > PATH_MOST) {
        text.n = 0;
    }
    if (split_systemd(text, parts)) {
        return parse_systemd(text, parts, a, ret);
    }
    *ret = (struct anchor){0};
    /* A path that is not absolute is relative to a cgroup that nobody knows. */
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

/* Cut the leading "/.." components off. */
static struct str visible_tail(struct str path)
{
    while (path_is_below(path, STR("/.."))) {
        path.p += 3;
        path.n -= 3;
    }
    return path;
}

/* Does the visible tail start with a tail of the anchor, last component included? */
static bool tails_meet(struct str tail, struct str anchor)
{
    for (size_t i = anchor.n; i > 0; i--) {
        if (anchor.p[i - 1] == '/' &&
            path_is_below(tail, (struct str){anchor.p + i - 1, anchor.n - (i - 1)})) {
            return true;
        }
    }
    return false;
}

/* A runtime that takes "slice:prefix:id" for a path makes it below its own cgroup, which may be
 * any. So it counts wherever it is the outermost container, but not where a local user can make it.
 */
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

        if (path_is_below(path, p) || (tail.n < path.n && tails_meet(tail, p)) ||
            (literal && holds_literally(p, path))) {
            return true;
        }
    }
    return false;
}
