/* The event loop of the verbs: one clock, one wait, and signals that are read from a descriptor, so
 * that a verb that waits can end with nothing half done.
 *
 *     loop_begin(&loop, 0);
 *     while (step(loop_now()) == 0 && loop_wait(&loop, fd, deadline, false) == LOOP_STEP) {
 *     }
 *     loop_end(&loop);
 */
#ifndef PODPID_CLI_LOOP_H
#define PODPID_CLI_LOOP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct loop {
    int signal_fd;   /* signalfd(2) of the blocked signals; -1: it could not be made */
    sigset_t before; /* the signal mask before loop_begin() */
};

/* Why loop_wait() returned. */
enum loop_event {
    LOOP_STEP,       /* the descriptor is readable, or the deadline has come */
    LOOP_SIGNAL,     /* a blocked signal is pending */
    LOOP_OUTPUT_GONE /* the reader of standard output has closed its end */
};

/* Nanoseconds of CLOCK_MONOTONIC, the clock of podpid.h's deadlines. */
int64_t loop_now(void);

/* Block SIGINT, SIGTERM and SIGHUP and make them readable on signal_fd. A signal that is ignored or
 * blocked already is left alone, except `always` (0: none), which is taken in any case. If
 * signalfd(2) fails, nothing is blocked: the signals end the process as usual. */
void loop_begin(struct loop *loop, int always);

/* Restore the signal mask. A signal that is pending and was not read by loop_signal() ends the
 * process here, by that signal. */
void loop_end(struct loop *loop);

/* Wait until fd (-1: none) is readable, a signal is pending, or the deadline (INT64_MAX: none) has
 * come; may return LOOP_STEP early. watch_output: also until standard output has no reader. */
enum loop_event loop_wait(const struct loop *loop, int fd, int64_t deadline, bool watch_output);

/* Read the next pending signal; 0: none. */
int loop_signal(const struct loop *loop);

#endif
