/* The verdict of one container against a process table made by hand: every verdict, and the order
 * of those that apply at once. */
#include <stdio.h>
#include <string.h>

#include "resolver/join/verdict.h"
#include "test/support/unit.h"

/* The container was created at second 1000 and started at second 1010 of a machine that booted at
 * second 0, so 100 ticks are a second. */
enum { CREATED = 1000, STARTED = 1010, HZ = 100, START = STARTED * HZ };

#define POD "/kubepods/pod11111111-2222-3333-4444-555555555555/"
#define IN_ME POD "a"
#define IN_OTHER POD "b"
#define IN_SANDBOX POD "5"

struct process_row {
    int pid, ppid;
    uint64_t start;
    const char *cgroup;
    int nspid;   /* the last number of NSpid; 0: in the host's PID namespace */
    unsigned ns; /* inode of the PID namespace; 0: unreadable */
    char state;  /* 0: S */
    unsigned threads;
    const char *comm;
};

struct verdict_case {
    const char *name;
    struct process_row rows[6];
    enum podpid_verdict verdict;
    int pid, inferred;
    /* What the runtime says; 0: running, its status was read, PID 200 is reported. */
    int reported;          /* -1: none */
    enum view_state state; /* VIEW_CREATED, which is 0, counts only where the verdict is created */
    enum view_status status;
    const char *runtime_type, *handler, *vm_handlers, *blind;
    int others_pid;
    const char *path; /* "": no cgroupsPath */
    bool stepped;     /* the wall clock was set: created_at and started_at are not given */
};

#define ROW(p, pp, s, c)                                                                           \
    {                                                                                              \
        .pid = p, .ppid = pp, .start = s, .cgroup = c                                              \
    }
#define IN_NS(p, pp, s, c, number, inode)                                                          \
    {                                                                                              \
        .pid = p, .ppid = pp, .start = s, .cgroup = c, .nspid = number, .ns = inode                \
    }
#define MAIN                                                                                       \
    {                                                                                              \
        200, 50, START, IN_ME, 1, 7                                                                \
    }

static const struct verdict_case cases[] = {
    {.name = "verified",
     .rows = {MAIN, ROW(201, 200, START, IN_ME)},
     .verdict = PODPID_VERDICT_VERIFIED,
     .pid = 200},
    {.name = "verified, with an exec",
     .rows = {MAIN, IN_NS(300, 50, START + 9, IN_ME, 9, 7)},
     .verdict = PODPID_VERDICT_VERIFIED,
     .pid = 200},
    {.name = "verified, the leader has exited",
     .rows = {{.pid = 200,
               .ppid = 50,
               .start = START,
               .cgroup = IN_ME,
               .nspid = 1,
               .ns = 7,
               .state = 'Z',
               .threads = 3}},
     .verdict = PODPID_VERDICT_VERIFIED,
     .pid = 200},

    /* Errors and states are decided without the kernel. */
    {.name = "error",
     .rows = {MAIN},
     .verdict = PODPID_VERDICT_ERROR,
     .status = VIEW_STATUS_FAILED},
    {.name = "error before exited",
     .rows = {MAIN},
     .verdict = PODPID_VERDICT_ERROR,
     .status = VIEW_STATUS_FAILED,
     .state = VIEW_EXITED},
    {.name = "listed, not found",
     .rows = {MAIN},
     .verdict = PODPID_VERDICT_ERROR,
     .status = VIEW_STATUS_GONE},
    {.name = "created, with the PID of runc init",
     .rows = {MAIN},
     .verdict = PODPID_VERDICT_CREATED,
     .state = VIEW_CREATED},
    {.name = "exited, with a stale PID",
     .rows = {MAIN},
     .verdict = PODPID_VERDICT_EXITED,
     .state = VIEW_EXITED},
    {.name = "unknown", .rows = {MAIN}, .verdict = PODPID_VERDICT_UNKNOWN, .state = VIEW_UNKNOWN},
    {.name = "exited before vm",
     .rows = {MAIN},
     .verdict = PODPID_VERDICT_EXITED,
     .state = VIEW_EXITED,
     .runtime_type = "io.containerd.kata.v2"},

    {.name = "vm by type",
     .rows = {MAIN},
     .verdict = PODPID_VERDICT_VM,
     .runtime_type = "io.containerd.kata-qemu.v2"},
    {.name = "vm by type, gVisor",
     .rows = {MAIN},
     .verdict = PODPID_VERDICT_VM,
     .runtime_type = "io.containerd.runsc.v1"},
    {.name = "verified: runc is no vm",
     .rows = {MAIN},
     .verdict = PODPID_VERDICT_VERIFIED,
     .pid = 200,
     .runtime_type = "io.containerd.runc.v2"},
    {.name = "vm before dead",
     .rows = {ROW(1, 0, 1, "/")},
     .verdict = PODPID_VERDICT_VM,
     .runtime_type = "io.containerd.kata.v2"},
    {.name = "vm before no PID",
     .rows = {ROW(1, 0, 1, "/")},
     .verdict = PODPID_VERDICT_VM,
     .reported = -1,
     .runtime_type = "io.containerd.kata.v2"},
    {.name = "vm: a monitor in the sandbox's cgroup",
     .rows = {{.pid = 200,
               .ppid = 50,
               .start = START,
               .cgroup = IN_SANDBOX,
               .comm = "qemu-system-x86"}},
     .verdict = PODPID_VERDICT_VM},
    {.name = "moved: a process in the sandbox's cgroup that is no monitor",
     .rows = {{.pid = 200, .ppid = 50, .start = START, .cgroup = IN_SANDBOX, .comm = "sh"}},
     .verdict = PODPID_VERDICT_RECYCLED},
    {.name = "verified: a member with a monitor's name",
     .rows = {{.pid = 200,
               .ppid = 50,
               .start = START,
               .cgroup = IN_ME,
               .nspid = 1,
               .ns = 7,
               .comm = "firecracker"}},
     .verdict = PODPID_VERDICT_VERIFIED,
     .pid = 200},
    {.name = "vm: one PID for two containers",
     .rows = {ROW(200, 50, START, "/")},
     .verdict = PODPID_VERDICT_VM,
     .others_pid = 200},
    {.name = "verified: one PID for two containers, but a member of this one",
     .rows = {MAIN},
     .verdict = PODPID_VERDICT_VERIFIED,
     .pid = 200,
     .others_pid = 200},
    {.name = "vm: the handler is named",
     .rows = {MAIN},
     .verdict = PODPID_VERDICT_VM,
     .handler = "fire",
     .vm_handlers = "a,fire"},
    {.name = "verified: only a part of the handler is named",
     .rows = {MAIN},
     .verdict = PODPID_VERDICT_VERIFIED,
     .pid = 200,
     .handler = "fir",
     .vm_handlers = "fire"},
    {.name = "vm: a handler's name, no member",
     .rows = {ROW(1, 0, 1, "/")},
     .verdict = PODPID_VERDICT_VM,
     .handler = "kata-fc"},
    {.name = "vm: the runtime of a Docker container is named",
     .rows = {MAIN},
     .verdict = PODPID_VERDICT_VM,
     .runtime_type = "runsc",
     .vm_handlers = "runsc"},
    {.name = "vm: the name of a Docker container's runtime, no member",
     .rows = {ROW(1, 0, 1, "/")},
     .verdict = PODPID_VERDICT_VM,
     .runtime_type = "runsc"},
    {.name = "verified: a handler's name, with members",
     .rows = {MAIN},
     .verdict = PODPID_VERDICT_VERIFIED,
     .pid = 200,
     .handler = "kata-fc"},

    {.name = "inferred",
     .rows = {MAIN},
     .verdict = PODPID_VERDICT_INFERRED,
     .inferred = 200,
     .reported = -1},
    {.name = "inferred beside an exec",
     .rows = {MAIN, IN_NS(300, 50, START + 9, IN_ME, 9, 7)},
     .verdict = PODPID_VERDICT_INFERRED,
     .inferred = 200,
     .reported = -1},
    {.name = "no process",
     .rows = {ROW(1, 0, 1, "/")},
     .verdict = PODPID_VERDICT_NO_PROCESS,
     .reported = -1},
    {.name = "unproven: no PID 1",
     .rows = {IN_NS(200, 50, START, IN_ME, 9, 7)},
     .verdict = PODPID_VERDICT_UNPROVEN,
     .reported = -1},
    {.name = "unproven: two top processes are PID 1",
     .rows = {MAIN, IN_NS(300, 50, START + 9, IN_ME, 1, 8)},
     .verdict = PODPID_VERDICT_UNPROVEN,
     .reported = -1},
    {.name = "unproven: PID 1 of the host's namespace",
     .rows = {ROW(200, 50, START, IN_ME)},
     .verdict = PODPID_VERDICT_UNPROVEN,
     .reported = -1},
    {.name = "unproven: an orphan with a namespace of its own",
     .rows = {ROW(200, 50, START, IN_ME), IN_NS(300, 50, START + 9, IN_ME, 1, 8)},
     .verdict = PODPID_VERDICT_UNPROVEN,
     .reported = -1},
    {.name = "unproven: the namespace cannot be read",
     .rows = {IN_NS(200, 50, START, IN_ME, 1, 0)},
     .verdict = PODPID_VERDICT_UNPROVEN,
     .reported = -1},
    {.name = "unproven: shared with another container",
     .rows = {MAIN, IN_NS(300, 50, START, IN_OTHER, 9, 7)},
     .verdict = PODPID_VERDICT_UNPROVEN,
     .reported = -1},
    {.name = "unproven: shared with the sandbox",
     .rows = {MAIN, IN_NS(100, 50, START, IN_SANDBOX, 1, 7)},
     .verdict = PODPID_VERDICT_UNPROVEN,
     .reported = -1},
    {.name = "unproven: a zombie",
     .rows = {{.pid = 200,
               .ppid = 50,
               .start = START,
               .cgroup = IN_ME,
               .nspid = 1,
               .ns = 7,
               .state = 'Z'}},
     .verdict = PODPID_VERDICT_UNPROVEN,
     .reported = -1},
    {.name = "unproven: blind",
     .rows = {MAIN},
     .verdict = PODPID_VERDICT_UNPROVEN,
     .blind = "hidden"},
    {.name = "unproven: blind, no PID is reported",
     .rows = {MAIN},
     .verdict = PODPID_VERDICT_UNPROVEN,
     .reported = -1,
     .blind = "hidden"},
    {.name = "unproven: blind, the reported PID is not there",
     .rows = {ROW(1, 0, 1, "/")},
     .verdict = PODPID_VERDICT_UNPROVEN,
     .blind = "hidden"},

    {.name = "dead", .rows = {IN_NS(201, 1, START, IN_ME, 2, 7)}, .verdict = PODPID_VERDICT_DEAD},
    {.name = "zombie",
     .rows = {{.pid = 200,
               .ppid = 50,
               .start = START,
               .cgroup = IN_ME,
               .nspid = 1,
               .ns = 7,
               .state = 'Z'}},
     .verdict = PODPID_VERDICT_ZOMBIE},
    {.name = "zombie, being removed",
     .rows = {{.pid = 200,
               .ppid = 50,
               .start = START,
               .cgroup = IN_ME,
               .nspid = 1,
               .ns = 7,
               .state = 'X'}},
     .verdict = PODPID_VERDICT_ZOMBIE},
    {.name = "zombie before moved",
     .rows = {{.pid = 200,
               .ppid = 50,
               .start = START,
               .cgroup = "/",
               .nspid = 1,
               .ns = 7,
               .state = 'Z'}},
     .verdict = PODPID_VERDICT_ZOMBIE},
    {.name = "zombie before recycled",
     .rows = {{.pid = 200,
               .ppid = 50,
               .start = START,
               .cgroup = IN_OTHER,
               .nspid = 1,
               .ns = 7,
               .state = 'Z'}},
     .verdict = PODPID_VERDICT_ZOMBIE},

    {.name = "moved", .rows = {ROW(200, 50, START, "/")}, .verdict = PODPID_VERDICT_MOVED},
    {.name = "moved: 5 s before it was created",
     .rows = {ROW(200, 50, (CREATED - 5) * HZ, "/")},
     .verdict = PODPID_VERDICT_MOVED},
    {.name = "recycled: a tick earlier",
     .rows = {ROW(200, 50, (CREATED - 5) * HZ - 1, "/")},
     .verdict = PODPID_VERDICT_RECYCLED},
    {.name = "moved: 5 s after it started",
     .rows = {ROW(200, 50, (STARTED + 5) * HZ, "/")},
     .verdict = PODPID_VERDICT_MOVED},
    {.name = "recycled: a tick later",
     .rows = {ROW(200, 50, (STARTED + 5) * HZ + 1, "/")},
     .verdict = PODPID_VERDICT_RECYCLED},
    {.name = "recycled: another container's, at the same time",
     .rows = {ROW(200, 50, START, IN_OTHER)},
     .verdict = PODPID_VERDICT_RECYCLED},
    {.name = "recycled: the runtime gives no times",
     .rows = {ROW(200, 50, START, "/")},
     .verdict = PODPID_VERDICT_RECYCLED,
     .stepped = true},
    {.name = "verified: the clock does not matter to a member",
     .rows = {IN_NS(200, 50, START * 9, IN_ME, 1, 7)},
     .verdict = PODPID_VERDICT_VERIFIED,
     .pid = 200},
    {.name = "moved before mismatch",
     .rows = {ROW(200, 50, START, "/"), ROW(201, 50, START, IN_ME)},
     .verdict = PODPID_VERDICT_MOVED},

    {.name = "mismatch: a child",
     .rows = {IN_NS(190, 50, START - 1, IN_ME, 1, 7), ROW(200, 190, START, IN_ME)},
     .verdict = PODPID_VERDICT_MISMATCH},
    {.name = "mismatch: an exec",
     .rows = {IN_NS(190, 50, START - 1, IN_ME, 1, 7), IN_NS(200, 50, START, IN_ME, 9, 7)},
     .verdict = PODPID_VERDICT_MISMATCH},
    {.name = "mismatch: PID 1 started in the same tick",
     .rows = {IN_NS(300, 50, START, IN_ME, 1, 7), IN_NS(200, 50, START, IN_ME, 9, 7)},
     .verdict = PODPID_VERDICT_MISMATCH},
    {.name = "verified: PID 1 started in the same tick as a lower PID",
     .rows = {IN_NS(190, 50, START, IN_ME, 9, 7), IN_NS(200, 50, START, IN_ME, 1, 7)},
     .verdict = PODPID_VERDICT_VERIFIED,
     .pid = 200},
    {.name = "mismatch: a lower PID started in the same tick",
     .rows = {{.pid = 190, .ppid = 50, .start = START, .cgroup = IN_ME, .nspid = 9},
              {.pid = 200, .ppid = 50, .start = START, .cgroup = IN_ME, .nspid = 9}},
     .verdict = PODPID_VERDICT_MISMATCH},
    {.name = "mismatch: not PID 1 of its own namespace",
     .rows = {IN_NS(200, 50, START, IN_ME, 9, 7), IN_NS(300, 50, START + 9, IN_ME, 1, 7)},
     .verdict = PODPID_VERDICT_MISMATCH},
    {.name = "verified in the pod's namespace",
     .rows = {IN_NS(200, 50, START, IN_ME, 9, 7), IN_NS(100, 50, START, IN_SANDBOX, 1, 7)},
     .verdict = PODPID_VERDICT_VERIFIED,
     .pid = 200},
    {.name = "verified: the parent is the sandbox's process",
     .rows = {IN_NS(100, 50, START, IN_SANDBOX, 1, 8), IN_NS(200, 100, START, IN_ME, 1, 7)},
     .verdict = PODPID_VERDICT_VERIFIED,
     .pid = 200},
};

static void add_process(struct ptable *t, const struct process_row *r)
{
    char text[256];
    struct proc p = {.pid = r->pid,
                     .ppid = r->ppid,
                     .session = r->pid,
                     .threads = r->threads ? r->threads : 1,
                     .start = r->start,
                     .state = r->state ? r->state : 'S',
                     .have = PROC_STAT | PROC_STATUS | PROC_NS,
                     .ns_depth = r->nspid ? 2 : 1,
                     .nspid = r->nspid ? r->nspid : r->pid,
                     .comm = r->comm ? r->comm : "x"};
    size_t i = t->n_procs;

    snprintf(text, sizeof(text), "0::%s\n", r->cgroup);
    p.cgroup = (uint32_t)ptable_intern(t, str_of(text));
    p.ns = arena_alloc(&t->arena, sizeof(*p.ns));
    assert_non_null(p.ns);
    p.ns->pid = r->ns;
    assert_int_equal(ARENA_APPEND(&t->arena, t->procs, t->n_procs, t->cap_procs, p), 0);
    for (; i > 0 && t->procs[i - 1].pid > p.pid; i--) {
        t->procs[i] = t->procs[i - 1];
    }
    t->procs[i] = p;
}

static void judge(const struct verdict_case *c, struct verdict *ret)
{
    struct arena a = {0};
    struct ptable t = {0};
    struct members m;
    struct view_pod pod = {.id = "5",
                           .uid = "11111111-2222-3333-4444-555555555555",
                           .ready = true,
                           .status = VIEW_STATUS_OK,
                           .cgroups_path = IN_SANDBOX,
                           .runtime_handler = c->handler};
    struct view_container both[2] = {
        {.id = "a",
         .sandbox_id = "5",
         .state = c->state || c->verdict == PODPID_VERDICT_CREATED ? c->state : VIEW_RUNNING,
         .status = c->status ? c->status : VIEW_STATUS_OK,
         .pid = c->reported ? c->reported : 200,
         .cgroups_path = IN_ME,
         .runtime_type = c->runtime_type},
        {.id = "b",
         .sandbox_id = "5",
         .state = VIEW_RUNNING,
         .status = VIEW_STATUS_OK,
         .pid = c->others_pid,
         .cgroups_path = IN_OTHER}};
    struct view v = {.pods = &pod, .n_pods = 1, .containers = both, .n_containers = 2};
    struct verdict_input in = {.view = &v,
                               .table = &t,
                               .members = &m,
                               .vm_handlers = c->vm_handlers,
                               .ticks_per_second = HZ,
                               .blind = c->blind};

    if (!c->stepped) {
        both[0].created_at = CREATED * NSEC_PER_SEC;
        both[0].started_at = STARTED * NSEC_PER_SEC;
    }
    for (size_t i = 0; i < N_ELEMENTS(c->rows) && c->rows[i].pid; i++) {
        add_process(&t, &c->rows[i]);
    }
    assert_int_equal(members_assign(&v, &t, &a, &m), 0);
    assert_int_equal(members_find_roots(&m, &t, &a), 0);
    verdict_of(&in, members_find_id(&m, "a"), ret);
    ret->main = ret->reported = NULL;
    arena_free(&a);
    ptable_free(&t);
}

static void every_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        const struct verdict_case *c = &cases[i];
        struct verdict v;

        judge(c, &v);
        if (v.verdict != c->verdict || v.pid != c->pid || v.inferred_pid != c->inferred) {
            fail_msg("%s: %s, PID %d, inferred %d: %s", c->name, podpid_verdict_name(v.verdict),
                     v.pid, v.inferred_pid, v.reason);
        }
        assert_true(v.reason[0] != '\0');
    }
}

/* Times from the runtime that overflow when anything is added to them. */
static void times_of_any_size(void **state)
{
    static const int64_t times[] = {INT64_MIN, -1, 0, 1, INT64_MAX};

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(times); i++) {
        for (size_t k = 0; k < N_ELEMENTS(times); k++) {
            struct ptable t = {0};
            struct arena a = {0};
            struct members m;
            struct view_container c = {.id = "a",
                                       .state = VIEW_RUNNING,
                                       .status = VIEW_STATUS_OK,
                                       .pid = 200,
                                       .created_at = times[i],
                                       .started_at = times[k],
                                       .cgroups_path = IN_ME};
            struct view v = {.containers = &c, .n_containers = 1};
            struct verdict_input in = {.view = &v,
                                       .table = &t,
                                       .members = &m,
                                       .boot_time = INT64_MAX - 1,
                                       .ticks_per_second = HZ};
            struct verdict verdict;
            static const struct process_row row = ROW(200, 1, UINT64_MAX, "/");

            add_process(&t, &row);
            assert_int_equal(members_assign(&v, &t, &a, &m), 0);
            assert_int_equal(members_find_roots(&m, &t, &a), 0);
            verdict_of(&in, &m.units[0], &verdict);
            assert_true(verdict.verdict == PODPID_VERDICT_MOVED ||
                        verdict.verdict == PODPID_VERDICT_RECYCLED);
            arena_free(&a);
            ptable_free(&t);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verdict),
        cmocka_unit_test(times_of_any_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
