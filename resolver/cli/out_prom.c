/* -o prom: a textfile for Prometheus's node exporter. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "resolver/cli/format.h"

enum { LABEL_BYTES = 253 }; /* the longest name in Kubernetes */

void out_prom_head(const char *name, const char *type, const char *help)
{
    printf("# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* NAME="VALUE", escaped; before: what stands in front, such as a comma. CLI_OK, or out of memory.
 */
static int print_label(const struct cli *cli, const char *before, const char *name,
                       const char *value)
{
    CLI_AUTO(cli_free) char *safe = cli_text(cli, value ? value : "", LABEL_BYTES);

    if (!safe) {
        return cli_nomem();
    }
    printf("%s%s=\"", before, name);
    for (const char *p = safe; *p; p++) {
        if (*p == '\\' || *p == '"') {
            putchar('\\');
        }
        putchar(*p);
    }
    putchar('"');
    return CLI_OK;
}

static void print_seconds(const char *name, int64_t ns)
{
    printf("%s %" PRId64 ".%03" PRId64 "\n", name, ns / 1000000000, ns / 1000000 % 1000);
}

/* A sample for each verdict, 0 too: a sample that is missing at times would be a gap in the time
 * series. */
static void print_verdicts(const struct podpid_snapshot *s)
{
    size_t counts[PODPID_VERDICT_VERIFIED + 1] = {0}, others = 0, n;
    const struct podpid_pod *const *pods = podpid_snapshot_pods(s, &n);

    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < pods[i]->n_containers; k++) {
            unsigned v = pods[i]->containers[k]->verdict;

            if (v > 0 && v <= PODPID_VERDICT_VERIFIED) {
                counts[v]++;
            } else {
                others++;
            }
        }
    }
    out_prom_head("podpid_containers", "gauge", "Containers by verdict.");
    for (unsigned v = PODPID_VERDICT_ERROR; v <= PODPID_VERDICT_VERIFIED; v++) {
        printf("podpid_containers{verdict=\"%s\"} %zu\n",
               podpid_verdict_name((enum podpid_verdict)v), counts[v]);
    }
    if (others) {
        printf("podpid_containers{verdict=\"?\"} %zu\n", others);
    }
}

static int print_container(const struct cli *cli, const struct podpid_container *c)
{
    const struct {
        const char *before, *name, *value;
    } labels[] = {
        {"podpid_container_verified{", "namespace", c->pod->namespace_},
        {",", "pod", c->pod->name},
        {",", "container", c->name},
        {",", "container_id", c->id},
    };

    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        int status = print_label(cli, labels[i].before, labels[i].name, labels[i].value);

        if (status != CLI_OK) {
            return status;
        }
    }
    printf("} %d\n", c->verdict == PODPID_VERDICT_VERIFIED);
    return CLI_OK;
}

/* Created and exited containers have no process that could be verified. */
static bool should_run(const struct podpid_container *c)
{
    return c->verdict != PODPID_VERDICT_CREATED && c->verdict != PODPID_VERDICT_EXITED;
}

static int print_containers(const struct cli *cli, const struct podpid_snapshot *s)
{
    size_t n;
    const struct podpid_pod *const *pods = podpid_snapshot_pods(s, &n);

    out_prom_head("podpid_container_verified", "gauge",
                  "Whether the container's main PID is proven from both sides.");
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < pods[i]->n_containers; k++) {
            const struct podpid_container *c = pods[i]->containers[k];
            int status = should_run(c) ? print_container(cli, c) : CLI_OK;

            if (status != CLI_OK) {
                return status;
            }
        }
    }
    return CLI_OK;
}

static int print_info(const struct cli *cli, const struct podpid_snapshot *s)
{
    const struct podpid_runtime *r = podpid_snapshot_runtime(s);
    const struct {
        const char *before, *name, *value;
    } labels[] = {
        {"podpid_info{", "version", podpid_version()},
        {",", "runtime", r ? r->name : NULL},
        {",", "runtime_version", r ? r->version : NULL},
        {",", "runtime_api", r ? r->api : NULL},
    };

    out_prom_head("podpid_info", "gauge", "Versions of podpid and of the runtime that it asked.");
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        int status = print_label(cli, labels[i].before, labels[i].name, labels[i].value);

        if (status != CLI_OK) {
            return status;
        }
    }
    printf("} 1\n");
    return CLI_OK;
}

int out_prom(const struct cli *cli, const struct podpid_snapshot *s)
{
    size_t n;
    int status = print_info(cli, s);

    if (status != CLI_OK) {
        return status;
    }
    out_prom_head("podpid_look_timestamp_seconds", "gauge", "When the node was looked at.");
    print_seconds("podpid_look_timestamp_seconds", podpid_snapshot_taken_at(s));
    out_prom_head("podpid_look_duration_seconds", "gauge", "How long the look took.");
    print_seconds("podpid_look_duration_seconds", podpid_snapshot_took(s));
    out_prom_head("podpid_look_complete", "gauge", "0 if a container's status could not be read.");
    printf("podpid_look_complete %d\n", podpid_snapshot_complete(s));
    print_verdicts(s);
    if (!cli->look.no_strays) { /* with selectors strays were not looked for: no sample, not 0 */
        podpid_snapshot_strays(s, &n);
        out_prom_head("podpid_strays", "gauge",
                      "Container cgroups with live processes that the runtime does not list.");
        printf("podpid_strays %zu\n", n);
        podpid_snapshot_foreign(s, &n);
        out_prom_head("podpid_foreign_containers", "gauge", "Containers of another manager.");
        printf("podpid_foreign_containers %zu\n", n);
    }
    return print_containers(cli, s);
}
