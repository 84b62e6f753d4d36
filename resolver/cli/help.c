/* --help, printed from the tables that the options are read with. */
#include <stdio.h>
#include <string.h>

#include "resolver/cli/format.h"
#include "resolver/cli/options.h"

static const struct cli_option select_options[] = {
    {'n', "namespace", "NAME", "pods of this namespace; not a glob"},
    {'p', "pod", "GLOB", "pods whose name matches, such as 'web-*'"},
    {'l', "selector", "K=V,...", "pods that carry all of these labels; K alone: with any value"},
    {CLI_OPT_CONTAINER, "container", "GLOB", "containers whose name matches"},
    {CLI_OPT_UID, "uid", "UID", "the pod with this uid"},
    {'f', "file", "FILE",
     "containers that a preflight policy or a pod manifest (kubectl get pod -o yaml or -o json) "
     "names; - is standard input; can be given several times"},
    {CLI_OPT_NODE_NAME, "node-name", "NAME",
     "this node's name: a manifest's pods of other nodes are skipped (default: $NODE_NAME, then "
     "the hostname)"},
    {0, NULL, NULL, NULL}};

static const struct cli_option look_options[] = {
    {'r', "runtime-endpoint", "ADDR",
     "the runtime's socket: unix:///PATH, /PATH or unix:@NAME (default: "
     "$CONTAINER_RUNTIME_ENDPOINT, then --config, the kubelet's setting, /etc/crictl.yaml, the "
     "well-known sockets)"},
    {'c', "config", "FILE", "a crictl.yaml that names the socket (default: $CRI_CONFIG_FILE)"},
    {CLI_OPT_TIMEOUT, "timeout", "TIME", "for one look at the node: 10s, 500ms, 1m (default: 10s)"},
    {CLI_OPT_PROC, "proc", "DIR", "the node's /proc (default: $HOST_PROC, then /proc)"},
    {CLI_OPT_REPLAY, "replay", "DIR", "read a capture instead of the runtime and /proc"},
    {CLI_OPT_NO_RUNTIME, "no-runtime", NULL,
     "read /proc only and ask no runtime: there are no names then"},
    {CLI_OPT_VM_HANDLERS, "vm-handlers", "A,B",
     "names of runtime handlers that run virtual machines"},
    {0, NULL, NULL, NULL}};

static const struct cli_option format_options[] = {{'o', "output", "FORMAT", NULL},
                                                   {0, NULL, NULL, NULL}};

static const struct cli_option other_options[] = {
    {'q', "quiet", NULL, "print no warnings, only errors"},
    {'v', "verbose", NULL, "print which runtime was chosen and why"},
    {'h', "help", NULL, "print this help"},
    {CLI_OPT_VERSION, "version", NULL, "print podpid's version"},
    {0, NULL, NULL, NULL}};

const struct cli_common cli_common[4] = {
    {CLI_FORMAT, "Output", format_options},
    {CLI_SELECT, "Which containers (all conditions that are given must hold)", select_options},
    {CLI_LOOK, "Runtime and node", look_options},
    {0, "Other", other_options},
};

enum { HELP_COLUMN = 30, HELP_WIDTH = 80 }; /* an option's text is between these columns */

void cli_help_text(const char *text, int column, int indent)
{
    bool begins_line = true;

    for (int word; *text; text += word) {
        word = (int)strcspn(text, " \n");
        if (word == 0) {
            word = 1;
            if (*text == '\n') {
                printf("\n%*s", text[1] == '\n' ? 0 : indent, "");
                column = indent;
                begins_line = true;
            }
            continue;
        }
        if (!begins_line && column + 1 + word > HELP_WIDTH) {
            printf("\n%*s", indent, "");
            column = indent;
        } else if (!begins_line) {
            putchar(' ');
            column++;
        }
        printf("%.*s", word, text);
        column += word;
        begins_line = false;
    }
    putchar('\n');
}

static void print_option(const struct cli_option *o, const char *text)
{
    char left[64];
    int n = snprintf(left, sizeof(left), "  ");

    if (o->key < CLI_OWN) {
        n += snprintf(left + n, sizeof(left) - (size_t)n, "-%c, ", o->key);
    } else {
        n += snprintf(left + n, sizeof(left) - (size_t)n, "    ");
    }
    snprintf(left + n, sizeof(left) - (size_t)n, "--%s%s%s", o->name, o->arg ? " " : "",
             o->arg ? o->arg : "");
    printf("%-*s", HELP_COLUMN, left);
    cli_help_text(text, HELP_COLUMN, HELP_COLUMN);
}

static void print_format_option(const struct cli_verb *verb)
{
    char names[CLI_FORMAT_NAMES_SIZE], text[CLI_FORMAT_NAMES_SIZE + 32];

    snprintf(text, sizeof(text), "%s\n(default: %s)",
             cli_format_names(verb->writes, names, sizeof(names)),
             cli_format_find(verb->writes, NULL)->name);
    print_option(format_options, text);
}

static void print_options(const char *title, const struct cli_option *options, bool live)
{
    printf("\n%s:\n", title);
    for (; options->key; options++) {
        if (!live || options->key != CLI_OPT_REPLAY) {
            print_option(options, options->help);
        }
    }
}

static void print_common(unsigned groups, bool live)
{
    for (size_t i = 0; i < sizeof(cli_common) / sizeof(cli_common[0]); i++) {
        const struct cli_common *c = &cli_common[i];

        if (c->group != CLI_FORMAT && (c->group & groups) == c->group) {
            print_options(c->title, c->options, live);
        }
    }
}

void cli_help(const struct cli_verb *verb)
{
    printf("Usage: podpid %s [OPTION]...%s%s\n\n", verb->name, verb->args[0] ? " " : "",
           verb->args);
    cli_help_text(verb->about, 0, 0);
    if (verb->own || verb->writes) {
        printf("\nOptions:\n");
    }
    for (const struct cli_option *o = verb->own; o && o->key; o++) {
        print_option(o, o->help);
    }
    if (verb->writes) {
        print_format_option(verb);
    }
    print_common(verb->groups, verb->live);
    if (verb->print_list) {
        putchar('\n');
        verb->print_list();
    }
    if (verb->notes) {
        printf("\n%s\n", verb->notes);
    }
}

static const struct {
    int status;
    const char *meaning;
} statuses[] = {
    {CLI_OK, "looked, and all is well"},
    {CLI_NOT_WELL, "looked, and something that was asked for is absent, not verified or failed; or "
                   "an output could not be written"},
    {CLI_USAGE, "usage, or a policy, manifest or capture that cannot be read"},
    {CLI_NO_LOOK, "could not look: no runtime, no permission, connection lost, deadline passed; "
                  "nothing was printed on standard output"},
};

void cli_help_program(const struct cli_verb *const *verbs)
{
    printf("Usage: podpid VERB [OPTION]... [ARGUMENT]...\n\n");
    cli_help_text(
        "Which process is the main process of each container of each pod on this node, "
        "and can that answer be trusted? podpid asks the container runtime over its local "
        "socket, scans /proc, and prints a PID only if both agree. It changes nothing.",
        0, 0);
    printf("\nVerbs:\n");
    for (; *verbs; verbs++) {
        printf("  %-12s%s\n", (*verbs)->name, (*verbs)->summary);
    }
    printf("\npodpid VERB --help explains a verb. Common options may also stand before it.\n");
    print_common(CLI_LOOK, false);
    printf("\nExit status:\n");
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        printf("  %d  ", statuses[i].status);
        cli_help_text(statuses[i].meaning, 5, 5);
    }
}
