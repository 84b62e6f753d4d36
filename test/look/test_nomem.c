/* Looks in which the i-th allocation fails, for every i until no allocation is left to fail. The
 * result is an error code or a snapshot, never a crash or a leak (under AddressSanitizer). Linked
 * with --wrap. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test/support/look_rig.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static bool armed;
static unsigned long left;

static bool fails(void)
{
    if (!armed || left == 0 || --left > 0) {
        return false;
    }
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

static int look_at(const struct podpid_options *o)
{
    struct podpid_error error = PODPID_ERROR_INIT;
    struct podpid_answer *answer = NULL;
    struct podpid_snapshot *s = NULL;
    struct podpid_index *x = NULL;
    int rc = podpid_look_run(o, -1, &s, &error);

    if (rc == 0) {
        rc = podpid_whois(s, 1, 0, &answer, &error);
    }
    if (rc == 0) {
        rc = podpid_index_new(s, &x, &error);
    }
    podpid_answer_free(answer);
    podpid_index_free(x);
    podpid_snapshot_free(s);
    return rc;
}

static void a_look_at_a_capture(void **state)
{
    struct podpid_options o = PODPID_OPTIONS_INIT;
    unsigned long i = 1;
    bool failed = true;

    (void)state;
    o.replay = TEST_DIR "/fixtures/captures/demo";
    o.no_environment = true;
    o.want_processes = true;
    for (; failed; i++) {
        int rc;

        left = i;
        armed = true;
        rc = look_at(&o);
        armed = false;
        failed = left == 0;
        if (rc != 0 && rc != PODPID_ERR_NOMEM) {
            fail_msg("allocation %lu: code %d", i, rc);
        }
        assert_true(failed || rc == 0);
        assert_true(i < 100000);
    }
    assert_true(i > 20); /* a look allocates more often than that */
}

/* Allocations of the rig itself do not fail. */
static void one_step(struct look_rig *r)
{
    armed = left > 0;
    r->rc = podpid_look_step(r->look, r->now, &r->error);
    armed = false;
}

static void a_look_at_a_runtime(void **state)
{
    unsigned long i = 1;
    bool failed = true;
    struct look_rig r;

    (void)state;
    look_rig_open(&r);
    r.options.want_processes = true;
    r.step = one_step;
    rig_container(&r, 'a', "RUNNING", 200);
    rig_process(&r, 200, 50, 10000, 'S', rig_cgroup('a'));
    rig_process(&r, 300, 50, 10000, 'S', rig_cgroup('c')); /* a stray: a second round */
    for (; failed; i++) {
        left = i;
        rig_look(&r, 20000);
        failed = left == 0;
        if (r.rc == 1) {
            const struct podpid_container *c = rig_found(&r, 'a');

            assert_true(!c || c->pid == 0 ||
                        (c->pid == 200 && c->verdict == PODPID_VERDICT_VERIFIED));
        } else if (r.rc != PODPID_ERR_NOMEM && r.rc != PODPID_ERR_RUNTIME) {
            /* nghttp2 reports some failed allocations as a broken connection. */
            fail_msg("allocation %lu: code %d: %s", i, r.rc, r.error.message);
        }
        assert_true(failed || r.rc == 1);
        assert_true(i < 100000);
    }
    assert_true(i > 20);
    look_rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_look_at_a_capture),
        cmocka_unit_test(a_look_at_a_runtime),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
