/* A look on behalf of a verb: the signals meanwhile, what it warns of, what -f adds. */
#include <sys/signalfd.h>
#include <unistd.h>

#include "resolver/cli/cli.h"

void cli_signals_begin(struct cli_signals *s)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
    sigset_t held;

    sigprocmask(SIG_BLOCK, NULL, &s->before);
    sigemptyset(&held);
    for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
        struct sigaction now;

        if (sigaction(ending[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN &&
            sigismember(&s->before, ending[i]) == 0) {
            sigaddset(&held, ending[i]);
        }
    }
    s->fd = signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK);
    if (s->fd >= 0) {
        sigprocmask(SIG_BLOCK, &held, NULL);
    }
}

void cli_signals_end(struct cli_signals *s)
{
    sigprocmask(SIG_SETMASK, &s->before, NULL);
    if (s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
    }
}

static void say_runtime(const struct podpid_snapshot *s)
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
        say_runtime(s);
    }
    for (size_t i = 0; i < n && !cli->quiet; i++) {
        cli_say("warning: %s", warnings[i]);
    }
}

int cli_look(const struct cli *cli, struct podpid_snapshot **ret)
{
    struct podpid_error error = PODPID_ERROR_INIT;
    struct podpid_snapshot *s = NULL;
    struct cli_signals signals;
    int rc;

    cli_signals_begin(&signals);
    rc = podpid_look_run(&cli->look, signals.fd, &s, &error);
    cli_signals_end(&signals);
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
