/* What a watch shows after each step: events or a table on standard output, lost sources on
 * standard error, the state for the service manager. */
#ifndef PODPID_CLI_WATCH_SHOW_H
#define PODPID_CLI_WATCH_SHOW_H

#include "resolver/cli/cli.h"

struct watch_show {
    const struct cli *cli;
    struct podpid_watch *watch; /* borrowed */
    bool ready;                 /* READY=1 was sent */
    char lost[2048];            /* the lost sources as they were reported last, a line each */
};

/* Show the events of the last step. *ret_signal: SIGINT or SIGTERM if one came meanwhile, else left
 * alone. An exit status; CLI_NOT_WELL without a report if standard output cannot be written, which
 * cli_close_stdout() reports. */
int watch_show(struct watch_show *show, int *ret_signal);

#endif
