#include "resolver/targets/check_id.h"

#include <string.h>

#define CHECK_INFO(name, function, check_id, is_fixed, status, holds, else_)                       \
    &(const struct podpid_check_info){.id = (check_id),                                            \
                                      .what = (holds),                                             \
                                      .otherwise = (else_),                                        \
                                      .fixed = (is_fixed),                                         \
                                      .exit_status = (status)},

static const struct podpid_check_info *const infos[] = {CHECKS(CHECK_INFO)};

const struct podpid_check_info *check_info(enum check_id id)
{
    return infos[id];
}

bool check_by_name(const char *name, enum check_id *ret)
{
    for (unsigned i = 0; i < N_CHECKS; i++) {
        if (strcmp(infos[i]->id, name) == 0) {
            *ret = (enum check_id)i;
            return true;
        }
    }
    return false;
}

const struct podpid_check_info *const *podpid_check_list(size_t *ret_n)
{
    if (ret_n) {
        *ret_n = N_CHECKS;
    }
    return infos;
}
