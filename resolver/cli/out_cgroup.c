/* The formats of cgroup: text and json. */
#include <stdio.h>

#include "resolver/cli/format.h"

enum { SHOWN_BYTES = 8 * 1024 }; /* of one value; a cgroup path has 4 KiB at most (PATH_MAX) */

/* One row of the answer; none if text is NULL. False: memory is out. */
static bool print_row(const struct cli *cli, const char *name, const char *text)
{
    CLI_AUTO(cli_free) char *safe = NULL;

    if (!text) {
        return true;
    }
    safe = cli_text(cli, text, SHOWN_BYTES);
    if (!safe) {
        return false;
    }
    printf("%-14s %s\n", name, safe);
    return true;
}

/* The facts, then the line and the component that decided, and why. */
int out_cgroup_text(const struct cli *cli, const struct podpid_cgroup *c)
{
    const struct podpid_cgroup_facts *f = podpid_cgroup_facts(c);
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
    return ok ? CLI_OK : cli_nomem();
}

int out_cgroup_json(const struct cli *cli, const struct podpid_cgroup *c)
{
    struct podpid_error error = PODPID_ERROR_INIT;

    (void)cli;
    return podpid_cgroup_to_json(c, cli_write, NULL, &error) < 0 ? cli_fail(&error) : CLI_OK;
}
