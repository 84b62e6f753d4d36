/* The runtime view of a capture. */
#ifndef PODPID_CAPTURE_READ_VIEW_H
#define PODPID_CAPTURE_READ_VIEW_H

#include "resolver/capture/read.h"

/* Fill ret->view, has_runtime, endpoint and has_label_values from dir's runtime.json. 0, ERR_INPUT
 * or -ENOMEM. */
int replay_read_view(int dir_fd, const char *dir, struct arena *a, struct replay *ret,
                     struct err *err);

#endif
