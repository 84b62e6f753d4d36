/* The formats of a preflight's report: table and short for people, json and prom for programs. */
#include <string.h>
#include <time.h>

#include "resolver/cli/format.h"

/* Bounds for a reader at a terminal; -o json has all of the text and all items. */
enum { TEXT_BYTES = 1000, MOST_ITEMS = 40 };

/* Indexed by enum podpid_result. */
static const struct {
    const char *utf8, *ascii, *color;
} marks[] = {{"\u2713", "+", "\033[32m"},
             {"!", "!", "\033[33m"},
             {"\u2717", "x", "\033[31m"},
             {"-", "-", "\033[2m"}};

static void print_text(const struct cli *cli, FILE *f, const char *before, const char *text)
{
    CLI_AUTO(cli_free) char *safe = cli_text(cli, text, TEXT_BYTES);

    fprintf(f, "%s%s\n", before, safe ? safe : "?");
}

static void print_items(const struct cli *cli, FILE *f, const char *indent,
                        const struct podpid_check *c)
{
    size_t n = c->n_items > MOST_ITEMS ? MOST_ITEMS : c->n_items;

    for (size_t i = 0; i < n; i++) {
        print_text(cli, f, indent, c->items[i]);
    }
    if (n < c->n_items) {
        fprintf(f, "%sand %zu more: -o json has them\n", indent, c->n_items - n);
    }
}

static void print_items_and_hint(const struct cli *cli, FILE *f, const struct podpid_check *c)
{
    print_items(cli, f, "      ", c);
    if (c->hint && c->result != PODPID_RESULT_PASS && c->result != PODPID_RESULT_SKIP) {
        print_text(cli, f, "      hint: ", c->hint);
    }
}

static void print_check(const struct cli *cli, FILE *f, bool color, const struct podpid_check *c)
{
    const char *mark = cli->utf8 ? marks[c->result].utf8 : marks[c->result].ascii;
    char head[64];

    fprintf(f, "%s%s %s%s", color ? marks[c->result].color : "", mark,
            podpid_result_name(c->result), color ? "\033[0m" : "");
    snprintf(head, sizeof(head), "  %-17s ", c->id);
    print_text(cli, f, head, c->detail);
    print_items_and_hint(cli, f, c);
}

int out_report_table(const struct cli *cli, const struct podpid_report *r, FILE *f)
{
    bool color = cli->color && f == stdout; /* cli->color is about standard output */
    size_t n, count[4] = {0};
    const struct podpid_check *const *checks = podpid_report_checks(r, &n);

    for (size_t i = 0; i < n; i++) {
        count[checks[i]->result]++;
        print_check(cli, f, color, checks[i]);
    }
    fprintf(f, "%s: %zu passed, %zu warned, %zu failed, %zu skipped\n",
            podpid_result_name(podpid_report_result(r)), count[PODPID_RESULT_PASS],
            count[PODPID_RESULT_WARN], count[PODPID_RESULT_FAIL], count[PODPID_RESULT_SKIP]);
    return CLI_OK;
}

/* The checks that warn or fail, and the hints of those that fail. */
int out_report_short(const struct cli *cli, const struct podpid_report *r, FILE *f)
{
    size_t n;
    const struct podpid_check *const *checks = podpid_report_checks(r, &n);

    for (size_t i = 0; i < n; i++) {
        char head[64];

        if (checks[i]->result != PODPID_RESULT_WARN && checks[i]->result != PODPID_RESULT_FAIL) {
            continue;
        }
        snprintf(head, sizeof(head), "%s %s: ", podpid_result_name(checks[i]->result),
                 checks[i]->id);
        print_text(cli, f, head, checks[i]->detail);
        print_items(cli, f, "  ", checks[i]);
        if (checks[i]->result == PODPID_RESULT_FAIL && checks[i]->hint) {
            print_text(cli, f, "  hint: ", checks[i]->hint);
        }
    }
    return CLI_OK;
}

static int write_to(void *context, const char *data, size_t n)
{
    return fwrite(data, 1, n, context) == n ? 0 : -1;
}

int out_report_json(const struct cli *cli, const struct podpid_report *r, FILE *f)
{
    struct podpid_error error = PODPID_ERROR_INIT;

    (void)cli;
    return podpid_report_to_json(r, write_to, f, &error) < 0 ? cli_fail(&error) : CLI_OK;
}

/* A textfile for Prometheus's node exporter, on standard output: preflight refuses this format with
 * a COMMAND. Each check has a sample for each result, 0 or 1: a sample that is missing at times
 * would be a gap in the time series. */
int out_report_prom(const struct cli *cli, const struct podpid_report *r, FILE *f)
{
    size_t n;
    const struct podpid_check *const *checks = podpid_report_checks(r, &n);

    (void)f;
    out_prom_head("podpid_preflight_check", "gauge", "1 for the result of each check.");
    for (size_t i = 0; i < n; i++) {
        for (unsigned k = PODPID_RESULT_PASS; k <= PODPID_RESULT_SKIP; k++) {
            printf("podpid_preflight_check{check=\"%s\",result=\"%s\"} %d\n", checks[i]->id,
                   podpid_result_name((enum podpid_result)k), checks[i]->result == k);
        }
    }
    out_prom_head("podpid_preflight_exit_status", "gauge", "What podpid preflight ended with.");
    printf("podpid_preflight_exit_status %d\n", podpid_report_exit_status(r));
    out_prom_head("podpid_preflight_timestamp_seconds", "gauge",
                  "When the preflight ended: its age is time() less this.");
    printf("podpid_preflight_timestamp_seconds %lld\n", (long long)time(NULL));
    return podpid_report_snapshot(r) ? out_prom(cli, podpid_report_snapshot(r)) : CLI_OK;
}
