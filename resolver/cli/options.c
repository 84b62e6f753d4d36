/* The command line: common options here, a verb's own handed back to it. */
#include "resolver/cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "resolver/cli/format.h"
#include "resolver/cli/options.h"

bool cli_format_is(const struct cli *cli, const char *name)
{
    return cli->format && strcmp(cli->format->name, name) == 0;
}

bool cli_has_selector(const struct cli *cli)
{
    const struct podpid_selector *s = &cli->selector;

    return s->namespace_ || s->pod || s->labels || s->container || s->uid;
}

static void add_options(struct cli *cli, const struct cli_option *table, size_t *n)
{
    size_t letters = strlen(cli->letters);

    for (; table->key; table++) {
        if (*n + 1 >= sizeof(cli->options) / sizeof(cli->options[0]) ||
            letters + 3 >= sizeof(cli->letters)) {
            abort(); /* the arrays of struct cli are too small for the tables */
        }
        cli->options[(*n)++] = (struct option){
            table->name, table->arg ? required_argument : no_argument, NULL, table->key};
        if (table->key < CLI_OWN) {
            cli->letters[letters++] = (char)table->key;
            if (table->arg) {
                cli->letters[letters++] = ':';
            }
        }
    }
    cli->letters[letters] = '\0';
}

void cli_options_begin(struct cli *cli, const struct cli_verb *verb)
{
    size_t n = 0;

    cli->verb = verb;
    memset(cli->options, 0, sizeof(cli->options));
    /* getopt(3): '+' ends the options at the first word that is none, such as the verb itself; ':'
     * tells a missing value from an unknown option. */
    strcpy(cli->letters, verb && !verb->in_order ? ":" : "+:");
    if (verb && verb->own) {
        add_options(cli, verb->own, &n);
    }
    for (size_t i = 0; i < sizeof(cli_common) / sizeof(cli_common[0]); i++) {
        add_options(cli, cli_common[i].options, &n);
    }
    optind = 0; /* glibc: forget the state of the last argv */
    opterr = 0;
}

static int stop(struct cli *cli, int status)
{
    cli->status = status;
    return CLI_STOP;
}

static int mistake(struct cli *cli, int key, char **argv)
{
    /* getopt leaves the option's letter in optopt, and 0 for an unknown long option. */
    const char *word = argv[optind - 1];
    char letter[3] = {'-', (char)optopt, '\0'};
    bool is_letter = optopt > 0 && optopt < CLI_OWN && strncmp(word, "--", 2) != 0;

    if (key == ':') {
        return stop(cli, cli_usage(cli, "option %s needs a value", is_letter ? letter : word));
    }
    if (!is_letter && optopt > 0) {
        return stop(cli, cli_usage(cli, "option %s takes no value", word));
    }
    return stop(cli, cli_usage(cli, "unknown option %s", is_letter ? letter : word));
}

static bool add_file(struct cli *cli, const char *path)
{
    const char **files = realloc(cli->files, (cli->n_files + 1) * sizeof(*files));

    if (!files) {
        return false;
    }
    files[cli->n_files++] = path;
    cli->files = files;
    return true;
}

/* Note in cli->used that a common option was given. False: the option is not a common one. */
static bool note_common(struct cli *cli, int key)
{
    for (size_t i = 0; i < sizeof(cli_common) / sizeof(cli_common[0]); i++) {
        for (const struct cli_option *o = cli_common[i].options; o->key; o++) {
            if (o->key == key) {
                cli->used[cli_common[i].group] = o->name;
                return true;
            }
        }
    }
    return false;
}

/* CLI_OK, or an exit status. */
static int set_common(struct cli *cli, int key, const char *value)
{
    struct podpid_error error = PODPID_ERROR_INIT;

    switch (key) {
    case 'r':
        cli->look.endpoint = value;
        break;
    case 'c':
        cli->look.config_file = value;
        break;
    case CLI_OPT_TIMEOUT:
        if (podpid_parse_duration(value, &cli->look.timeout, &error) < 0) {
            return cli_usage(cli, "--timeout: %s", error.message);
        }
        if (cli->look.timeout == 0) {
            return cli_usage(cli, "--timeout: must be more than nothing");
        }
        break;
    case CLI_OPT_PROC:
        cli->look.proc = value;
        break;
    case CLI_OPT_REPLAY:
        cli->look.replay = value;
        break;
    case CLI_OPT_NO_RUNTIME:
        cli->look.no_runtime = true;
        break;
    case CLI_OPT_VM_HANDLERS:
        cli->look.vm_handlers = value;
        break;
    case 'n':
        cli->selector.namespace_ = value;
        break;
    case 'p':
        cli->selector.pod = value;
        break;
    case 'l':
        cli->selector.labels = value;
        break;
    case CLI_OPT_CONTAINER:
        cli->selector.container = value;
        break;
    case CLI_OPT_UID:
        cli->selector.uid = value;
        break;
    case 'f':
        return add_file(cli, value) ? CLI_OK : cli_nomem();
    case CLI_OPT_NODE_NAME:
        cli->node_name = value;
        break;
    case 'o':
        cli->format_name = value;
        break;
    case 'q':
        cli->quiet = true;
        break;
    case 'v':
        cli->verbose = true;
        break;
    }
    return CLI_OK;
}

/* Whether the options that were read make sense for this verb and with each other: CLI_OK, or an
 * exit status. */
static int check(struct cli *cli)
{
    const struct cli_verb *verb = cli->verb;
    unsigned groups = verb->groups | (verb->writes ? CLI_FORMAT : 0);
    struct podpid_error error = PODPID_ERROR_INIT;
    char names[CLI_FORMAT_NAMES_SIZE];

    for (unsigned group = CLI_LOOK; group <= CLI_FORMAT; group <<= 1) {
        if (cli->used[group] && !(groups & group)) {
            return cli_usage(cli, "takes no option --%s", cli->used[group]);
        }
    }
    cli->format = cli_format_find(verb->writes, cli->format_name);
    if (verb->writes && !cli->format) {
        return cli_usage(cli, "-o %s: must be one of %s", cli->format_name,
                         cli_format_names(verb->writes, names, sizeof(names)));
    }
    if (podpid_selector_check(&cli->selector, &error) < 0) {
        return cli_usage(cli, "%s", error.message);
    }
    if (cli->look.replay && (cli->look.endpoint || cli->look.proc || cli->look.no_runtime)) {
        return cli_usage(cli, "--replay stands in for runtime and /proc: not with -r, --proc or "
                              "--no-runtime");
    }
    if (cli->look.no_runtime && cli->look.endpoint) {
        return cli_usage(cli, "--no-runtime asks no runtime: not with -r");
    }
    return CLI_OK;
}

int cli_getopt(struct cli *cli, int argc, char **argv)
{
    for (;;) {
        int next = optind ? optind : 1; /* the word that getopt_long() reads now */
        int key = getopt_long(argc, argv, cli->letters, cli->options, NULL), status;

        if (key == -1) {
            cli->dashes = optind > next;
            status = cli->verb ? check(cli) : CLI_OK;
            return status == CLI_OK ? CLI_DONE : stop(cli, status);
        }
        if (key == '?' || key == ':') {
            return mistake(cli, key, argv);
        }
        if (key == 'h' && cli->verb) {
            cli_help(cli->verb);
            return stop(cli, CLI_OK);
        }
        if (!note_common(cli, key) || key == 'h') {
            return key;
        }
        if (key == CLI_OPT_VERSION) {
            printf("podpid %s\n", podpid_version());
            return stop(cli, CLI_OK);
        }
        status = set_common(cli, key, optarg);
        if (status != CLI_OK) {
            return stop(cli, status);
        }
    }
}
