/* What the public header offers beside its objects: the version, the names of enumerators, exit
 * statuses, durations. */
#include "resolver/podpid.h"

#include <errno.h>

#include "cri/base/text.h"
#include "resolver/arguments.h"

const char *podpid_version(void)
{
    return PODPID_VERSION;
}

/* ---- Names of enumerators -------------------------------------------------------------------- */

static const char *name_of(const char *const *names, size_t n, unsigned value)
{
    return value < n && names[value] ? names[value] : "?";
}

const char *podpid_code_name(int code)
{
    static const char *const names[] = {
        [-PODPID_OK] = "ok",
        [-PODPID_ERR_NOMEM] = "nomem",
        [-PODPID_ERR_USAGE] = "usage",
        [-PODPID_ERR_INPUT] = "input",
        [-PODPID_ERR_RUNTIME] = "runtime",
        [-PODPID_ERR_DENIED] = "denied",
        [-PODPID_ERR_TIMEOUT] = "timeout",
        [-PODPID_ERR_PROC] = "proc",
        [-PODPID_ERR_CANCELED] = "canceled",
        [-PODPID_ERR_ANSWER] = "answer",
        [-PODPID_ERR_WRITE] = "write",
        [-PODPID_ERR_INTERNAL] = "internal",
    };

    return name_of(names, N_ELEMENTS(names), 0U - (unsigned)code);
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

    return name_of(names, N_ELEMENTS(names), (unsigned)v);
}

const char *podpid_role_name(enum podpid_role r)
{
    static const char *const names[] = {
        [PODPID_ROLE_MAIN] = "main",       [PODPID_ROLE_CHILD] = "child",
        [PODPID_ROLE_EXEC] = "exec",       [PODPID_ROLE_ORPHAN] = "orphan",
        [PODPID_ROLE_SANDBOX] = "sandbox", [PODPID_ROLE_HELPER] = "helper",
        [PODPID_ROLE_HOST] = "host",
    };

    return name_of(names, N_ELEMENTS(names), (unsigned)r);
}

const char *podpid_state_name(enum podpid_state s)
{
    static const char *const names[] = {
        [PODPID_STATE_CREATED] = "created",
        [PODPID_STATE_RUNNING] = "running",
        [PODPID_STATE_EXITED] = "exited",
        [PODPID_STATE_UNKNOWN] = "unknown",
    };

    return name_of(names, N_ELEMENTS(names), (unsigned)s);
}

const char *podpid_json_style_name(enum podpid_json_style s)
{
    static const char *const names[] = {
        [PODPID_JSON_DOCUMENT] = "document",
        [PODPID_JSON_COMPACT] = "compact",
        [PODPID_JSON_LINES] = "lines",
    };

    return name_of(names, N_ELEMENTS(names), (unsigned)s);
}

const char *podpid_result_name(enum podpid_result r)
{
    static const char *const names[] = {
        [PODPID_RESULT_PASS] = "pass",
        [PODPID_RESULT_WARN] = "warn",
        [PODPID_RESULT_FAIL] = "fail",
        [PODPID_RESULT_SKIP] = "skip",
    };

    return name_of(names, N_ELEMENTS(names), (unsigned)r);
}

const char *podpid_event_name(enum podpid_event_kind k)
{
    static const char *const names[] = {
        [PODPID_EVENT_SNAPSHOT] = "snapshot", [PODPID_EVENT_ADDED] = "added",
        [PODPID_EVENT_REMOVED] = "removed",   [PODPID_EVENT_CHANGED] = "changed",
        [PODPID_EVENT_RUNTIME] = "runtime",
    };

    return name_of(names, N_ELEMENTS(names), (unsigned)k);
}

/* ---- Exit statuses and durations ------------------------------------------------------------- */

int podpid_exit_status(int code)
{
    switch (code) {
    case PODPID_OK:
        return 0;
    case PODPID_ERR_ANSWER:
    case PODPID_ERR_WRITE:
        return 1;
    case PODPID_ERR_USAGE:
    case PODPID_ERR_INPUT:
        return 2;
    default:
        return code > 0 ? 0 : 3;
    }
}

int podpid_parse_duration(const char *text, int64_t *ret, struct podpid_error *error)
{
    struct err err = {0};

    if (!text || !ret) {
        return bad_argument(__func__, error);
    }
    if (text_to_duration(text, ret)) {
        return PODPID_OK;
    }
    err_set(&err, ERR_USAGE, EINVAL, "'%.100s' is no duration: write 500ms, 10s, 1m30s or 2h",
            text);
    return error_publish(&err, error);
}
