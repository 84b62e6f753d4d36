/* One output format a file. Each writes a whole snapshot to standard output and gives an exit
 * status; that standard output itself could be written is checked once, at the very end. */
#ifndef PODPID_CLI_OUT_H
#define PODPID_CLI_OUT_H

#include "resolver/cli/cli.h"

typedef int (*out_fn)(const struct cli *cli, const struct podpid_snapshot *s);

int out_table(const struct cli *cli, const struct podpid_snapshot *s);
int out_wide(const struct cli *cli, const struct podpid_snapshot *s);
int out_tree(const struct cli *cli, const struct podpid_snapshot *s);
int out_json(const struct cli *cli, const struct podpid_snapshot *s);
int out_jsonl(const struct cli *cli, const struct podpid_snapshot *s);
int out_yaml(const struct cli *cli, const struct podpid_snapshot *s);
int out_pid(const struct cli *cli, const struct podpid_snapshot *s);
int out_prom(const struct cli *cli, const struct podpid_snapshot *s);

/* For Prometheus textfiles with more in them: the two lines before a metric's samples, and a label
 * with its value escaped, such as pod="web". */
void prom_head(const char *name, const char *type, const char *help);
int prom_label(const struct cli *cli, const char *before, const char *name, const char *value);

#endif
