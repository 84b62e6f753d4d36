/* podpid list: every container with its main PID and its verdict. */

#include "resolver/cli/format.h"

enum { OPT_STRICT = CLI_OWN };

static const struct cli_option own_options[] = {
    {'a', "all", NULL, "show created and exited containers, too"},
    {OPT_STRICT, "strict", NULL,
     "exit with 1 unless all running containers that are shown are verified, and there is at least "
     "one"},
    {0, NULL, NULL, NULL}};

struct list {
    const struct cli *cli;
    struct podpid_targets *targets; /* NULL: no -f */
    bool all, strict;
    size_t n_hidden; /* containers that match but are not shown, since they do not run */
};

static bool keep(void *context, const struct podpid_container *c)
{
    const struct list *list = context;

    return podpid_selector_matches(&list->cli->selector, c) &&
           (!list->targets || podpid_targets_match(list->targets, c));
}

/* Whether to show a pod although none of its containers is shown. */
static bool keep_pod(void *context, const struct podpid_pod *p)
{
    const struct list *list = context;

    return !list->targets && !list->cli->selector.container && p->sandbox_id &&
           (p->ready || list->all) && podpid_selector_matches_pod(&list->cli->selector, p);
}

/* The number of containers in s; list not NULL: of those that it selects. */
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

    /* Strays and foreign containers are findings about the whole node, not about chosen pods. */
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

static void report_nothing_matched(const struct list *list)
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
    int status = list->cli->format->snapshot(list->cli, shown);

    if (status != CLI_OK) {
        return status;
    }
    count(shown, &n_rows, &n_running, &n_verified);
    if (n_rows == 0) {
        report_nothing_matched(list);
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
    list.all = list.all || cli_format_is(cli, "prom"); /* its counts are of all containers */
    /* Strays belong to no chosen pod; without them a look need not wait a second for a second
     * sight. */
    cli->look.no_strays = targets || cli_has_selector(cli);
    status = cli_look(cli, &all);
    if (status != CLI_OK) {
        return status;
    }
    status = select_rows(&list, all, &shown);
    return status == CLI_OK ? print(&list, shown) : status;
}

static void print_verdicts(void)
{
    static const struct {
        enum podpid_verdict verdict;
        const char *meaning;
    } verdicts[] = {
        {PODPID_VERDICT_VERIFIED,
         "alive, in its cgroup, the main process, the same before and after"},
        {PODPID_VERDICT_CREATED, "the runtime has not started it yet"},
        {PODPID_VERDICT_EXITED, "the runtime says that it has exited"},
        {PODPID_VERDICT_UNKNOWN, "the runtime says that it does not know the state"},
        {PODPID_VERDICT_VM, "a virtual machine or gVisor: its processes are not on this node"},
        {PODPID_VERDICT_INFERRED, "the runtime gives no PID; only one process can be the main one"},
        {PODPID_VERDICT_UNPROVEN,
         "the runtime gives no PID, and no process is provably the main one"},
        {PODPID_VERDICT_NO_PROCESS, "the container's cgroup holds no process"},
        {PODPID_VERDICT_DEAD, "the process that the runtime names is gone"},
        {PODPID_VERDICT_ZOMBIE, "that process has exited, and its parent has not waited for it"},
        {PODPID_VERDICT_MOVED, "that process is outside the container's cgroup"},
        {PODPID_VERDICT_RECYCLED, "the PID that the runtime names belongs to another process now"},
        {PODPID_VERDICT_MISMATCH, "that process is in the container, but is not its main process"},
        {PODPID_VERDICT_CHANGED, "another process took its place during the look"},
        {PODPID_VERDICT_ERROR, "the container's status could not be read"},
    };

    printf("Verdicts:\n");
    for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        printf("  %-11s %s\n", podpid_verdict_name(verdicts[i].verdict), verdicts[i].meaning);
    }
}

const struct cli_verb list_verb = {
    .name = "list",
    .args = "",
    .summary = "every container with its main PID and its verdict",
    .about = "Lists the containers of this node: what the runtime says about each, compared with "
             "/proc. PID is the container's main process. It is there only with the verdict "
             "verified: the process that the runtime names is alive, is in the container's own "
             "cgroup, all other processes of that cgroup descend from it, and it was the same "
             "before and after. A PID with a question mark is inferred from /proc alone.",
    .groups = CLI_LOOK | CLI_SELECT,
    .writes = CLI_SNAPSHOT,
    .own = own_options,
    .print_list = print_verdicts,
    .notes = "Examples:\n"
             "  podpid list -n prod -o wide\n"
             "  podpid list -l app=web -o tree\n"
             "  podpid list -o json | jq -c '.pods[].containers[] | [.name, .verdict]'\n"
             "\n"
             "-o pid prints verified PIDs only, a line each. -o prom counts the containers of\n"
             "all states, for the textfile collector of Prometheus's node exporter.\n"
             "\n"
             "Exit status: 0 the look was complete, whatever the verdicts; 1 a container's\n"
             "status could not be read, or --strict found a container that is not verified;\n"
             "2 usage; 3 could not look: nothing is printed.",
    .run = run,
};
