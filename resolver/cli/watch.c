/* podpid watch: the containers, and every change as it happens. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "resolver/cli/limit.h"
#include "resolver/cli/loop.h"
#include "resolver/cli/notify.h"
#include "resolver/cli/watch_show.h"

enum { OPT_HANDOFF = CLI_OWN, OPT_KEEP };

static const struct cli_option own_options[] = {
    {OPT_HANDOFF, "handoff", "FILE",
     "keep the verified PIDs of the targets (-f, or selectors; -p '*' is all) in this file, which "
     "is "
     "replaced whole at every change"},
    {OPT_KEEP, "keep", NULL, "leave that file at the end (default: remove it)"},
    {0, NULL, NULL, NULL}};

struct watcher {
    struct watch_show show;
    const char *handoff; /* the path of the handoff file; NULL: none */
    bool keep;           /* leave that file at the end */
    struct loop loop;
    int64_t watchdog, next_watchdog; /* ns: pause between WATCHDOG=1 (0: none), time of the next */
};

/* Block SIGPIPE: if the reader of standard output goes away, the handoff file must still be
 * removed. The signal ends the process afterwards, as it ends other programs. */
static void block_sigpipe(void)
{
    sigset_t pipe;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigprocmask(SIG_BLOCK, &pipe, NULL);
}

/* The pending signal that is to end the watch; 0: none. SIGHUP asks for a look. */
static int read_signals(const struct watcher *w)
{
    int signal;

    while ((signal = loop_signal(&w->loop)) == SIGHUP) {
        podpid_watch_look_now(w->show.watch);
    }
    return signal;
}

/* Wait for the next step. The signal that is to end the watch; 0: none. */
static int wait_for_step(const struct watcher *w)
{
    int64_t deadline = podpid_watch_deadline(w->show.watch);

    if (w->watchdog && w->next_watchdog < deadline) {
        deadline = w->next_watchdog;
    }
    switch (loop_wait(&w->loop, podpid_watch_fd(w->show.watch), deadline, true)) {
    case LOOP_OUTPUT_GONE:
        return w->show.cli->termwidth > 0 ? SIGHUP : SIGPIPE; /* as the kernel says it on a write */
    case LOOP_SIGNAL:
        return read_signals(w);
    case LOOP_STEP:
        break;
    }
    return 0;
}

static int follow(struct watcher *w, int *ret_signal)
{
    struct podpid_error error = PODPID_ERROR_INIT;
    int status = CLI_OK;

    while (status == CLI_OK && *ret_signal == 0) {
        int64_t now = loop_now();

        if (w->watchdog && now >= w->next_watchdog) {
            notify_send("WATCHDOG=1");
            w->next_watchdog = now + w->watchdog;
        }
        if (podpid_watch_step(w->show.watch, now, &error) < 0) {
            return cli_fail(&error);
        }
        status = watch_show(&w->show, ret_signal);
        if (status == CLI_OK && *ret_signal == 0) {
            *ret_signal = wait_for_step(w);
        }
    }
    return status;
}

/* Nobody updates the handoff file any more, so it goes, unless --keep. */
static int end(struct watcher *w, int status, int signal)
{
    struct podpid_error error = PODPID_ERROR_INIT;

    notify_send("STOPPING=1");
    podpid_watch_free(w->show.watch);
    /* EEXIST: podpid did not write this file. If the watch failed, that was probably the reason,
     * which is reported already. */
    if (w->handoff && !w->keep && podpid_handoff_remove(w->handoff, &error) < 0 &&
        (status == CLI_OK || error.system_errno != EEXIST)) {
        status = cli_fail(&error);
    }
    fflush(stdout);
    if (signal) {
        raise(signal);
    }
    loop_end(&w->loop); /* the signal ends the process here, unless it is ignored */
    if (signal && status == CLI_OK) {
        cli_say("the reader of standard output went away");
        status = CLI_NOT_WELL;
    }
    return status;
}

static int watch(struct cli *cli, const struct podpid_targets *targets, const char *handoff,
                 bool keep)
{
    const struct podpid_policy *policy = podpid_targets_policy(targets);
    struct watcher w = {
        .show = {.cli = cli}, .handoff = handoff ? handoff : policy->handoff_path, .keep = keep};
    struct podpid_watch_options options = PODPID_WATCH_OPTIONS_INIT;
    struct podpid_error error = PODPID_ERROR_INIT;
    int status, signal = 0;

    options.look = &cli->look;
    options.targets = targets;
    options.handoff_path = w.handoff;
    options.handoff_group = policy->handoff_group;
    options.handoff_mode = policy->handoff_mode > 0 ? policy->handoff_mode : 0;
    /* A watch holds a descriptor for each main process and each sandbox; the soft limit is often
     * 1024. */
    limit_raise_fds(RLIM_INFINITY);
    if (podpid_watch_new(&options, &w.show.watch, &error) < 0) {
        return cli_fail(&error);
    }
    loop_begin(&w.loop, SIGHUP);
    block_sigpipe();
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
    .about = "Prints all containers first, then each that is added, removed or changed (PID, "
             "verdict, state). The exit of a main process is seen at once, without asking the "
             "runtime. Other changes cause a look at the node, and so does time: every 30 seconds. "
             "While the runtime cannot be reached, its last answer stays and is marked as stale. "
             "On a terminal the table is drawn again after each change; elsewhere each event is a "
             "line. SIGHUP causes a look at once.\n"
             "\n"
             "If inotify or pidfds are not available (fs.inotify.max_user_instances, "
             "fs.inotify.max_user_watches, the limit of descriptors), that is reported once: the "
             "changes that they would show are then seen at the next look.",
    .groups = CLI_LOOK | CLI_SELECT,
    .writes = CLI_EVENT,
    .live = true,
    .own = own_options,
    .notes = "Examples:\n"
             "  podpid watch -n prod\n"
             "  podpid watch -o jsonl | jq -c 'select(.event == \"changed\") | .container'\n"
             "  podpid watch -f policy.yaml --handoff /run/cdm-replicator/pids.json\n"
             "\n"
             "Under systemd (Type=notify) it sends READY, STATUS and WATCHDOG.\n"
             "\n"
             "Exit status: SIGINT or SIGTERM end it by that signal; 1 the handoff file or\n"
             "standard output cannot be written; 2 usage; 3 the first look failed.",
    .run = run,
};
