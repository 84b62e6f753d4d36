/* The verbose info of a status: what comes out of it is text, and a pid that is one. */
#include "test/fuzz/fuzz.h"

#include <string.h>

#include "cri/base/cleanup.h"
#include "cri/rpc/info.h"

static void is_text(const char *s)
{
    must(!s || strlen(s) < 64 * 1024);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_free) struct arena a = {0};
    struct info info = {.pid = -1};
    struct err err = {0};
    int rc = info_parse((struct str){(const char *)data, size}, &a, &info, &err);

    must((rc == 0) == (info.pid >= 0));
    must(rc == 0 || err.text[0]);
    is_text(info.runtime_type);
    is_text(info.runtime_handler);
    is_text(info.cgroups_path);
    is_text(info.cgroup_parent);
    return 0;
}
