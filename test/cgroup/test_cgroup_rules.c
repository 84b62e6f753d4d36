/* Rules that hold for every cgroup text, tried on each shape of a container below each parent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "resolver/cgroup/anchor.h"
#include "resolver/cgroup/facts.h"
#include "resolver/cgroup/line.h"
#include "resolver/cgroup/path.h"
#include "test/support/unit.h"

#define A16 "0123456789abcdef"
#define A64 A16 A16 A16 A16
#define B16 "fedcba9876543210"
#define B64 B16 B16 B16 B16
#define UUID "8d8c8254-4248-4f53-905f-4307e4cdc100"
#define UUID_ "8d8c8254_4248_4f53_905f_4307e4cdc100"
#define HASH A16 A16
#define USER "/user.slice/user-1000.slice/user@1000.service"

/* Paths in which a container can be, and the pod and QoS class that they say. */
static const struct parent {
    const char *path, *pod, *qos;
} parents[] = {
    {"", NULL, NULL},
    {"/system.slice", NULL, NULL},
    {"/machine.slice/x.service", NULL, NULL},
    {"/my batch jobs", NULL, NULL},
    {"/..", NULL, NULL},
    {"/kubepods", NULL, NULL},
    {"/kubepods/pod" UUID, UUID, "guaranteed"},
    {"/kubepods/burstable/pod" UUID, UUID, "burstable"},
    {"/kubepods/besteffort/pod" HASH, HASH, "besteffort"},
    {"/kubepods/kubepods/besteffort/pod" UUID, UUID, "besteffort"},
    {"/podruntime/kubepods/burstable/podweb-static-0", "web-static-0", "burstable"},
    {"/kubepods.slice/kubepods-pod" UUID_ ".slice", UUID, "guaranteed"},
    {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UUID_ ".slice", UUID,
     "burstable"},
    {"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/"
     "kubelet-kubepods-besteffort-pod" HASH ".slice",
     HASH, "besteffort"},
    {"/burstable.slice/burstable-kubepods.slice/burstable-kubepods-pod" UUID_ ".slice", UUID,
     "guaranteed"},
    {"/../../pod" UUID, UUID, NULL},
    {"/../../kubepods-burstable-pod" UUID_ ".slice", UUID, "burstable"},
};

/* The names that a container's cgroup can have. */
static const struct leaf {
    const char *path, *id, *manager, *own;
    bool rootless;   /* also a container below /user.slice */
    bool in_pod;     /* a container only inside a pod */
    const char *pod; /* the pod that the name itself says, if the parent says none */
} leaves[] = {
    {"/docker-" A64 ".scope", A64, "docker", NULL, true, false, NULL},
    {"/docker-" A64, A64, "docker", NULL, true, false, NULL},
    {"/crio-" A64 ".scope", A64, "crio", "/container", false, false, NULL},
    {"/crio-" A64, A64, "crio", NULL, false, false, NULL},
    {"/cri-containerd-" A64 ".scope", A64, "cri-containerd", NULL, false, false, NULL},
    {"/libpod-" A64 ".scope", A64, "libpod", "/container", true, false, NULL},
    {"/libpod-payload-" A64, A64, "libpod", NULL, true, false, NULL},
    {"/nerdctl-" A64 ".scope", A64, "nerdctl", NULL, true, false, NULL},
    {"/isulad-" A64 ".scope", A64, "isulad", NULL, false, true, NULL},
    {"/" A64, A64, NULL, NULL, false, false, NULL},
    {"/" A64 ".scope", A64, NULL, NULL, false, false, NULL},
    {"/docker/" A64, A64, "docker", NULL, true, false, NULL},
    {"/libpod/" A64, A64, "libpod", NULL, true, false, NULL},
    {"/k8s.io/" A64, A64, "containerd", NULL, false, false, NULL},
    {"/docker/buildkit/vgj8oc9l08kha75t5eeakdo67", "vgj8oc9l08kha75t5eeakdo67", "buildkit", NULL,
     false, false, NULL},
    {"/system.slice:docker:" A64, A64, "docker", NULL, true, false, NULL},
    {"/kubepods-burstable-pod" UUID_ ".slice:cri-containerd:" A64, A64, "cri-containerd", NULL,
     false, false, UUID},
    {"/kata_" A64, A64, "kata", NULL, false, false, NULL},
    {"/ecs/" HASH "/" HASH "-2348825763", HASH "-2348825763", "ecs", NULL, false, false, NULL},
    {"/ecs/" UUID "/" A64, A64, "ecs", NULL, false, false, NULL},
    {"/garden/0cdd2b1e-d511-c62c-d0a3-f91c", "0cdd2b1e-d511-c62c-d0a3-f91c", "garden", NULL, false,
     false, NULL},
    {"/garden/good/0cdd2b1e-d511-c62c-d0a3-f91c", "0cdd2b1e-d511-c62c-d0a3-f91c", "garden", NULL,
     false, false, NULL},
    {"/mesos/" UUID, UUID, "mesos", NULL, false, false, NULL},
    {"/lxc/web", "web", "lxc", "/ns", false, false, NULL},
    {"/lxc.payload/web", "web", "lxc", NULL, false, false, NULL},
    {"/lxc.payload.web", "web", "lxc", NULL, false, false, NULL},
};

/* What a container can make below its own cgroup. */
static const char *const below[] = {
    "/init.scope",
    "/container/x",
    "/...",
    "/a:b:c",
    "/docker-" B64 ".scope",
    "/docker/" B64,
    "/" B64,
    "/kubepods/pod" HASH "/" B64,
    "/crio-conmon-" B64 ".scope",
    "/user.slice",
    "/..",
    "/lxc.payload.forged/lxc/twice",
};

/* Lines that name nothing. */
static const char *const host_lines[] = {
    "0::/\n",
    "5:misc:/system.slice/containerd.service\n",
    "no line at all\n",
    "\n",
    "::/\n",
    "9:cpu:/kubepods/burstable\n",
};

static struct arena arena;

static struct cgroup_facts parse(const char *text)
{
    struct cgroup_facts f;
    struct str clean;

    assert_int_equal(cgroup_drop_cr(str_of(text), &arena, &clean), 0);
    assert_int_equal(cgroup_parse(clean, &arena, &f), 0);
    return f;
}

/* All that was found as one text, without line, path and component. */
static const char *answer(const char *text)
{
    struct cgroup_facts f = parse(text);

#define OR_NONE(s) ((s) ? (s) : "-")
    return arena_printf(&arena, "%s %s %s %s %s %s %s %s", cgroup_kind_name(f.kind),
                        OR_NONE(f.container_id), OR_NONE(f.pod_uid), OR_NONE(f.qos),
                        OR_NONE(f.manager), OR_NONE(f.inner_id), OR_NONE(f.inner_pod_uid),
                        OR_NONE(f.helper_for));
}

static const char *expected(const char *kind, const struct parent *p, const struct leaf *l)
{
    bool own_pod = !p->pod && l->pod;

    return arena_printf(&arena, "%s %s %s %s %s - - -", kind, l->id,
                        OR_NONE(own_pod ? l->pod : p->pod), OR_NONE(own_pod ? "burstable" : p->qos),
                        OR_NONE(l->manager));
}

static void assert_same(const char *text, const char *got, const char *want)
{
    if (strcmp(got, want) != 0) {
        fail_msg("%s\nis:        %s\nshould be: %s", text, got, want);
    }
}

static void assert_answer(const char *text, const char *want)
{
    assert_same(text, answer(text), want);
}

/* Run check on every combination of a parent and a container's name. */
static void every_container(void (*check)(const struct parent *, const struct leaf *,
                                          const char *path))
{
    for (size_t p = 0; p < N_ELEMENTS(parents); p++) {
        for (size_t l = 0; l < N_ELEMENTS(leaves); l++) {
            if (leaves[l].in_pod && !parents[p].pod) {
                continue;
            }
            check(&parents[p], &leaves[l],
                  arena_printf(&arena, "%s%s", parents[p].path, leaves[l].path));
        }
        arena_free(&arena);
    }
}

static void check_found(const struct parent *p, const struct leaf *l, const char *path)
{
    const char *want = expected("container", p, l);

    assert_answer(arena_printf(&arena, "0::%s\n", path), want);
    assert_answer(arena_printf(&arena, "0::%s", path), want);
    assert_answer(arena_printf(&arena, "12:cpu,cpuacct:%s\r\n", path), want);
    assert_answer(arena_printf(&arena, "1:name=systemd:%s (deleted)\n", path), want);
    if (l->own) {
        assert_answer(arena_printf(&arena, "0::%s%s\n", path, l->own), want);
    }
}

static void container_is_found_below_every_parent(void **state)
{
    (void)state;
    every_container(check_found);
}

static void check_below(const struct parent *p, const struct leaf *l, const char *path)
{
    const char *want = expected("nested", p, l);
    size_t n = strlen(want) - strlen("- - -");

    for (size_t i = 0; i < N_ELEMENTS(below); i++) {
        const char *text = arena_printf(&arena, "0::%s%s\n", path, below[i]);
        const char *got = answer(text);

        if (strncmp(got, want, n) != 0) {
            assert_same(text, got, want);
        }
        /* Two forged components change as little as one. */
        text =
            arena_printf(&arena, "0::%s%s%s\n", path, below[i], below[(i + 5) % N_ELEMENTS(below)]);
        got = answer(text);
        if (strncmp(got, want, n) != 0) {
            assert_same(text, got, want);
        }
    }
}

static void names_below_a_container_change_nothing(void **state)
{
    (void)state;
    every_container(check_below);
}

static void check_host_lines(const struct parent *p, const struct leaf *l, const char *path)
{
    const char *want = expected("container", p, l);
    const char *line = arena_printf(&arena, "7:pids:%s\n", path), *all = line;

    for (size_t i = 0; i < N_ELEMENTS(host_lines); i++) {
        assert_answer(arena_printf(&arena, "%s%s", host_lines[i], line), want);
        assert_answer(arena_printf(&arena, "%s%s", line, host_lines[i]), want);
        all = arena_printf(&arena, "%s%s%s", i % 2 ? host_lines[i] : "", all,
                           i % 2 ? "" : host_lines[i]);
        assert_answer(all, want);
    }
}

static void lines_that_name_nothing_do_not_count(void **state)
{
    (void)state;
    every_container(check_host_lines);
}

static void check_users(const struct parent *p, const struct leaf *l, const char *path)
{
    struct parent user = {.path = p->path};
    struct leaf leaf = *l;

    leaf.pod = NULL;
    if (p->path[0] != '\0' && strncmp(p->path, "/..", 3) == 0) {
        return; /* "/.." can only stand at the start of a path */
    }
    assert_answer(arena_printf(&arena, "0::" USER "%s\n", path),
                  l->rootless ? expected("container", &user, &leaf) : "host - - - - - - -");
    assert_answer(arena_printf(&arena, "0::/../.." USER "%s\n", path),
                  l->rootless ? expected("container", &user, &leaf) : "host - - - - - - -");
    assert_true(parse(arena_printf(&arena, "0::" USER "%s\n", path)).in_user_slice);
    assert_false(parse(arena_printf(&arena, "0::%s\n", path)).in_user_slice);
}

static void below_user_slice_no_pod_is_believed(void **state)
{
    (void)state;
    every_container(check_users);
}

/* A node that is a container: its containers as seen from the host, and on the node itself. */
static void check_node(const struct parent *p, const struct leaf *l, const char *path)
{
    bool own_pod = !p->pod && l->pod;
    const char *text, *want;
    struct cgroup_facts f;

    if (strncmp(p->path, "/..", 3) == 0) {
        return;
    }
    text = arena_printf(&arena, "0::/docker/" B64 "%s\n", path);
    want = arena_printf(&arena, "nested " B64 " - - docker %s %s -", l->id,
                        OR_NONE(own_pod ? l->pod : p->pod));
    assert_answer(text, want);
    assert_int_equal(cgroup_parse_below(str_of(text), STR("/docker/" B64), &arena, &f), 0);
    assert_int_equal(f.kind, CGROUP_CONTAINER);
    assert_string_equal(f.container_id, l->id);
    assert_int_equal(f.n_chain, 0);
    assert_string_equal(f.path, arena_printf(&arena, "/docker/" B64 "%s", path));
}

static void root_of_a_node_in_a_container_is_cut_off(void **state)
{
    (void)state;
    every_container(check_node);
}

static void check_prefix(const struct parent *p, const struct leaf *l, const char *path)
{
    (void)p;
    assert_true(str_is(cgroup_container_prefix(str_of(path)), path));
    assert_true(str_is(cgroup_node_root(str_of(path)), path));
    for (size_t i = 0; i < N_ELEMENTS(below); i++) {
        const char *root = arena_printf(&arena, "%s%s", path, l->own ? l->own : "");
        struct str deep = str_of(arena_printf(&arena, "%s%s", root, below[i]));

        assert_true(str_is(cgroup_container_prefix(deep), path));
        assert_true(str_is(cgroup_node_root(deep), root));
        assert_true(str_is(cgroup_strip_root(deep, cgroup_node_root(deep)), below[i]));
    }
}

static void prefix_ends_with_the_outermost_container(void **state)
{
    (void)state;
    every_container(check_prefix);
    assert_null(cgroup_container_prefix(STR("/")).p);
    assert_null(cgroup_container_prefix(STR("/init.scope")).p);
    assert_null(cgroup_container_prefix(STR("/kubepods/pod" UUID)).p);
    assert_null(cgroup_container_prefix(STR("/crio-conmon-" A64 ".scope/" B64)).p);
    assert_null(cgroup_container_prefix((struct str){NULL, 0}).p);
    assert_null(cgroup_node_root(STR("/init.scope")).p);
}

static void order_of_lines_does_not_matter(void **state)
{
    static const char *const lines[] = {
        "0::/system.slice/containerd.service\n",
        "1:name=systemd:/docker/" A64 "/system.slice\n",
        "2:memory:/docker/" B64 "\n",
        "3:cpu:/docker/" A64 "\n",
        "4:pids:/kubepods/pod" UUID "\n",
        "5:devices:/crio-conmon-" A64 ".scope\n",
        "6:hugetlb:/docker/" B64 "/docker/" A64 "\n",
    };
    size_t order[N_ELEMENTS(lines)], used[N_ELEMENTS(lines)] = {0};
    char *want = NULL;
    size_t tried = 0, depth = 0;

    (void)state;
    /* Permutations by counting: order[depth] is the next line to try. */
    order[0] = 0;
    for (;;) {
        if (order[depth] == N_ELEMENTS(lines)) {
            if (depth == 0) {
                break;
            }
            depth--;
            used[order[depth]++] = 0;
            continue;
        }
        if (used[order[depth]]) {
            order[depth]++;
            continue;
        }
        used[order[depth]] = 1;
        if (depth + 1 < N_ELEMENTS(lines)) {
            order[++depth] = 0;
            continue;
        }
        {
            CLEANUP(buf_free) struct buf text = {0};
            const char *got;

            for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
                buf_puts(&text, lines[order[i]]);
            }
            got = answer(text.p);
            want = want ? want : strdup(got);
            assert_non_null(want);
            assert_same(text.p, got, want);
            tried++;
            arena_free(&arena);
        }
        used[order[depth]++] = 0;
    }
    assert_int_equal(tried, 5040);
    /* A draw of two lines each; name=systemd decides. */
    assert_string_equal(want, "nested " A64 " - - docker - - -");
    free(want);
}

static char *repeat(const char *piece, size_t times)
{
    size_t n = strlen(piece);
    char *s = malloc(n * times + 1);

    assert_non_null(s);
    for (size_t i = 0; i < times; i++) {
        memcpy(s + i * n, piece, n + 1);
    }
    return s;
}

/* A megabyte of what costs most: a parser of quadratic time would hang here. */
static void parsing_takes_linear_time(void **state)
{
    static const char *const pieces[] = {
        "/" A64,
        "/" HASH "-1",
        "/ecs/" HASH "-1",
        "/lxc/a",
        "/a",
        "/kubepods-",
        "kubepods-",
        "a:",
        ":" A64,
        "/..",
        "-",
        "/kubepods/pod1",
        "\n0::/lxc/ab",
        "\n1::/lxc.payload.a/lxc.payload.b",
        "/docker-" A64 ".scope",
        "/",
        "/user.slice",
    };

    (void)state;
    for (size_t i = 0; i < N_ELEMENTS(pieces); i++) {
        AUTO_FREE char *body = repeat(pieces[i], (1 << 20) / strlen(pieces[i]));
        AUTO_FREE char *text = NULL;
        struct cgroup_facts f;

        assert_true(asprintf(&text, "0::/ecs/x%s\n", body) > 0);
        assert_int_equal(cgroup_parse(str_of(text), &arena, &f), 0);
        assert_true((f.inner_id != NULL) == (f.n_chain > 0));
        arena_free(&arena);
    }
}

static void chain_has_all_inner_containers(void **state)
{
    struct cgroup_facts f = parse("2:cpu:/docker/" A64 "/lxc/one/docker/" B64 "/x/lxc.monitor.no"
                                  "/lxc.payload.three/ns\n1:pids:/docker/" A64 "\n");

    (void)state;
    assert_int_equal(f.kind, CGROUP_NESTED);
    assert_string_equal(f.container_id, A64);
    assert_int_equal(f.n_chain, 3);
    assert_string_equal(f.chain[0], "one");
    assert_string_equal(f.chain[1], B64);
    assert_string_equal(f.chain[2], "three");
    assert_string_equal(f.inner_id, "three");
    arena_free(&arena);
}

static void disagreement_is_reported(void **state)
{
    (void)state;
    assert_false(parse("2:cpu:/docker/" A64 "\n1:pids:/docker/" A64 "/x\n0::/\n").disagreement);
    assert_true(parse("2:cpu:/docker/" A64 "\n1:pids:/docker/" B64 "\n").disagreement);
    assert_false(parse("2:cpu:/docker/" A64 "\n1:pids:/crio-conmon-" B64 "\n").disagreement);
    arena_free(&arena);
}

static void line_is_cut_into_its_fields(void **state)
{
    struct cgroup_line l;

    (void)state;
    assert_true(cgroup_line_parse(STR("12:cpu,cpuacct:/a:b (deleted)"), &l));
    assert_int_equal(l.hierarchy, 12);
    assert_true(str_is(l.controllers, "cpu,cpuacct"));
    assert_true(str_is(l.path, "/a:b"));
    assert_true(l.deleted);
    assert_true(cgroup_line_parse(STR("0::/"), &l));
    assert_true(str_is(l.path, "/"));
    assert_false(l.deleted);
    assert_false(cgroup_line_parse(STR(""), &l));
    assert_false(cgroup_line_parse((struct str){NULL, 0}, &l));
    assert_false(cgroup_line_parse(STR("\r"), &l));
    assert_false(cgroup_line_parse(STR("0:"), &l));
    assert_false(cgroup_line_parse(STR("0::"), &l));
    assert_false(cgroup_line_parse(STR("0::a"), &l));
    assert_false(cgroup_line_parse(STR("::/"), &l));
    assert_false(cgroup_line_parse(STR("-1::/"), &l));
    assert_false(cgroup_line_parse(STR("0::/a\0b"), &l));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(container_is_found_below_every_parent),
        cmocka_unit_test(names_below_a_container_change_nothing),
        cmocka_unit_test(lines_that_name_nothing_do_not_count),
        cmocka_unit_test(below_user_slice_no_pod_is_believed),
        cmocka_unit_test(root_of_a_node_in_a_container_is_cut_off),
        cmocka_unit_test(prefix_ends_with_the_outermost_container),
        cmocka_unit_test(order_of_lines_does_not_matter),
        cmocka_unit_test(parsing_takes_linear_time),
        cmocka_unit_test(chain_has_all_inner_containers),
        cmocka_unit_test(disagreement_is_reported),
        cmocka_unit_test(line_is_cut_into_its_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
