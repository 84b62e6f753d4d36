/* podpid cgroup: what the text of a /proc/<pid>/cgroup means. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "resolver/cli/format.h"

/* No such text is larger: the kernel prints a line a hierarchy, at most some 14, and a path has 4
 * KiB at most (PATH_MAX). */
enum { TEXT_MOST = 1024 * 1024 };

static int report_unreadable(const char *name, const char *reason)
{
    cli_say("cannot read %s: %s", name, reason);
    return CLI_USAGE;
}

/* Read the whole of path, "-" for standard input, into a malloc'ed *ret. CLI_OK, or the exit status
 * of a failure that was reported. */
static int read_text(const char *path, char **ret, size_t *ret_n)
{
    bool is_stdin = strcmp(path, "-") == 0;
    const char *name = is_stdin ? "standard input" : path;
    FILE *in = is_stdin ? stdin : fopen(path, "re");
    int failure = 0;

    if (!in) {
        return report_unreadable(name, strerror(errno));
    }
    *ret = malloc(TEXT_MOST + 1);
    if (*ret) {
        errno = 0;
        *ret_n = fread(*ret, 1, TEXT_MOST + 1, in);
        failure = !ferror(in) ? 0 : errno ? errno : EIO;
    }
    if (!is_stdin) {
        fclose(in);
    }
    if (failure) {
        return report_unreadable(name, strerror(failure));
    }
    if (*ret && *ret_n > TEXT_MOST) {
        return report_unreadable(name, "it is larger than 1 MiB, which no cgroup text is");
    }
    return *ret ? CLI_OK : cli_nomem();
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
    status = read_text(optind < argc ? argv[optind] : "-", &text, &n);
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
    return cli->format->cgroup(cli, c);
}

const struct cli_verb cgroup_verb = {
    .name = "cgroup",
    .args = "[FILE|-]",
    .summary = "explain the text of a /proc/PID/cgroup",
    .about = "Explains the text of a /proc/PID/cgroup: the container, its pod, and which line and "
             "which component of its path decided, and why. Without FILE, or with -, the text is "
             "read from standard input. Nothing else is read.",
    .writes = CLI_CGROUP,
    .notes = "Example:\n"
             "  podpid cgroup /proc/self/cgroup\n"
             "\n"
             "Exit status: 0 explained, whatever the text is; 2 FILE cannot be read.",
    .run = run,
};
