/* What most verbs begin with: the files of -f, one look at the node, its warnings. */
#include "resolver/cli/cli.h"
#include "resolver/cli/loop.h"

static void print_runtime(const struct podpid_snapshot *s)
{
    const struct podpid_runtime *r = podpid_snapshot_runtime(s);

    if (!r) {
        cli_say("no runtime was asked");
        return;
    }
    cli_say("runtime %s %s (%s) at %s, chosen by %s", r->name ? r->name : "?",
            r->version ? r->version : "?", r->api ? r->api : "?", r->endpoint ? r->endpoint : "?",
            r->chosen_by ? r->chosen_by : "?");
}

void cli_warnings(const struct cli *cli, const struct podpid_snapshot *s)
{
    size_t n;
    const char *const *warnings = podpid_snapshot_warnings(s, &n);

    if (cli->verbose) {
        print_runtime(s);
    }
    for (size_t i = 0; i < n && !cli->quiet; i++) {
        cli_say("warning: %s", warnings[i]);
    }
}

int cli_look(const struct cli *cli, struct podpid_snapshot **ret)
{
    struct podpid_error error = PODPID_ERROR_INIT;
    struct podpid_snapshot *s = NULL;
    struct loop loop;
    int rc;

    loop_begin(&loop, 0);
    rc = podpid_look_run(&cli->look, loop.signal_fd, &s, &error);
    loop_end(&loop);
    if (rc < 0 || podpid_selector_answerable(&cli->selector, s, &error) < 0) {
        podpid_snapshot_free(s);
        return cli_fail(&error);
    }
    cli_warnings(cli, s);
    *ret = s;
    return CLI_OK;
}

int cli_targets(struct cli *cli, struct podpid_targets **ret)
{
    CLI_AUTO(cli_free_targets) struct podpid_targets *targets = NULL;
    struct podpid_error error = PODPID_ERROR_INIT;
    const struct podpid_policy *policy;

    *ret = NULL;
    if (cli->n_files == 0) {
        return CLI_OK;
    }
    if (podpid_targets_new(&targets, &error) < 0) {
        return cli_fail(&error);
    }
    for (size_t i = 0; i < cli->n_files; i++) {
        if (podpid_targets_add_file(targets, cli->files[i], cli->node_name, &error) < 0) {
            return cli_fail(&error);
        }
    }
    policy = podpid_targets_policy(targets);
    if (!cli->look.endpoint && policy->runtime_endpoint && !cli->look.replay &&
        !cli->look.no_runtime) {
        cli->look.endpoint = policy->runtime_endpoint;
        cli->look.endpoint_source = "runtimeEndpoint of the policy";
    }
    if (!cli->look.vm_handlers) {
        cli->look.vm_handlers = policy->vm_handlers;
    }
    *ret = targets;
    targets = NULL;
    return CLI_OK;
}

int cli_all_targets(struct cli *cli, struct podpid_targets **ret)
{
    struct podpid_error error = PODPID_ERROR_INIT;
    int status = cli_targets(cli, ret);

    if (status != CLI_OK) {
        return status;
    }
    if (!*ret && podpid_targets_new(ret, &error) < 0) {
        return cli_fail(&error);
    }
    if (cli_has_selector(cli) && podpid_targets_add_selector(*ret, &cli->selector, &error) < 0) {
        return cli_fail(&error);
    }
    return CLI_OK;
}
