/* What --help says; made from the same tables that the options are read by. */
#include <stdio.h>
#include <string.h>

#include "resolver/cli/options.h"

static const struct cli_option select_options[] = {
    {'n', "namespace", "NAME", "pods of this namespace"},
    {'p', "pod", "GLOB", "pods whose name matches, such as 'web-*'"},
    {'l', "selector", "K=V,...", "pods that carry all of these labels; K alone: any value"},
    {CLI_OPT_CONTAINER, "container", "GLOB", "containers whose name matches"},
    {CLI_OPT_UID, "uid", "UID", "the pod of this uid"},
    {'f', "file", "FILE",
     "what a preflight policy or a pod manifest (as kubectl get pod\n"
     "-o yaml or -o json prints) names; - is standard input;\n"
     "may be given several times"},
    {CLI_OPT_NODE_NAME, "node-name", "NAME",
     "this node's name: manifests of other nodes' pods are skipped\n"
     "(default: $NODE_NAME, then the hostname)"},
    {0, NULL, NULL, NULL}};

static const struct cli_option look_options[] = {
    {'r', "runtime-endpoint", "ADDR",
     "the runtime's socket: unix:///PATH, /PATH or unix:@NAME\n"
     "(default: $CONTAINER_RUNTIME_ENDPOINT, then --config, the\n"
     "kubelet's setting, /etc/crictl.yaml, the well-known sockets)"},
    {'c', "config", "FILE", "a crictl.yaml (default: $CRI_CONFIG_FILE)"},
    {CLI_OPT_TIMEOUT, "timeout", "TIME", "for one look at the node: 10s, 500ms, 1m (default: 10s)"},
    {CLI_OPT_PROC, "proc", "DIR", "where the node's /proc is (default: $HOST_PROC, then /proc)"},
    {CLI_OPT_REPLAY, "replay", "DIR", "a capture in place of runtime and /proc"},
    {CLI_OPT_NO_RUNTIME, "no-runtime", NULL,
     "ask no runtime: what /proc alone can tell, without names"},
    {CLI_OPT_VM_HANDLERS, "vm-handlers", "A,B",
     "runtime handlers whose containers are virtual machines"},
    {0, NULL, NULL, NULL}};

static const struct cli_option format_options[] = {{'o', "output", "FORMAT", NULL},
                                                   {0, NULL, NULL, NULL}};

static const struct cli_option other_options[] = {
    {'q', "quiet", NULL, "no warnings; errors are still said"},
    {'v', "verbose", NULL, "say which runtime was chosen and why"},
    {'h', "help", NULL, "this help"},
    {CLI_OPT_VERSION, "version", NULL, "podpid's version"},
    {0, NULL, NULL, NULL}};

const struct cli_common cli_common[4] = {
    {CLI_FORMAT, "Output", format_options},
    {CLI_SELECT, "Which containers (all that are given must hold)", select_options},
    {CLI_LOOK, "Runtime and node", look_options},
    {0, "Other", other_options},
};

enum { COLUMN = 30 };

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
    for (;;) {
        int len = (int)strcspn(text, "\n");

        printf("%-*s%.*s\n", COLUMN, left, len, text);
        if (text[len] == '\0') {
            return;
        }
        text += len + 1;
        left[0] = '\0';
    }
}

static void print_format_option(const struct cli_verb *verb)
{
    char text[160];

    snprintf(text, sizeof(text), "%s\n(default: %.*s)", verb->formats,
             (int)strcspn(verb->formats, "|"), verb->formats);
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
    printf("Usage: podpid %s [OPTION]...%s%s\n\n%s\n", verb->name, verb->args[0] ? " " : "",
           verb->args, verb->about);
    if (verb->own || verb->formats) {
        printf("\nOptions:\n");
    }
    for (const struct cli_option *o = verb->own; o && o->key; o++) {
        print_option(o, o->help);
    }
    if (verb->formats) {
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

void cli_help_program(const struct cli_verb *const *verbs)
{
    printf("Usage: podpid VERB [OPTION]... [ARGUMENT]...\n\n"
           "Which process is the main process of each container of each pod on this node, and\n"
           "can that answer be trusted? podpid asks the container runtime over its local socket,\n"
           "scans /proc, and gives a PID only where both agree. It changes nothing.\n\n"
           "Verbs:\n");
    for (; *verbs; verbs++) {
        printf("  %-12s%s\n", (*verbs)->name, (*verbs)->summary);
    }
    printf("\npodpid VERB --help says all about a verb. Common options may stand before the verb,\n"
           "too.\n");
    print_common(CLI_LOOK, false);
    printf("\nExit status:\n"
           "  0  looked, and all is well\n"
           "  1  looked, and something asked for is absent, unverified or failed; or the output\n"
           "     could not be written\n"
           "  2  usage, or a policy, manifest or capture that cannot be read\n"
           "  3  could not look: no runtime, no permission, connection lost, deadline passed;\n"
           "     nothing is on standard output then\n");
}
