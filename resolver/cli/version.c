/* podpid version */
#include <stdio.h>

#include "resolver/cli/cli.h"

static int run(struct cli *cli, int argc, char **argv)
{
    if (cli_getopt(cli, argc, argv) != CLI_DONE) {
        return cli->status;
    }
    if (optind < argc) {
        return cli_usage(cli, "takes no argument: %s", argv[optind]);
    }
    printf("podpid %s\n", podpid_version());
    return CLI_OK;
}

const struct cli_verb version_verb = {
    .name = "version",
    .args = "",
    .summary = "podpid's version",
    .about = "Prints podpid's version.",
    .run = run,
};
