/* podpid list: every container with its main PID and the verdict on it. */
#include <stdio.h>
#include <string.h>

#include "resolver/cli/out.h"

enum { OPT_STRICT = CLI_OWN };

static const struct cli_option own_options[] = {
    {'a', "all", NULL, "created and exited containers, too"},
    {OPT_STRICT, "strict", NULL,
     "exit with 1 unless every running container that is shown is\n"
     "verified, and there is at least one"},
    {0, NULL, NULL, NULL}};

static const struct {
    const char *name;
    out_fn write;
} formats[] = {
    {"table", out_table}, {"wide", out_wide}, {"tree", out_tree}, {"json", out_json},
    {"jsonl", out_jsonl}, {"yaml", out_yaml}, {"pid", out_pid},   {"prom", out_prom},
};

struct list {
    const struct cli *cli;
    struct podpid_targets *targets; /* NULL: no -f */
    bool all, strict;
    size_t n_hidden; /* match, but do not run */
};

static bool keep(void *context, const struct podpid_container *c)
{
    const struct list *list = context;

    return podpid_selector_matches(&list->cli->selector, c) &&
           (!list->targets || podpid_targets_match(list->targets, c));
}

/* A pod none of whose containers is shown. */
static bool keep_pod(void *context, const struct podpid_pod *p)
{
    const struct list *list = context;

    return !list->targets && !list->cli->selector.container && p->sandbox_id &&
           (p->ready || list->all) && podpid_selector_matches_pod(&list->cli->selector, p);
}

static size_t count_matches(struct list *list, const struct podpid_snapshot *s)
{
    size_t n_pods, n = 0;
    const struct podpid_pod *const *pods = podpid_snapshot_pods(s, &n_pods);

    for (size_t i = 0; i < n_pods; i++) {
        for (size_t k = 0; k < pods[i]->n_containers; k++) {
            n += !list || keep(list, pods[i]->containers[k]);
        }
    }
    return n;
}

static int select_rows(struct list *list, const struct podpid_snapshot *s,
                       struct podpid_snapshot **ret)
{
    struct podpid_error error = PODPID_ERROR_INIT;
    unsigned flags = list->all ? PODPID_SELECT_ALL_STATES : 0;

    /* Who asks for some pods did not ask for what sits beside all of them. */
    if (list->targets || cli_has_selector(list->cli)) {
        flags |= PODPID_SELECT_NO_FINDINGS;
    }
    if (podpid_snapshot_select(s, flags, keep, keep_pod, list, ret, &error) < 0) {
        return cli_fail(&error);
    }
    list->n_hidden = count_matches(list, s) - count_matches(NULL, *ret);
    return CLI_OK;
}

static void count(const struct podpid_snapshot *s, size_t *ret_rows, size_t *ret_running,
                  size_t *ret_verified)
{
    size_t n;
    const struct podpid_pod *const *pods = podpid_snapshot_pods(s, &n);

    *ret_rows = *ret_running = *ret_verified = 0;
    for (size_t i = 0; i < n; i++) {
        *ret_rows += pods[i]->n_containers;
        for (size_t k = 0; k < pods[i]->n_containers; k++) {
            const struct podpid_container *c = pods[i]->containers[k];

            if (c->state != PODPID_STATE_CREATED && c->state != PODPID_STATE_EXITED &&
                c->state != PODPID_STATE_UNKNOWN) {
                *ret_running += 1;
                *ret_verified += c->verdict == PODPID_VERDICT_VERIFIED;
            }
        }
    }
}

static void say_nothing_matched(const struct list *list)
{
    const char *what = list->targets || cli_has_selector(list->cli) ? "no container matches"
                       : list->all                                  ? "no containers on this node"
                                   : "no running containers on this node";

    if (list->n_hidden) {
        cli_say("%s; %zu that %s not run: -a shows %s", what, list->n_hidden,
                list->n_hidden == 1 ? "does" : "do", list->n_hidden == 1 ? "it" : "them");
    } else if (list->cli->look.no_runtime && cli_has_selector(list->cli)) {
        cli_say("%s; without a runtime there are no names to select by", what);
    } else {
        cli_say("%s", what);
    }
}

static int print(const struct list *list, const struct podpid_snapshot *shown)
{
    size_t n_rows, n_running, n_verified;
    int status = CLI_OK;

    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (cli_format_is(list->cli, formats[i].name)) {
            status = formats[i].write(list->cli, shown);
        }
    }
    if (status != CLI_OK) {
        return status;
    }
    count(shown, &n_rows, &n_running, &n_verified);
    if (n_rows == 0) {
        say_nothing_matched(list);
    }
    if (!podpid_snapshot_complete(shown) ||
        (list->strict && (n_running == 0 || n_verified < n_running))) {
        return CLI_NOT_WELL;
    }
    return CLI_OK;
}

static int run(struct cli *cli, int argc, char **argv)
{
    CLI_AUTO(cli_free_targets) struct podpid_targets *targets = NULL;
    CLI_AUTO(cli_free_snapshot) struct podpid_snapshot *all = NULL;
    CLI_AUTO(cli_free_snapshot) struct podpid_snapshot *shown = NULL;
    struct list list = {.cli = cli};
    int key, status;

    while ((key = cli_getopt(cli, argc, argv)) != CLI_DONE) {
        switch (key) {
        case 'a':
            list.all = true;
            break;
        case OPT_STRICT:
            list.strict = true;
            break;
        default:
            return cli->status;
        }
    }
    if (optind < argc) {
        return cli_usage(cli, "takes no argument: %s; -n, -p and --container choose", argv[optind]);
    }
    status = cli_targets(cli, &targets);
    if (status != CLI_OK) {
        return status;
    }
    list.targets = targets;
    list.all = list.all || cli_format_is(cli, "prom"); /* counts by verdict leave none out */
    /* A part of the node's containers has no strays: they are not waited for. */
    cli->look.no_strays = targets || cli_has_selector(cli);
    status = cli_look(cli, &all);
    if (status != CLI_OK) {
        return status;
    }
    status = select_rows(&list, all, &shown);
    return status == CLI_OK ? print(&list, shown) : status;
}

const struct cli_verb list_verb = {
    .name = "list",
    .args = "",
    .summary = "every container with its main PID and the verdict on it",
    .about =
        "Lists the containers of this node: what the runtime says of each, held against /proc.\n"
        "PID is the container's main process, and is there only if the verdict is verified: the\n"
        "process that the runtime names lives in the container's own cgroup, is the one that all\n"
        "others there descend from, and was the same before and after. A PID with a question mark\n"
        "is inferred from /proc alone.",
    .groups = CLI_LOOK | CLI_SELECT | CLI_FORMAT,
    .formats = "table|wide|tree|json|jsonl|yaml|pid|prom",
    .own = own_options,
    .notes =
        "Verdicts:\n"
        "  verified    alive, in its cgroup, the main process there, the same before and after\n"
        "  created, exited, unknown\n"
        "              the runtime says so\n"
        "  vm          a virtual machine (Kata, gVisor): its processes are not on this node\n"
        "  inferred    the runtime gives no PID; /proc shows which process it must be\n"
        "  unproven    the runtime gives no PID, and several processes could be it\n"
        "  no-process  nothing runs in the container's cgroup\n"
        "  dead        the process that the runtime names is gone\n"
        "  zombie      it has exited and nobody has waited for it\n"
        "  moved       it lives outside the container's cgroup\n"
        "  recycled    its PID belongs to another process now\n"
        "  mismatch    it is in the container, but is not its main process\n"
        "  changed     another process took its place while it was looked at\n"
        "  error       its status could not be read\n"
        "\n"
        "Examples:\n"
        "  podpid list -n prod -o wide\n"
        "  podpid list -l app=web -o tree\n"
        "  podpid list -o json | jq '.pods[].containers[] | select(.verdict != \"verified\")'\n"
        "\n"
        "-o pid prints verified PIDs only, a line each; -o prom counts containers of all states, "
        "for\n"
        "the textfile collector of Prometheus's node exporter.\n"
        "\n"
        "Exit status: 0 if the look was complete, whatever the verdicts; 1 if a status could not\n"
        "be read, or with --strict; 2 usage; 3 could not look, then nothing is printed.",
    .run = run,
};
