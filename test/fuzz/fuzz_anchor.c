/* anchor_parse() and anchor_holds(): the input is a cgroupsPath, a newline, and a cgroup path. */
#include <string.h>

#include "resolver/cgroup/anchor.h"
#include "resolver/cgroup/line.h"
#include "test/fuzz/fuzz.h"

static void check_path(const char *path)
{
    size_t n = strlen(path);

    must(n > 1 && path[0] == '/' && path[n - 1] != '/');
    must(!strstr(path, "//"));
    must(!strstr(path, "/../") && (n < 3 || strcmp(path + n - 3, "/..") != 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *end = memchr(text, '\n', size);
    size_t n = end ? (size_t)(end - text) : size;
    struct str path = {text + n, size - n};
    struct anchor anchor;
    struct arena a = {0};
    char *cgroups_path;

    if (end) {
        path = (struct str){end + 1, size - n - 1};
    }
    cgroups_path = arena_strndup(&a, text, n);
    must(cgroups_path && anchor_parse(cgroups_path, &a, &anchor) == 0);
    must(anchor.n_paths <= ANCHOR_PATHS);
    for (unsigned i = 0; i < anchor.n_paths; i++) {
        struct str p = str_of(anchor.paths[i]);
        struct str rest = cgroup_strip_root(p, p);

        check_path(anchor.paths[i]);
        must(anchor_holds(&anchor, p));
        must(str_is(rest, "/"));
    }
    anchor_holds(&anchor, path);
    arena_free(&a);
    return 0;
}
