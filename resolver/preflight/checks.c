#include "resolver/preflight/checks.h"

#include <errno.h>

void check_handoff_written(struct check_table *t, const struct check_facts *f)
{
    (void)f;
    check_set(t, CHECK_HANDOFF_WRITTEN, PODPID_RESULT_SKIP, NULL, "no handoff file was asked for");
}

int checks_evaluate(struct check_table *t, const struct check_facts *f)
{
    check_table_init(t);
#define MAKE_CHECK(name, function, ...) check_##function(t, f);
    CHECKS(MAKE_CHECK)
#undef MAKE_CHECK
    return t->failed ? -ENOMEM : 0;
}
