/* Print the checks and whether a failure is fixed or ends with status 3, every name that the
 * library has for an enumerator, and the exit statuses of its errors, a line each: "verdict
 * verified". documents.sh compares them with what the documents list. */
#include <stdio.h>
#include <string.h>

#include "resolver/podpid.h"

/* Names of first, first + 1, ... up to the first value without a name. */
#define PRINT_NAMES(kind, first, name_of, type)                                                    \
    for (unsigned i = (first); strcmp(name_of((type)i), "?") != 0; i++) {                          \
        printf("%s %s\n", kind, name_of((type)i));                                                 \
    }

int main(void)
{
    const struct podpid_check_info *const *checks;
    size_t n;

    PRINT_NAMES("verdict", PODPID_VERDICT_ERROR, podpid_verdict_name, enum podpid_verdict)
    PRINT_NAMES("role", PODPID_ROLE_MAIN, podpid_role_name, enum podpid_role)
    PRINT_NAMES("state", PODPID_STATE_CREATED, podpid_state_name, enum podpid_state)
    PRINT_NAMES("result", PODPID_RESULT_PASS, podpid_result_name, enum podpid_result)
    PRINT_NAMES("event", PODPID_EVENT_SNAPSHOT, podpid_event_name, enum podpid_event_kind)
    for (int code = PODPID_OK; code >= PODPID_ERR_INTERNAL; code--) {
        printf("status %d\n", podpid_exit_status(code));
    }
    checks = podpid_check_list(&n);
    for (size_t i = 0; i < n; i++) {
        printf("check %s\n", checks[i]->id);
        if (checks[i]->fixed) {
            printf("fixed %s\n", checks[i]->id);
        }
        if (checks[i]->exit_status != 1) {
            printf("check-status-%d %s\n", checks[i]->exit_status, checks[i]->id);
        }
    }
    return 0;
}
