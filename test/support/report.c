#include "test/support/report.h"

#include <stdlib.h>
#include <string.h>

struct row {
    struct buf text;  /* the line without its processes */
    struct buf procs; /* "120:main,121:child" */
    bool warning, used;
};

struct rows {
    struct row all[4096];
    size_t n;
};

static struct row *row_new(struct rows *r)
{
    if (r->n == sizeof(r->all) / sizeof(r->all[0])) {
        abort();
    }
    buf_puts(&r->all[r->n].text, "");
    buf_puts(&r->all[r->n].procs, "");
    return &r->all[r->n++];
}

static void rows_free(struct rows *r)
{
    for (size_t i = 0; i < r->n; i++) {
        buf_free(&r->all[i].text);
        buf_free(&r->all[i].procs);
    }
    free(r);
}

static const char *text_of(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

static long long number_of(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

/* Append a word, with control bytes and spaces made visible. */
static void put_word(struct buf *b, const char *s)
{
    for (; s && *s; s++) {
        if ((unsigned char)*s <= ' ') {
            buf_printf(b, "\\x%02x", (unsigned char)*s);
        } else {
            buf_append(b, s, 1);
        }
    }
}

static int by_number(const void *a, const void *b)
{
    long long x = *(const long long *)a, y = *(const long long *)b;

    return x < y ? -1 : x > y;
}

/* Append " key=1,2,3"; nothing for an empty list. */
static void put_numbers(struct buf *b, const char *key, const json_t *list)
{
    size_t n = json_array_size(list);
    long long *all = calloc(n + 1, sizeof(*all));

    if (!all) {
        abort();
    }
    for (size_t i = 0; i < n; i++) {
        all[i] = json_integer_value(json_array_get(list, i));
    }
    qsort(all, n, sizeof(*all), by_number);
    for (size_t i = 0; i < n; i++) {
        if (i == 0) {
            buf_printf(b, " %s=", key);
        }
        buf_printf(b, "%s%lld", i ? "," : "", all[i]);
    }
    free(all);
}

static void put_number(struct buf *b, const char *key, const json_t *v)
{
    if (json_is_integer(v)) {
        buf_printf(b, " %s=%lld", key, (long long)json_integer_value(v));
    }
}

static void put_process(struct buf *b, const json_t *p, struct scenario *s)
{
    const json_t *chain = json_object_get(p, "chain");

    buf_printf(b, "%s%lld:%s", b->n ? "," : "", number_of(p, "pid"), text_of(p, "role"));
    for (size_t i = 0; i < json_array_size(chain); i++) {
        buf_printf(b, "%c%s", i ? '+' : '(',
                   scenario_alias(s, json_string_value(json_array_get(chain, i))));
    }
    buf_puts(b, json_array_size(chain) ? ")" : "");
}

static void add_container(struct rows *r, const json_t *pod, const json_t *c, struct scenario *s)
{
    const json_t *evidence = json_object_get(c, "evidence");
    const json_t *processes = json_object_get(c, "processes");
    struct row *row = row_new(r);
    struct buf *b = &row->text;

    buf_printf(b, "ctr %s ", scenario_alias(s, text_of(c, "id")));
    put_word(b, text_of(pod, "namespace") ? text_of(pod, "namespace") : "-");
    buf_puts(b, text_of(pod, "name") ? "/" : "");
    put_word(b, text_of(pod, "name"));
    buf_puts(b, "/");
    put_word(b, text_of(c, "name") ? text_of(c, "name") : "-");
    buf_printf(b, " %s %s", text_of(c, "state"), text_of(c, "verdict"));
    put_number(b, "pid", json_object_get(c, "pid"));
    put_number(b, "inferred", json_object_get(c, "inferred_pid"));
    put_number(b, "reported", json_object_get(evidence, "reported_pid"));
    put_numbers(b, "roots", json_object_get(evidence, "roots"));
    for (size_t i = 0; i < json_array_size(processes); i++) {
        put_process(&row->procs, json_array_get(processes, i), s);
    }
}

static void add_pod(struct rows *r, const json_t *pod, struct scenario *s)
{
    const json_t *sandbox = json_object_get(pod, "sandbox");
    const json_t *list = json_object_get(pod, "containers");
    const char *id = text_of(pod, "sandbox_id"), *uid = text_of(pod, "uid");

    if (id || uid) {
        struct buf *b = &row_new(r)->text;

        buf_printf(b, "pod %s ", scenario_alias(s, id ? id : uid));
        put_word(b, text_of(pod, "namespace") ? text_of(pod, "namespace") : "-");
        buf_puts(b, "/");
        put_word(b, text_of(pod, "name") ? text_of(pod, "name") : "-");
        buf_printf(b, " %s %s", text_of(pod, "state") ? text_of(pod, "state") : "-",
                   text_of(sandbox, "verdict") ? text_of(sandbox, "verdict") : "-");
        put_number(b, "pid", json_object_get(sandbox, "pid"));
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        add_container(r, pod, json_array_get(list, i), s);
    }
}

static void add_findings(struct rows *r, const json_t *doc, struct scenario *s)
{
    const json_t *list = json_object_get(doc, "strays");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *x = json_array_get(list, i);
        struct buf *b = &row_new(r)->text;

        buf_printf(b, "stray %s", scenario_alias(s, text_of(x, "container_id")));
        if (text_of(x, "pod_uid")) {
            buf_printf(b, " pod=%s", scenario_alias(s, text_of(x, "pod_uid")));
        }
        put_numbers(b, "pids", json_object_get(x, "pids"));
    }
    list = json_object_get(doc, "foreign");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *x = json_array_get(list, i);
        struct buf *b = &row_new(r)->text;

        buf_printf(b, "foreign %s", scenario_alias(s, text_of(x, "container_id")));
        if (text_of(x, "manager")) {
            buf_printf(b, " manager=%s", text_of(x, "manager"));
        }
        put_number(b, "processes", json_object_get(x, "processes"));
    }
    list = json_object_get(doc, "warnings");
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct row *row = row_new(r);

        row->warning = true;
        buf_printf(&row->text, "warning %s", json_string_value(json_array_get(list, i)));
    }
    if (!json_is_true(json_object_get(doc, "complete"))) {
        buf_puts(&row_new(r)->text, "incomplete");
    }
}

static bool is_row(const struct row *row, struct str line)
{
    struct str procs = {NULL, 0};
    const char *at = memmem(line.p, line.n, " procs=", 7);

    if (row->warning) {
        struct str part = {line.p + 9, line.n - 9};

        return str_starts(line, STR("warning ~")) &&
               memmem(row->text.p, row->text.n, part.p, part.n) != NULL;
    }
    if (at) {
        procs = (struct str){at + 7, (size_t)(line.p + line.n - at) - 7};
        line.n = (size_t)(at - line.p);
    }
    return str_is(line, row->text.p) && (str_is(procs, "*") || str_is(procs, row->procs.p));
}

static bool contains(const json_t *doc, struct str part)
{
    char *text = json_dumps(doc, JSON_ENSURE_ASCII);
    bool found = text && memmem(text, strlen(text), part.p, part.n) != NULL;

    free(text);
    return found;
}

void report_compare(const json_t *doc, struct str expected, struct scenario *s, struct buf *ret)
{
    struct rows *r = calloc(1, sizeof(*r));
    const json_t *pods = json_object_get(doc, "pods");
    struct buf whole = {0};
    struct str text, line;

    if (!r) {
        abort();
    }
    for (size_t i = 0; i < json_array_size(pods); i++) {
        add_pod(r, json_array_get(pods, i), s);
    }
    add_findings(r, doc, s);
    buf_puts(&whole, "");
    scenario_expand(s, expected, &whole);
    text = (struct str){whole.p, whole.n};
    while (str_next_line(&text, &line)) {
        size_t i = 0;

        if (line.n == 0 || line.p[0] == '#') {
            continue;
        }
        if (str_starts(line, STR("contains "))) {
            if (!contains(doc, (struct str){line.p + 9, line.n - 9})) {
                buf_printf(ret, "  not there: %.*s\n", (int)line.n, line.p);
            }
            continue;
        }
        while (i < r->n && (r->all[i].used || !is_row(&r->all[i], line))) {
            i++;
        }
        if (i < r->n) {
            r->all[i].used = true;
        } else {
            buf_printf(ret, "  expected: %.*s\n", (int)line.n, line.p);
        }
    }
    for (size_t i = 0; i < r->n; i++) {
        if (!r->all[i].used) {
            buf_printf(ret, "  reported: %s%s%s\n", r->all[i].text.p,
                       r->all[i].procs.n ? " procs=" : "", r->all[i].procs.p);
        }
    }
    buf_free(&whole);
    rows_free(r);
}

/* ---- Rules for every document ---------------------------------------------------------------- */

static bool holds(const json_t *list, long long pid)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);

        if ((json_is_object(v) ? number_of(v, "pid") : json_integer_value(v)) == pid) {
            return true;
        }
    }
    return false;
}

static void check_container(const json_t *c, json_t *seen, struct buf *ret)
{
    const json_t *evidence = json_object_get(c, "evidence");
    const json_t *processes = json_object_get(c, "processes");
    const json_t *pid = json_object_get(c, "pid");
    const char *id = text_of(c, "id"), *verdict = text_of(c, "verdict");
    bool verified = verdict && strcmp(verdict, "verified") == 0;
    unsigned mains = 0;

    if (json_is_integer(pid) != verified) {
        buf_printf(ret, "  %.12s: pid and verdict %s\n", id, verdict);
    }
    if (!verified && !text_of(evidence, "reason")) {
        buf_printf(ret, "  %.12s: %s without a reason\n", id, verdict);
    }
    if (verified && (number_of(evidence, "reported_pid") != json_integer_value(pid) ||
                     !holds(json_object_get(evidence, "roots"), json_integer_value(pid)) ||
                     !holds(processes, json_integer_value(pid)) ||
                     !json_is_integer(json_object_get(c, "start_time_ticks")))) {
        buf_printf(ret, "  %.12s: verified without its evidence\n", id);
    }
    for (size_t i = 0; i < json_array_size(processes); i++) {
        const json_t *p = json_array_get(processes, i);
        char key[32];

        snprintf(key, sizeof(key), "%lld", number_of(p, "pid"));
        if (json_object_get(seen, key)) {
            buf_printf(ret, "  PID %s is in two containers\n", key);
        }
        json_object_set_new(seen, key, json_true());
        if (strcmp(text_of(p, "role"), "main") == 0) {
            mains++;
            if (verified && number_of(p, "pid") != json_integer_value(pid)) {
                buf_printf(ret, "  %.12s: PID %s has the role main\n", id, key);
            }
        }
    }
    if (mains > 1 || (verified && mains != 1)) {
        buf_printf(ret, "  %.12s: %u processes with the role main\n", id, mains);
    }
}

void report_check(const json_t *doc, struct buf *ret)
{
    const json_t *pods = json_object_get(doc, "pods");
    json_t *seen = json_object();

    if (!text_of(doc, "schema") || strcmp(text_of(doc, "schema"), "podpid/v1") != 0) {
        buf_puts(ret, "  no schema podpid/v1\n");
    }
    for (size_t i = 0; i < json_array_size(pods); i++) {
        const json_t *list = json_object_get(json_array_get(pods, i), "containers");

        for (size_t k = 0; k < json_array_size(list); k++) {
            check_container(json_array_get(list, k), seen, ret);
        }
    }
    json_decref(seen);
}
