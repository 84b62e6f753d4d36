/* Failures during a look: the connection is lost, a list is refused, descriptors run out. */
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cri/base/text.h"
#include "test/support/look_rig.h"
#include "test/support/unit.h"

static void the_connection_is_lost(void **state)
{
    static const char *const calls[] = {"Version", "ListContainers", "ContainerStatus",
                                        "PodSandboxStatus"};

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(calls); i++) {
        for (int middle = 0; middle < 2; middle++) {
            struct look_rig r;

            look_rig_open_verified(&r);
            rig_fault(&r, calls[i], middle ? "{'close': 'middle'}" : "{'close': 'before'}");
            rig_look(&r, 20000);
            assert_int_equal(r.rc, PODPID_ERR_RUNTIME);
            assert_true(rig_took_ms(&r) < 1000);
            look_rig_close(&r);
        }
    }
}

/* The runtime refuses a list: the error names the socket, and quotes the runtime. */
static void a_refused_list(void **state)
{
    struct look_rig r;

    (void)state;
    look_rig_open_verified(&r);
    rig_fault(&r, "ListPodSandbox", "{'code': 13, 'message': 'boo'}");
    rig_look(&r, 1000);
    assert_true(r.rc < 0);
    assert_int_equal(podpid_exit_status(r.error.code), 3);
    assert_memory_equal(r.error.message, r.endpoint, strlen(r.endpoint));
    assert_non_null(strstr(r.error.message, "ListPodSandbox: boo"));
    look_rig_close(&r);
}

/* How many more descriptors the look may open from its closing list on. From then on /proc has PID
 * 200, too, which a look that has not scanned it must read by its number. */
static unsigned descriptors_left;

static void descriptors_run_out(struct look_rig *r)
{
    if (rig_asked(r, "ListContainers") == 2 && rig_once(r)) {
        int fd = dup(0);
        struct rlimit limit;

        rig_process(r, 200, 50, RIG_STARTED, 'S', rig_cgroup('a'));
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        limit.rlim_cur = (rlim_t)fd + descriptors_left;
        close(fd);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    }
}

static void short_of_descriptors(void **state)
{
    struct rlimit before;
    bool failed = false, verified = false;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (descriptors_left = 0; descriptors_left < 6; descriptors_left++) {
        for (int seen = 0; seen < 2; seen++) {
            struct look_rig r;

            look_rig_open_verified(&r);
            if (!seen) {
                rig_reap(&r, 200);
            }
            r.act = descriptors_run_out;
            rig_look(&r, 2000);
            assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
            if (r.rc < 0) {
                assert_int_equal(r.rc, PODPID_ERR_PROC);
                failed = true;
            } else {
                rig_expect(&r, 'a', PODPID_VERDICT_VERIFIED, 200);
                verified = true;
            }
            look_rig_close(&r);
        }
    }
    assert_true(failed && verified);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_connection_is_lost),
        cmocka_unit_test(a_refused_list),
        cmocka_unit_test(short_of_descriptors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
