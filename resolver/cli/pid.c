/* podpid pid: the PIDs of what the arguments name, all of them or none. */
#include <stdio.h>

#include "resolver/cli/cli.h"
#include "resolver/cli/loop.h"

enum { OPT_PARTIAL = CLI_OWN };
#define DEFAULT_TIMEOUT INT64_C(10000000000) /* ns: the library's own, for both looks together */

static const struct cli_option own_options[] = {
    {OPT_PARTIAL, "partial", NULL,
     "print a line ID<TAB>PID for each container, with - for a PID that is not verified"},
    {0, NULL, NULL, NULL}};

/* What one argument names. */
struct answer {
    const char *name;
    const struct podpid_container **containers; /* malloc'ed */
    size_t n;
    int code; /* what podpid_snapshot_find() returned */
    struct podpid_error error;
};

struct answers {
    struct answer *items;
    size_t n;
};

static void clear(struct answers *a)
{
    for (size_t i = 0; i < a->n; i++) {
        free(a->items[i].containers);
        a->items[i].containers = NULL;
        a->items[i].n = 0;
    }
}

static void free_answers(struct answers *a)
{
    clear(a);
    free(a->items);
}

static bool is_good(const struct podpid_container *c)
{
    return c->verdict == PODPID_VERDICT_VERIFIED && c->pid > 0;
}

/* An absent or exited container may be about to run again under a new id. */
static bool may_be_restarting(const struct answer *a)
{
    for (size_t i = 0; i < a->n; i++) {
        if (a->containers[i]->verdict == PODPID_VERDICT_EXITED) {
            return true;
        }
    }
    return a->code == PODPID_ERR_ANSWER;
}

/* Find what each argument names in s. True: a second look may find more. */
static bool find_all(struct answers *a, const struct podpid_snapshot *s)
{
    bool again = false;

    clear(a);
    for (size_t i = 0; i < a->n; i++) {
        struct answer *it = &a->items[i];

        it->error.size = sizeof(it->error);
        it->code = podpid_snapshot_find(s, it->name, &it->containers, &it->n, &it->error);
        again = again || may_be_restarting(it);
    }
    return again;
}

static void report_not_verified(const struct podpid_container *c)
{
    const char *why = c->reason ? c->reason : "no reason is known";

    if (c->pod->name && c->name) {
        cli_say("%s/%s/%s (%.12s) is not verified but %s: %s",
                c->pod->namespace_ ? c->pod->namespace_ : "", c->pod->name, c->name, c->id,
                podpid_verdict_name(c->verdict), why);
    } else {
        cli_say("%.12s is not verified but %s: %s", c->id, podpid_verdict_name(c->verdict), why);
    }
}

/* Report every argument that is absent, ambiguous or not verified; gives the exit status. */
static int judge(const struct answers *a)
{
    int worst = CLI_OK;

    for (size_t i = 0; i < a->n; i++) {
        const struct answer *it = &a->items[i];

        if (it->code < 0) {
            int status = cli_fail(&it->error);

            worst = status > worst ? status : worst;
        }
        for (size_t k = 0; k < it->n; k++) {
            if (!is_good(it->containers[k])) {
                report_not_verified(it->containers[k]);
                worst = worst > CLI_NOT_WELL ? worst : CLI_NOT_WELL;
            }
        }
    }
    return worst;
}

static int print_partial(const struct cli *cli, const char *id, pid_t pid)
{
    CLI_AUTO(cli_free) char *safe = cli_text(cli, id, 600);

    if (!safe) {
        return cli_nomem();
    }
    if (pid > 0) {
        printf("%s\t%d\n", safe, pid);
    } else {
        printf("%s\t-\n", safe);
    }
    return CLI_OK;
}

static int print(const struct cli *cli, const struct answers *a, bool partial)
{
    for (size_t i = 0; i < a->n; i++) {
        const struct answer *it = &a->items[i];
        int status = CLI_OK;

        if (partial && it->code < 0) {
            status = print_partial(cli, it->name, 0);
        }
        for (size_t k = 0; k < it->n && status == CLI_OK; k++) {
            const struct podpid_container *c = it->containers[k];

            if (partial) {
                status = print_partial(cli, c->id, is_good(c) ? c->pid : 0);
            } else {
                printf("%d\n", c->pid);
            }
        }
        if (status != CLI_OK) {
            return status;
        }
    }
    return CLI_OK;
}

/* Look a second time, within what the first look left of --timeout. If that fails, the answers stay
 * as they are. */
static void look_again(const struct cli *cli, int64_t deadline, struct answers *a,
                       struct podpid_snapshot **s)
{
    struct cli second = *cli;
    struct podpid_snapshot *fresh = NULL;

    second.look.timeout = deadline - loop_now();
    second.quiet = true;
    second.verbose = false;
    if (cli->look.replay || second.look.timeout <= 0 || cli_look(&second, &fresh) != CLI_OK) {
        return;
    }
    find_all(a, fresh);
    podpid_snapshot_free(*s);
    *s = fresh;
}

static int run(struct cli *cli, int argc, char **argv)
{
    CLI_AUTO(cli_free_snapshot) struct podpid_snapshot *s = NULL;
    CLI_AUTO(free_answers) struct answers answers = {0};
    int64_t deadline;
    bool partial = false;
    int key, status, written;

    while ((key = cli_getopt(cli, argc, argv)) != CLI_DONE) {
        if (key != OPT_PARTIAL) {
            return cli->status;
        }
        partial = true;
    }
    if (optind == argc) {
        return cli_usage(cli, "name a NAMESPACE/POD, a NAMESPACE/POD/CONTAINER or a container id");
    }
    answers.items = calloc((size_t)(argc - optind), sizeof(struct answer));
    if (!answers.items) {
        return cli_nomem();
    }
    for (; optind < argc; optind++) {
        answers.items[answers.n++].name = argv[optind];
    }
    cli->look.no_strays = true;
    deadline = loop_now() + (cli->look.timeout ? cli->look.timeout : DEFAULT_TIMEOUT);
    status = cli_look(cli, &s);
    if (status != CLI_OK) {
        return status;
    }
    if (find_all(&answers, s)) {
        look_again(cli, deadline, &answers, &s);
    }
    status = judge(&answers);
    if (status == CLI_OK || (partial && status == CLI_NOT_WELL)) {
        written = print(cli, &answers, partial);
        status = written == CLI_OK ? status : written;
    }
    return status;
}

const struct cli_verb pid_verb = {
    .name = "pid",
    .args = "NAMESPACE/POD[/CONTAINER]|CONTAINER-ID...",
    .summary = "only PIDs, a line each",
    .about = "Prints the verified main PIDs of the containers that the arguments name, a line "
             "each, in the order of the arguments. All or nothing: if one container is absent, "
             "ambiguous or not verified, the reason is on standard error and no PID is printed.\n"
             "\n"
             "NAMESPACE/POD/CONTAINER is the newest container of that name in the ready pod of "
             "that name. NAMESPACE/POD is all running containers of that pod, in the order of "
             "their creation. A container id may carry a scheme (containerd://, docker://, "
             "cri-o://) and may be shortened to 3 or more digits with which no other running "
             "container's id begins.\n"
             "\n"
             "A name that is absent or has exited may be about to restart: podpid looks once more, "
             "within the same --timeout.",
    .groups = CLI_LOOK,
    .own = own_options,
    .notes = "Examples:\n"
             "  nsenter -t \"$(podpid pid prod/web/app)\" -n ss -ltn\n"
             "  podpid pid containerd://4f1d9a0c1b2e\n"
             "\n"
             "Exit status: 0 all are verified; 1 one is absent, ambiguous or not verified;\n"
             "2 usage; 3 could not look.",
    .run = run,
};
