/* info_parse(): the input is the verbose info of a CRI status. Texts are terminated, a PID is not
 * negative. */
#include "test/fuzz/fuzz.h"

#include <string.h>

#include "cri/base/cleanup.h"
#include "cri/rpc/info.h"

static void check_text(const char *s)
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
    check_text(info.runtime_type);
    check_text(info.runtime_handler);
    check_text(info.cgroups_path);
    check_text(info.cgroup_parent);
    return 0;
}
