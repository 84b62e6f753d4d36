/* How the Docker Engine's speaker gets at the daemon and what becomes of it when the daemon is
 * slow, gone, or another's: libcurl, its connections, and what they must not do. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test/support/docker_rig.h"
#include "test/support/unit.h"

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
static void libcurl_is_loaded_on_first_use(void **state)
{
    struct endpoint ep = {.path = "/nowhere"};
    struct client *c;

    (void)state;
    assert_false(is_mapped("libcurl"));
    assert_int_equal(docker_client_open(&ep, &c, NULL), 0);
    assert_true(is_mapped("libcurl"));
    client_close(c);
}

static void hundreds_of_requests_use_few_connections(void **state)
{
    enum { N = 300 };
    static char paths[N][64], bodies[N][256];
    static struct http_answer script[N];
    bool seen[N] = {false};
    struct docker_rig rig;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        snprintf(paths[i], sizeof(paths[i]), "/containers/c%zu/json", i);
        snprintf(bodies[i], sizeof(bodies[i]),
                 "{\"Id\":\"c%zu\",\"State\":{\"Status\":\"running\",\"Pid\":%zu}}", i, i + 1);
        script[i] = (struct http_answer){
            .path = paths[i], .how = i % 2 ? HTTP_CHUNKED : HTTP_LENGTH, .body = bodies[i]};
    }
    DOCKER_RIG_OPEN(&rig, script);
    for (size_t i = 0; i < N; i++) {
        char id[16];

        snprintf(id, sizeof(id), "c%zu", i);
        assert_int_equal(client_get_container(rig.client, id, &rig.arena, NULL), 0);
    }
    assert_int_equal(client_pending(rig.client), N);
    for (size_t i = 0; i < N; i++) {
        struct client_reply r;
        size_t n;

        docker_rig_reply(&rig, &r);
        assert_int_equal(r.rc, 0);
        assert_true(sscanf(r.container.id, "c%zu", &n) == 1 && n < N && !seen[n]);
        seen[n] = true;
        assert_int_equal(r.container.pid, n + 1);
    }
    assert_int_equal(client_pending(rig.client), 0);
    /* Six, and before each one that only looks who listens. */
    assert_true(http_server_connections(rig.server) <= 12);
    assert_int_equal(http_server_requests(rig.server), N);
    docker_rig_close(&rig);
}

static void requests_to_a_silent_daemon_can_be_cancelled(void **state)
{
    struct http_answer script[] = {{.path = "/containers/slow/json", .how = HTTP_SILENT},
                                   {.path = "/containers/a0/json", .body = ENGINE_INSPECT("a0")}};
    struct client_reply r;
    struct docker_rig rig;

    (void)state;
    DOCKER_RIG_OPEN(&rig, script);
    for (uint64_t i = 0; i < 20; i++) {
        client_get_container(rig.client, "slow", &rig.arena, NULL);
    }
    docker_rig_silence(&rig);
    assert_int_equal(client_pending(rig.client), 20);
    client_cancel(rig.client);
    assert_int_equal(client_pending(rig.client), 0);
    client_get_container(rig.client, "a0", &rig.arena, NULL);
    docker_rig_reply(&rig, &r);
    assert_string_equal(r.container.id, "a0");
    assert_int_equal(r.rc, 0);
    docker_rig_close(&rig);
}

static void a_dead_daemon_fails_the_client(void **state)
{
    struct http_answer script[] = {{.path = "/containers/slow/json", .how = HTTP_SILENT},
                                   {.path = "/containers/a0/json", .body = ENGINE_INSPECT("a0")}};
    struct client_reply r;
    struct err err = {0};
    struct docker_rig rig;

    (void)state;
    DOCKER_RIG_OPEN(&rig, script);
    client_get_container(rig.client, "a0", &rig.arena, NULL);
    docker_rig_reply(&rig, &r);
    client_get_container(rig.client, "slow", &rig.arena, NULL);
    docker_rig_silence(&rig);
    docker_rig_daemon_dies(&rig);
    assert_false(docker_rig_next(&rig, &r, &err));
    assert_int_equal(err.kind, ERR_RUNTIME);
    assert_true(client_step(rig.client, clock_now(), &err) < 0);
    docker_rig_close(&rig);
}

static void a_socket_without_listener_fails(void **state)
{
    struct http_answer script[] = {{.body = "{}"}};
    struct client_reply r;
    struct err err = {0};
    struct docker_rig rig;

    (void)state;
    DOCKER_RIG_OPEN(&rig, script);
    docker_rig_daemon_dies(&rig);
    client_get_identity(rig.client, &rig.arena, NULL);
    assert_false(docker_rig_next(&rig, &r, &err));
    assert_int_equal(err.errnum, ENOENT);
    assert_true(err.hint[0] != '\0');
    docker_rig_close(&rig);
}

/* The checks of a discovered endpoint hold for libcurl's connections as well. */
static void a_discovered_socket_must_belong_to_root(void **state)
{
    struct http_answer script[] = {{.body = ENGINE_VERSION}};
    struct client_reply r;
    struct err err = {0};
    struct docker_rig rig;

    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    DOCKER_RIG_OPEN(&rig, script);
    client_close(rig.client);
    rig.ep.discovered = true;
    assert_int_equal(chown(rig.ep.path, 1000, 1000), 0);
    assert_int_equal(docker_client_open(&rig.ep, &rig.client, &err), 0);
    client_get_identity(rig.client, &rig.arena, NULL);
    assert_false(docker_rig_next(&rig, &r, &err));
    assert_int_equal(err.kind, ERR_DENIED);
    assert_int_equal(http_server_requests(rig.server), 0);
    docker_rig_close(&rig);
}

static void proxies_of_the_environment_are_ignored(void **state)
{
    static const char *const names[] = {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};
    struct http_answer script[] = {{.path = "/containers/a0/json", .body = ENGINE_INSPECT("a0")}};
    struct client_reply r;
    struct docker_rig rig;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        setenv(names[i], "http://127.0.0.1:1", 1);
    }
    DOCKER_RIG_OPEN(&rig, script);
    client_get_container(rig.client, "a0", &rig.arena, NULL);
    docker_rig_reply(&rig, &r);
    assert_int_equal(r.rc, 0);
    for (size_t i = 0; i < 4; i++) {
        unsetenv(names[i]);
    }
    docker_rig_close(&rig);
}

/* Through the front door: CRI is tried first, the answer is HTTP/1.1. */
static void a_docker_socket_is_recognised_by_its_answer(void **state)
{
    struct http_answer script[] = {{.path = "/version", .body = ENGINE_VERSION},
                                   {.path = "/info", .body = ENGINE_INFO}};
    struct client_reply r;
    struct docker_rig rig;

    (void)state;
    DOCKER_RIG_OPEN(&rig, script);
    client_close(rig.client);
    assert_int_equal(client_open(&rig.ep, &rig.client, NULL), 0);
    client_get_identity(rig.client, &rig.arena, NULL);
    docker_rig_reply(&rig, &r);
    assert_int_equal(r.rc, 0);
    assert_int_equal(r.kind, CLIENT_IDENTITY);
    assert_string_equal(r.runtime.api, "docker");
    docker_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(libcurl_is_loaded_on_first_use),
        cmocka_unit_test(hundreds_of_requests_use_few_connections),
        cmocka_unit_test(requests_to_a_silent_daemon_can_be_cancelled),
        cmocka_unit_test(a_dead_daemon_fails_the_client),
        cmocka_unit_test(a_socket_without_listener_fails),
        cmocka_unit_test(a_discovered_socket_must_belong_to_root),
        cmocka_unit_test(proxies_of_the_environment_are_ignored),
        cmocka_unit_test(a_docker_socket_is_recognised_by_its_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
