/* Processes that the scan does not see: /proc hides them, or they come and go too fast. The cgroup
 * file system is the test's (--wrap). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/text.h"
#include "resolver/proc/cgroupfs.h"
#include "test/support/look_rig.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

int __wrap_cgroupfs_open(const struct procfs *p, struct cgroupfs **ret, struct err *err);
void __wrap_cgroupfs_close(struct cgroupfs *c);
int __wrap_cgroupfs_id(const struct cgroupfs *c, const char *path, uint64_t *ret);
int __wrap_cgroupfs_procs(const struct cgroupfs *c, const char *path, pid_t **pids, size_t *n);

/* What cgroup.procs of container 'a' gives: one PID, none, or an error. */
static pid_t cgroup_pid;
static int cgroup_rc;
static unsigned cgroup_readings;

int __wrap_cgroupfs_open(const struct procfs *p, struct cgroupfs **ret, struct err *err)
{
    static int any;

    (void)p;
    (void)err;
    *ret = (struct cgroupfs *)(void *)&any;
    return 0;
}

void __wrap_cgroupfs_close(struct cgroupfs *c)
{
    (void)c;
}

int __wrap_cgroupfs_id(const struct cgroupfs *c, const char *path, uint64_t *ret)
{
    (void)c;
    (void)path;
    *ret = 0;
    return 0;
}

int __wrap_cgroupfs_procs(const struct cgroupfs *c, const char *path, pid_t **pids, size_t *n)
{
    (void)c;
    assert_string_equal(path, rig_cgroup('a'));
    cgroup_readings++;
    if (cgroup_rc == 0 && cgroup_pid) {
        *pids = malloc(sizeof(**pids));
        assert_non_null(*pids);
        (*pids)[0] = cgroup_pid;
        *n = 1;
    }
    return cgroup_rc;
}

/* Container 'a' runs, the runtime gives no PID, and the scan shows no process of it. */
static void look_at_empty(struct look_rig *r, pid_t pid, int rc)
{
    cgroup_pid = pid;
    cgroup_rc = rc;
    cgroup_readings = 0;
    look_rig_open(r);
    rig_container(r, 'a', "RUNNING", 0);
    rig_look(r, 2000);
}

static void a_cgroup_that_looks_empty_is_read_again(void **state)
{
    struct look_rig r;

    (void)state;
    look_at_empty(&r, 0, 0);
    rig_expect(&r, 'a', PODPID_VERDICT_NO_PROCESS, 0);
    assert_int_equal(cgroup_readings, 1); /* once, before that is published */
    look_rig_close(&r);

    look_at_empty(&r, 0, -ENOENT);
    rig_expect(&r, 'a', PODPID_VERDICT_NO_PROCESS, 0);
    look_rig_close(&r);

    /* The kernel lists a process there that the scan did not meet. */
    look_at_empty(&r, 300, 0);
    rig_expect(&r, 'a', PODPID_VERDICT_UNPROVEN, 0);
    assert_non_null(strstr(rig_found(&r, 'a')->reason, "come and go too fast"));
    look_rig_close(&r);
}

/* Short of descriptors the cgroup cannot be read: that does not make it empty. */
static void a_cgroup_that_cannot_be_read_is_not_empty(void **state)
{
    static const int shortages[] = {-EMFILE, -ENFILE, -ENOMEM};

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(shortages); i++) {
        struct look_rig r;

        look_at_empty(&r, 0, shortages[i]);
        assert_true(r.rc < 0);
        assert_int_equal(podpid_exit_status(r.error.code), 3);
        look_rig_close(&r);
    }
}

/* With hidepid=1 a process of another user is listed, and its files cannot be read. A directory in
 * the place of the file gives such an error to root, too. */
static void a_process_that_may_not_be_read_blinds(void **state)
{
    struct look_rig r;

    (void)state;
    look_rig_open(&r);
    rig_container(&r, 'a', "RUNNING", 200);
    rig_look(&r, 2000);
    rig_expect(&r, 'a', PODPID_VERDICT_DEAD, 0);

    scratch_puts(r.dir, "proc/999/cgroup/is_no_file", "");
    rig_look(&r, 2000);
    rig_expect(&r, 'a', PODPID_VERDICT_UNPROVEN, 0);
    assert_non_null(strstr(rig_found(&r, 'a')->reason, "may not be read"));

    rig_container(&r, 'a', "RUNNING", 0); /* and where the runtime gives no PID */
    cgroup_pid = 0;
    rig_look(&r, 2000);
    rig_expect(&r, 'a', PODPID_VERDICT_UNPROVEN, 0);
    look_rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cgroup_that_looks_empty_is_read_again),
        cmocka_unit_test(a_cgroup_that_cannot_be_read_is_not_empty),
        cmocka_unit_test(a_process_that_may_not_be_read_blinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
