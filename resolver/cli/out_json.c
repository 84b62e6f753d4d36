/* -o json and -o jsonl: the library's own documents. */
#include "resolver/cli/format.h"

#include <stdio.h>

static int write_style(const struct podpid_snapshot *s, enum podpid_json_style style)
{
    struct podpid_error error = PODPID_ERROR_INIT;
    int rc = podpid_snapshot_to_json(s, style, cli_write, NULL, &error);

    /* cli_close_stdout() reports a failed write. */
    return rc < 0 && !ferror(stdout) ? cli_fail(&error) : CLI_OK;
}

int out_json(const struct cli *cli, const struct podpid_snapshot *s)
{
    (void)cli;
    return write_style(s, PODPID_JSON_DOCUMENT);
}

int out_jsonl(const struct cli *cli, const struct podpid_snapshot *s)
{
    (void)cli;
    return write_style(s, PODPID_JSON_LINES);
}
