#include "resolver/cli/loop.h"

#include <limits.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { NS_PER_MS = 1000000 };

int64_t loop_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static bool is_ours_to_take(int signal, const sigset_t *blocked)
{
    struct sigaction action;

    return sigaction(signal, NULL, &action) == 0 && action.sa_handler != SIG_IGN &&
           sigismember(blocked, signal) == 0;
}

void loop_begin(struct loop *loop, int always)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    sigset_t taken;

    sigprocmask(SIG_BLOCK, NULL, &loop->before);
    sigemptyset(&taken);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        if (signals[i] == always || is_ours_to_take(signals[i], &loop->before)) {
            sigaddset(&taken, signals[i]);
        }
    }
    loop->signal_fd = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
    if (loop->signal_fd >= 0) {
        sigprocmask(SIG_BLOCK, &taken, NULL);
    }
}

void loop_end(struct loop *loop)
{
    sigprocmask(SIG_SETMASK, &loop->before, NULL);
    if (loop->signal_fd >= 0) {
        close(loop->signal_fd);
        loop->signal_fd = -1;
    }
}

/* For poll(2): rounded up, so that the deadline has come when poll returns. */
static int milliseconds_until(int64_t deadline)
{
    int64_t left;

    if (deadline == INT64_MAX) {
        return -1;
    }
    left = deadline - loop_now();
    if (left <= 0) {
        return 0;
    }
    left = left / NS_PER_MS + 1;
    return left > INT_MAX ? INT_MAX : (int)left;
}

enum loop_event loop_wait(const struct loop *loop, int fd, int64_t deadline, bool watch_output)
{
    /* poll(2) skips negative descriptors; POLLERR and POLLHUP need not be asked for. */
    struct pollfd fds[] = {{.fd = loop->signal_fd, .events = POLLIN},
                           {.fd = fd, .events = POLLIN},
                           {.fd = watch_output ? STDOUT_FILENO : -1}};

    if (poll(fds, sizeof(fds) / sizeof(fds[0]), milliseconds_until(deadline)) <= 0) {
        return LOOP_STEP;
    }
    if (fds[2].revents & (POLLERR | POLLHUP)) {
        return LOOP_OUTPUT_GONE;
    }
    return fds[0].revents ? LOOP_SIGNAL : LOOP_STEP;
}

int loop_signal(const struct loop *loop)
{
    struct signalfd_siginfo info;

    return read(loop->signal_fd, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}
