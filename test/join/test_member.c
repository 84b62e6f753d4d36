/* Which unit owns a process: cgroup texts compared with units with and without anchors. */
#include <stdio.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "resolver/join/member.h"
#include "test/support/unit.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
/* With an anchor in the form of systemd's driver. */
#define C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
/* Without an anchor; E is in no pod either. */
#define D "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
#define E "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
/* The sandbox. */
#define S "5555555555555555555555555555555555555555555555555555555555555555"
/* A container that is no unit. */
#define X "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define UID "11111111-2222-3333-4444-555555555555"
#define OTHER_UID "99999999-2222-3333-4444-555555555555"
#define POD "/kubepods/burstable/pod" UID
#define SLICE "kubepods-pod11111111_2222_3333_4444_555555555555.slice"
#define NODE "/docker/" X

static struct view_pod pod = {.id = S, .uid = UID, .ready = true, .cgroups_path = POD "/" S};
static struct view_container units[] = {
    {.id = A, .sandbox_id = S, .state = VIEW_RUNNING, .cgroups_path = POD "/" A},
    {.id = B, .sandbox_id = S, .state = VIEW_RUNNING, .cgroups_path = POD "/" B},
    {.id = C, .sandbox_id = S, .state = VIEW_RUNNING, .cgroups_path = SLICE ":cri-containerd:" C},
    {.id = D, .sandbox_id = S, .state = VIEW_RUNNING},
    {.id = E, .state = VIEW_RUNNING},
};
static const struct view view = {.pods = &pod, .n_pods = 1, .containers = units, .n_containers = 5};

struct owner_case {
    const char *text;  /* the cgroup text of the only process */
    const char *owner; /* the ID of the unit that owns it; NULL: none does */
    const char *root;  /* the node's own root; NULL: none */
    char state;        /* of the process; 0: S */
    unsigned threads;  /* 0: 1 */
    bool impostor;     /* the text is a container's cgroup that carries a unit's ID */
};

static const struct owner_case cases[] = {
    {.text = "0::" POD "/" A, .owner = A},
    {.text = "0::" POD "/" A "/init.scope", .owner = A},
    {.text = "0::" POD "/" S, .owner = S},
    {.text = "0::" POD "/" A "x"},
    {.text = "0::" POD},
    {.text = "0::/"},
    {.text = ""},
    {.text = "nonsense"},
    {.text = "0::" POD "/" X},

    /* The outermost anchor decides: cgroups that a container makes below its own are its own. */
    {.text = "0::" POD "/" A "/" B, .owner = A},
    {.text = "0::" POD "/" A POD "/" B, .owner = A},
    {.text = "0::" POD "/" X "/" B},
    {.text = "0::/docker/" X POD "/" B},

    /* A unit's ID, but at another place than its anchor. */
    {.text = "0::/" B, .impostor = true},
    {.text = "0::/docker/" B, .impostor = true},
    {.text = "0::/system.slice/cri-containerd-" B ".scope", .impostor = true},
    {.text = "0::/kubepods/pod" OTHER_UID "/" B, .impostor = true},
    {.text = "0::" POD "/crio-conmon-" B ".scope"},
    {.text = "0::/user.slice/user-1000.slice/user@1000.service/docker-" B ".scope",
     .impostor = true},

    /* systemd's driver: the expanded path, and the text taken for a path by a runtime whose driver
     * is misconfigured. */
    {.text = "0::/kubepods.slice/" SLICE "/cri-containerd-" C ".scope", .owner = C},
    {.text = "0::/kubepods.slice/" SLICE "/cri-containerd-" C ".scope/x", .owner = C},
    {.text = "0::/" SLICE ":cri-containerd:" C, .owner = C},
    {.text = "0::/system.slice/containerd.service/" SLICE ":cri-containerd:" C, .owner = C},
    {.text = "0::/user.slice/user-1000.slice/" SLICE ":cri-containerd:" C},
    {.text = "0::" POD "/" A "/" SLICE ":cri-containerd:" C, .owner = A},

    /* Paths as another cgroup namespace shows them. */
    {.text = "0::/../" B, .owner = B},
    {.text = "0::/../../pod" UID "/" B "/x", .owner = B},
    {.text = "0::/../../pod" OTHER_UID "/" B, .impostor = true},
    {.text = "0::/../" A "/" B, .owner = A},
    {.text = "0::/../" X "/" B},
    {.text = "0::/.."},

    /* A node that is a container. */
    {.text = "0::" NODE POD "/" B, .owner = B, .root = NODE},
    {.text = "0::" NODE "/system.slice/x.service", .root = NODE},
    {.text = "2:memory:" NODE POD "/" B "\n0::" NODE, .owner = B, .root = NODE},
    {.text = "0::" NODE POD "/" D, .owner = D, .root = NODE},
    {.text = "3:cpu:" NODE POD "/" D "\n2:memory:" NODE POD "/" D "\n0::" NODE POD "/" X,
     .owner = D,
     .root = NODE},

    /* Hierarchies that disagree: the majority decides; at a tie the v2 line or systemd's. */
    {.text = "2:memory:" POD "/" B "\n0::/", .owner = B},
    {.text = "2:memory:/\n0::" POD "/" B, .owner = B},
    {.text = "3:cpu:" POD "/" A "\n2:memory:" POD "/" B "\n0::" POD "/" A, .owner = A},
    {.text = "2:memory:" POD "/" B "\n0::" POD "/" A, .owner = A},
    {.text = "2:memory:" POD "/" A "\n1:name=systemd:" POD "/" B, .owner = B},
    {.text = "3:cpu:/docker/" X "\n2:memory:" POD "/" B "\n0::/docker/" X, .impostor = true},
    {.text = "2:memory:" POD "/" B "\n0::/docker/" X, .impostor = true},

    /* Removed cgroups, and cgroups whose name ends in " (deleted)". */
    {.text = "0::" POD "/" B " (deleted)", .owner = B, .state = 'Z', .threads = 1},
    {.text = "0::" POD "/" B " (deleted)", .state = 'S'},
    {.text = "0::" POD "/" B " (deleted)", .state = 'Z', .threads = 3},
    {.text = "0::" POD "/" B "/x (deleted)", .owner = B},
    {.text = "0::" POD "/" B " (deleted) (deleted)", .state = 'Z', .threads = 1},
    {.text = "0::" POD "/" B " (deleted)/x"},

    /* Without an anchor: by the shape of the path, in the right pod, not in a user's session. */
    {.text = "0::" POD "/" D, .owner = D},
    {.text = "0::/kubepods.slice/" SLICE "/docker-" D ".scope", .owner = D},
    {.text = "0::" POD "/" D "/x", .owner = D},
    {.text = "0::/kubepods/pod" OTHER_UID "/" D, .impostor = true},
    {.text = "0::/docker/" D, .impostor = true},
    {.text = "0::" POD "/" X "/" D},
    {.text = "0::/docker/" E, .owner = E},
    {.text = "0::" POD "/" E, .impostor = true},
    {.text = "0::/user.slice/user-1000.slice/user@1000.service/docker-" E ".scope",
     .impostor = true},
    {.text = "3:cpu:/docker/" X "\n2:memory:/docker/" E "\n0::/docker/" X},
};

static void add_process(struct ptable *t, int pid, const char *text, char state, unsigned threads)
{
    struct proc row = {.pid = pid,
                       .have = PROC_STAT,
                       .state = state ? state : 'S',
                       .threads = threads ? threads : 1,
                       .start = (uint64_t)pid,
                       .comm = "x"};

    row.cgroup = (uint32_t)ptable_intern(t, str_of(text));
    assert_int_equal(ARENA_APPEND(&t->arena, t->procs, t->n_procs, t->cap_procs, row), 0);
}

static void assign(struct ptable *t, struct arena *a, struct members *m)
{
    assert_int_equal(members_strip_root(t), 0);
    assert_int_equal(members_assign(&view, t, a, m), 0);
    assert_int_equal(members_find_roots(m, t, a), 0);
}

static const char *owner_of(const struct members *m, const struct ptable *t, int pid)
{
    const struct unit *u = members_owner(m, t, ptable_find(t, pid));

    return u ? u->id : NULL;
}

static void the_owner_of_a_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        const struct owner_case *c = &cases[i];
        struct ptable t = {0};
        struct arena a = {0};
        struct members m;
        const char *owner;

        t.root = c->root ? str_of(c->root) : (struct str){0};
        add_process(&t, 200, c->text, c->state, c->threads);
        assign(&t, &a, &m);
        owner = owner_of(&m, &t, 200);
        if ((owner != NULL) != (c->owner != NULL) || (owner && strcmp(owner, c->owner) != 0)) {
            fail_msg("%s: %s, not %s", c->text, owner ? owner : "nobody",
                     c->owner ? c->owner : "nobody");
        }
        for (size_t k = 0; k < m.n_units; k++) {
            bool is_owner = c->owner && strcmp(m.units[k].id, c->owner) == 0;

            assert_int_equal(m.units[k].n_members, is_owner);
            assert_int_equal(m.units[k].n_roots, is_owner);
        }
        if ((m.n_others && m.others[0].impostor) != c->impostor) {
            fail_msg("%s: %s an impostor", c->text, c->impostor ? "not" : "taken for");
        }
        arena_free(&a);
        ptable_free(&t);
    }
}

/* A text that is interned after members_assign() gets the owner that it would have got before. */
static void a_text_that_is_added_later_gets_the_same_owner(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        const struct owner_case *c = &cases[i];
        struct ptable t = {0};
        struct arena a = {0};
        struct members m;
        const char *owner;

        t.root = c->root ? str_of(c->root) : (struct str){0};
        add_process(&t, 1, "0::/elsewhere", 'S', 1);
        assign(&t, &a, &m);
        add_process(&t, 200, c->text, c->state, c->threads);
        assert_int_equal(members_own_text(&m, &t, t.procs[1].cgroup), 0);
        owner = owner_of(&m, &t, 200);
        assert_int_equal(owner != NULL, c->owner != NULL);
        if (owner) {
            assert_string_equal(owner, c->owner);
        }
        arena_free(&a);
        ptable_free(&t);
    }
}

/* A text of n lines, each of which names another container, and of two lines of B. */
static void add_disagreeing_text(struct ptable *t, int pid, unsigned n)
{
    CLEANUP(buf_free) struct buf b = {0};

    for (unsigned i = 0; i < n; i++) {
        buf_printf(&b, "%u:c%u:/docker/%064x\n", n + 3 - i, i, i + 1);
    }
    buf_puts(&b, "2:memory:" POD "/" B "\n1:pids:" POD "/" B "\n");
    add_process(t, pid, b.p, 'S', 1);
}

/* Two of the lines name B, each of the others another container: B has the majority, however many
 * lines stand before its own. */
static void no_vote_is_lost_among_many(void **state)
{
    static const unsigned others[] = {1, 15, 16, 17, 40, 300};

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(others); i++) {
        struct ptable t = {0};
        struct arena a = {0};
        struct members m;
        const char *owner;

        add_disagreeing_text(&t, 200, others[i]);
        assign(&t, &a, &m);
        owner = owner_of(&m, &t, 200);
        if (!owner || strcmp(owner, B) != 0) {
            fail_msg("%u other lines: %s owns the text, not B", others[i],
                     owner ? owner : "nobody");
        }
        assert_int_equal(m.warnings.n, 1);
        arena_free(&a);
        ptable_free(&t);
    }
}

/* While B's cgroup holds a living process it cannot have been removed: a zombie in "B (deleted)" is
 * no member. */
static void a_zombie_beside_a_living_anchor_is_no_member(void **state)
{
    struct ptable t = {0};
    struct arena a = {0};
    struct members m;
    const struct unit *u;

    (void)state;
    add_process(&t, 100, "0::" POD "/" B " (deleted)", 'Z', 1);
    add_process(&t, 200, "0::" POD "/" B, 'S', 1);
    assign(&t, &a, &m);
    u = members_find_id(&m, B);
    assert_int_equal(u->n_members, 1);
    assert_int_equal(u->n_roots, 1);
    assert_int_equal(t.procs[u->roots[0]].pid, 200);
    arena_free(&a);
    ptable_free(&t);
}

/* The part of a path that is the unit's anchor; none of a path that is another container's. */
static void the_anchor_in_a_path(void **state)
{
    static const struct {
        const char *id, *path, *shown;
    } all[] = {
        {A, POD "/" A "/x", POD "/" A},
        {A, POD "/" B, NULL},
        {A, "/../" A "/x", "/../" A},
        {A, "/../" B, NULL},
        {C, "/system.slice/containerd.service/" SLICE ":cri-containerd:" C,
         "/system.slice/containerd.service/" SLICE ":cri-containerd:" C},
        {C, POD "/" B, NULL},
        {D, POD "/" D "/x", POD "/" D},
        {D, POD "/" B, NULL},
        {E, "/docker/" X, NULL},
    };
    struct ptable t = {0};
    struct arena a = {0};
    struct members m;

    (void)state;
    assign(&t, &a, &m);
    for (size_t i = 0; i < N_ELEMENTS(all); i++) {
        struct str shown =
            members_anchor_in(&t, members_find_id(&m, all[i].id), str_of(all[i].path));

        assert_true(all[i].shown ? str_is(shown, all[i].shown) : shown.n == 0);
    }
    arena_free(&a);
    ptable_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_owner_of_a_text),
        cmocka_unit_test(a_text_that_is_added_later_gets_the_same_owner),
        cmocka_unit_test(no_vote_is_lost_among_many),
        cmocka_unit_test(a_zombie_beside_a_living_anchor_is_no_member),
        cmocka_unit_test(the_anchor_in_a_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
