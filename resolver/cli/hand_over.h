/* From a preflight to the COMMAND behind it. */
#ifndef PODPID_CLI_HAND_OVER_H
#define PODPID_CLI_HAND_OVER_H

#include "resolver/podpid.h"

/* Replace podpid by COMMAND, with the report's pidfds passed as systemd passes sockets
 * (sd_listen_fds(3)) and the path of the handoff document in PODPID_HANDOFF: handoff_path, or a
 * memory file if that is NULL. Returns only on failure, which is reported: 127 if COMMAND does not
 * exist, 126 if it cannot be executed, else an exit status of podpid. */
int hand_over(const struct podpid_report *r, const char *handoff_path, char **command);

#endif
