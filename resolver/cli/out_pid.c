/* -o pid: the verified PIDs, a line each. */
#include <stdio.h>

#include "resolver/cli/format.h"

int out_pid(const struct cli *cli, const struct podpid_snapshot *s)
{
    size_t n;
    const struct podpid_pod *const *pods = podpid_snapshot_pods(s, &n);

    (void)cli;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < pods[i]->n_containers; k++) {
            const struct podpid_container *c = pods[i]->containers[k];

            if (c->verdict == PODPID_VERDICT_VERIFIED && c->pid > 0) {
                printf("%d\n", c->pid);
            }
        }
    }
    return CLI_OK;
}
