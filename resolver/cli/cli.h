/* The program: what its verbs share. A verb is one file with one struct cli_verb; main.c has the
 * table of them. Everything beyond is reached through podpid.h.
 *
 * Results go to standard output, everything else to standard error. Results are written after the
 * look is complete: exit status 3 means that nothing was written. */
#ifndef PODPID_CLI_H
#define PODPID_CLI_H

#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "resolver/podpid.h"

/* Exit statuses. */
enum {
    CLI_OK = 0,
    CLI_NOT_WELL = 1, /* looked, and something asked for is absent, unverified or failed */
    CLI_USAGE = 2,    /* usage, or an input that cannot be read */
    CLI_NO_LOOK = 3   /* could not look */
};

struct cli;

/* One option, for getopt_long() and for --help. */
struct cli_option {
    int key;          /* its letter, or CLI_OWN and up where it has none; 0 ends a table */
    const char *name; /* the long form */
    const char *arg;  /* what its value is called; NULL: takes none */
    const char *help; /* further lines after \n are indented as the first */
};

/* What cli_getopt() gives besides letters. */
enum {
    CLI_DONE = -1, /* the rest are arguments, from argv[optind] */
    CLI_STOP = -2, /* help was printed or a mistake reported: return cli->status */
    CLI_OWN = 256  /* first key of a verb's own options without a letter */
};

/* Groups of common options that a verb takes. */
enum {
    CLI_LOOK = 1,   /* endpoint, timeout, /proc, replay, ... */
    CLI_SELECT = 2, /* namespace, pod, ..., -f */
    CLI_FORMAT = 4  /* -o */
};

struct cli_verb {
    const char *name;
    const char *args;    /* of the usage line, after the options; "" for none */
    const char *summary; /* for the program's --help */
    const char *about;   /* paragraphs under the usage line */
    unsigned groups;
    const char *formats;          /* "table|json": values of -o, the default first */
    const struct cli_option *own; /* NULL: none */
    bool live;                    /* of the node itself only: --replay is refused */
    bool in_order;                /* the first word that is no option ends them */
    void (*print_list)(void);     /* what the verb can list, after the options; NULL: nothing */
    const char *notes;            /* after that: examples, exit status */
    int (*run)(struct cli *cli, int argc, char **argv); /* argv[0] is the verb; an exit status */
};

/* What the command line said, filled by cli_getopt(). */
struct cli {
    const struct cli_verb *verb; /* NULL: before the verb */
    int status;                  /* with CLI_STOP */

    struct podpid_options look; /* CLI_LOOK */
    struct podpid_selector selector;
    const char **files; /* -f, n_files of them */
    size_t n_files;
    const char *node_name; /* whose pods a manifest's are; NULL: $NODE_NAME, then the hostname */
    const char *format;    /* one of verb->formats */
    char default_format[16];
    bool quiet, verbose;
    bool dashes;      /* of a verb in_order: a "--" that is no option's value ended them */
    bool color;       /* standard output is a terminal that likes colour */
    bool utf8;        /* the locale's encoding */
    size_t termwidth; /* columns of standard output; 0: not a terminal */

    const char *used[8]; /* by group: an option of it that was given */
    struct option options[48];
    char letters[112];
};

/* ---- options.c ------------------------------------------------------------------------------- */

/* The next option of the verb's own, its key, with getopt's optarg; common options are dealt with
 * inside. CLI_DONE or CLI_STOP at the end. */
int cli_getopt(struct cli *cli, int argc, char **argv);

/* Get ready to read options: those before the verb (NULL) or the verb's. */
void cli_options_begin(struct cli *cli, const struct cli_verb *verb);

bool cli_format_is(const struct cli *cli, const char *name);
/* Is any of -n, -p, -l, --container, --uid given? */
bool cli_has_selector(const struct cli *cli);

/* ---- help.c ---------------------------------------------------------------------------------- */

void cli_help(const struct cli_verb *verb);
void cli_help_program(const struct cli_verb *const *verbs);

/* ---- say.c ----------------------------------------------------------------------------------- */

/* One line on standard error, "podpid: " in front, made safe for a terminal. */
void cli_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A usage error: one line with a pointer to --help. Gives CLI_USAGE. */
int cli_usage(const struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Report the error on one line, hint included; gives its exit status. */
int cli_fail(const struct podpid_error *error);
int cli_nomem(void);

/* Standard output flushed and closed; a failure there is reported and gives CLI_NOT_WELL. */
int cli_close_stdout(int status);

/* podpid_write_fn onto standard output. */
int cli_write(void *context, const char *data, size_t n);

/* podpid_escape() for what this terminal's encoding can show; malloc'ed, at most max bytes of text
 * are looked at (then "..."). NULL text is "-", NULL result: memory is out. */
char *cli_text(const struct cli *cli, const char *text, size_t max);

/* ---- look.c ---------------------------------------------------------------------------------- */

/* SIGINT, SIGTERM and SIGHUP (but those that are ignored or blocked) held back and readable on a
 * descriptor, so that blocking work can end with nothing half done. One that came and was not read
 * ends the process in cli_signals_end(), by that signal, as it should. */
struct cli_signals {
    int fd; /* signalfd(2); -1: it could not be made */
    sigset_t before;
};
void cli_signals_begin(struct cli_signals *s);
void cli_signals_end(struct cli_signals *s);

/* Look at the node; says on standard error which endpoint was chosen (-v) and what the snapshot
 * warns of (not with -q). 0 and the snapshot, or an exit status with the failure reported. */
int cli_look(const struct cli *cli, struct podpid_snapshot **ret);
void cli_warnings(const struct cli *cli, const struct podpid_snapshot *s);

/* What the -f files say; *ret is NULL where there are none. A policy's endpoint and VM handlers
 * hold where the command line names none. Must outlive the look. 0 or an exit status. */
int cli_targets(struct cli *cli, struct podpid_targets **ret);

/* The same with the selectors of the command line as one target more. *ret is never NULL then, but
 * may hold none; it is the caller's after a failure, too. */
int cli_all_targets(struct cli *cli, struct podpid_targets **ret);

/* ---- Verbs ----------------------------------------------------------------------------------- */

extern const struct cli_verb list_verb, pid_verb, whois_verb, watch_verb, preflight_verb,
    cgroup_verb, capture_verb, version_verb;

#define CLI_AUTO(fn) __attribute__((cleanup(fn)))

static inline void cli_free(void *p)
{
    free(*(void **)p);
}

static inline void cli_free_snapshot(struct podpid_snapshot **s)
{
    podpid_snapshot_free(*s);
}

static inline void cli_free_targets(struct podpid_targets **t)
{
    podpid_targets_free(*t);
}

#endif
