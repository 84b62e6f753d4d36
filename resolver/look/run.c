/* The calls that block until a look is done: a look, and the capture of what it saw. */
#include "resolver/look/impl.h"

#include <errno.h>
#include <poll.h>

#include "resolver/arguments.h"

/* Step a look until it is done. 0, or a negative podpid code with error filled. */
static int drive(struct podpid_look *k, int cancel_fd, struct podpid_error *error)
{
    for (;;) {
        struct pollfd fds[2] = {{.fd = k->epoll_fd, .events = POLLIN},
                                {.fd = cancel_fd, .events = POLLIN}};
        int rc = podpid_look_step(k, clock_now(), error);

        if (rc != 0) {
            return rc < 0 ? rc : 0;
        }
        poll(fds, 2, nsec_poll_timeout(clock_now(), podpid_look_deadline(k)));
        if (fds[1].revents) {
            struct err err = {0};

            err_set(&err, ERR_CANCELED, ECANCELED, "canceled");
            return error_publish(&err, error);
        }
    }
}

int podpid_look_run(const struct podpid_options *options, int cancel_fd,
                    struct podpid_snapshot **ret, struct podpid_error *error)
{
    struct podpid_look *k = NULL;
    int rc;

    if (!ret) {
        return bad_argument(__func__, error);
    }
    rc = podpid_look_new(options, &k, error);
    if (rc < 0) {
        return rc;
    }
    rc = drive(k, cancel_fd, error);
    if (rc == 0) {
        *ret = podpid_look_take(k);
    }
    podpid_look_free(k);
    return rc;
}

static int write_look(struct podpid_look *k, const char *dir, bool with_labels, struct err *err)
{
    char endpoint[ENDPOINT_TEXT_SIZE] = "";
    struct capture c = {.view = k->settled,
                        .has_runtime = k->has_runtime,
                        .endpoint = endpoint,
                        .has_label_values = with_labels,
                        .node = k->node,
                        .taken_at = k->wall_started,
                        .procfs = k->procfs};

    c.view.runtime = k->runtime;
    if (k->has_runtime) {
        endpoint_format(&k->discovered.endpoint, endpoint, sizeof(endpoint));
    }
    return capture_write(&c, k->cgroupfs, dir, err);
}

int podpid_capture(const struct podpid_options *options, const char *dir, bool with_labels,
                   int cancel_fd, struct podpid_error *error)
{
    struct podpid_look *k = NULL;
    struct podpid_options known;
    struct err err = {0};
    int rc;

    if (!dir) {
        return bad_argument(__func__, error);
    }
    if (SIZED_COPY(&known, options, &err) < 0) {
        return error_publish(&err, error);
    }
    if (known.replay) {
        err_set(&err, ERR_USAGE, EINVAL, "a capture cannot be taken of a capture");
        return error_publish(&err, error);
    }
    rc = podpid_look_new(&known, &k, error);
    if (rc < 0) {
        return rc;
    }
    rc = drive(k, cancel_fd, error);
    if (rc == 0 && write_look(k, dir, with_labels, &err) < 0) {
        rc = error_publish(&err, error);
    }
    podpid_look_free(k);
    return rc;
}
