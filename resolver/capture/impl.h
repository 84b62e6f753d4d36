/* What the files of a capture share among themselves. capture.h is for the other rooms. */
#ifndef PODPID_CAPTURE_IMPL_H
#define PODPID_CAPTURE_IMPL_H

#include <jansson.h>

#include "cri/base/cleanup.h"
#include "resolver/capture/capture.h"

DEFINE_CLEANUP(json_decref, json_t *)
#define AUTO_JSON CLEANUP(cleanup_json_decref)

/* write_proc.c: write proc/ below the capture's folder dir_fd (named dir in messages): the extract
 * of every process, and the boot time. Each path of the v2 hierarchy and those above it are noted
 * in paths, an object (path -> true). 0, ERR_WRITE, ERR_PROC or ERR_NOMEM. */
int capture_write_proc(int dir_fd, const char *dir, const struct procfs *p, json_t *paths,
                       struct err *err);

/* read_view.c: read runtime.json: view, has_runtime, endpoint and has_label_values of *ret. 0,
 * ERR_INPUT, ERR_PROC or ERR_NOMEM. */
int capture_read_view(int dir_fd, const char *dir, struct arena *a, struct capture *ret,
                      struct err *err);

#endif
