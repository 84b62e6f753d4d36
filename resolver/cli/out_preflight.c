/* The formats of a preflight: table and short for people, json, prom. */
#include <string.h>
#include <time.h>

#include "resolver/cli/out.h"
#include "resolver/cli/preflight.h"

/* People read the first ones; json has all. */
enum { TEXT_BYTES = 1000, MOST_ITEMS = 40 };

/* By result: pass, warn, fail, skip. */
static const struct {
    const char *utf8, *ascii, *color;
} marks[] = {{"\u2713", "+", "\033[32m"},
             {"!", "!", "\033[33m"},
             {"\u2717", "x", "\033[31m"},
             {"-", "-", "\033[2m"}};

static void put_text(const struct cli *cli, FILE *f, const char *before, const char *text)
{
    CLI_AUTO(cli_free) char *safe = cli_text(cli, text, TEXT_BYTES);

    fprintf(f, "%s%s\n", before, safe ? safe : "?");
}

static void put_items(const struct cli *cli, FILE *f, const char *indent,
                      const struct podpid_check *c)
{
    size_t n = c->n_items > MOST_ITEMS ? MOST_ITEMS : c->n_items;

    for (size_t i = 0; i < n; i++) {
        put_text(cli, f, indent, c->items[i]);
    }
    if (n < c->n_items) {
        fprintf(f, "%sand %zu more: -o json has them\n", indent, c->n_items - n);
    }
}

static void put_more(const struct cli *cli, FILE *f, const struct podpid_check *c)
{
    put_items(cli, f, "      ", c);
    if (c->hint && c->result != PODPID_RESULT_PASS && c->result != PODPID_RESULT_SKIP) {
        put_text(cli, f, "      hint: ", c->hint);
    }
}

static void out_table_check(const struct cli *cli, FILE *f, bool color,
                            const struct podpid_check *c)
{
    const char *mark = cli->utf8 ? marks[c->result].utf8 : marks[c->result].ascii;
    char head[64];

    fprintf(f, "%s%s %s%s", color ? marks[c->result].color : "", mark,
            podpid_result_name(c->result), color ? "\033[0m" : "");
    snprintf(head, sizeof(head), "  %-17s ", c->id);
    put_text(cli, f, head, c->detail);
    put_more(cli, f, c);
}

static void table(const struct cli *cli, const struct podpid_report *r, FILE *f, bool color)
{
    size_t n, count[4] = {0};
    const struct podpid_check *const *checks = podpid_report_checks(r, &n);

    for (size_t i = 0; i < n; i++) {
        count[checks[i]->result]++;
        out_table_check(cli, f, color, checks[i]);
    }
    fprintf(f, "%s: %zu passed, %zu warned, %zu failed, %zu skipped\n",
            podpid_result_name(podpid_report_result(r)), count[PODPID_RESULT_PASS],
            count[PODPID_RESULT_WARN], count[PODPID_RESULT_FAIL], count[PODPID_RESULT_SKIP]);
}

/* Only what is not well; what to do, where it fails. */
static void brief(const struct cli *cli, const struct podpid_report *r, FILE *f)
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
        put_text(cli, f, head, checks[i]->detail);
        put_items(cli, f, "  ", checks[i]);
        if (checks[i]->result == PODPID_RESULT_FAIL && checks[i]->hint) {
            put_text(cli, f, "  hint: ", checks[i]->hint);
        }
    }
}

static int write_to(void *context, const char *data, size_t n)
{
    return fwrite(data, 1, n, context) == n ? 0 : -1;
}

static int json(const struct podpid_report *r, FILE *f)
{
    struct podpid_error error = PODPID_ERROR_INIT;

    return podpid_report_to_json(r, write_to, f, &error) < 0 ? cli_fail(&error) : CLI_OK;
}

/* For the node exporter's textfile collector. One sample for each result, so that none comes and
 * goes. */
static int prom(const struct cli *cli, const struct podpid_report *r)
{
    size_t n;
    const struct podpid_check *const *checks = podpid_report_checks(r, &n);

    prom_head("podpid_preflight_check", "gauge", "1 for the result of each check.");
    for (size_t i = 0; i < n; i++) {
        for (unsigned k = PODPID_RESULT_PASS; k <= PODPID_RESULT_SKIP; k++) {
            printf("podpid_preflight_check{check=\"%s\",result=\"%s\"} %d\n", checks[i]->id,
                   podpid_result_name((enum podpid_result)k), checks[i]->result == k);
        }
    }
    prom_head("podpid_preflight_exit_status", "gauge", "What podpid preflight ended with.");
    printf("podpid_preflight_exit_status %d\n", podpid_report_exit_status(r));
    prom_head("podpid_preflight_timestamp_seconds", "gauge",
              "When the preflight ended: its age is time() less this.");
    printf("podpid_preflight_timestamp_seconds %lld\n", (long long)time(NULL));
    return podpid_report_snapshot(r) ? out_prom(cli, podpid_report_snapshot(r)) : CLI_OK;
}

int out_preflight(const struct cli *cli, const struct podpid_report *r, bool to_stderr)
{
    FILE *f = to_stderr ? stderr : stdout;

    if (cli_format_is(cli, "json")) {
        return json(r, f);
    }
    if (cli_format_is(cli, "prom")) {
        return prom(cli, r);
    }
    if (cli_format_is(cli, "short")) {
        brief(cli, r, f);
    } else {
        table(cli, r, f, cli->color && !to_stderr);
    }
    return CLI_OK;
}
