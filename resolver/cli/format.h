/* The output formats: format.c has the table, out_NAME.c the functions. A function writes one whole
 * document to standard output and gives an exit status. Whether standard output could be written is
 * checked once, by cli_close_stdout(). */
#ifndef PODPID_CLI_FORMAT_H
#define PODPID_CLI_FORMAT_H

#include <stdio.h>

#include "resolver/cli/cli.h"

/* A row of the table. A function that is NULL: the format does not write that kind of document. */
struct cli_format {
    const char *name;
    int (*snapshot)(const struct cli *cli, const struct podpid_snapshot *s);
    /* Onto f: standard output, or standard error if standard output belongs to a COMMAND. */
    int (*report)(const struct cli *cli, const struct podpid_report *r, FILE *f);
    int (*event)(const struct cli *cli, const struct podpid_event *e);
    /* with_host_pids: the PIDs asked for are those of another PID namespace. */
    int (*answers)(const struct cli *cli, struct podpid_answer *const *answers, size_t n,
                   bool with_host_pids);
    int (*cgroup)(const struct cli *cli, const struct podpid_cgroup *c);
};

/* The format of this name that writes such documents; name NULL: the default. NULL: there is none.
 */
const struct cli_format *cli_format_find(enum cli_document document, const char *name);

/* The names of the formats that write such documents, "table|json", in buffer, which is returned.
 */
const char *cli_format_names(enum cli_document document, char *buffer, size_t size);
enum { CLI_FORMAT_NAMES_SIZE = 128 };

int out_table(const struct cli *cli, const struct podpid_snapshot *s);
int out_wide(const struct cli *cli, const struct podpid_snapshot *s);
int out_tree(const struct cli *cli, const struct podpid_snapshot *s);
int out_json(const struct cli *cli, const struct podpid_snapshot *s);
int out_jsonl(const struct cli *cli, const struct podpid_snapshot *s);
int out_yaml(const struct cli *cli, const struct podpid_snapshot *s);
int out_pid(const struct cli *cli, const struct podpid_snapshot *s);
int out_prom(const struct cli *cli, const struct podpid_snapshot *s);

int out_report_table(const struct cli *cli, const struct podpid_report *r, FILE *f);
int out_report_short(const struct cli *cli, const struct podpid_report *r, FILE *f);
int out_report_json(const struct cli *cli, const struct podpid_report *r, FILE *f);
int out_report_prom(const struct cli *cli, const struct podpid_report *r, FILE *f);

int out_event_line(const struct cli *cli, const struct podpid_event *e);
int out_event_json(const struct cli *cli, const struct podpid_event *e);

int out_answers_table(const struct cli *cli, struct podpid_answer *const *answers, size_t n,
                      bool with_host_pids);
int out_answers_json(const struct cli *cli, struct podpid_answer *const *answers, size_t n,
                     bool with_host_pids);

int out_cgroup_text(const struct cli *cli, const struct podpid_cgroup *c);
int out_cgroup_json(const struct cli *cli, const struct podpid_cgroup *c);

/* The HELP and TYPE lines in front of a metric's samples in a Prometheus textfile. */
void out_prom_head(const char *name, const char *type, const char *help);

#endif
