/* podpid whois: which container is this process in? */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "resolver/cli/table.h"

enum { OPT_NS = CLI_OWN, MAX_DIGITS = 10 };

static const struct cli_option own_options[] = {
    {OPT_NS, "ns", "PID",
     "the PIDs are those seen in the PID namespace of this process,\n"
     "such as a container's main process"},
    {0, NULL, NULL, NULL}};

struct questions {
    pid_t *pids;
    size_t n, cap;
    bool garbage; /* something was no PID; it was said */
};

static void free_questions(struct questions *q)
{
    free(q->pids);
}

static bool parse_pid(const char *text, pid_t *ret)
{
    long long v = 0;
    size_t n = strlen(text);

    if (n == 0 || n > MAX_DIGITS) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!isdigit((unsigned char)text[i])) {
            return false;
        }
        v = v * 10 + (text[i] - '0');
    }
    if (v < 1 || v > INT32_MAX) {
        return false;
    }
    *ret = (pid_t)v;
    return true;
}

static bool ask(struct questions *q, pid_t pid)
{
    if (q->n == q->cap) {
        size_t cap = q->cap ? q->cap * 2 : 256;
        pid_t *pids = realloc(q->pids, cap * sizeof(*pids));

        if (!pids) {
            return false;
        }
        q->pids = pids;
        q->cap = cap;
    }
    q->pids[q->n++] = pid;
    return true;
}

/* One word of standard input, "" at its end; words longer than the buffer come cut. */
static void read_word(char *word, size_t size, size_t *line)
{
    size_t n = 0;
    int c;

    while ((c = getchar()) != EOF && isspace(c)) {
        *line += c == '\n';
    }
    for (; c != EOF && !isspace(c); c = getchar()) {
        if (n + 1 < size) {
            word[n++] = c ? (char)c : '?';
        }
    }
    word[n] = '\0';
    if (c != EOF) {
        ungetc(c, stdin); /* its line is not over for who reports the word */
    }
}

static int read_questions(struct questions *q)
{
    size_t line = 1;
    char word[32];

    for (;;) {
        pid_t pid;

        read_word(word, sizeof(word), &line);
        if (!word[0]) {
            break;
        }
        if (!parse_pid(word, &pid)) {
            cli_say("standard input, line %zu: '%s' is no PID", line, word);
            q->garbage = true;
        } else if (!ask(q, pid)) {
            return cli_nomem();
        }
    }
    if (ferror(stdin)) {
        cli_say("cannot read standard input: %s", strerror(errno));
        return CLI_USAGE;
    }
    return CLI_OK;
}

static int collect(struct cli *cli, int argc, char **argv, struct questions *q)
{
    bool from_stdin = false;

    if (optind == argc) {
        return cli_usage(cli, "name a PID, or - to read them from standard input");
    }
    for (; optind < argc; optind++) {
        pid_t pid;
        int status;

        if (strcmp(argv[optind], "-") == 0 && !from_stdin) {
            from_stdin = true;
            status = read_questions(q);
            if (status != CLI_OK) {
                return status;
            }
        } else if (!parse_pid(argv[optind], &pid)) {
            return cli_usage(cli, "'%s' is no PID", argv[optind]);
        } else if (!ask(q, pid)) {
            return cli_nomem();
        }
    }
    return CLI_OK;
}

enum column { PID, HOST_PID, ROLE, NAMESPACE, POD, CONTAINER, ID, VERDICT, CHAIN };
static const struct table_column columns[] = {
    [PID] = {"PID", SCOLS_FL_RIGHT, 0},
    [HOST_PID] = {"HOST-PID", SCOLS_FL_RIGHT, 0},
    [ROLE] = {"ROLE", 0, 0},
    [NAMESPACE] = {"NAMESPACE", SCOLS_FL_TRUNC, 0},
    [POD] = {"POD", SCOLS_FL_TRUNC, 0},
    [CONTAINER] = {"CONTAINER", SCOLS_FL_TRUNC, 0},
    [ID] = {"ID", 0, 0},
    [VERDICT] = {"VERDICT", 0, 0},
    [CHAIN] = {"INSIDE", SCOLS_FL_TRUNC, 0},
};

static void add_row(struct table *t, const struct podpid_answer *a)
{
    struct libscols_line *row = table_row(t, NULL);

    table_number(t, row, PID, (uint64_t)a->pid);
    if (a->found) {
        table_number(t, row, HOST_PID, (uint64_t)a->process);
    } else {
        table_text(t, row, HOST_PID, NULL);
    }
    table_text(t, row, ROLE, a->found ? podpid_role_name(a->role) : NULL);
    table_text(t, row, NAMESPACE, a->pod ? a->pod->namespace_ : NULL);
    table_text(t, row, POD, a->pod ? a->pod->name : NULL);
    table_text(t, row, CONTAINER, a->container ? a->container->name : NULL);
    if (a->container_id) {
        table_id(t, row, ID, a->container_id);
    } else {
        table_text(t, row, ID, NULL);
    }
    if (a->container) {
        table_verdict(t, row, VERDICT, a->container->verdict);
    } else {
        table_text(t, row, VERDICT, NULL);
    }
    if (a->n_chain) {
        table_id(t, row, CHAIN, a->chain[a->n_chain - 1]);
    }
}

/* inside: the PIDs asked for are of another namespace than those of the /proc. */
static int print_table(const struct cli *cli, const struct podpid_answer *const *answers, size_t n,
                       bool inside)
{
    struct table_column shown[sizeof(columns) / sizeof(columns[0])];
    size_t n_columns = CHAIN;
    struct table t;

    memcpy(shown, columns, sizeof(columns));
    shown[HOST_PID].flags |= inside ? 0 : SCOLS_FL_HIDDEN;
    for (size_t i = 0; i < n; i++) {
        if (answers[i]->n_chain) {
            n_columns = CHAIN + 1;
        }
    }
    if (n == 0) {
        return CLI_OK;
    }
    table_begin(&t, cli, shown, n_columns, true);
    for (size_t i = 0; i < n; i++) {
        add_row(&t, answers[i]);
    }
    return table_print(&t);
}

static int print_json(const struct podpid_answer *const *answers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct podpid_error error = PODPID_ERROR_INIT;

        if (podpid_answer_to_json(answers[i], cli_write, NULL, &error) < 0) {
            return ferror(stdout) ? CLI_OK : cli_fail(&error);
        }
    }
    return CLI_OK;
}

/* All answers first, then the printing. */
static int answer(const struct cli *cli, struct podpid_snapshot *s, const struct questions *q,
                  pid_t ns_of)
{
    CLI_AUTO(cli_free)
    const struct podpid_answer **answers = calloc(q->n + 1, sizeof(struct podpid_answer *));
    int status, worst = q->garbage ? CLI_NOT_WELL : CLI_OK;

    if (!answers) {
        return cli_nomem();
    }
    for (size_t i = 0; i < q->n; i++) {
        struct podpid_error error = PODPID_ERROR_INIT;

        if (podpid_whois(s, q->pids[i], ns_of, &answers[i], &error) < 0) {
            return cli_fail(&error);
        }
    }
    status = cli_format_is(cli, "json") ? print_json(answers, q->n)
                                        : print_table(cli, answers, q->n, ns_of != 0);
    if (status != CLI_OK) {
        return status;
    }
    for (size_t i = 0; i < q->n; i++) {
        if (!answers[i]->found) {
            if (ns_of) {
                cli_say("no process %d in the PID namespace of %d", q->pids[i], ns_of);
            } else {
                cli_say("no process %d", q->pids[i]);
            }
            worst = CLI_NOT_WELL;
        }
    }
    return worst;
}

static int run(struct cli *cli, int argc, char **argv)
{
    CLI_AUTO(cli_free_snapshot) struct podpid_snapshot *s = NULL;
    CLI_AUTO(free_questions) struct questions questions = {0};
    pid_t ns_of = 0;
    int key, status;

    while ((key = cli_getopt(cli, argc, argv)) != CLI_DONE) {
        if (key != OPT_NS) {
            return cli->status;
        }
        if (!parse_pid(optarg, &ns_of)) {
            return cli_usage(cli, "--ns: '%s' is no PID", optarg);
        }
    }
    status = collect(cli, argc, argv, &questions);
    if (status != CLI_OK) {
        return status;
    }
    cli->look.want_processes = true;
    cli->look.no_strays = true;
    status = cli_look(cli, &s);
    return status == CLI_OK ? answer(cli, s, &questions, ns_of) : status;
}

const struct cli_verb whois_verb = {
    .name = "whois",
    .args = "PID...|-",
    .summary = "which container a process is in",
    .about =
        "Says for each PID which container of which pod the process is in, and what it is there:\n"
        "main, child (of the main process), exec (run into the container), orphan (its parent is\n"
        "gone), sandbox (the pod's own process), helper (conmon and its like), host (in no\n"
        "container of a pod). A thread's id stands for its process. With - the PIDs are read from\n"
        "standard input, separated by white space; what is no PID is reported with its line, and\n"
        "the others are answered. All are answered from one look at the node, and each process is\n"
        "read once more before its answer leaves. With --ns the column HOST-PID has the PID here.",
    .groups = CLI_LOOK | CLI_FORMAT,
    .formats = "table|json",
    .own = own_options,
    .notes =
        "Examples:\n"
        "  podpid whois 6637\n"
        "  pgrep java | podpid whois -\n"
        "  podpid whois --ns \"$(podpid pid prod/web/app)\" 1 17\n"
        "\n"
        "Exit status: 0 every process exists (one of the host's is an answer, too); 1 one does\n"
        "not, or there was garbage in the input; 2 usage; 3 could not look.",
    .run = run,
};
