/* A look, and the capture of what it settled on. */
#include <errno.h>

#include "resolver/capture/write.h"
#include "resolver/error.h"
#include "resolver/look/impl.h"

static int write_look(struct podpid_look *k, const char *dir, bool with_labels, struct err *err)
{
    char endpoint[128] = "";
    struct view view = k->settled;
    struct capture_source src = {.view = k->has_runtime ? &view : NULL,
                                 .endpoint = endpoint,
                                 .node = &k->node,
                                 .procfs = &k->procfs,
                                 .ids = k->ids,
                                 .taken_at = k->wall_started,
                                 .with_labels = with_labels};

    view.runtime = k->runtime;
    if (k->has_runtime) {
        endpoint_format(&k->discovered.endpoint, endpoint, sizeof(endpoint));
    }
    return capture_write(&src, dir, err);
}

int podpid_capture(const struct podpid_options *options, const char *dir, bool with_labels,
                   int cancel_fd, struct podpid_error *error)
{
    struct podpid_look *k = NULL;
    struct err err = {0};
    int rc;

    if (options->replay) {
        err_set(&err, ERR_USAGE, EINVAL, "a capture cannot be taken of a capture");
        return error_publish(&err, error);
    }
    rc = podpid_look_new(options, &k, error);
    if (rc == 0) {
        rc = look_drive(k, cancel_fd, error);
    }
    if (rc == 0 && write_look(k, dir, with_labels, &err) < 0) {
        rc = error_publish(&err, error);
    }
    podpid_look_free(k);
    return rc;
}
