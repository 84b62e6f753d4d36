/* Discovery of the endpoint: the sources in their order, and the guards against files, sockets and
 * processes that a pod or a local user made. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "resolver/node/discover.h"
#include "test/node/discover_cases.h"
#include "test/support/scratch.h"
#include "test/support/unit.h"

static void make_process(const struct tree *t, const struct process *p)
{
    char path[64], text[512];
    unsigned ns = p->ns ? p->ns : 4026531836U;
    const char *cmdline = p->cmdline ? p->cmdline : p->comm;
    size_t n = strlen(cmdline);

    snprintf(path, sizeof(path), "proc/%d/comm", p->pid);
    snprintf(text, sizeof(text), "%s\n", p->comm);
    tree_put(t, &(struct tree_thing){path, text, 0});
    snprintf(path, sizeof(path), "proc/%d/cmdline", p->pid);
    snprintf(text, sizeof(text), "%s", cmdline);
    for (size_t i = 0; i < n; i++) {
        text[i] = text[i] == '|' ? '\0' : text[i];
    }
    scratch_write(t->path, path, text, n);
    snprintf(path, sizeof(path), "proc/%d/status", p->pid);
    snprintf(text, sizeof(text), "Name:\t%s\nPid:\t%d\nUid:\t%u\t%u\t%u\t%u\nGid:\t0\t0\t0\t0\n",
             p->comm, p->pid, p->uid, p->uid, p->uid, p->uid);
    tree_put(t, &(struct tree_thing){path, text, 0});
    snprintf(path, sizeof(path), "proc/%d/stat", p->pid);
    snprintf(text, sizeof(text),
             "%d (%s) S 1 %d %d 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 4242 1000000 200 "
             "18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 1 0 0 0 0 0\n",
             p->pid, p->comm, p->pid, p->pid);
    tree_put(t, &(struct tree_thing){path, text, 0});
    snprintf(path, sizeof(path), "proc/%d/cgroup", p->pid);
    tree_put(t, &(struct tree_thing){
                    path, p->cgroup ? p->cgroup : "0::/system.slice/kubelet.service\n", 0});
    if (ns != UINT_MAX) {
        snprintf(path, sizeof(path), "proc/%d/ns.json", p->pid);
        snprintf(text, sizeof(text), "{\"pid\": %u, \"mnt\": %u, \"net\": 1, \"cgroup\": 1}", ns,
                 ns - 4);
        tree_put(t, &(struct tree_thing){path, text, 0});
    }
}

static void set_variable(const char *name, const char *value)
{
    if (value) {
        setenv(name, value, 1);
    } else {
        unsetenv(name);
    }
}

static char *in_tree(struct arena *a, const struct tree *t, const char *name)
{
    return name ? arena_printf(a, "%s/%s", t->path, name) : NULL;
}

static bool warned(const struct discovered *d, const char *piece)
{
    for (size_t i = 0; i < d->n_warnings; i++) {
        if (strstr(d->warnings[i], piece)) {
            return true;
        }
    }
    return false;
}

static void check_found(const struct discover_case *c, const struct tree *t,
                        const struct discovered *d)
{
    const char *by = d->chosen_by;
    char others[1024] = "";
    size_t n = 0;

    if (!c->path) {
        fail_msg("%s: found %s", c->name, d->endpoint.path);
        return;
    }
    if (strncmp(by, t->path, strlen(t->path)) == 0) {
        by += strlen(t->path);
    }
    assert_string_equal(d->endpoint.path, c->path);
    assert_string_equal(by, c->by);
    assert_int_equal(d->endpoint.discovered,
                     !c->r && !c->file && !c->env_file && !(c->env && *c->env));
    for (unsigned i = 0; i < d->n_others; i++) {
        n += (size_t)snprintf(others + n, sizeof(others) - n, "%s%s", i ? " " : "",
                              d->others[i].path);
        assert_true(d->others[i].discovered);
    }
    assert_string_equal(others, c->others ? c->others : "");
    if (c->warning ? !warned(d, c->warning) : d->n_warnings != 0) {
        fail_msg("%s: %zu warnings: %s", c->name, d->n_warnings,
                 d->n_warnings ? d->warnings[0] : "");
    }
}

static void run_case(const struct discover_case *c)
{
    struct podpid_options options = PODPID_OPTIONS_INIT;
    struct procfs procfs;
    struct discovered d;
    struct arena a = {0};
    struct err err = {0};
    struct tree t;
    char proc[PATH_MAX];
    int rc;

    tree_make(&t);
    make_process(&t, &init);
    for (size_t i = 0; i < 3 && c->processes[i].pid; i++) {
        make_process(&t, &c->processes[i]);
    }
    for (size_t i = 0; i < 8 && c->things[i].path; i++) {
        tree_put(&t, &c->things[i]);
    }
    set_variable("CONTAINER_RUNTIME_ENDPOINT", c->env);
    set_variable("CRI_CONFIG_FILE", in_tree(&a, &t, c->env_file));
    options.endpoint = c->r;
    options.config_file = in_tree(&a, &t, c->file);
    snprintf(proc, sizeof(proc), "%s/proc", t.path);
    assert_int_equal(procfs_open(proc, &procfs, &err), 0);

    print_message("  %s\n", c->name);
    rc = discover_endpoint(&options, &procfs, t.fd, &a, &d, &err);
    if (rc == 0) {
        check_found(c, &t, &d);
    } else {
        if (!c->error || !strstr(err.text, c->error) || err.kind != c->kind) {
            fail_msg("%s: %s (kind %d)", c->name, err.text, (int)err.kind);
        }
        assert_true(c->kind != ERR_RUNTIME || err.hint[0]);
    }
    procfs_close(&procfs);
    arena_free(&a);
    tree_remove(&t);
}

static void sources_and_guards(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        run_case(&cases[i]);
    }
    set_variable("CONTAINER_RUNTIME_ENDPOINT", NULL);
    set_variable("CRI_CONFIG_FILE", NULL);
}

static void no_environment_means_none(void **state)
{
    struct podpid_options options = PODPID_OPTIONS_INIT;
    struct procfs procfs;
    struct discovered d;
    struct arena a = {0};
    struct err err = {0};
    struct tree t;

    (void)state;
    tree_make(&t);
    tree_put(&t, &(struct tree_thing){&CRIO[1], TREE_SOCKET, 0});
    options.no_environment = true;
    setenv("CONTAINER_RUNTIME_ENDPOINT", "/env.sock", 1);
    assert_int_equal(procfs_open(t.path, &procfs, &err), 0);
    assert_int_equal(discover_endpoint(&options, &procfs, t.fd, &a, &d, &err), 0);
    assert_string_equal(d.endpoint.path, CRIO);
    unsetenv("CONTAINER_RUNTIME_ENDPOINT");
    procfs_close(&procfs);
    arena_free(&a);
    tree_remove(&t);
}

/* At each limit of descriptors the source that comes first is found, or the search fails and says
 * why: one that could not be read for want of a descriptor is never passed over for the next. */
static void a_shortage_of_descriptors_is_an_error(void **state)
{
    static const struct process kubelet = {
        .pid = 500, .comm = "kubelet", .cmdline = "kubelet|--config=/c.yaml"};
    struct podpid_options options = PODPID_OPTIONS_INIT;
    struct rlimit old, few;
    struct procfs procfs;
    char proc[PATH_MAX];
    unsigned failed = 0;
    struct tree t;

    (void)state;
    tree_make(&t);
    make_process(&t, &init);
    make_process(&t, &kubelet);
    tree_put(&t, &(struct tree_thing){"c.yaml", "containerRuntimeEndpoint: /run/own.sock\n", 0});
    tree_put(&t, &(struct tree_thing){"run/own.sock", TREE_SOCKET, 0});
    tree_put(&t, &(struct tree_thing){&CRIO[1], TREE_SOCKET, 0});
    snprintf(proc, sizeof(proc), "%s/proc", t.path);
    assert_int_equal(procfs_open(proc, &procfs, NULL), 0);
    options.no_environment = true;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    few = old;
    /* The lowest limit leaves no descriptor, the highest is more than the search needs. */
    for (rlim_t more = 0; more < 10; more++) {
        struct arena a = {0};
        struct err err = {0};
        struct discovered d;
        int rc;

        few.rlim_cur = (rlim_t)procfs.fd + 1 + more;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        rc = discover_endpoint(&options, &procfs, t.fd, &a, &d, &err);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
        if (rc == 0) {
            assert_string_equal(d.endpoint.path, "/run/own.sock");
            assert_int_equal(d.n_warnings, 0);
        } else {
            assert_int_equal(rc, -EMFILE);
            assert_int_equal(err.kind, ERR_PROC);
            assert_non_null(strstr(err.text, strerror(EMFILE)));
            failed++;
        }
        arena_free(&a);
    }
    assert_in_range(failed, 1, 6);
    procfs_close(&procfs);
    tree_remove(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_and_guards),
        cmocka_unit_test(no_environment_means_none),
        cmocka_unit_test(a_shortage_of_descriptors_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
