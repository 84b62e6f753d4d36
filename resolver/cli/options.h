/* Between options.c, which reads common options, and help.c, which has their table. */
#ifndef PODPID_CLI_OPTIONS_H
#define PODPID_CLI_OPTIONS_H

#include "resolver/cli/cli.h"

/* Keys of common options without a letter; out of the way of the verbs' own. */
enum {
    CLI_OPT_TIMEOUT = 1000,
    CLI_OPT_PROC,
    CLI_OPT_REPLAY,
    CLI_OPT_NO_RUNTIME,
    CLI_OPT_VM_HANDLERS,
    CLI_OPT_CONTAINER,
    CLI_OPT_UID,
    CLI_OPT_NODE_NAME,
    CLI_OPT_VERSION
};

struct cli_common {
    unsigned group; /* 0: every verb takes them */
    const char *title;
    const struct cli_option *options;
};
extern const struct cli_common cli_common[4];

#endif
