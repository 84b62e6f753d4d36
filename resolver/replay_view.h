/* The runtime view of a capture. */
#ifndef PODPID_REPLAY_VIEW_H
#define PODPID_REPLAY_VIEW_H

#include "resolver/replay.h"

/* Fill ret->view, has_runtime, endpoint and has_label_values from dir's runtime.json. 0, ERR_INPUT
 * or -ENOMEM. */
int replay_read_view(int dir_fd, const char *dir, struct arena *a, struct replay *ret,
                     struct err *err);

#endif
