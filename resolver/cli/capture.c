/* podpid capture: what runtime and kernel say, into a folder. */
#include "resolver/cli/cli.h"
#include "resolver/cli/loop.h"

enum { OPT_WITH_LABELS = CLI_OWN };

static const struct cli_option own_options[] = {
    {OPT_WITH_LABELS, "with-labels", NULL,
     "keep the values of labels, which -l needs; their keys are always kept"},
    {0, NULL, NULL, NULL}};

static int run(struct cli *cli, int argc, char **argv)
{
    struct podpid_error error = PODPID_ERROR_INIT;
    struct loop loop;
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
    loop_begin(&loop, 0);
    rc = podpid_capture(&cli->look, argv[optind], with_labels, loop.signal_fd, &error);
    loop_end(&loop);
    return rc < 0 ? cli_fail(&error) : CLI_OK;
}

const struct cli_verb capture_verb = {
    .name = "capture",
    .args = "DIR",
    .summary = "record what runtime and kernel say, for --replay",
    .about = "Looks at the node and writes what it saw into DIR, which must be empty or not exist: "
             "runtime.json, node.json, and the cgroup, stat and a few lines of status of every "
             "process. Environment, arguments and annotations are left out, and so are the values "
             "of labels, unless --with-labels is given. Only its owner can read the folder. list, "
             "pid, whois and preflight read it with --replay DIR.",
    .groups = CLI_LOOK,
    .live = true,
    .own = own_options,
    .notes = "Exit status: 0 written; 1 DIR could not be written; 2 usage; 3 could not look.",
    .run = run,
};
