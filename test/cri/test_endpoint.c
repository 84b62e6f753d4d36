/* Endpoints: what is taken for an address, and the words for each way that connecting can fail. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "cri/endpoint.h"
#include "test/support/unit.h"

enum { NOBODY = 65534 };

static char dir[64];

static int setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/podpid-endpoint.XXXXXX");
    return mkdtemp(dir) && chmod(dir, 0755) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    static const char *const names[] = {"sock", "file", "datagram"};
    char path[108];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%.40s/%s", dir, names[i]);
        unlink(path);
    }
    return rmdir(dir);
}

static struct endpoint at(const char *name)
{
    struct endpoint ep = {0};

    snprintf(ep.path, sizeof(ep.path), "%.40s/%s", dir, name);
    return ep;
}

static int listen_at(const struct endpoint *ep, int type, int backlog)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    size_t skip = ep->abstract ? 1 : 0;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    memcpy(addr.sun_path + skip, ep->path, strlen(ep->path));
    assert_int_equal(
        bind(fd, (const struct sockaddr *)&addr,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(ep->path))),
        0);
    if (type == SOCK_STREAM) {
        assert_int_equal(listen(fd, backlog), 0);
    }
    return fd;
}

static void addresses_are_parsed(void **state)
{
    static const struct {
        const char *text, *path; /* path NULL: refused */
        bool abstract;
        const char *again;
    } cases[] = {
        {"unix:///run/c.sock", "/run/c.sock", false, "unix:///run/c.sock"},
        {"/run/c.sock", "/run/c.sock", false, "unix:///run/c.sock"},
        {"unix:@c", "c", true, "unix:@c"},
        {"unix:@c/d", "c/d", true, "unix:@c/d"},
        {"", NULL, false, NULL},
        {"run/c.sock", NULL, false, NULL},
        {"unix://run/c.sock", NULL, false, NULL},
        {"unix:run/c.sock", NULL, false, NULL},
        {"unix:@", NULL, false, NULL},
        {"unix-abstract:c/d", NULL, false, NULL},
        {"tcp://127.0.0.1:2375", NULL, false, NULL},
        {"npipe:////./pipe/c", NULL, false, NULL},
        {"UNIX:///run/c.sock", NULL, false, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct endpoint ep;
        struct err err = {0};
        char again[128];
        int rc = endpoint_parse(cases[i].text, &ep, &err);

        if (!cases[i].path) {
            assert_int_equal(rc, -EINVAL);
            assert_int_equal(err.kind, ERR_USAGE);
            assert_non_null(strstr(err.hint, "unix:///"));
            continue;
        }
        assert_int_equal(rc, 0);
        assert_string_equal(ep.path, cases[i].path);
        assert_int_equal(ep.abstract, cases[i].abstract);
        assert_false(ep.discovered);
        endpoint_format(&ep, again, sizeof(again));
        assert_string_equal(again, cases[i].again);
    }
}

static void a_path_fills_sun_path_but_no_more(void **state)
{
    char text[120];
    struct endpoint ep;
    struct err err;

    (void)state;
    memset(text, 'a', sizeof(text));
    text[0] = '/';
    text[107] = '\0';
    assert_int_equal(endpoint_parse(text, &ep, &err), 0);
    assert_string_equal(ep.path, text);
    text[107] = 'a';
    text[108] = '\0';
    assert_int_equal(endpoint_parse(text, &ep, &err), -EINVAL);
    assert_non_null(strstr(err.text, "107 bytes"));
}

static void fails(const struct endpoint *ep, int rc, enum err_kind kind, const char *words)
{
    struct err err = {0};
    int fd = -7;

    assert_int_equal(endpoint_connect(ep, &fd, &err), rc);
    assert_int_equal(fd, -7);
    assert_int_equal(err.kind, kind);
    if (!strstr(err.text, words)) {
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
    }
    if (rc != -EAGAIN) {
        assert_true(err.hint[0]);
    }
}

static void each_failure_has_its_own_error(void **state)
{
    struct endpoint none = at("none"), file = at("file"), sock = at("sock"),
                    datagram = at("datagram"), folder = {0};
    struct endpoint below = at("file/sock"), abstract = {.abstract = true};
    FILE *f = fopen(file.path, "we");
    int fd;

    (void)state;
    assert_non_null(f);
    fclose(f);
    strcpy(folder.path, dir);
    snprintf(abstract.path, sizeof(abstract.path), "podpid-nobody-%d", (int)getpid());
    fails(&none, -ENOENT, ERR_RUNTIME, "no such file");
    fails(&below, -ENOTDIR, ERR_RUNTIME, "no such file");
    fails(&file, -ENOTSOCK, ERR_RUNTIME, "is no socket");
    fails(&folder, -ENOTSOCK, ERR_RUNTIME, "directory");
    fails(&abstract, -ECONNREFUSED, ERR_RUNTIME, "nobody listens");
    fd = listen_at(&datagram, SOCK_DGRAM, 0);
    fails(&datagram, -EPROTOTYPE, ERR_RUNTIME, "another type");
    close(fd);
    close(listen_at(&sock, SOCK_STREAM, 1)); /* the file stays behind */
    fails(&sock, -ECONNREFUSED, ERR_RUNTIME, "nobody listens");
}

static void a_socket_is_connected(void **state)
{
    struct endpoint sock = at("sock"), abstract = {.abstract = true};
    const struct endpoint *eps[] = {&sock, &abstract};

    (void)state;
    unlink(sock.path);
    snprintf(abstract.path, sizeof(abstract.path), "podpid-somebody-%d", (int)getpid());
    for (size_t i = 0; i < 2; i++) {
        AUTO_CLOSE int listener = listen_at(eps[i], SOCK_STREAM, 1);
        AUTO_CLOSE int fd = -1;
        struct err err;
        char c;

        assert_true(listener >= 0);
        assert_int_equal(endpoint_connect(eps[i], &fd, &err), 0);
        assert_int_equal(recv(fd, &c, 1, 0), -1);
        assert_int_equal(errno, EAGAIN);
    }
}

static void a_full_queue_is_try_again(void **state)
{
    struct endpoint sock = at("sock");
    AUTO_CLOSE int listener = -1;
    int fds[8], n = 0, rc = 0;
    struct err err;

    (void)state;
    unlink(sock.path);
    listener = listen_at(&sock, SOCK_STREAM, 0);
    while (n < 8 && rc == 0) {
        rc = endpoint_connect(&sock, &fds[n], &err);
        n += rc == 0 ? 1 : 0;
    }
    assert_int_equal(rc, -EAGAIN);
    close(accept(listener, NULL, NULL));
    assert_int_equal(endpoint_connect(&sock, &fds[n], &err), 0);
    for (int i = 0; i <= n; i++) {
        close(fds[i]);
    }
}

static void missing_permission_is_denied(void **state)
{
    struct endpoint sock = at("sock");
    AUTO_CLOSE int listener = -1;

    (void)state;
    if (geteuid() != 0) {
        skip(); /* only root can become somebody else */
    }
    unlink(sock.path);
    listener = listen_at(&sock, SOCK_STREAM, 1);
    assert_int_equal(chmod(sock.path, 0600), 0);
    assert_int_equal(seteuid(NOBODY), 0);
    fails(&sock, -EACCES, ERR_DENIED, "Permission denied");
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(dir, 0700), 0);
    assert_int_equal(seteuid(NOBODY), 0);
    fails(&sock, -EACCES, ERR_DENIED, "Permission denied");
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(dir, 0755), 0);
}

static void a_discovered_socket_must_belong_to_root(void **state)
{
    struct endpoint sock = at("sock");
    struct err err;
    int fd = -1, listener;

    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    unlink(sock.path);
    sock.discovered = true;
    listener = listen_at(&sock, SOCK_STREAM, 4);
    assert_int_equal(endpoint_connect(&sock, &fd, &err), 0);
    close(fd);
    assert_int_equal(chown(sock.path, NOBODY, (gid_t)-1), 0);
    fails(&sock, -EPERM, ERR_DENIED, "belongs to user 65534");
    sock.discovered = false; /* somebody named it: that is an answer */
    assert_int_equal(endpoint_connect(&sock, &fd, &err), 0);
    close(fd);
    sock.discovered = true;

    /* root's file, but somebody else listens at it */
    assert_int_equal(chown(sock.path, 0, (gid_t)-1), 0);
    assert_int_equal(seteuid(NOBODY), 0);
    assert_int_equal(listen(listener, 4), 0); /* the peer's credentials are those of listen() */
    assert_int_equal(seteuid(0), 0);
    fails(&sock, -EPERM, ERR_DENIED, "user 65534 listens");
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_parsed),
        cmocka_unit_test(a_path_fills_sun_path_but_no_more),
        cmocka_unit_test(each_failure_has_its_own_error),
        cmocka_unit_test(a_socket_is_connected),
        cmocka_unit_test(a_full_queue_is_try_again),
        cmocka_unit_test(missing_permission_is_denied),
        cmocka_unit_test(a_discovered_socket_must_belong_to_root),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
