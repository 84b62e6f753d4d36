/* podpid preflight: the checks to make before another program attributes processes by their PIDs.
 */
#include <string.h>
#include <unistd.h>

#include "resolver/cli/format.h"
#include "resolver/cli/hand_over.h"
#include "resolver/cli/loop.h"

enum {
    OPT_WAIT = CLI_OWN,
    OPT_IGNORE,
    OPT_STRICT,
    OPT_ALLOW_INFERRED,
    OPT_FOLLOW_RESTARTS,
    OPT_HANDOFF,
    OPT_REQUIRE_PIDFD
};

static const struct cli_option own_options[] = {
    {OPT_WAIT, "wait", "T",
     "try again until nothing fails, for at most T, such as 60s; a bare number is seconds"},
    {OPT_HANDOFF, "handoff", "FILE",
     "write the verified PIDs of the targets to this file, whole or not at all; an older file is "
     "removed if a target is not verified"},
    {OPT_REQUIRE_PIDFD, "require-pidfd", NULL, "fail if the kernel has no pidfd_open(2)"},
    {OPT_IGNORE, "ignore", "ID", "a failure of this check only warns; can be given several times"},
    {OPT_STRICT, "strict", NULL, "warnings fail"},
    {OPT_ALLOW_INFERRED, "allow-inferred", NULL,
     "accept a target's PID that is inferred from /proc, if the runtime gives none"},
    {OPT_FOLLOW_RESTARTS, "follow-restarts", NULL,
     "accept the container that runs now if the manifest names the one before a restart"},
    {0, NULL, NULL, NULL}};

struct preflight {
    struct cli *cli;
    struct podpid_preflight_options options;
    const char **ignore;
    size_t n_ignore;
    int64_t wait;   /* -1: not given */
    char **command; /* NULL: none */
    bool on_line;   /* the terminal's cursor is behind a progress line */
    char *progress; /* the last progress line that was printed elsewhere than to a terminal */
};

static void free_preflight(struct podpid_preflight **p)
{
    podpid_preflight_free(*p);
}

static void free_report(struct podpid_report **r)
{
    podpid_report_free(*r);
}

/* ---- Options ---- */

static int add_ignore(struct preflight *p, const char *id)
{
    const char **ignore = realloc(p->ignore, (p->n_ignore + 2) * sizeof(*ignore));

    if (!ignore) {
        return cli_nomem();
    }
    p->ignore = ignore;
    ignore[p->n_ignore++] = id;
    ignore[p->n_ignore] = NULL;
    p->options.ignore = ignore;
    return CLI_OK;
}

static int take_option(struct preflight *p, int key)
{
    struct podpid_error error = PODPID_ERROR_INIT;

    switch (key) {
    case OPT_WAIT:
        if (podpid_parse_duration(optarg, &p->wait, &error) < 0) {
            return cli_usage(p->cli, "--wait: %s", error.message);
        }
        return CLI_OK;
    case OPT_IGNORE:
        return add_ignore(p, optarg);
    case OPT_STRICT:
        p->options.strict = true;
        return CLI_OK;
    case OPT_ALLOW_INFERRED:
        p->options.allow_inferred = true;
        return CLI_OK;
    case OPT_FOLLOW_RESTARTS:
        p->options.follow_restarts = true;
        return CLI_OK;
    case OPT_HANDOFF:
        p->options.handoff_path = optarg;
        return CLI_OK;
    case OPT_REQUIRE_PIDFD:
        p->options.require_pidfd = true;
        return CLI_OK;
    default:
        return p->cli->status;
    }
}

/* CLI_DONE to go on, or an exit status. */
static int read_options(struct preflight *p, int argc, char **argv)
{
    int key;

    while ((key = cli_getopt(p->cli, argc, argv)) != CLI_DONE) {
        int status = take_option(p, key);

        if (key == CLI_STOP || status != CLI_OK) {
            return status;
        }
    }
    if (optind < argc) {
        if (!p->cli->dashes) {
            return cli_usage(p->cli, "unexpected argument %s: a COMMAND stands after --",
                             argv[optind]);
        }
        p->command = argv + optind;
    } else if (p->cli->dashes) {
        return cli_usage(p->cli, "no COMMAND after --");
    }
    if (p->options.require_pidfd && !p->command) {
        return cli_usage(p->cli, "--require-pidfd makes sense with a COMMAND only");
    }
    if (p->command && cli_format_is(p->cli, "prom")) {
        return cli_usage(p->cli, "-o prom is for standard output, which is COMMAND's");
    }
    return CLI_DONE;
}

/* Take from the policies what the command line does not say. */
static void apply_policy(struct preflight *p, const struct podpid_targets *targets)
{
    const struct podpid_policy *policy = podpid_targets_policy(targets);
    struct podpid_preflight_options *o = &p->options;

    o->look = &p->cli->look;
    o->targets = targets;
    o->wait = p->wait >= 0 ? p->wait : policy->wait > 0 ? policy->wait : 0;
    o->handoff_path = o->handoff_path ? o->handoff_path : policy->handoff_path;
    o->handoff_group = policy->handoff_group;
    o->handoff_mode = policy->handoff_mode > 0 ? policy->handoff_mode : 0;
    o->pidfds = p->command != NULL;
}

/* ---- Waiting ---- */

static void clear_line(struct preflight *p)
{
    if (p->on_line) {
        fputs("\r\033[K", stderr);
        p->on_line = false;
    }
}

/* On a terminal one line that is written over; elsewhere a line whenever the text changes. */
static void show_progress(struct preflight *p, const char *progress)
{
    const struct cli *cli = p->cli;
    CLI_AUTO(cli_free) char *line = NULL;

    if (cli->quiet || !*progress) {
        return;
    }
    if (isatty(STDERR_FILENO)) {
        line = cli_text(cli, progress, cli->termwidth > 40 ? cli->termwidth - 24 : 60);
        clear_line(p);
        fprintf(stderr, "podpid: waiting: %s", line ? line : "");
        p->on_line = true;
    } else if (!p->progress || strcmp(p->progress, progress) != 0) {
        free(p->progress);
        p->progress = strdup(progress);
        line = cli_text(cli, progress, 500);
        fprintf(stderr, "podpid: waiting: %s\n", line ? line : "");
    }
}

static int step_to_the_end(struct preflight *p, struct podpid_preflight *preflight,
                           const struct loop *loop)
{
    struct podpid_error error = PODPID_ERROR_INIT;

    for (;;) {
        int rc = podpid_preflight_step(preflight, loop_now(), &error);

        if (rc != 0) {
            clear_line(p);
            return rc < 0 ? cli_fail(&error) : CLI_OK;
        }
        show_progress(p, podpid_preflight_progress(preflight));
        if (loop_wait(loop, podpid_preflight_fd(preflight), podpid_preflight_deadline(preflight),
                      false) == LOOP_SIGNAL) {
            clear_line(p);
            return CLI_NO_LOOK; /* the signal ends the process in loop_end() */
        }
    }
}

static int make_report(struct preflight *p, struct podpid_report **ret)
{
    CLI_AUTO(free_preflight) struct podpid_preflight *preflight = NULL;
    struct podpid_error error = PODPID_ERROR_INIT;
    struct loop loop;
    int status;

    if (podpid_preflight_new(&p->options, &preflight, &error) < 0) {
        return cli_fail(&error);
    }
    loop_begin(&loop, 0);
    status = step_to_the_end(p, preflight, &loop);
    if (status == CLI_OK) {
        *ret = podpid_preflight_take(preflight);
    }
    loop_end(&loop);
    return status;
}

static int preflight(struct preflight *p)
{
    CLI_AUTO(cli_free_targets) struct podpid_targets *targets = NULL;
    CLI_AUTO(free_report) struct podpid_report *report = NULL;
    int status = cli_all_targets(p->cli, &targets), printed;

    if (status != CLI_OK) {
        return status;
    }
    apply_policy(p, targets);
    status = make_report(p, &report);
    if (status != CLI_OK) {
        return status;
    }
    if (podpid_report_snapshot(report)) {
        cli_warnings(p->cli, podpid_report_snapshot(report));
    }
    printed = p->cli->format->report(p->cli, report, p->command ? stderr : stdout);
    status = podpid_report_exit_status(report);
    if (status != CLI_OK || printed != CLI_OK) {
        return status != CLI_OK ? status : printed;
    }
    return p->command ? hand_over(report, p->options.handoff_path, p->command) : CLI_OK;
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct preflight p = {.cli = cli, .options = PODPID_PREFLIGHT_OPTIONS_INIT, .wait = -1};
    int status = read_options(&p, argc, argv);

    if (status == CLI_DONE) {
        status = preflight(&p);
    }
    free(p.progress);
    free(p.ignore);
    return status;
}

static void print_checks(void)
{
    size_t n;
    const struct podpid_check_info *const *checks = podpid_check_list(&n);

    printf("Checks, and the result if one does not hold (* nothing lowers it):\n");
    for (size_t i = 0; i < n; i++) {
        const struct podpid_check_info *c = checks[i];
        char text[200];

        snprintf(text, sizeof(text), "%s; else %s%s%s", c->what, c->otherwise,
                 c->exit_status == CLI_NO_LOOK ? ", status 3" : "", c->fixed ? " *" : "");
        printf("  %-17s ", c->id);
        cli_help_text(text, 20, 20);
    }
}

const struct cli_verb preflight_verb = {
    .name = "preflight",
    .args = "[-- COMMAND ARG...]",
    .summary = "check the node before processes are attributed; hand over PIDs",
    .about = "Looks at the node twice and makes all checks, always: of the host, of the runtime, "
             "of every container's PID, and of the targets. Targets are the pods that policies and "
             "manifests (-f) and the selectors name; their containers must be there and verified.\n"
             "\n"
             "COMMAND takes podpid's place if no check fails. It gets a pidfd for each target "
             "container, passed as systemd passes sockets (LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES "
             "with the container ids), and the path of the handoff file in PODPID_HANDOFF. The "
             "report then goes to standard error.",
    .groups = CLI_LOOK | CLI_SELECT,
    .writes = CLI_REPORT,
    .own = own_options,
    .in_order = true,
    .print_list = print_checks,
    .notes = "Examples:\n"
             "  podpid preflight -n prod -p 'web-*' --wait 60s\n"
             "  podpid preflight -f policy.yaml --handoff /run/cdm-replicator/pids.json\n"
             "  podpid preflight --strict --ignore pids.strays -f policy.yaml -- replicator\n"
             "\n"
             "Exit status: 0 nothing fails (there may be warnings); 1 a check fails; 2 usage,\n"
             "or a file that cannot be read; 3 could not look; 126, 127 COMMAND cannot be run.",
    .run = run,
};
