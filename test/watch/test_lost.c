/* The lines about sources that a watch cannot have. */
#include <errno.h>

#include "resolver/watch/impl.h"
#include "test/support/unit.h"

static void each_loss_says_what_it_costs_and_what_to_do(void **state)
{
    static const struct {
        struct watch_lost lost;
        const char *lines[LOST_LINES];
    } cases[] = {
        {{0}, {NULL}},
        {{.no_cgroups = true},
         {"no cgroup file system is mounted here that could be watched: starts of containers that "
          "no event of the runtime tells of are seen at the next look, every 30 s; mount it at "
          "/sys/fs/cgroup"}},
        {{.inotify = EMFILE},
         {"inotify cannot be had, for fs.inotify.max_user_instances is used up: starts of "
          "containers that no event of the runtime tells of are seen at the next look, every 30 s; "
          "raise fs.inotify.max_user_instances"}},
        {{.inotify = ENOSYS},
         {"inotify cannot be had (Function not implemented): starts of containers that no event of "
          "the runtime tells of are seen at the next look, every 30 s"}},
        {{.dirs = ENOSPC},
         {"not all cgroups of pods can be watched, for fs.inotify.max_user_watches is used up: "
          "starts of containers that no event of the runtime tells of are seen at the next look, "
          "every 30 s; raise fs.inotify.max_user_watches"}},
        {{.dirs = LOST_TOO_MANY},
         {"there are more cgroups of pods than are watched at most: starts of containers that no "
          "event of the runtime tells of are seen at the next look, every 30 s"}},
        {{.mains = EMFILE, .sandboxes = EMFILE},
         {"not all main processes can be followed by a pidfd, for LimitNOFILE= (ulimit -n) is used "
          "up: their ends are seen at the next look, every 30 s; raise LimitNOFILE= (ulimit -n)"}},
        {{.sandboxes = EMFILE},
         {"not all sandbox processes can be followed by a pidfd, for LimitNOFILE= (ulimit -n) is "
          "used up: their ends are seen at the next look, every 30 s; raise LimitNOFILE= (ulimit "
          "-n)"}},
        {{.mains = ENOSPC},
         {"not all main processes can be followed by a pidfd, for fs.epoll.max_user_watches is "
          "used up: their ends are seen at the next look, every 30 s; raise "
          "fs.epoll.max_user_watches"}},
        {{.mains = EPERM},
         {"not all main processes can be followed by a pidfd (Operation not permitted): their ends "
          "are seen at the next look, every 30 s"}},
        {{.inotify = EMFILE, .mains = ENOSYS},
         {"inotify cannot be had, for fs.inotify.max_user_instances is used up: starts of "
          "containers that no event of the runtime tells of are seen at the next look, every 30 s; "
          "raise fs.inotify.max_user_instances",
          "this kernel has no pidfd_open: ends of processes are seen at the next look, every 30 s; "
          "Linux 5.3 or later has it"}},
    };

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        struct arena arena = {0};
        struct lost_lines lines;
        size_t n = 0;

        assert_int_equal(watch_lost_lines(&cases[i].lost, 30 * NSEC_PER_SEC, &arena, &lines), 0);
        for (; n < LOST_LINES && cases[i].lines[n]; n++) {
            assert_true(n < lines.n);
            assert_string_equal(lines.all[n], cases[i].lines[n]);
        }
        assert_int_equal(lines.n, n);
        arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_loss_says_what_it_costs_and_what_to_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
