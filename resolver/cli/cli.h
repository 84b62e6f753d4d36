/* The program: what its verbs share. A verb is one file with one struct cli_verb; main.c has the
 * table of them. Everything beyond is reached through podpid.h.
 *
 * Results go to standard output, everything else to standard error. Results are written after the
 * look is complete: exit status 3 means that nothing was written. */
#ifndef PODPID_CLI_H
#define PODPID_CLI_H

#include <getopt.h>
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

/* Groups of common options. */
enum {
    CLI_LOOK = 1,   /* endpoint, timeout, /proc, replay, ... */
    CLI_SELECT = 2, /* namespace, pod, ..., -f */
    CLI_FORMAT = 4  /* -o: of every verb that writes a document */
};

/* What a verb writes to standard output; format.h has the formats of each. */
enum cli_document {
    CLI_NO_DOCUMENT, /* plain lines: the verb takes no -o */
    CLI_SNAPSHOT,
    CLI_REPORT,
    CLI_EVENT,
    CLI_ANSWERS,
    CLI_CGROUP
};

struct cli_verb {
    const char *name;
    const char *args;    /* arguments in the usage line, "" for none; completion reads them there */
    const char *summary; /* in the list of verbs of the program's --help */
    const char *about;   /* paragraphs of --help under the usage line */
    unsigned groups;     /* CLI_LOOK, CLI_SELECT: common options that the verb takes */
    enum cli_document writes;
    const struct cli_option *own; /* options of this verb alone; NULL: none */
    bool live;                    /* looks at a live node only: --replay is refused */
    bool in_order;                /* options end at the first word that is none, as in env(1) */
    const char *notes;            /* end of --help: examples, exit status; NULL: none */
    void (*print_list)(void);     /* prints a section of --help before the notes; NULL: none */
    int (*run)(struct cli *cli, int argc, char **argv); /* argv[0] is the verb; an exit status */
};

/* What the command line said, filled by cli_getopt(). */
struct cli {
    const struct cli_verb *verb; /* NULL: before the verb */
    int status;                  /* with CLI_STOP */

    struct podpid_options look; /* CLI_LOOK */
    struct podpid_selector selector;
    const char **files; /* the values of -f, n_files of them */
    size_t n_files;
    const char *node_name;           /* --node-name; NULL: $NODE_NAME, then the hostname */
    const char *format_name;         /* the value of -o; NULL: not given */
    const struct cli_format *format; /* what -o or the default stands for; NULL: CLI_NO_DOCUMENT */
    bool quiet, verbose;
    bool dashes;      /* verb->in_order: the options ended at a "--" */
    bool color;       /* standard output is a terminal that shows colours */
    bool utf8;        /* the locale's encoding is UTF-8 */
    size_t termwidth; /* columns of standard output; 0: not a terminal */

    const char *used[8]; /* by group: the long name of an option of it that was given */
    struct option options[48];
    char letters[112];
};

/* ---- options.c ------------------------------------------------------------------------------- */

/* Read options up to the next one of the verb's own: gives its key, and its value in getopt's
 * optarg. Common options are stored in cli. CLI_DONE or CLI_STOP at the end. */
int cli_getopt(struct cli *cli, int argc, char **argv);

/* Prepare cli_getopt() for the options of a verb, or for those in front of it (NULL). */
void cli_options_begin(struct cli *cli, const struct cli_verb *verb);

/* Whether the format of this name was chosen. */
bool cli_format_is(const struct cli *cli, const char *name);
/* Whether any of -n, -p, -l, --container, --uid was given. */
bool cli_has_selector(const struct cli *cli);

/* ---- help.c ---------------------------------------------------------------------------------- */

void cli_help(const struct cli_verb *verb);
/* verbs: NULL-terminated */
void cli_help_program(const struct cli_verb *const *verbs);

/* Print text and a newline, broken between words at 80 columns, and at its own newlines; lines but
 * the first are indented. column: what is printed already of the first line. */
void cli_help_text(const char *text, int column, int indent);

/* ---- say.c ----------------------------------------------------------------------------------- */

/* Print "podpid: TEXT" as one line on standard error, escaped for a terminal. */
void cli_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Report a usage error in one line that points to --help; gives CLI_USAGE. */
int cli_usage(const struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Report the error and its hint in one line; gives its exit status. */
int cli_fail(const struct podpid_error *error);
/* Report that memory is out; gives the exit status for that. */
int cli_nomem(void);

/* Flush and close standard output. If that or a write before failed: report it and give
 * CLI_NOT_WELL in place of CLI_OK; else give status. */
int cli_close_stdout(int status);

/* A podpid_write_fn that writes to standard output; context is not used. */
int cli_write(void *context, const char *data, size_t n);

/* Escape text for a terminal of this encoding, as podpid_escape() does; "..." stands for what is
 * beyond max bytes, and "-" for a text that is NULL. Free the result; NULL: memory is out. */
char *cli_text(const struct cli *cli, const char *text, size_t max);

/* ---- look.c ---------------------------------------------------------------------------------- */

/* Look at the node once, and call cli_warnings(). CLI_OK and the snapshot, which the caller frees;
 * or the exit status of a failure that was reported. */
int cli_look(const struct cli *cli, struct podpid_snapshot **ret);
/* Print on standard error which runtime was asked (with -v) and the snapshot's warnings (not with
 * -q). */
void cli_warnings(const struct cli *cli, const struct podpid_snapshot *s);

/* Read the files of -f; *ret is NULL if there are none. The endpoint and the VM handlers of a
 * policy are put into cli->look unless the command line names others, and are borrowed: the targets
 * must outlive the look. CLI_OK, or the exit status of a failure that was reported. */
int cli_targets(struct cli *cli, struct podpid_targets **ret);

/* As cli_targets(), with the selectors of the command line as one more target. *ret is not NULL on
 * success, but may hold no target; the caller frees it after a failure, too. */
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
