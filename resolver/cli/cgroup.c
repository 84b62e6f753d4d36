/* podpid cgroup: the text of a /proc/<pid>/cgroup explained. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "resolver/cli/cli.h"

/* The kernel's largest is some 50 KB: a line a hierarchy, a path of 4 KB each. */
enum { TEXT_MOST = 1024 * 1024, SHOWN_MOST = 8 * 1024 };

static int unreadable(const char *name, const char *reason)
{
    cli_say("cannot read %s: %s", name, reason);
    return CLI_USAGE;
}

/* Read all of in, TEXT_MOST bytes at most. 0, or the exit status with the failure reported. */
static int read_all(FILE *in, const char *name, char **ret, size_t *ret_n)
{
    CLI_AUTO(cli_free) char *text = malloc(TEXT_MOST + 1);
    size_t n;

    if (!text) {
        return cli_nomem();
    }
    errno = 0;
    n = fread(text, 1, TEXT_MOST + 1, in);
    if (ferror(in)) {
        return unreadable(name, strerror(errno ? errno : EIO));
    }
    if (n > TEXT_MOST) {
        return unreadable(name, "it is larger than 1 MiB, which no cgroup text is");
    }
    *ret = text;
    *ret_n = n;
    text = NULL;
    return CLI_OK;
}

static int read_file(const char *path, char **ret, size_t *ret_n)
{
    FILE *in;
    int status;

    if (strcmp(path, "-") == 0) {
        return read_all(stdin, "standard input", ret, ret_n);
    }
    in = fopen(path, "re");
    if (!in) {
        return unreadable(path, strerror(errno));
    }
    status = read_all(in, path, ret, ret_n);
    fclose(in);
    return status;
}

static bool print_row(const struct cli *cli, const char *name, const char *text)
{
    CLI_AUTO(cli_free) char *safe = NULL;

    if (!text) {
        return true;
    }
    safe = cli_text(cli, text, SHOWN_MOST);
    if (!safe) {
        return false;
    }
    printf("%-14s %s\n", name, safe);
    return true;
}

/* What was found, then the line and the component that decided, and why. */
static bool print_text(const struct cli *cli, const struct podpid_cgroup_facts *f)
{
    char line[32];
    bool ok;

    snprintf(line, sizeof(line), "line %zu", f->line);
    ok = print_row(cli, "kind", f->kind) && print_row(cli, "container id", f->container_id) &&
         print_row(cli, "helper for", f->helper_for) && print_row(cli, "pod uid", f->pod_uid) &&
         print_row(cli, "qos", f->qos) && print_row(cli, "manager", f->manager) &&
         print_row(cli, "inner id", f->inner_id) &&
         print_row(cli, "inner pod uid", f->inner_pod_uid) && print_row(cli, line, f->line_text) &&
         print_row(cli, "component", f->component) && print_row(cli, "why", f->why);
    for (size_t i = 0; ok && i < f->n_notes; i++) {
        ok = print_row(cli, "note", f->notes[i]);
    }
    return ok;
}

static void free_cgroup(struct podpid_cgroup **c)
{
    podpid_cgroup_free(*c);
}

static int run(struct cli *cli, int argc, char **argv)
{
    CLI_AUTO(free_cgroup) struct podpid_cgroup *c = NULL;
    CLI_AUTO(cli_free) char *text = NULL;
    struct podpid_error error = PODPID_ERROR_INIT;
    size_t n = 0;
    int status;

    if (cli_getopt(cli, argc, argv) != CLI_DONE) {
        return cli->status;
    }
    if (argc - optind > 1) {
        return cli_usage(cli, "takes one file: %s", argv[optind + 1]);
    }
    status = read_file(optind < argc ? argv[optind] : "-", &text, &n);
    if (status != CLI_OK) {
        return status;
    }
    if (podpid_cgroup_parse(text, n, &c, &error) < 0) {
        return cli_fail(&error);
    }
    if (podpid_cgroup_facts(c)->n_lines == 0) {
        cli_say("%s: no line of it is one of a /proc/PID/cgroup",
                optind < argc ? argv[optind] : "standard input");
    }
    if (cli_format_is(cli, "json")) {
        return podpid_cgroup_to_json(c, cli_write, NULL, &error) < 0 ? cli_fail(&error) : CLI_OK;
    }
    return print_text(cli, podpid_cgroup_facts(c)) ? CLI_OK : cli_nomem();
}

const struct cli_verb cgroup_verb = {
    .name = "cgroup",
    .args = "[FILE|-]",
    .summary = "explain the text of a /proc/PID/cgroup",
    .about =
        "Says what the text of a /proc/PID/cgroup means: the container, its pod, which line and\n"
        "which component of its path decided, and why. Reads standard input without FILE.\n"
        "Nothing else is looked at.",
    .groups = CLI_FORMAT,
    .formats = "text|json",
    .notes = "Example:\n"
             "  podpid cgroup /proc/self/cgroup\n"
             "\n"
             "Exit status: 0 explained (whatever it is), 2 FILE cannot be read.",
    .run = run,
};
