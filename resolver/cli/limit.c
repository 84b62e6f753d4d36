#include "resolver/cli/limit.h"

struct rlimit limit_raise_fds(rlim_t n)
{
    struct rlimit before = {RLIM_INFINITY, RLIM_INFINITY}, raised;

    getrlimit(RLIMIT_NOFILE, &before);
    if (before.rlim_cur < n && before.rlim_cur < before.rlim_max) {
        raised = before;
        raised.rlim_cur = before.rlim_max < n ? before.rlim_max : n;
        setrlimit(RLIMIT_NOFILE, &raised);
    }
    return before;
}
