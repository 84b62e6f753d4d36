#include "test/support/live.h"
#include "cri/base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/support/unit.h"

/* ---- Cgroups and processes ---- */

static const char *const mounts[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};

const char *live_find_mount(void)
{
    for (size_t i = 0; i < 2; i++) {
        char path[128];

        snprintf(path, sizeof(path), "%s/cgroup.controllers", mounts[i]);
        if (access(path, F_OK) == 0 && access(mounts[i], W_OK) == 0) {
            return mounts[i];
        }
    }
    return NULL;
}

void live_make_dir(const struct live_node *l, const char *path)
{
    char full[512];

    snprintf(full, sizeof(full), "%s%s", l->mount, path);
    if (mkdir(full, 0755) < 0) {
        fail_msg("mkdir %s: %s", full, strerror(errno));
    }
}

void live_remove_dir(const struct live_node *l, const char *path)
{
    char full[512];

    snprintf(full, sizeof(full), "%s%s", l->mount, path);
    if (rmdir(full) < 0) {
        fail_msg("rmdir %s: %s", full, strerror(errno));
    }
}

const char *live_path(const struct live_node *l, unsigned number)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", l->n.anchor, node_id(number));
    return path;
}

const char *live_sandbox_path(const struct live_node *l)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", l->n.anchor, NODE_SANDBOX);
    return path;
}

static pid_t start_at(const struct live_node *l, const char *path, unsigned long flags)
{
    char procs[512];
    int joined[2]; /* a pipe: the child has joined the cgroup */
    char byte;
    pid_t pid;

    snprintf(procs, sizeof(procs), "%s%s/cgroup.procs", l->mount, path);
    assert_int_equal(pipe(joined), 0);
    pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
    assert_true(pid >= 0);
    if (pid == 0) {
        int fd = open(procs, O_WRONLY);

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (fd < 0 || write(fd, "0\n", 2) != 2 || write(joined[1], "x", 1) != 1) {
            _exit(1);
        }
        for (;;) {
            pause();
        }
    }
    close(joined[1]);
    assert_int_equal(read(joined[0], &byte, 1), 1);
    close(joined[0]);
    return pid;
}

pid_t live_start_at(const struct live_node *l, const char *path)
{
    return start_at(l, path, 0);
}

pid_t live_start_in(const struct live_node *l, unsigned number)
{
    return live_start_at(l, live_path(l, number));
}

pid_t live_start(const struct live_node *l, unsigned number)
{
    live_make_dir(l, live_path(l, number));
    return live_start_in(l, number);
}

pid_t live_start_as_first(const struct live_node *l, unsigned number)
{
    live_make_dir(l, live_path(l, number));
    return start_at(l, live_path(l, number), CLONE_NEWPID);
}

void live_end(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* ---- The node ---- */

void live_open(struct live_node *l)
{
    *l = (struct live_node){.mount = live_find_mount()};
    node_open(&l->n, false);
    /* Our PID is 1, as that of every test in a PID namespace of its own. */
    snprintf(l->top, sizeof(l->top), "/podpid-test-%lld", (long long)clock_now());
    snprintf(l->n.anchor, sizeof(l->n.anchor), "%s/pod" NODE_POD_UID, l->top);
    live_make_dir(l, l->top);
    live_make_dir(l, l->n.anchor);
}

void live_close(struct live_node *l)
{
    node_close(&l->n);
    live_remove_dir(l, l->n.anchor);
    live_remove_dir(l, l->top);
}

void live_rounds(struct live_node *l, unsigned n)
{
    if (!node_rounds(&l->n, n)) {
        fail_msg("%s", l->n.error.message);
    }
}

void live_rounds_until(struct live_node *l, size_t events)
{
    for (int i = 0; i < SETTLED && l->n.n_events < events; i++) {
        live_rounds(l, 1);
    }
}

unsigned live_count_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    assert_non_null(d);
    while (readdir(d)) {
        n++;
    }
    closedir(d);
    return n;
}

bool live_has_pidfd(pid_t pid)
{
    DIR *d = opendir("/proc/self/fdinfo");
    const struct dirent *entry;
    bool found = false;

    assert_non_null(d);
    while ((entry = readdir(d))) {
        char line[256];
        int of = 0, fd = openat(dirfd(d), entry->d_name, O_RDONLY | O_CLOEXEC);
        FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

        while (f && fgets(line, sizeof(line), f)) {
            found = found || (sscanf(line, "Pid: %d", &of) == 1 && of == (int)pid);
        }
        if (f) {
            fclose(f);
        }
    }
    closedir(d);
    return found;
}
