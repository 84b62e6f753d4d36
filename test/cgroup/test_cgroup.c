/* The cases in fixtures/cgroups: a cgroup text each, and what must be found in it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cri/base/cleanup.h"
#include "resolver/cgroup/facts.h"
#include "resolver/cgroup/line.h"
#include "resolver/cgroup/path.h"
#include "test/support/fclose.h"
#include "test/support/unit.h"

/* Whether a fact is what the case expects; prints the difference. */
static bool fact_fits(const char *what, const char *got, const json_t *expect, const char *name)
{
    const char *want = json_string_value(json_object_get(expect, what));

    if ((got == NULL) == (want == NULL) && (!got || strcmp(got, want) == 0)) {
        return true;
    }
    fprintf(stderr, "%s: %s is %s, not %s\n", name, what, got ? got : "null", want ? want : "null");
    return false;
}

static bool chain_fits(const struct cgroup_facts *f, const char *name)
{
    bool ok = (f->inner_id != NULL) == (f->n_chain > 0) &&
              (f->n_chain == 0 || strcmp(f->chain[f->n_chain - 1], f->inner_id) == 0);

    if (!ok) {
        fprintf(stderr, "%s: the chain does not end with inner_id\n", name);
    }
    return ok;
}

/* Whether the line, path and component that decided are those of the text. */
static bool evidence_fits(const struct cgroup_facts *f, struct str text, const char *name)
{
    struct str line = {NULL, 0};
    struct cgroup_line l;
    bool ok;

    if (f->kind == CGROUP_HOST) {
        ok = f->line == 0 && !f->path && !f->component && !f->shape;
    } else {
        for (size_t i = 0; i < f->line; i++) {
            if (!str_next_line(&text, &line)) {
                break;
            }
        }
        ok = f->line > 0 && cgroup_line_parse(line, &l) && str_is(l.path, f->path) &&
             f->component && strstr(f->path, f->component) && f->shape;
    }
    if (!ok) {
        fprintf(stderr, "%s: line, path, component or shape is wrong\n", name);
    }
    return ok;
}

static bool case_passes(const json_t *c)
{
    const char *name = json_string_value(json_object_get(c, "name"));
    const json_t *cgroup = json_object_get(c, "cgroup"), *expect = json_object_get(c, "expect");
    struct str text = {json_string_value(cgroup), json_string_length(cgroup)};
    struct cgroup_facts f;
    struct arena a = {0};
    bool ok = true;

    assert_non_null(name);
    assert_true(json_is_string(cgroup));
    assert_true(json_is_object(expect));
    assert_int_equal(cgroup_drop_cr(text, &a, &text), 0);
    assert_int_equal(cgroup_parse(text, &a, &f), 0);
    ok = fact_fits("kind", cgroup_kind_name(f.kind), expect, name) && ok;
    ok = fact_fits("container_id", f.container_id, expect, name) && ok;
    ok = fact_fits("pod_uid", f.pod_uid, expect, name) && ok;
    ok = fact_fits("qos", f.qos, expect, name) && ok;
    ok = fact_fits("manager", f.manager, expect, name) && ok;
    ok = fact_fits("inner_id", f.inner_id, expect, name) && ok;
    ok = fact_fits("inner_pod_uid", f.inner_pod_uid, expect, name) && ok;
    ok = fact_fits("helper_for", f.helper_for, expect, name) && ok;
    ok = chain_fits(&f, name) && ok;
    ok = evidence_fits(&f, text, name) && ok;
    arena_free(&a);
    return ok;
}

/* Run the cases of a file, of which there must be at least that many. */
static void run_cases(const char *file, size_t at_least)
{
    AUTO_FCLOSE FILE *in = fopen(file, "r");
    AUTO_FREE char *line = NULL;
    size_t cap = 0, total = 0, failed = 0;

    assert_non_null(in);
    while (getline(&line, &cap, in) > 0) {
        json_error_t error;
        json_t *c = json_loads(line, JSON_ALLOW_NUL, &error);

        if (!c) {
            fail_msg("%s:%zu: %s", file, total + 1, error.text);
        }
        total++;
        failed += case_passes(c) ? 0 : 1;
        json_decref(c);
    }
    if (failed > 0) {
        fail_msg("%zu of %zu cases of %s failed", failed, total, file);
    }
    assert_true(total >= at_least);
}

static void cases_seen_in_public_projects(void **state)
{
    (void)state;
    run_cases(TEST_DIR "/fixtures/cgroups/cases.jsonl", 218);
}

static void hostile_cases(void **state)
{
    (void)state;
    run_cases(TEST_DIR "/fixtures/cgroups/more.jsonl", 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_seen_in_public_projects),
        cmocka_unit_test(hostile_cases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
