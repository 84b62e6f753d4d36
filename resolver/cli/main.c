/* main() and the table of verbs. */
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "resolver/cli/cli.h"

static const struct cli_verb *const verbs[] = {
    &list_verb,      /* every container with its main PID and its verdict */
    &pid_verb,       /* only PIDs, a line each */
    &preflight_verb, /* checks before processes are attributed */
    &whois_verb,     /* which container a process is in */
    &watch_verb,     /* changes as they happen */
    &cgroup_verb,    /* explain the text of a /proc/PID/cgroup */
    &capture_verb,   /* record runtime and /proc, for --replay */
    &version_verb,   /* podpid's version */
    NULL};

/* Open /dev/null for standard descriptors that are closed, in the wrong direction, so that their
 * use fails. Otherwise the first socket or file that podpid opens would get the number, and results
 * would go there. */
static void fill_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
            (void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
        }
    }
}

static void look_at_terminal(struct cli *cli)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    struct winsize size;

    cli->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    if (!isatty(STDOUT_FILENO)) {
        return;
    }
    cli->termwidth =
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
    cli->color = !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

static const struct cli_verb *find_verb(const char *name)
{
    for (size_t i = 0; verbs[i]; i++) {
        if (strcmp(verbs[i]->name, name) == 0) {
            return verbs[i];
        }
    }
    return NULL;
}

static int help(struct cli *cli, const char *name)
{
    const struct cli_verb *verb = name ? find_verb(name) : NULL;

    if (name && !verb) {
        return cli_usage(cli, "no such verb: %s", name);
    }
    if (verb) {
        cli_help(verb);
    } else {
        cli_help_program(verbs);
    }
    return CLI_OK;
}

static int run(struct cli *cli, int argc, char **argv)
{
    const struct cli_verb *verb;

    cli_options_begin(cli, NULL);
    switch (cli_getopt(cli, argc, argv)) {
    case CLI_DONE:
        break;
    case 'h':
        cli_help_program(verbs);
        return CLI_OK;
    default:
        return cli->status;
    }
    argc -= optind;
    argv += optind;
    if (argc == 0) {
        return cli_usage(cli, "name a verb");
    }
    if (strcmp(argv[0], "help") == 0) { /* as in git and kubectl */
        return help(cli, argc > 1 ? argv[1] : NULL);
    }
    verb = find_verb(argv[0]);
    if (!verb) {
        return cli_usage(cli, "no such verb: %s", argv[0]);
    }
    cli_options_begin(cli, verb);
    return verb->run(cli, argc, argv);
}

int main(int argc, char **argv)
{
    struct cli cli = {.look = PODPID_OPTIONS_INIT, .selector = PODPID_SELECTOR_INIT};
    int status;

    fill_standard_descriptors();
    signal(SIGXFSZ, SIG_IGN); /* a write beyond RLIMIT_FSIZE then fails with EFBIG */
    setlocale(LC_CTYPE, "");
    look_at_terminal(&cli);
    status = run(&cli, argc, argv);
    free(cli.files);
    return cli_close_stdout(status);
}
