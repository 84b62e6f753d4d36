/* usage: probe ENDPOINT PID...
 * Looks once, and says of each PID what the index over that look says: an id, or "-". */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "resolver/podpid.h"

int main(int argc, char **argv)
{
    struct podpid_options options = PODPID_OPTIONS_INIT;
    struct podpid_error error = PODPID_ERROR_INIT;
    struct podpid_snapshot *s = NULL;
    struct podpid_index *x = NULL;
    int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc;

    options.endpoint = argc > 1 ? argv[1] : NULL;
    rc = podpid_look_run(&options, -1, &s, &error);
    if (rc == 0) {
        rc = podpid_index_new(s, &x, &error);
    }
    for (int i = 2; rc == 0 && i < argc; i++) {
        const struct podpid_container *c = NULL;
        uint64_t start;

        rc = podpid_index_probe(x, proc_fd, (pid_t)strtol(argv[i], NULL, 10), &c, &start, &error);
        puts(c ? c->id : "-");
    }
    if (rc < 0) {
        fprintf(stderr, "probe: %s\n", error.message);
    }
    podpid_index_free(x);
    podpid_snapshot_free(s);
    return rc < 0;
}
