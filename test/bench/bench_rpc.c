/* The least that a list of this node can cost: the RPCs alone. Version, both lists, then the status
 * of every sandbox and of every running container in flight together on one connection; the replies
 * are dropped. Nothing of /proc is read. Not a test: hack/bench holds podpid's own figures against
 * this.
 *
 *     bench_rpc ENDPOINT
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "cri/client.h"

struct bench {
    struct client *client;
    struct arena arena;
    struct err err;
    unsigned replies;
};

static int take_list(struct bench *b, const struct view *list)
{
    int rc = 0;

    for (size_t i = 0; i < list->n_pods && rc == 0; i++) {
        rc = client_get_pod(b->client, list->pods[i].id, &b->arena, &b->err);
    }
    for (size_t i = 0; i < list->n_containers && rc == 0; i++) {
        if (list->containers[i].state == VIEW_RUNNING) {
            rc = client_get_container(b->client, list->containers[i].id, &b->arena, &b->err);
        }
    }
    return rc;
}

static int run(struct bench *b)
{
    struct client_reply reply;
    int rc = client_get_identity(b->client, &b->arena, &b->err);

    if (rc == 0) {
        rc = client_get_list(b->client, &b->arena, &b->err);
    }
    while (rc == 0 && client_pending(b->client) > 0) {
        struct pollfd fd = {.fd = client_fd(b->client), .events = POLLIN};

        poll(&fd, 1, nsec_poll_timeout(clock_now(), client_deadline(b->client)));
        rc = client_step(b->client, clock_now(), &b->err);
        while (rc == 0 && client_next(b->client, &reply)) {
            b->replies++;
            if (reply.rc < 0) {
                b->err = reply.err;
                rc = reply.rc;
            } else if (reply.kind == CLIENT_LIST) {
                rc = take_list(b, &reply.list);
            }
        }
    }
    return rc;
}

int main(int argc, char **argv)
{
    struct bench b = {0};
    struct endpoint ep;
    int rc;

    if (argc != 2) {
        fputs("usage: bench_rpc ENDPOINT\n", stderr);
        return 2;
    }
    rc = endpoint_parse(argv[1], &ep, &b.err);
    if (rc == 0) {
        rc = client_open(&ep, &b.client, &b.err);
    }
    if (rc == 0) {
        rc = run(&b);
    }
    if (rc < 0) {
        fprintf(stderr, "bench_rpc: %s\n", b.err.text);
    } else {
        printf("%u replies\n", b.replies);
    }
    client_close(b.client);
    arena_free(&b.arena);
    return rc < 0;
}
