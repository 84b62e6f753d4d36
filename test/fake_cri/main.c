/* fake-cri SOCKET SCRIPT: serve the script (fake_cri.h says what one may hold) on a unix socket
 * until the first signal. The script is read once. Prints "ready" when it listens. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "test/fake_cri/fake_cri.h"

enum { CONNS_MOST = 64 };

static int listen_at(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || strlen(path) >= sizeof(addr.sun_path)) {
        return -1;
    }
    strcpy(addr.sun_path, path);
    unlink(path);
    if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 16) < 0) {
        return -1;
    }
    return fd;
}

static void serve(struct fake_cri *f, int listener)
{
    struct fake_conn *conns[CONNS_MOST] = {0};
    struct pollfd fds[CONNS_MOST + 1];
    size_t n = 0;

    for (;;) {
        nsec due = NSEC_NEVER, now = clock_now();
        size_t kept = 0;

        for (size_t i = 0; i < n; i++) {
            if (fake_conn_step(conns[i], now)) {
                conns[kept++] = conns[i];
            } else {
                fake_conn_free(conns[i]);
            }
        }
        n = kept;
        fds[0] = (struct pollfd){.fd = n < CONNS_MOST ? listener : -1, .events = POLLIN};
        for (size_t i = 0; i < n; i++) {
            short out = fake_conn_writes(conns[i]) ? POLLOUT : 0;

            fds[i + 1] = (struct pollfd){.fd = fake_conn_fd(conns[i])};
            fds[i + 1].events = (short)(POLLIN | out);
            if (fake_conn_deadline(conns[i]) > 0) {
                due = nsec_min(due, fake_conn_deadline(conns[i]));
            }
        }
        if (poll(fds, n + 1, nsec_poll_timeout(clock_now(), due)) > 0 && fds[0].revents) {
            int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

            if (fd >= 0) {
                conns[n++] = fake_conn_new(f, fd);
            }
        }
    }
}

int main(int argc, char **argv)
{
    struct fake_cri *f;
    int listener;

    if (argc != 3) {
        fprintf(stderr, "usage: fake-cri SOCKET SCRIPT\n");
        return 2;
    }
    f = fake_cri_load(argv[2]);
    if (!f) {
        return 2;
    }
    listener = listen_at(argv[1]);
    if (listener < 0) {
        perror(argv[1]);
        return 1;
    }
    puts("ready");
    fflush(stdout);
    serve(f, listener);
}
