/* podpid cgroup: the verb as a child process, its two outputs and its exit status. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "resolver/cli/cli.h"
#include "test/support/unit.h"

#define A16 "0123456789abcdef"
#define A64 A16 A16 A16 A16
#define POD "8d8c8254-4248-4f53-905f-4307e4cdc100"
#define PATH "/kubepods/burstable/pod" POD "/" A64

static int status;
static char out[64 * 1024], err[64 * 1024];

static void read_back(int fd, char *to, size_t size)
{
    ssize_t n = pread(fd, to, size - 1, 0);

    assert_true(n >= 0);
    to[n] = '\0';
}

static int text_fd(const char *text, size_t n)
{
    int fd = memfd_create("text", MFD_CLOEXEC);

    assert_true(fd >= 0);
    while (n > 0) {
        ssize_t put = write(fd, text, n);

        assert_true(put > 0);
        text += put;
        n -= (size_t)put;
    }
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

/* Run the verb on text as its standard input. */
static void run_verb(const char *text, size_t n, const char *arg1, const char *arg2)
{
    AUTO_CLOSE int in = text_fd(text, n);
    AUTO_CLOSE int out_fd = text_fd("", 0), err_fd = text_fd("", 0);
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        struct cli cli = {.look = PODPID_OPTIONS_INIT, .selector = PODPID_SELECTOR_INIT};
        char name[] = "cgroup", one[256] = "", two[256] = "";
        char *argv[] = {name, NULL, NULL, NULL};
        int rc;

        dup2(in, 0);
        dup2(out_fd, 1);
        dup2(err_fd, 2);
        snprintf(one, sizeof(one), "%s", arg1 ? arg1 : "");
        snprintf(two, sizeof(two), "%s", arg2 ? arg2 : "");
        argv[1] = arg1 ? one : NULL;
        argv[2] = arg2 ? two : NULL;
        cli_options_begin(&cli, &cgroup_verb);
        rc = cgroup_verb.run(&cli, 1 + (arg1 != NULL) + (arg2 != NULL), argv);
        _exit(cli_close_stdout(rc));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    status = WEXITSTATUS(status);
    read_back(out_fd, out, sizeof(out));
    read_back(err_fd, err, sizeof(err));
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part)) {
        fail_msg("no \"%s\" in:\n%s", part, text);
    }
}

static void explained_in_words(void **state)
{
    static const char text[] = "13:misc:/\n"
                               "12:pids:" PATH "\n"
                               "11:cpu:" PATH "/system.slice\n"
                               "10:memory:/docker/" A64 "\n"
                               "this is no line\n"
                               "0::/lxc/box\n";

    (void)state;
    run_verb(text, sizeof(text) - 1, NULL, NULL);
    assert_int_equal(status, CLI_OK);
    assert_string_equal(err, "");
    assert_has(out, "kind           nested\n");
    assert_has(out, "container id   " A64 "\n");
    assert_has(out, "pod uid        " POD "\n");
    assert_has(out, "qos            burstable\n");
    assert_null(strstr(out, "helper for"));
    assert_has(out, "line 3         11:cpu:" PATH "/system.slice\n");
    assert_has(out, "component      " A64 "\n");
    assert_has(out, "note           line 5 is not digits:controllers:/path: ignored\n");
    assert_has(out,
               "note           line 6 names container box: a line with a pod beats one without");
    assert_has(out, "note           1 of 5 lines name nothing and do not count\n");
    assert_null(strstr(out, "line 4"));
}

static void as_json(void **state)
{
    static const char text[] = "0::" PATH "\n", host[] = "0::/init.scope\n",
                      bytes[] = "0::/lxc/\xff\"x\n";

    (void)state;
    run_verb(text, sizeof(text) - 1, "-o", "json");
    assert_int_equal(status, CLI_OK);
    assert_has(out, "\"container\"");
    assert_has(out, "\"" A64 "\"");
    assert_has(out, "\"" POD "\"");
    run_verb(host, sizeof(host) - 1, "-o", "json");
    assert_int_equal(status, CLI_OK);
    assert_has(out, "\"host\"");
    assert_has(out, "null");
    run_verb(bytes, sizeof(bytes) - 1, "-o", "json");
    assert_int_equal(status, CLI_OK);
    assert_has(out, "\\uFFFD\\\"x");
}

static void made_safe_for_terminals(void **state)
{
    static const char text[] = "0::/lxc/\x1b[2J\xe2\x80\xae\n";

    (void)state;
    run_verb(text, sizeof(text) - 1, "-", NULL);
    assert_int_equal(status, CLI_OK);
    assert_has(out, "container id   \\x1b[2J");
    assert_null(strchr(out, 0x1b));
}

static void any_bytes(void **state)
{
    AUTO_FREE char *big = malloc((1 << 20) + 1);

    (void)state;
    assert_non_null(big);
    run_verb("", 0, NULL, NULL);
    assert_int_equal(status, CLI_OK);
    assert_has(out, "kind           host\n");
    run_verb("0::/docker/" A64 "\0\n\0:\0", sizeof("0::/docker/" A64 "\0\n\0:\0") - 1, NULL, NULL);
    assert_int_equal(status, CLI_OK);
    assert_has(out, "kind           host\n");
    memset(big, '\n', (1 << 20) + 1);
    run_verb(big, 1 << 20, NULL, NULL);
    assert_int_equal(status, CLI_OK);
    run_verb(big, (1 << 20) + 1, NULL, NULL);
    assert_int_equal(status, CLI_USAGE);
    assert_string_equal(out, "");
    assert_has(err, "larger than 1 MiB");
    for (size_t i = 0; i < 1 << 20; i++) {
        big[i] = "0::/lxc/a\n"[i % 10];
    }
    run_verb(big, 1 << 20, NULL, NULL);
    assert_int_equal(status, CLI_OK);
    assert_has(out, "container id   a\n");
}

static void what_cannot_be_read(void **state)
{
    (void)state;
    run_verb("", 0, "/nowhere/at/all", NULL);
    assert_int_equal(status, CLI_USAGE);
    assert_string_equal(out, "");
    assert_string_equal(err, "podpid: cannot read /nowhere/at/all: No such file or directory\n");
    run_verb("", 0, "/", NULL);
    assert_int_equal(status, CLI_USAGE);
    assert_has(err, "Is a directory");
    run_verb("", 0, "a", "b");
    assert_int_equal(status, CLI_USAGE);
    run_verb("", 0, "-o", "yaml");
    assert_int_equal(status, CLI_USAGE);
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(explained_in_words),      cmocka_unit_test(as_json),
        cmocka_unit_test(made_safe_for_terminals), cmocka_unit_test(any_bytes),
        cmocka_unit_test(what_cannot_be_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
