/* The Docker Engine's speaker against a server that answers well, badly, or not at all. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "cri/client_impl.h"
#include "test/support/http.h"
#include "test/support/scratch.h"

#define VERSION "{\"Version\":\"20.10\",\"Components\":[{\"Name\":\"Engine\"}]}"
#define INFO "{\"CgroupDriver\":\"cgroupfs\"}"
#define INSPECT(id)                                                                                \
    "{\"Id\":\"" id "\",\"State\":{\"Status\":\"running\",\"Pid\":7},\"Name\":\"/n\","             \
    "\"HostConfig\":{\"CgroupParent\":\"/x\"}}"

struct fixture {
    char *dir;
    struct endpoint ep;
    struct http_server *server;
    struct client *client;
    struct arena arena;
};

static void set_up(struct fixture *f, struct http_answer *script, size_t n)
{
    struct err err = {0};

    *f = (struct fixture){.dir = scratch_new()};
    snprintf(f->ep.path, sizeof(f->ep.path), "%s/s", f->dir);
    f->server = http_server_new(f->ep.path, script, n);
    if (docker_client_open(&f->ep, &f->client, &err) < 0) {
        fail_msg("%s", err.text);
    }
}

static void tear_down(struct fixture *f)
{
    client_close(f->client);
    if (f->server) {
        http_server_free(f->server);
    }
    arena_free(&f->arena);
    scratch_remove(f->dir);
}

/* Steps both sides until there is a reply. False: the client's step failed. Where both have nothing
 * to do the client's own time is let pass, for its timers. */
static bool next_reply(struct fixture *f, struct client_reply *ret, struct err *err)
{
    nsec now = clock_now();

    for (unsigned idle = 0; idle < 1000;) {
        struct pollfd p = {.fd = client_fd(f->client), .events = POLLIN};
        bool did = f->server && http_server_step(f->server);

        if (client_step(f->client, now, err) < 0) {
            return false;
        }
        if (client_next(f->client, ret)) {
            return true;
        }
        did |= poll(&p, 1, 0) > 0;
        idle = did ? 0 : idle + 1;
        now += did ? 0 : 10 * NSEC_PER_MSEC;
    }
    fail_msg("no reply, and nobody has anything to do");
    return false;
}

static void must_reply(struct fixture *f, struct client_reply *ret)
{
    struct err err = {0};

    if (!next_reply(f, ret, &err)) {
        fail_msg("%s", err.text);
    }
}

#define SET_UP(f, script) set_up(f, script, sizeof(script) / sizeof((script)[0]))

static bool is_mapped(const char *library)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    bool found = false;

    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps)) {
        found |= strstr(line, library) != NULL;
    }
    fclose(maps);
    return found;
}

/* Has to be the first test of the program. */
static void libcurl_comes_on_first_use(void **state)
{
    struct endpoint ep = {.path = "/nowhere"};
    struct client *c;

    (void)state;
    assert_false(is_mapped("libcurl"));
    assert_int_equal(docker_client_open(&ep, &c, NULL), 0);
    assert_true(is_mapped("libcurl"));
    client_close(c);
}

static void identities(void **state)
{
    static const struct {
        struct http_answer version, info;
        const char *name, *driver, *status_error; /* name NULL: it fails */
    } table[] = {
        {{.body = VERSION}, {.body = INFO}, "docker", "cgroupfs", NULL},
        {{.how = HTTP_CHUNKED, .body = VERSION},
         {.how = HTTP_CLOSE, .body = INFO},
         "docker",
         "cgroupfs",
         NULL},
        {{.body = "{\"Version\":\"4.3\",\"Components\":[{\"Name\":\"Podman Engine\"}]}"},
         {.body = "{\"CgroupDriver\":\"systemd\"}"},
         "podman",
         "systemd",
         NULL},
        {{.body = VERSION}, {.status = 500, .body = "{}"}, "docker", NULL, "HTTP status 500"},
        {{.body = VERSION}, {.body = "[]"}, "docker", NULL, "/info"},
        {{.status = 404}, {.body = INFO}, NULL, NULL, NULL},
        {{.body = "<html>"}, {.body = INFO}, NULL, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct http_answer script[] = {table[i].version, table[i].info};
        struct fixture f;
        struct client_reply r;

        script[0].path = "/version";
        script[1].path = "/info";
        SET_UP(&f, script);
        assert_int_equal(client_get_identity(f.client, &f.arena, 42, NULL), 0);
        assert_int_equal(client_pending(f.client), 1);
        must_reply(&f, &r);
        assert_int_equal(client_pending(f.client), 0);
        assert_int_equal(r.kind, CLIENT_IDENTITY);
        assert_int_equal(r.tag, 42);
        if (!table[i].name) {
            assert_true(r.rc < 0);
            assert_int_equal(r.err.kind, ERR_RUNTIME);
            tear_down(&f);
            continue;
        }
        assert_int_equal(r.rc, 0);
        assert_string_equal(r.runtime.name, table[i].name);
        assert_string_equal(r.runtime.api, "docker");
        assert_true(table[i].driver ? strcmp(r.runtime.cgroup_driver, table[i].driver) == 0
                                    : !r.runtime.cgroup_driver);
        assert_true(table[i].status_error
                        ? strstr(r.runtime.status_error, table[i].status_error) != NULL
                        : !r.runtime.status_error);
        tear_down(&f);
    }
}

/* What may come for one inspection, among others that are fine. */
static void inspections(void **state)
{
    static const struct {
        const char *name;
        struct http_answer answer;
        int rc;
        bool gone;
        const char *error;
    } table[] = {
        {"with a length", {.body = INSPECT("bad")}, 0, false, NULL},
        {"in chunks", {.how = HTTP_CHUNKED, .body = INSPECT("bad")}, 0, false, NULL},
        {"up to the end", {.how = HTTP_CLOSE, .body = INSPECT("bad")}, 0, false, NULL},
        {"cut once", {.how = HTTP_CUT_ONCE, .body = INSPECT("bad")}, 0, false, NULL},
        {"always cut", {.how = HTTP_CUT, .body = INSPECT("bad")}, -ECONNRESET, false, "/bad/json"},
        {"closed without a word", {.how = HTTP_RAW, .body = ""}, -ECONNRESET, false, "/bad/json"},
        {"gone",
         {.status = 404, .body = "{\"message\":\"No such container: bad\"}"},
         -ENOENT,
         true,
         "No such container: bad"},
        {"server error",
         {.status = 500, .body = "{\"message\":\"boo\"}"},
         -EPROTO,
         false,
         "HTTP status 500: boo"},
        {"server error without words",
         {.status = 500, .body = "\x01\xff"},
         -EPROTO,
         false,
         "HTTP status 500"},
        {"refused",
         {.status = 403, .body = "{\"message\":\"no\"}"},
         -EPROTO,
         false,
         "HTTP status 403: no"},
        {"a redirect is not followed",
         {.status = 301, .body = "/containers/a0/json"},
         -EPROTO,
         false,
         "HTTP status 301"},
        {"no HTTP",
         {.how = HTTP_RAW, .body = "SSH-2.0-OpenSSH_9.2\r\n"},
         -EPROTO,
         false,
         "/bad/json"},
        {"bytes",
         {.how = HTTP_RAW, .body = "\0\1\2\3\0\0\0\0", .n = 8},
         -EPROTO,
         false,
         "/bad/json"},
        {"a length that is none",
         {.how = HTTP_RAW, .body = "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}"},
         -EPROTO,
         false,
         ""},
        {"no JSON", {.body = "{\"Id\":\"bad\""}, -EPROTO, false, ""},
        {"empty", {.body = ""}, -EPROTO, false, ""},
        {"another's", {.body = INSPECT("a0")}, -EPROTO, false, "it answered of a0"},
        {"a wrong type",
         {.body = "{\"Id\":\"bad\",\"State\":[]}"},
         -EPROTO,
         false,
         "State is not an object"},
        {"endless", {.how = HTTP_ENDLESS}, -EFBIG, false, "more than 16777216 bytes"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct http_answer script[] = {table[i].answer,
                                       {.path = "/containers/a0/json", .body = INSPECT("a0")}};
        struct client_reply good, bad;
        struct fixture f;

        print_message("  %s\n", table[i].name);
        script[0].path = "/containers/bad/json";
        SET_UP(&f, script);
        assert_int_equal(client_get_container(f.client, "bad", &f.arena, 1, NULL), 0);
        assert_int_equal(client_get_container(f.client, "a0", &f.arena, 0, NULL), 0);
        must_reply(&f, &good);
        must_reply(&f, &bad);
        if (good.tag == 1) {
            struct client_reply swap = good;

            good = bad;
            bad = swap;
        }
        assert_int_equal(good.rc, 0);
        assert_string_equal(good.container.id, "a0");
        assert_int_equal(good.container.status, VIEW_STATUS_OK);
        assert_int_equal(bad.tag, 1);
        assert_string_equal(bad.container.id, "bad");
        assert_int_equal(bad.gone, table[i].gone);
        assert_int_equal(bad.container.status, table[i].rc == 0 ? VIEW_STATUS_OK
                                               : table[i].gone  ? VIEW_STATUS_GONE
                                                                : VIEW_STATUS_FAILED);
        if (bad.rc != table[i].rc || (table[i].error && !strstr(bad.err.text, table[i].error))) {
            fail_msg("%d: %s", bad.rc, bad.err.text);
        }
        assert_int_equal(bad.container.error != NULL, bad.container.status == VIEW_STATUS_FAILED);
        assert_int_equal(client_pending(f.client), 0);
        tear_down(&f);
    }
}

static void hundreds_over_few_connections(void **state)
{
    enum { N = 300 };
    static char paths[N][64], bodies[N][256];
    static struct http_answer script[N];
    bool seen[N] = {false};
    struct fixture f;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        snprintf(paths[i], sizeof(paths[i]), "/containers/c%zu/json", i);
        snprintf(bodies[i], sizeof(bodies[i]),
                 "{\"Id\":\"c%zu\",\"State\":{\"Status\":\"running\",\"Pid\":%zu}}", i, i + 1);
        script[i] = (struct http_answer){
            .path = paths[i], .how = i % 2 ? HTTP_CHUNKED : HTTP_LENGTH, .body = bodies[i]};
    }
    SET_UP(&f, script);
    for (size_t i = 0; i < N; i++) {
        char id[16];

        snprintf(id, sizeof(id), "c%zu", i);
        assert_int_equal(client_get_container(f.client, id, &f.arena, i, NULL), 0);
    }
    assert_int_equal(client_pending(f.client), N);
    for (size_t i = 0; i < N; i++) {
        struct client_reply r;

        must_reply(&f, &r);
        assert_int_equal(r.rc, 0);
        assert_true(r.tag < N && !seen[r.tag]);
        seen[r.tag] = true;
        assert_int_equal(r.container.pid, r.tag + 1);
    }
    assert_int_equal(client_pending(f.client), 0);
    /* Six, and before each one that only looks who listens. */
    assert_true(http_server_connections(f.server) <= 12);
    assert_int_equal(http_server_requests(f.server), N);
    tear_down(&f);
}

static void a_pod_is_an_inspection_too(void **state)
{
    struct http_answer script[] = {
        {.path = "/containers/5a/json",
         .body = "{\"Id\":\"5a\",\"State\":{\"Status\":\"running\",\"Pid\":9},"
                 "\"HostConfig\":{\"CgroupParent\":\"/kubepods/podu1\"},\"Config\":{\"Labels\":{"
                 "\"io.kubernetes.docker.type\":\"podsandbox\",\"io.kubernetes.pod.uid\":\"u1\","
                 "\"io.kubernetes.pod.name\":\"web\",\"io.kubernetes.pod.namespace\":\"prod\"}}}"},
        {.path = "/version", .body = VERSION},
        {.path = "/info", .body = INFO}};
    struct view_pod row;
    struct view v = {.pods = &row, .n_pods = 1};
    struct client_reply r;
    struct fixture f;

    (void)state;
    SET_UP(&f, script);
    client_get_identity(f.client, &f.arena, 0, NULL);
    must_reply(&f, &r);
    client_get_pod(f.client, "5a", &f.arena, 3, NULL);
    must_reply(&f, &r);
    assert_int_equal(r.kind, CLIENT_POD);
    assert_int_equal(r.rc, 0);
    assert_int_equal(r.pod.status, VIEW_STATUS_OK);
    assert_int_equal(r.pod.pid, 9);
    row = r.pod;
    assert_int_equal(client_settle(f.client, &v, &f.arena), 0);
    assert_int_equal(v.n_pods, 1);
    assert_string_equal(v.pods[0].cgroups_path, "/kubepods/podu1/5a");
    client_get_pod(f.client, "none", &f.arena, 4, NULL);
    must_reply(&f, &r);
    assert_true(r.gone);
    assert_int_equal(r.pod.status, VIEW_STATUS_GONE);
    assert_string_equal(r.pod.id, "none");
    tear_down(&f);
}

static void lists(void **state)
{
    struct http_answer script[] = {{.path = "/containers/json?all=1",
                                    .how = HTTP_CHUNKED,
                                    .body = "[{\"Id\":\"b\"},{\"Id\":\"a\"}]"}};
    struct http_answer broken[] = {{.path = "/containers/json?all=1", .body = "{}"}};
    struct client_reply r;
    struct fixture f;

    (void)state;
    SET_UP(&f, script);
    client_get_list(f.client, &f.arena, 0, NULL);
    must_reply(&f, &r);
    assert_int_equal(r.rc, 0);
    assert_int_equal(r.list.n_containers, 2);
    assert_string_equal(r.list.containers[0].id, "a");
    tear_down(&f);
    SET_UP(&f, broken);
    client_get_list(f.client, &f.arena, 0, NULL);
    must_reply(&f, &r);
    assert_int_equal(r.rc, -EPROTO);
    tear_down(&f);
}

static void an_id_that_is_none_is_not_asked_for(void **state)
{
    static const char *const ids[] = {"../json", "a/b", "", ".", "a?b", "a b", "a\r\nX: y"};
    struct http_answer script[] = {{.body = "{}"}};
    struct client_reply r;
    struct fixture f;

    (void)state;
    SET_UP(&f, script);
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        assert_int_equal(client_get_container(f.client, ids[i], &f.arena, i, NULL), 0);
        must_reply(&f, &r);
        assert_int_equal(r.rc, -EINVAL);
        assert_int_equal(r.container.status, VIEW_STATUS_FAILED);
    }
    assert_int_equal(http_server_requests(f.server), 0);
    tear_down(&f);
}

static void silence_can_be_cancelled(void **state)
{
    struct http_answer script[] = {{.path = "/containers/slow/json", .how = HTTP_SILENT},
                                   {.path = "/containers/a0/json", .body = INSPECT("a0")}};
    struct client_reply r;
    struct err err = {0};
    struct fixture f;

    (void)state;
    SET_UP(&f, script);
    for (uint64_t i = 0; i < 20; i++) {
        client_get_container(f.client, "slow", &f.arena, i, NULL);
    }
    for (unsigned i = 0; i < 100; i++) {
        http_server_step(f.server);
        assert_int_equal(client_step(f.client, clock_now(), &err), 0);
        assert_false(client_next(f.client, &r));
    }
    assert_int_equal(client_pending(f.client), 20);
    client_cancel(f.client);
    assert_int_equal(client_pending(f.client), 0);
    client_get_container(f.client, "a0", &f.arena, 99, NULL);
    must_reply(&f, &r);
    assert_int_equal(r.tag, 99);
    assert_int_equal(r.rc, 0);
    tear_down(&f);
}

static void a_daemon_that_dies_is_the_end(void **state)
{
    struct http_answer script[] = {{.path = "/containers/slow/json", .how = HTTP_SILENT},
                                   {.path = "/containers/a0/json", .body = INSPECT("a0")}};
    struct client_reply r;
    struct err err = {0};
    struct fixture f;

    (void)state;
    SET_UP(&f, script);
    client_get_container(f.client, "a0", &f.arena, 0, NULL);
    must_reply(&f, &r);
    client_get_container(f.client, "slow", &f.arena, 1, NULL);
    for (unsigned i = 0; i < 100; i++) {
        http_server_step(f.server);
        assert_int_equal(client_step(f.client, clock_now(), &err), 0);
    }
    http_server_free(f.server);
    f.server = NULL;
    assert_false(next_reply(&f, &r, &err));
    assert_int_equal(err.kind, ERR_RUNTIME);
    assert_true(client_step(f.client, clock_now(), &err) < 0);
    tear_down(&f);
}

static void nobody_listens(void **state)
{
    struct http_answer script[] = {{.body = "{}"}};
    struct client_reply r;
    struct err err = {0};
    struct fixture f;

    (void)state;
    SET_UP(&f, script);
    http_server_free(f.server);
    f.server = NULL;
    client_get_identity(f.client, &f.arena, 0, NULL);
    assert_false(next_reply(&f, &r, &err));
    assert_int_equal(err.errnum, ENOENT);
    assert_true(err.hint[0] != '\0');
    tear_down(&f);
}

/* The checks of a discovered endpoint hold for libcurl's connections as well. */
static void a_discovered_socket_must_be_roots(void **state)
{
    struct http_answer script[] = {{.body = VERSION}};
    struct client_reply r;
    struct err err = {0};
    struct fixture f;

    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    SET_UP(&f, script);
    client_close(f.client);
    f.ep.discovered = true;
    assert_int_equal(chown(f.ep.path, 1000, 1000), 0);
    assert_int_equal(docker_client_open(&f.ep, &f.client, &err), 0);
    client_get_identity(f.client, &f.arena, 0, NULL);
    assert_false(next_reply(&f, &r, &err));
    assert_int_equal(err.kind, ERR_DENIED);
    assert_int_equal(http_server_requests(f.server), 0);
    tear_down(&f);
}

static void proxies_of_the_environment_are_nothing_to_us(void **state)
{
    static const char *const names[] = {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};
    struct http_answer script[] = {{.path = "/containers/a0/json", .body = INSPECT("a0")}};
    struct client_reply r;
    struct fixture f;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        setenv(names[i], "http://127.0.0.1:1", 1);
    }
    SET_UP(&f, script);
    client_get_container(f.client, "a0", &f.arena, 0, NULL);
    must_reply(&f, &r);
    assert_int_equal(r.rc, 0);
    for (size_t i = 0; i < 4; i++) {
        unsetenv(names[i]);
    }
    tear_down(&f);
}

static void events(void **state)
{
    struct http_answer script[] = {{.path = "/containers/a0/json", .body = INSPECT("a0")},
                                   {.how = HTTP_OPEN, .body = "{\"Action\":\"start\"}\n"}};
    struct view_runtime who = {0};
    struct client_reply r;
    struct fixture f;

    (void)state;
    SET_UP(&f, script);
    assert_true(client_watch_events(f.client, &who));
    must_reply(&f, &r);
    assert_int_equal(r.kind, CLIENT_EVENT);
    assert_int_equal(client_pending(f.client), 0);
    client_get_container(f.client, "a0", &f.arena, 5, NULL);
    must_reply(&f, &r);
    assert_int_equal(r.tag, 5);
    client_cancel(f.client);
    http_server_end_open(f.server);
    must_reply(&f, &r);
    assert_int_equal(r.kind, CLIENT_EVENTS_END);
    tear_down(&f);
}

/* Through the front door: CRI is tried first, the answer is HTTP/1.1. */
static void found_out_by_the_peers_answer(void **state)
{
    struct http_answer script[] = {{.path = "/version", .body = VERSION},
                                   {.path = "/info", .body = INFO}};
    struct client_reply r;
    struct fixture f;

    (void)state;
    SET_UP(&f, script);
    client_close(f.client);
    assert_int_equal(client_open(&f.ep, &f.client, NULL), 0);
    client_get_identity(f.client, &f.arena, 7, NULL);
    must_reply(&f, &r);
    assert_int_equal(r.rc, 0);
    assert_int_equal(r.tag, 7);
    assert_string_equal(r.runtime.api, "docker");
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(libcurl_comes_on_first_use),
        cmocka_unit_test(identities),
        cmocka_unit_test(inspections),
        cmocka_unit_test(hundreds_over_few_connections),
        cmocka_unit_test(a_pod_is_an_inspection_too),
        cmocka_unit_test(lists),
        cmocka_unit_test(an_id_that_is_none_is_not_asked_for),
        cmocka_unit_test(silence_can_be_cancelled),
        cmocka_unit_test(a_daemon_that_dies_is_the_end),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(a_discovered_socket_must_be_roots),
        cmocka_unit_test(proxies_of_the_environment_are_nothing_to_us),
        cmocka_unit_test(events),
        cmocka_unit_test(found_out_by_the_peers_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
