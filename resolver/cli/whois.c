/* podpid whois: which container is this process in? */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "resolver/cli/format.h"

enum { OPT_NS = CLI_OWN };
enum { MAX_DIGITS = 10 }; /* of a pid_t, INT32_MAX */

static const struct cli_option own_options[] = {
    {OPT_NS, "ns", "PID",
     "take the PIDs as they are seen in the PID namespace of this process, such as a container's "
     "main process"},
    {0, NULL, NULL, NULL}};

struct questions {
    pid_t *pids;
    size_t n, cap;
    bool garbage; /* standard input held words that are no PID; they were reported */
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

static bool add_question(struct questions *q, pid_t pid)
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

/* Read the next word of standard input, cut to size; "" at the end of input. line: counts the lines
 * before the word, for reports. */
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
        ungetc(c, stdin); /* a newline behind the word is not counted before the word is reported */
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
        } else if (!add_question(q, pid)) {
            return cli_nomem();
        }
    }
    if (ferror(stdin)) {
        cli_say("cannot read standard input: %s", strerror(errno));
        return CLI_USAGE;
    }
    return CLI_OK;
}

static int read_arguments(struct cli *cli, int argc, char **argv, struct questions *q)
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
        } else if (!add_question(q, pid)) {
            return cli_nomem();
        }
    }
    return CLI_OK;
}

/* answers ends with NULL. */
static void free_answers(struct podpid_answer ***answers)
{
    for (size_t i = 0; *answers && (*answers)[i]; i++) {
        podpid_answer_free((*answers)[i]);
    }
    free(*answers);
}

/* Find all answers, then print them: a failure leaves nothing on standard output. */
static int answer(const struct cli *cli, struct podpid_snapshot *s, const struct questions *q,
                  pid_t ns_of)
{
    CLI_AUTO(free_answers)
    struct podpid_answer **answers = calloc(q->n + 1, sizeof(struct podpid_answer *));
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
    status = cli->format->answers(cli, answers, q->n, ns_of != 0);
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
    status = read_arguments(cli, argc, argv, &questions);
    if (status != CLI_OK) {
        return status;
    }
    cli->look.want_processes = true;
    cli->look.no_strays = true;
    status = cli_look(cli, &s);
    return status == CLI_OK ? answer(cli, s, &questions, ns_of) : status;
}

static void print_roles(void)
{
    static const struct {
        enum podpid_role role;
        const char *meaning;
    } roles[] = {
        {PODPID_ROLE_MAIN, "the container's main process"},
        {PODPID_ROLE_CHILD, "descends from the main process"},
        {PODPID_ROLE_EXEC, "was run into the container, as kubectl exec does"},
        {PODPID_ROLE_ORPHAN, "its parent is gone; it was not run in by exec"},
        {PODPID_ROLE_SANDBOX, "the pod's sandbox process (pause)"},
        {PODPID_ROLE_HELPER, "a monitor of a container, such as conmon"},
        {PODPID_ROLE_HOST, "in no container of a pod"},
    };

    printf("Roles:\n");
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        printf("  %-9s %s\n", podpid_role_name(roles[i].role), roles[i].meaning);
    }
}

const struct cli_verb whois_verb = {
    .name = "whois",
    .args = "PID...|-",
    .summary = "which container a process is in",
    .about = "Prints for each PID which container of which pod the process is in, and its role "
             "there. A thread's id stands for its process. With - the PIDs are read from standard "
             "input, separated by white space; words that are no PID are reported with their line, "
             "and the others are answered. All answers are from one look at the node, and each "
             "process is read once more before it is printed. With --ns the column HOST-PID has "
             "the PID that the process has on the node.",
    .groups = CLI_LOOK,
    .writes = CLI_ANSWERS,
    .own = own_options,
    .print_list = print_roles,
    .notes = "Examples:\n"
             "  podpid whois 6637\n"
             "  pgrep java | podpid whois -\n"
             "  podpid whois --ns \"$(podpid pid prod/web/app)\" 1 17\n"
             "\n"
             "Exit status: 0 every process exists, in a container or not; 1 one does not, or\n"
             "standard input held words that are no PID; 2 usage; 3 could not look.",
    .run = run,
};
