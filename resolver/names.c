#include "resolver/podpid.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *name_of(const char *const *names, size_t n, unsigned value)
{
    return value < n && names[value] ? names[value] : "?";
}

const char *podpid_verdict_name(enum podpid_verdict v)
{
    static const char *const names[] = {
        [PODPID_VERDICT_ERROR] = "error",
        [PODPID_VERDICT_CREATED] = "created",
        [PODPID_VERDICT_EXITED] = "exited",
        [PODPID_VERDICT_UNKNOWN] = "unknown",
        [PODPID_VERDICT_VM] = "vm",
        [PODPID_VERDICT_INFERRED] = "inferred",
        [PODPID_VERDICT_UNPROVEN] = "unproven",
        [PODPID_VERDICT_NO_PROCESS] = "no-process",
        [PODPID_VERDICT_DEAD] = "dead",
        [PODPID_VERDICT_ZOMBIE] = "zombie",
        [PODPID_VERDICT_MOVED] = "moved",
        [PODPID_VERDICT_RECYCLED] = "recycled",
        [PODPID_VERDICT_MISMATCH] = "mismatch",
        [PODPID_VERDICT_CHANGED] = "changed",
        [PODPID_VERDICT_VERIFIED] = "verified",
        [PODPID_VERDICT_ABSENT] = "absent",
    };

    return name_of(names, COUNT(names), v);
}

const char *podpid_role_name(enum podpid_role r)
{
    static const char *const names[] = {
        [PODPID_ROLE_MAIN] = "main",       [PODPID_ROLE_CHILD] = "child",
        [PODPID_ROLE_EXEC] = "exec",       [PODPID_ROLE_ORPHAN] = "orphan",
        [PODPID_ROLE_SANDBOX] = "sandbox", [PODPID_ROLE_HELPER] = "helper",
        [PODPID_ROLE_HOST] = "host",
    };

    return name_of(names, COUNT(names), r);
}

const char *podpid_state_name(enum podpid_state s)
{
    static const char *const names[] = {
        [PODPID_STATE_CREATED] = "created",
        [PODPID_STATE_RUNNING] = "running",
        [PODPID_STATE_EXITED] = "exited",
        [PODPID_STATE_UNKNOWN] = "unknown",
    };

    return name_of(names, COUNT(names), s);
}
