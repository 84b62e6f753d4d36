/* podpid capture: what runtime and kernel say, into a folder. */
#include "resolver/cli/cli.h"

enum { OPT_WITH_LABELS = CLI_OWN };

static const struct cli_option own_options[] = {
    {OPT_WITH_LABELS, "with-labels", NULL,
     "with the values of labels, which -l needs; their keys are\n"
     "always there"},
    {0, NULL, NULL, NULL}};

static int run(struct cli *cli, int argc, char **argv)
{
    struct podpid_error error = PODPID_ERROR_INIT;
    struct cli_signals signals;
    bool with_labels = false;
    int key, rc;

    while ((key = cli_getopt(cli, argc, argv)) != CLI_DONE) {
        if (key != OPT_WITH_LABELS) {
            return cli->status;
        }
        with_labels = true;
    }
    if (optind + 1 != argc) {
        return cli_usage(cli, "name one folder to write to");
    }
    if (cli->look.replay) {
        return cli_usage(cli, "takes no option --replay: what is read there is a capture already");
    }
    cli_signals_begin(&signals);
    rc = podpid_capture(&cli->look, argv[optind], with_labels, signals.fd, &error);
    cli_signals_end(&signals);
    return rc < 0 ? cli_fail(&error) : CLI_OK;
}

const struct cli_verb capture_verb = {
    .name = "capture",
    .args = "DIR",
    .summary = "record what runtime and kernel say, for --replay",
    .about =
        "Looks at the node and writes what was seen into DIR, which must not exist or be empty:\n"
        "runtime.json, node.json, and of every process its cgroup, stat and a few lines of "
        "status.\n"
        "Environment, arguments and annotations are left out, and labels' values unless asked "
        "for.\n"
        "Only its owner can read the folder. list, pid, whois and preflight take it with "
        "--replay DIR.",
    .groups = CLI_LOOK,
    .live = true,
    .own = own_options,
    .notes = "Exit status: 0 written; 1 DIR could not be written; 2 usage; 3 could not look.",
    .run = run,
};
