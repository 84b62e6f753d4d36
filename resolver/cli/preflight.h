/* What preflight.c shares with its output and with the way to COMMAND. */
#ifndef PODPID_CLI_PREFLIGHT_H
#define PODPID_CLI_PREFLIGHT_H

#include <stdio.h>

#include "resolver/cli/cli.h"

/* The report in the format that was asked for. With to_stderr it goes to standard error, for
 * standard output is COMMAND's. An exit status. */
int out_preflight(const struct cli *cli, const struct podpid_report *r, bool to_stderr);

/* Become COMMAND, with PODPID_HANDOFF and the pidfds by systemd's convention. Returns only where
 * that fails: 127 not found, 126 not executable, else another exit status; reported. */
int hand_over(const struct podpid_report *r, const char *handoff_path, char **command);

#endif
