/* podpid preflight: is all as it must be before processes are attributed by their PIDs? */
#include "resolver/cli/preflight.h"

#include <limits.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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
    {OPT_WAIT, "wait", "T", "try again until nothing fails, for at most T, such as 60s"},
    {OPT_HANDOFF, "handoff", "FILE",
     "write the verified PIDs there, whole or not at all; a file from\n"
     "before is removed where a target is not verified"},
    {OPT_REQUIRE_PIDFD, "require-pidfd", NULL, "fail where the kernel has no pidfd_open(2)"},
    {OPT_IGNORE, "ignore", "ID", "let this check only warn; can be given several times"},
    {OPT_STRICT, "strict", NULL, "let warnings fail"},
    {OPT_ALLOW_INFERRED, "allow-inferred", NULL,
     "take a target's PID from the scan alone, where the runtime gives\n"
     "none"},
    {OPT_FOLLOW_RESTARTS, "follow-restarts", NULL,
     "take the container that runs now where a manifest names one from\n"
     "before a restart"},
    {0, NULL, NULL, NULL}};

struct preflight {
    struct cli *cli;
    struct podpid_preflight_options options;
    const char **ignore;
    size_t n_ignore;
    int64_t wait;   /* -1: not given */
    char **command; /* NULL: none */
    bool live;      /* a progress line stands on the terminal */
    char *said;     /* the last line of the quiet log */
};

static void free_preflight(struct podpid_preflight **p)
{
    podpid_preflight_free(*p);
}

static void free_report(struct podpid_report **r)
{
    podpid_report_free(*r);
}

static int64_t now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
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

/* What the command line leaves open, the policies may say. */
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
    if (p->live) {
        fputs("\r\033[K", stderr);
        p->live = false;
    }
}

/* One live line on a terminal; else a line where something changed. */
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
        p->live = true;
    } else if (!p->said || strcmp(p->said, progress) != 0) {
        free(p->said);
        p->said = strdup(progress);
        line = cli_text(cli, progress, 500);
        fprintf(stderr, "podpid: waiting: %s\n", line ? line : "");
    }
}

/* Until the preflight wants its step, or a signal comes. False: one came. */
static bool sleep_until(const struct podpid_preflight *p, int signal_fd)
{
    struct pollfd fds[] = {{.fd = podpid_preflight_fd(p), .events = POLLIN},
                           {.fd = signal_fd, .events = POLLIN}};
    int64_t deadline = podpid_preflight_deadline(p), left = deadline - now();
    int timeout = -1;

    if (deadline != INT64_MAX) {
        left = left > 0 ? (left + 999999) / 1000000 : 0;
        timeout = left > INT_MAX ? INT_MAX : (int)left;
    }
    poll(fds, signal_fd >= 0 ? 2 : 1, timeout);
    return fds[1].revents == 0;
}

static int step_to_the_end(struct preflight *p, struct podpid_preflight *preflight, int signal_fd)
{
    struct podpid_error error = PODPID_ERROR_INIT;

    for (;;) {
        int rc = podpid_preflight_step(preflight, now(), &error);

        if (rc != 0) {
            clear_line(p);
            return rc < 0 ? cli_fail(&error) : CLI_OK;
        }
        show_progress(p, podpid_preflight_progress(preflight));
        if (!sleep_until(preflight, signal_fd)) {
            clear_line(p);
            return CLI_NO_LOOK; /* the signal ends the process as soon as it is let through */
        }
    }
}

static int make_report(struct preflight *p, struct podpid_report **ret)
{
    CLI_AUTO(free_preflight) struct podpid_preflight *preflight = NULL;
    struct podpid_error error = PODPID_ERROR_INIT;
    struct cli_signals signals;
    int status;

    if (podpid_preflight_new(&p->options, &preflight, &error) < 0) {
        return cli_fail(&error);
    }
    cli_signals_begin(&signals);
    status = step_to_the_end(p, preflight, signals.fd);
    if (status == CLI_OK) {
        *ret = podpid_preflight_take(preflight);
    }
    cli_signals_end(&signals);
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
    printed = out_preflight(p->cli, report, p->command != NULL);
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
    free(p.said);
    free(p.ignore);
    return status;
}

/* What has to hold fits in 51 columns, so that a row stays short enough for most terminals. */
static void print_checks(void)
{
    size_t n;
    const struct podpid_check_info *const *checks = podpid_check_list(&n);

    printf("Checks, what has to hold, and the result where it does not (* nothing lowers it):\n");
    for (size_t i = 0; i < n; i++) {
        const struct podpid_check_info *c = checks[i];

        printf("  %-16s %-51s %s%s%s\n", c->id, c->what, c->otherwise,
               c->exit_status == CLI_NO_LOOK ? ", status 3" : "", c->fixed ? " *" : "");
    }
}

const struct cli_verb preflight_verb = {
    .name = "preflight",
    .args = "[-- COMMAND ARG...]",
    .summary = "is all well before processes are attributed? hand over their PIDs",
    .about =
        "Looks at the node twice and makes all checks that are listed below: of the host, of the\n"
        "runtime, of every container's PID, and of the targets: pods that a policy or a manifest\n"
        "(-f) or the selectors name, whose containers must be there and verified.\n"
        "\n"
        "COMMAND takes podpid's place once all is well. It gets one pidfd for each target\n"
        "container as systemd passes sockets (LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES with the\n"
        "container ids) and the path of the handoff file in PODPID_HANDOFF. The report then goes\n"
        "to standard error.",
    .groups = CLI_LOOK | CLI_SELECT | CLI_FORMAT,
    .formats = "table|short|json|prom",
    .own = own_options,
    .in_order = true,
    .print_list = print_checks,
    .notes =
        "Examples:\n"
        "  podpid preflight -n prod -p 'web-*' --wait 60s\n"
        "  podpid preflight -f policy.yaml --handoff /run/cdm-replicator/pids.json\n"
        "  podpid preflight --strict --ignore runtime.ready -f policy.yaml -- cdm-replicator\n"
        "\n"
        "Exit status: 0 nothing fails (warnings are fine), 1 a check fails, 2 usage, or a file\n"
        "that cannot be read, 3 the node cannot be looked at; 126 and 127: COMMAND cannot be run.",
    .run = run,
};
