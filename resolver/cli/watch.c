/* podpid watch: what changes, as it happens. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "resolver/cli/notify.h"
#include "resolver/cli/out.h"

enum { OPT_HANDOFF = CLI_OWN, OPT_KEEP };

static const struct cli_option own_options[] = {
    {OPT_HANDOFF, "handoff", "FILE",
     "keep this file true: the targets (-f, or selectors; -p '*' is\n"
     "all), with the PIDs that are verified; replaced whole at every\n"
     "change"},
    {OPT_KEEP, "keep", NULL, "leave the file at the end (default: it is removed)"},
    {0, NULL, NULL, NULL}};

struct watcher {
    const struct cli *cli;
    struct podpid_watch *watch;
    const char *handoff;
    bool keep, ready;
    int signals;
    sigset_t before;
    int64_t watchdog, next_watchdog;
    char lost[2048]; /* what was said of lost sources last */
};

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* ---- A reader who does not read ----------------------------------------------------------------
 */

static volatile sig_atomic_t ended_by;

/* A write may wait for ever, and the signal must end us all the same: what cannot be written now
 * goes nowhere. Who reads gets the batch whole: he has a second for each look at him. */
static void on_end(int signal)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    int saved = errno, nowhere;

    if (signal != SIGALRM) {
        ended_by = signal;
    }
    if (poll(&out, 1, 0) == 1) {
        alarm(1);
    } else {
        nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (nowhere >= 0) {
            dup2(nowhere, STDOUT_FILENO);
            close(nowhere);
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

/* From here on these signals are taken at once, and writes go on after them. */
static void interruptible_begin(struct interruption *i)
{
    const struct sigaction act = {.sa_handler = on_end, .sa_flags = SA_RESTART};
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

/* Is it other than what was said last? Then that is noted. */
static bool lost_is_news(struct watcher *w)
{
    char text[sizeof(w->lost)] = "";
    size_t n, len = 0;
    const char *const *lines = podpid_watch_lost(w->watch, &n);

    for (size_t i = 0; i < n && len < sizeof(text); i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\n", lines[i]);
    }
    if (strcmp(text, w->lost) == 0) {
        return false;
    }
    memcpy(w->lost, text, sizeof(text));
    return true;
}

static void say_lost(const struct watcher *w)
{
    size_t n;
    const char *const *lines = podpid_watch_lost(w->watch, &n);

    for (size_t i = 0; i < n && !w->cli->quiet; i++) {
        cli_say("warning: %s", lines[i]);
    }
    if (n == 0 && !w->cli->quiet) {
        cli_say("what was lost is there again: changes are seen at once");
    }
}

/* On a terminal the whole table, drawn anew after every batch. */
static int redraw(const struct watcher *w)
{
    CLI_AUTO(cli_free_snapshot) struct podpid_snapshot *running = NULL;
    struct podpid_error error = PODPID_ERROR_INIT;

    if (podpid_snapshot_select(podpid_watch_snapshot(w->watch), 0, NULL, NULL, NULL, &running,
                               &error) < 0) {
        return cli_fail(&error);
    }
    fputs("\033[H\033[2J", stdout);
    if (podpid_watch_stale(w->watch)) {
        puts("The runtime is away. What it said last:\n");
    }
    if (w->lost[0] && !w->cli->quiet) {
        printf("Warning:\n%s\n", w->lost);
    }
    return out_table(w->cli, running);
}

static void print_time(int64_t at)
{
    time_t seconds = (time_t)(at / 1000000000);
    struct tm tm;
    char text[32] = "?";

    if (localtime_r(&seconds, &tm)) {
        strftime(text, sizeof(text), "%H:%M:%S", &tm);
    }
    printf("%s.%03d", text, (int)(at / 1000000 % 1000));
}

static int print_container(const struct watcher *w, const char *event,
                           const struct podpid_container *c)
{
    const struct podpid_pod *p = c->pod;
    char *namespace_ = cli_text(w->cli, p->namespace_, 64), *pod = cli_text(w->cli, p->name, 64);
    char *name = cli_text(w->cli, c->name, 64);
    int status = namespace_ && pod && name ? CLI_OK : cli_nomem();

    if (status == CLI_OK) {
        printf(" %-8s %.12s %s/%s/%s %s ", event, c->id, namespace_, pod, name,
               podpid_verdict_name(c->verdict));
        if (c->pid) {
            printf("%d\n", c->pid);
        } else {
            puts("-");
        }
    }
    free(namespace_);
    free(pod);
    free(name);
    return status;
}

/* Elsewhere a line an event. */
static int print_event(const struct watcher *w, const struct podpid_event *e)
{
    const char *name = podpid_event_name(e->kind);
    const struct podpid_pod *const *pods;
    size_t n;
    int status = CLI_OK;

    if (e->container) {
        print_time(e->at);
        return print_container(w, name, e->container);
    }
    if (!e->snapshot) {
        char *detail = cli_text(w->cli, e->detail, 512);

        print_time(e->at);
        printf(" %-8s %s\n", name, detail ? detail : "");
        free(detail);
        return CLI_OK;
    }
    pods = podpid_snapshot_pods(e->snapshot, &n);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; status == CLI_OK && k < pods[i]->n_containers; k++) {
            print_time(e->at);
            status = print_container(w, name, pods[i]->containers[k]);
        }
    }
    return status;
}

static int print_json(const struct podpid_event *e)
{
    struct podpid_error error = PODPID_ERROR_INIT;

    return podpid_event_to_json(e, cli_write, NULL, &error) < 0 ? cli_fail(&error) : CLI_OK;
}

static void tell_manager(struct watcher *w)
{
    char text[160];
    size_t n, containers = 0, verified = 0;
    const struct podpid_snapshot *s = podpid_watch_snapshot(w->watch);
    const struct podpid_pod *const *pods = s ? podpid_snapshot_pods(s, &n) : NULL;

    for (size_t i = 0; pods && i < n; i++) {
        for (size_t k = 0; k < pods[i]->n_containers; k++) {
            containers += pods[i]->containers[k]->state == PODPID_STATE_RUNNING;
            verified += pods[i]->containers[k]->verdict == PODPID_VERDICT_VERIFIED;
        }
    }
    snprintf(text, sizeof(text), "%sSTATUS=%zu of %zu running containers verified%s",
             w->ready ? "" : "READY=1\n", verified, containers,
             podpid_watch_stale(w->watch) ? "; the runtime is away" : "");
    notify_send(text);
    w->ready = true;
}

static int show_all(struct watcher *w)
{
    const struct podpid_event *e;
    bool any = false, said = false, news,
         terminal = w->cli->termwidth > 0 && !cli_format_is(w->cli, "jsonl");
    int status = CLI_OK;

    while (status == CLI_OK && (e = podpid_watch_next(w->watch))) {
        any = true;
        if (e->snapshot && !terminal) {
            cli_warnings(w->cli, e->snapshot); /* what is lost is among them */
            said = true;
        }
        if (cli_format_is(w->cli, "jsonl")) {
            status = print_json(e);
        } else if (!terminal) {
            status = print_event(w, e);
        }
    }
    news = lost_is_news(w);
    if (news && !said && !terminal) {
        say_lost(w);
    }
    if (!(any || (news && terminal)) || status != CLI_OK) {
        return status;
    }
    if (terminal) {
        status = redraw(w);
    }
    tell_manager(w);
    if (status == CLI_OK && (fflush(stdout) != 0 || ferror(stdout))) {
        return CLI_NOT_WELL; /* the reader went away; said when standard output is closed */
    }
    return status;
}

static int show(struct watcher *w)
{
    struct interruption i;
    int status;

    interruptible_begin(&i);
    status = show_all(w);
    interruptible_end(&i);
    return status;
}

/* ---- Waiting --------------------------------------------------------------------------------- */

/* SIGPIPE is held back, too: who goes away from the other end of our output must not keep us from
 * removing the handoff file. It ends us afterwards, as it does everybody. */
static void open_signals(struct watcher *w)
{
    sigset_t held, pipe;

    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    sigaddset(&held, SIGHUP);
    sigprocmask(SIG_BLOCK, &held, &w->before);
    w->signals = signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK);
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigprocmask(SIG_BLOCK, &pipe, NULL);
}

/* The signal to end by; 0: none. SIGHUP only looks again. */
static int read_signal(struct watcher *w)
{
    struct signalfd_siginfo info;

    while (read(w->signals, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo != SIGHUP) {
            return (int)info.ssi_signo;
        }
        podpid_watch_look_now(w->watch);
    }
    return 0;
}

/* The signal to end by; 0: none. Who reads may go away, or hang up, while there is nothing to say.
 */
static int wait_for_more(struct watcher *w, int64_t now)
{
    struct pollfd fds[3] = {{.fd = podpid_watch_fd(w->watch), .events = POLLIN},
                            {.fd = w->signals, .events = POLLIN},
                            {.fd = STDOUT_FILENO, .events = 0}};
    int64_t deadline = podpid_watch_deadline(w->watch), left;

    if (w->watchdog && w->next_watchdog < deadline) {
        deadline = w->next_watchdog;
    }
    left = deadline <= now ? 0 : (deadline - now) / 1000000 + 1;
    if (poll(fds, 3, left > 3600000 ? 3600000 : (int)left) <= 0) {
        return 0;
    }
    if (fds[2].revents & (POLLERR | POLLHUP)) {
        return w->cli->termwidth > 0 ? SIGHUP : SIGPIPE;
    }
    return fds[1].revents ? read_signal(w) : 0;
}

static int follow(struct watcher *w, int *ret_signal)
{
    struct podpid_error error = PODPID_ERROR_INIT;
    int status = CLI_OK;

    while (status == CLI_OK && *ret_signal == 0) {
        int64_t now = now_ns();

        if (w->watchdog && now >= w->next_watchdog) {
            notify_send("WATCHDOG=1");
            w->next_watchdog = now + w->watchdog;
        }
        if (podpid_watch_step(w->watch, now, &error) < 0) {
            return cli_fail(&error);
        }
        status = show(w);
        *ret_signal = (int)ended_by;
        if (status == CLI_OK && *ret_signal == 0) {
            *ret_signal = wait_for_more(w, now_ns());
        }
    }
    return status;
}

/* A file that nobody keeps true any more is a lie. */
static int end(struct watcher *w, int status, int signal)
{
    struct podpid_error error = PODPID_ERROR_INIT;

    notify_send("STOPPING=1");
    podpid_watch_free(w->watch);
    /* EEXIST: the file is not podpid's, which may be why the watch failed and is said already. */
    if (w->handoff && !w->keep && podpid_handoff_remove(w->handoff, &error) < 0 &&
        (status == CLI_OK || error.system_errno != EEXIST)) {
        status = cli_fail(&error);
    }
    fflush(stdout);
    if (signal) {
        raise(signal);
    }
    sigprocmask(SIG_SETMASK, &w->before, NULL);
    if (signal && status == CLI_OK) {
        cli_say("the reader of standard output went away"); /* and the signal is ignored */
        status = CLI_NOT_WELL;
    }
    return status;
}

/* A descriptor for each main process and each sandbox: the soft limit is not meant for that. */
static void raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int watch(struct cli *cli, const struct podpid_targets *targets, const char *handoff,
                 bool keep)
{
    const struct podpid_policy *policy = podpid_targets_policy(targets);
    struct watcher w = {
        .cli = cli, .handoff = handoff ? handoff : policy->handoff_path, .keep = keep};
    struct podpid_watch_options options = PODPID_WATCH_OPTIONS_INIT;
    struct podpid_error error = PODPID_ERROR_INIT;
    int status, signal = 0;

    options.look = &cli->look;
    options.targets = targets;
    options.handoff_path = w.handoff;
    options.handoff_group = policy->handoff_group;
    options.handoff_mode = policy->handoff_mode > 0 ? policy->handoff_mode : 0;
    raise_limit();
    if (podpid_watch_new(&options, &w.watch, &error) < 0) {
        return cli_fail(&error);
    }
    open_signals(&w);
    w.watchdog = notify_watchdog();
    status = follow(&w, &signal);
    return end(&w, status, signal);
}

static int run(struct cli *cli, int argc, char **argv)
{
    CLI_AUTO(cli_free_targets) struct podpid_targets *targets = NULL;
    const char *handoff = NULL;
    bool keep = false;
    int key, status;

    while ((key = cli_getopt(cli, argc, argv)) != CLI_DONE) {
        switch (key) {
        case OPT_HANDOFF:
            handoff = optarg;
            break;
        case OPT_KEEP:
            keep = true;
            break;
        default:
            return cli->status;
        }
    }
    if (optind < argc) {
        return cli_usage(cli, "takes no argument: %s", argv[optind]);
    }
    status = cli_all_targets(cli, &targets);
    return status == CLI_OK ? watch(cli, targets, handoff, keep) : status;
}

const struct cli_verb watch_verb = {
    .name = "watch",
    .args = "",
    .summary = "changes as they happen",
    .about =
        "Shows the containers and what changes: first the whole, then what is added, removed or\n"
        "changed (PID, verdict, state). An exit of a main process is seen at once, without the\n"
        "runtime; everything else wakes a look at the node, and so does time: every 30 seconds.\n"
        "While the runtime is away the last truth stays, marked as stale. On a terminal the table\n"
        "is drawn anew; elsewhere there is a line an event. SIGHUP looks again at once.\n"
        "\n"
        "What cannot be had of inotify and pidfds (fs.inotify.max_user_instances,\n"
        "fs.inotify.max_user_watches, the limit of descriptors) is said once: what they tell of\n"
        "is then seen at the next look.",
    .groups = CLI_LOOK | CLI_SELECT | CLI_FORMAT,
    .live = true,
    .formats = "table|jsonl",
    .own = own_options,
    .notes =
        "Examples:\n"
        "  podpid watch -n prod\n"
        "  podpid watch -o jsonl | jq -c 'select(.event == \"changed\") | .container'\n"
        "  podpid watch -f policy.yaml --handoff /run/cdm-replicator/pids.json\n"
        "\n"
        "Under systemd (Type=notify) it says READY, STATUS and WATCHDOG.\n"
        "\n"
        "Exit status: it ends by SIGINT or SIGTERM, or with 2 for usage, 3 when the first look\n"
        "fails, 1 when the handoff file or standard output cannot be written.",
    .run = run,
};
