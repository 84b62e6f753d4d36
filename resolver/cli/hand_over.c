#include "resolver/cli/hand_over.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "resolver/cli/cli.h"
#include "resolver/cli/limit.h"

enum { FIRST_FD = 3 };                          /* SD_LISTEN_FDS_START of sd_listen_fds(3) */
enum { NOT_EXECUTABLE = 126, NOT_FOUND = 127 }; /* exit statuses, as of a shell */
enum { OTHER_FDS = 64 };                        /* room for those that podpid has open besides */
enum { MOST_INHERITED = 100000 }; /* descriptors; a larger LISTEN_FDS is taken for a mistake */

/* Descriptors that a service manager passed to podpid (LISTEN_PID is ours). COMMAND gets them in
 * front of the pidfds. */
struct inherited {
    unsigned n;
    const char *names; /* LISTEN_FDNAMES; NULL: none were given */
};

/* LISTEN_FDNAMES if it has n names, else NULL: with too few or too many names the pidfds behind
 * them would be taken for others. */
static const char *names_of(unsigned n)
{
    const char *names = getenv("LISTEN_FDNAMES");
    unsigned n_names = 1;

    for (const char *p = names; p && *p; p++) {
        n_names += *p == ':';
    }
    return n_names == n ? names : NULL;
}

static struct inherited read_inherited(void)
{
    const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
    unsigned long n;
    char *end;

    if (!pid || !fds || strtoul(pid, &end, 10) != (unsigned long)getpid() || *end) {
        return (struct inherited){0};
    }
    n = strtoul(fds, &end, 10);
    if (*end || n > MOST_INHERITED) {
        return (struct inherited){0};
    }
    for (unsigned long i = 0; i < n; i++) {
        if (fcntl(FIRST_FD + (int)i, F_GETFD) < 0) {
            return (struct inherited){0};
        }
    }
    return (struct inherited){(unsigned)n, names_of((unsigned)n)};
}

/* Copy the descriptors to the numbers first, first + 1, ... In two steps, by way of higher numbers:
 * one of them may have a number that another is to get. dup2() leaves the copies open across exec.
 */
static bool place_all(const int *fds, size_t n, int first)
{
    CLI_AUTO(cli_free) int *aside = calloc(n ? n : 1, sizeof(int));

    for (size_t i = 0; aside && i < n; i++) {
        aside[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, first + (int)n);
        if (aside[i] < 0) {
            return false;
        }
    }
    for (size_t i = 0; aside && i < n; i++) {
        if (dup2(aside[i], first + (int)i) < 0) {
            return false;
        }
    }
    return aside;
}

static bool set_names(const struct inherited *from, const struct podpid_pidfd *pidfds, size_t n)
{
    size_t size = (from->names ? strlen(from->names) : 0) + from->n * sizeof("unknown") + 1;
    CLI_AUTO(cli_free) char *names = NULL;
    char *p;

    for (size_t i = 0; i < n; i++) {
        size += strlen(pidfds[i].container_id) + 1;
    }
    names = p = malloc(size);
    if (!names) {
        return false;
    }
    *p = '\0';
    if (from->n && from->names) {
        p = stpcpy(p, from->names);
    }
    for (unsigned i = 0; !from->names && i < from->n; i++) {
        p = stpcpy(stpcpy(p, i ? ":" : ""), "unknown");
    }
    for (size_t i = 0; i < n; i++) {
        p = stpcpy(stpcpy(p, from->n || i ? ":" : ""), pidfds[i].container_id);
    }
    return setenv("LISTEN_FDNAMES", names, 1) == 0;
}

/* Set LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES: the inherited descriptors, then the pidfds. Unset
 * them if there are none of either. */
static bool set_listen(const struct inherited *from, const struct podpid_pidfd *pidfds, size_t n)
{
    char number[32];

    if (from->n == 0) {
        unsetenv(
            "LISTEN_PIDFDID"); /* it is about the process that LISTEN_PID named, not about us */
    }
    if (from->n + n == 0) {
        unsetenv("LISTEN_FDS");
        unsetenv("LISTEN_PID");
        unsetenv("LISTEN_FDNAMES");
        return true;
    }
    snprintf(number, sizeof(number), "%zu", from->n + n);
    if (setenv("LISTEN_FDS", number, 1) < 0) {
        return false;
    }
    snprintf(number, sizeof(number), "%d", (int)getpid());
    return setenv("LISTEN_PID", number, 1) == 0 && set_names(from, pidfds, n);
}

/* Set PODPID_HANDOFF to the file's path. Without a file: make a memory file, whose path
 * place_descriptors() sets. */
static int set_handoff(const struct podpid_report *r, const char *path, int *ret_memfd)
{
    struct podpid_error error = PODPID_ERROR_INIT;

    if (path) {
        return setenv("PODPID_HANDOFF", path, 1) < 0 ? cli_nomem() : CLI_OK;
    }
    if (podpid_handoff_memfd(podpid_report_targets(r), ret_memfd, &error) < 0) {
        return cli_fail(&error);
    }
    return CLI_OK;
}

static int place_descriptors(const struct podpid_pidfd *pidfds, size_t n, int memfd, int first)
{
    CLI_AUTO(cli_free) int *fds = calloc(n + 1, sizeof(int));
    char path[64];

    if (!fds) {
        return cli_nomem();
    }
    for (size_t i = 0; i < n; i++) {
        fds[i] = pidfds[i].fd;
    }
    fds[n] = memfd;
    if (memfd >= 0) {
        fcntl(memfd, F_SETFD, FD_CLOEXEC); /* COMMAND gets its copy behind the pidfds */
    }
    if (!place_all(fds, n + (memfd >= 0 ? 1 : 0), first)) {
        cli_say("cannot hand over %zu descriptors: %s", n, strerror(errno));
        return CLI_NOT_WELL;
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", first + (int)n);
    if (memfd >= 0 && setenv("PODPID_HANDOFF", path, 1) < 0) {
        return cli_nomem();
    }
    return CLI_OK;
}

int hand_over(const struct podpid_report *r, const char *handoff_path, char **command)
{
    size_t n;
    const struct podpid_pidfd *pidfds = podpid_report_pidfds(r, &n);
    struct inherited from = read_inherited();
    /* place_all() has each descriptor open three times. */
    struct rlimit before = limit_raise_fds((from.n + n + 1) * 3 + OTHER_FDS);
    int memfd = -1, status;

    status = set_handoff(r, handoff_path, &memfd);
    if (status == CLI_OK) {
        status = place_descriptors(pidfds, n, memfd, FIRST_FD + (int)from.n);
    }
    setrlimit(RLIMIT_NOFILE, &before);
    if (status != CLI_OK) {
        return status;
    }
    if (!set_listen(&from, pidfds, n)) {
        return cli_nomem();
    }
    fflush(NULL);
    signal(SIGXFSZ, SIG_DFL);
    execvp(command[0], command);
    status = errno == ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
    cli_say("cannot run %s: %s", command[0], strerror(errno));
    return status;
}
