/* Opening an endpoint of which nobody said what is spoken there. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "cri/client.h"
#include "test/fake_cri/fake_cri.h"
#include "test/support/unit.h"

enum { ROUNDS_MOST = 100000, CONNS_MOST = 16 };

struct world {
    struct endpoint ep;
    int listener;
    struct client *client;
    struct arena arena;
    struct err err;
    nsec now;
};

static void listen_with(struct world *w, int backlog)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    *w = (struct world){.ep.abstract = true, .now = NSEC_PER_SEC};
    snprintf(w->ep.path, sizeof(w->ep.path), "podpid-probe-%d", (int)getpid());
    memcpy(addr.sun_path + 1, w->ep.path, strlen(w->ep.path));
    w->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(
        bind(w->listener, (const struct sockaddr *)&addr,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(w->ep.path))),
        0);
    assert_int_equal(listen(w->listener, backlog), 0);
}

static void done(struct world *w)
{
    client_close(w->client);
    close(w->listener);
    arena_free(&w->arena);
}

static int step(struct world *w)
{
    w->now += NSEC_PER_MSEC;
    return client_step(w->client, w->now, &w->err);
}

/* Serve the one connection that comes until nothing is pending. */
static void serve(struct world *w, struct fake_cri *fake, struct client_reply *ret)
{
    struct fake_conn *conn = NULL;
    bool got = false;

    for (unsigned i = 0; !got && i < ROUNDS_MOST; i++) {
        int fd = conn ? -1 : accept4(w->listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0) {
            conn = fake_conn_new(fake, fd);
        }
        if (conn) {
            assert_true(fake_conn_step(conn, w->now));
        }
        assert_int_equal(step(w), 0);
        got = client_next(w->client, ret);
    }
    assert_true(got);
    fake_conn_free(conn);
}

static struct fake_cri *cri_o(void)
{
    return fake_cri_load(TEST_DIR "/fixtures/runtimes/crio-1.37/script.json");
}

static void a_cri_socket_is_asked_in_cri(void **state)
{
    struct fake_cri *fake = cri_o();
    struct client_reply reply;
    struct world w;

    (void)state;
    listen_with(&w, 4);
    assert_int_equal(client_open(&w.ep, &w.client, &w.err), 0);
    assert_int_equal(client_get_identity(w.client, &w.arena, &w.err), 0);
    assert_int_equal(client_pending(w.client), 1);
    serve(&w, fake, &reply);
    assert_int_equal(reply.rc, 0);
    assert_int_equal(reply.kind, CLIENT_IDENTITY);
    assert_string_equal(reply.runtime.name, "cri-o");
    done(&w);
    fake_cri_free(fake);
}

/* The listener's queue is full: that is tried again, not reported. */
static void a_busy_socket_is_tried_again(void **state)
{
    struct fake_cri *fake = cri_o();
    struct client_reply reply;
    struct world w;
    int others[CONNS_MOST], n = 0, fd;

    (void)state;
    listen_with(&w, 0);
    while (n < CONNS_MOST && endpoint_connect(&w.ep, &others[n], &w.err) == 0) {
        n++;
    }
    assert_true(n < CONNS_MOST);
    assert_int_equal(client_open(&w.ep, &w.client, &w.err), 0);
    assert_int_equal(client_get_identity(w.client, &w.arena, &w.err), 0);
    for (unsigned i = 0; i < 50; i++) {
        assert_int_equal(step(&w), 0);
        assert_true(client_deadline(w.client) > w.now);
        assert_true(client_deadline(w.client) < w.now + NSEC_PER_SEC);
    }
    for (int i = 0; i < n; i++) {
        fd = accept4(w.listener, NULL, NULL, SOCK_CLOEXEC);
        close(fd);
        close(others[i]);
    }
    serve(&w, fake, &reply);
    assert_int_equal(reply.rc, 0);
    assert_true(client_deadline(w.client) == NSEC_NEVER);
    done(&w);
    fake_cri_free(fake);
}

static void a_socket_without_listener_fails(void **state)
{
    struct world w;

    (void)state;
    listen_with(&w, 1);
    close(w.listener);
    assert_int_equal(client_open(&w.ep, &w.client, &w.err), -ECONNREFUSED);
    assert_null(w.client);
    w.listener = -1;
    arena_free(&w.arena);
}

/* HTTP/1.1 is answered: the Docker Engine's speaker comes with connections of its own, and asks
 * what was asked before, while the caller's descriptor stays. */
static void a_docker_socket_is_handed_over(void **state)
{
    static const char refusal[] = "HTTP/1.1 301 Moved Permanently\r\nLocation: /\r\n\r\n";
    AUTO_CLOSE int first = -1;
    struct world w;
    char text[512] = "";
    int fd, others[CONNS_MOST], n = 0;

    (void)state;
    listen_with(&w, 4);
    assert_int_equal(client_open(&w.ep, &w.client, &w.err), 0);
    fd = client_fd(w.client);
    assert_int_equal(client_get_identity(w.client, &w.arena, &w.err), 0);
    assert_int_equal(step(&w), 0);
    first = accept4(w.listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(recv(first, text, sizeof(text) - 1, 0) > 0);
    assert_memory_equal(text, "PRI * HTTP/2.0", 14);
    assert_int_equal(send(first, refusal, sizeof(refusal) - 1, 0), sizeof(refusal) - 1);
    memset(text, 0, sizeof(text));
    for (unsigned i = 0; !text[0] && i < ROUNDS_MOST; i++) {
        assert_int_equal(step(&w), 0);
        if (n < CONNS_MOST) {
            others[n] = accept4(w.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
            n += others[n] >= 0 ? 1 : 0;
        }
        for (int k = 0; !text[0] && k < n; k++) {
            recv(others[k], text, sizeof(text) - 1, 0);
        }
    }
    assert_memory_equal(text, "GET /", 5);
    assert_int_equal(client_fd(w.client), fd);
    assert_int_equal(client_pending(w.client), 1);
    for (int k = 0; k < n; k++) {
        close(others[k]);
    }
    done(&w);
}

/* An engine that takes gRPC on its socket and knows none of CRI's services: Docker's since 29. The
 * second connection asks in HTTP/1.1. Gives that one, with its request read. */
static int no_cri_there(struct world *w, struct fake_cri *fake, struct fake_conn **ret_first)
{
    int fd = -1;
    char text[512] = "";

    listen_with(w, 8);
    assert_int_equal(client_open(&w->ep, &w->client, &w->err), 0);
    assert_int_equal(client_get_identity(w->client, &w->arena, &w->err), 0);
    assert_int_equal(step(w), 0);
    *ret_first = fake_conn_new(fake, accept4(w->listener, NULL, NULL, SOCK_CLOEXEC));
    for (unsigned i = 0; fd < 0 && i < ROUNDS_MOST; i++) {
        fake_conn_step(*ret_first, w->now);
        assert_int_equal(step(w), 0);
        fd = accept4(w->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    }
    assert_true(fd >= 0);
    assert_true(recv(fd, text, sizeof(text) - 1, 0) > 0);
    assert_memory_equal(text, "GET /_ping HTTP/1.1\r\n", 21);
    assert_int_equal(client_pending(w->client), 1);
    assert_int_equal(step(w), 0); /* no answer yet */
    return fd;
}

static struct fake_cri *without_cri(void)
{
    return fake_cri_new(json_pack("{s:[]}", "api"), ".");
}

static void a_docker_socket_that_answers_grpc_is_handed_over(void **state)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";
    struct fake_cri *fake = without_cri();
    struct fake_conn *first;
    int others[CONNS_MOST], n = 0;
    char text[512] = "";
    struct world w;
    int fd;

    (void)state;
    others[n++] = no_cri_there(&w, fake, &first);
    fd = client_fd(w.client);
    assert_int_equal(send(others[0], answer, 4, 0), 4);
    assert_int_equal(step(&w), 0);
    assert_int_equal(send(others[0], answer + 4, sizeof(answer) - 5, 0), sizeof(answer) - 5);
    for (unsigned i = 0; !text[0] && i < ROUNDS_MOST; i++) {
        assert_int_equal(step(&w), 0);
        if (n < CONNS_MOST) {
            others[n] = accept4(w.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
            n += others[n] >= 0 ? 1 : 0;
        }
        for (int k = 1; !text[0] && k < n; k++) {
            recv(others[k], text, sizeof(text) - 1, 0);
        }
    }
    assert_memory_equal(text, "GET /version ", 13);
    assert_int_equal(client_fd(w.client), fd);
    assert_int_equal(client_pending(w.client), 1);
    for (int k = 0; k < n; k++) {
        close(others[k]);
    }
    fake_conn_free(first);
    done(&w);
    fake_cri_free(fake);
}

/* containerd with its CRI plugin disabled answers HTTP/2 to that, too, or hangs up. */
static void grpc_without_cri_is_an_error(void **state)
{
    static const struct {
        const char *answer;
        size_t n;
    } table[] = {{"\0\0\0\4\0\0\0\0\0", 9}, {"SSH-2.0", 7}, {"", 0}, {"HTTP/", 5}};

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct fake_cri *fake = without_cri();
        struct fake_conn *first;
        struct world w;
        int fd = no_cri_there(&w, fake, &first);

        if (table[i].n) {
            assert_int_equal(send(fd, table[i].answer, table[i].n, 0), table[i].n);
        }
        close(fd);
        for (unsigned k = 0; k < 2 && !w.err.text[0]; k++) {
            step(&w);
        }
        assert_int_equal(w.err.errnum, EOPNOTSUPP);
        assert_non_null(strstr(w.err.text, "serves no CRI"));
        assert_true(w.err.hint[0] != '\0');
        assert_int_equal(client_pending(w.client), 0);
        fake_conn_free(first);
        done(&w);
        fake_cri_free(fake);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cri_socket_is_asked_in_cri),
        cmocka_unit_test(a_busy_socket_is_tried_again),
        cmocka_unit_test(a_socket_without_listener_fails),
        cmocka_unit_test(a_docker_socket_is_handed_over),
        cmocka_unit_test(a_docker_socket_that_answers_grpc_is_handed_over),
        cmocka_unit_test(grpc_without_cri_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
