#include "resolver/cli/watch_show.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "resolver/cli/format.h"
#include "resolver/cli/notify.h"

/* ---- Signals while writing --------------------------------------------------------------------
 */

static volatile sig_atomic_t ended_by; /* the signal that is to end the watch; 0: none */

/* A blocked write must not outlive the signal. While standard output takes more, its reader gets
 * another second to read the rest of the batch; else standard output becomes /dev/null, so that the
 * write that was interrupted ends. */
static void on_signal(int signal)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    int saved = errno, null;

    if (signal != SIGALRM) {
        ended_by = signal;
    }
    if (poll(&out, 1, 0) == 1) {
        alarm(1);
    } else {
        null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (null >= 0) {
            dup2(null, STDOUT_FILENO);
            close(null);
        }
    }
    errno = saved;
}

static const int interrupting[] = {SIGINT, SIGTERM, SIGALRM};
enum { N_INTERRUPTING = sizeof(interrupting) / sizeof(interrupting[0]) };

struct interruption {
    struct sigaction before[N_INTERRUPTING];
    sigset_t mask;
};

/* Unblock these signals and handle them; a write that one interrupts goes on (SA_RESTART). Those
 * that are ignored stay ignored. */
static void interruptible_begin(struct interruption *i)
{
    const struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigset_t taken;

    sigemptyset(&taken);
    for (size_t k = 0; k < N_INTERRUPTING; k++) {
        sigaction(interrupting[k], NULL, &i->before[k]);
        if (i->before[k].sa_handler != SIG_IGN || interrupting[k] == SIGALRM) {
            sigaction(interrupting[k], &act, NULL);
            sigaddset(&taken, interrupting[k]);
        }
    }
    sigprocmask(SIG_UNBLOCK, &taken, &i->mask);
}

static void interruptible_end(const struct interruption *i)
{
    alarm(0);
    sigprocmask(SIG_SETMASK, &i->mask, NULL);
    for (size_t k = 0; k < N_INTERRUPTING; k++) {
        sigaction(interrupting[k], &i->before[k], NULL);
    }
}

/* ---- Showing --------------------------------------------------------------------------------- */

/* Whether the lost sources differ from those of the last call. */
static bool lost_has_changed(struct watch_show *show)
{
    char text[sizeof(show->lost)] = "";
    size_t n, len = 0;
    const char *const *lines = podpid_watch_lost(show->watch, &n);

    for (size_t i = 0; i < n && len < sizeof(text); i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\n", lines[i]);
    }
    if (strcmp(text, show->lost) == 0) {
        return false;
    }
    memcpy(show->lost, text, sizeof(text));
    return true;
}

static void report_lost(const struct watch_show *show)
{
    size_t n;
    const char *const *lines = podpid_watch_lost(show->watch, &n);

    for (size_t i = 0; i < n && !show->cli->quiet; i++) {
        cli_say("warning: %s", lines[i]);
    }
    if (n == 0 && !show->cli->quiet) {
        cli_say("the lost sources are back: changes are seen at once again");
    }
}

/* On a terminal: clear it and print the whole table. */
static int redraw(const struct watch_show *show)
{
    CLI_AUTO(cli_free_snapshot) struct podpid_snapshot *running = NULL;
    struct podpid_error error = PODPID_ERROR_INIT;

    if (podpid_snapshot_select(podpid_watch_snapshot(show->watch), 0, NULL, NULL, NULL, &running,
                               &error) < 0) {
        return cli_fail(&error);
    }
    fputs("\033[H\033[2J", stdout);
    if (podpid_watch_stale(show->watch)) {
        puts("The runtime cannot be reached. Its last answer:\n");
    }
    if (show->lost[0] && !show->cli->quiet) {
        printf("Warning:\n%s\n", show->lost);
    }
    return out_table(show->cli, running);
}

static void notify_manager(struct watch_show *show)
{
    char text[160];
    size_t n, containers = 0, verified = 0;
    const struct podpid_snapshot *s = podpid_watch_snapshot(show->watch);
    const struct podpid_pod *const *pods = s ? podpid_snapshot_pods(s, &n) : NULL;

    for (size_t i = 0; pods && i < n; i++) {
        for (size_t k = 0; k < pods[i]->n_containers; k++) {
            containers += pods[i]->containers[k]->state == PODPID_STATE_RUNNING;
            verified += pods[i]->containers[k]->verdict == PODPID_VERDICT_VERIFIED;
        }
    }
    snprintf(text, sizeof(text), "%sSTATUS=%zu of %zu running containers verified%s",
             show->ready ? "" : "READY=1\n", verified, containers,
             podpid_watch_stale(show->watch) ? "; the runtime is away" : "");
    notify_send(text);
    show->ready = true;
}

/* Write the events that were not shown yet, *ret_any: there was one. *ret_warned: with a snapshot
 * the lost sources were reported, as they are among its warnings. */
static int write_events(struct watch_show *show, bool on_terminal, bool *ret_any, bool *ret_warned)
{
    const struct podpid_event *e;

    while ((e = podpid_watch_next(show->watch))) {
        int status;

        *ret_any = true;
        if (on_terminal) {
            continue;
        }
        if (e->snapshot) {
            cli_warnings(show->cli, e->snapshot);
            *ret_warned = true;
        }
        status = show->cli->format->event(show->cli, e);
        if (status != CLI_OK) {
            return status;
        }
    }
    return CLI_OK;
}

static int show_step(struct watch_show *show)
{
    bool on_terminal = show->cli->termwidth > 0 && cli_format_is(show->cli, "table");
    bool any = false, warned = false, changed;
    int status = write_events(show, on_terminal, &any, &warned);

    changed = lost_has_changed(show);
    if (changed && !warned && !on_terminal) {
        report_lost(show);
    }
    if (status != CLI_OK || !(any || (changed && on_terminal))) {
        return status;
    }
    if (on_terminal) {
        status = redraw(show);
    }
    notify_manager(show);
    if (status == CLI_OK && (fflush(stdout) != 0 || ferror(stdout))) {
        return CLI_NOT_WELL;
    }
    return status;
}

int watch_show(struct watch_show *show, int *ret_signal)
{
    struct interruption i;
    int status;

    interruptible_begin(&i);
    status = show_step(show);
    interruptible_end(&i);
    if (ended_by) {
        *ret_signal = (int)ended_by;
    }
    return status;
}
