/* Runs a program as where a system call cannot be had: pidfd_open(2) is not there (ENOSYS: a kernel
 * before 5.3), or there is no inotify instance left (EMFILE).
 *
 *   without pidfd_open|inotify COMMAND ARG... */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct call {
    const char *name;
    unsigned number, errnum;
} calls[] = {{"pidfd_open", SYS_pidfd_open, ENOSYS}, {"inotify", SYS_inotify_init1, EMFILE}};

static int refuse(const struct call *call)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call->number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | call->errnum),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0) {
        perror("seccomp");
        return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 2 && i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (strcmp(argv[1], calls[i].name) == 0) {
            if (refuse(&calls[i]) < 0) {
                return 2;
            }
            execvp(argv[2], argv + 2);
            perror(argv[2]);
            return 127;
        }
    }
    fputs("usage: without pidfd_open|inotify COMMAND ARG...\n", stderr);
    return 2;
}
