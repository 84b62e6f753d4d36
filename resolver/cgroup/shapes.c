#include "resolver/cgroup/shapes.h"

#include <assert.h>
#include <string.h>

/* clang-format off */
/* To teach podpid a new runtime, add a line. The first that fits wins. */
static const struct shape shapes[] = {
    /* Processes that serve one container and name it, but are not in it. */
    {.name = "crio-conmon-<64>[.scope]",   .manager = "crio",   .helper = true, .what = "CRI-O's monitor of a container"},
    {.name = "libpod-conmon-<64>[.scope]", .manager = "libpod", .helper = true, .what = "podman's monitor of a container"},
    {.name = "lxc.monitor.<name>",         .manager = "lxc",    .helper = true, .what = "LXC's monitor of a container"},
    {.below = "kata_overhead", .name = "<64>[.scope]", .manager = "kata", .helper = true,
     .what = "what Kata runs on the host for a sandbox"},
    {.below = "kata-overhead.slice", .name = "runtime-rs-<64>.scope", .manager = "kata", .helper = true,
     .what = "what Kata's runtime-rs runs on the host for a sandbox"},

    /* <prefix>-<id>, with .scope where systemd makes the cgroup. crun puts the processes of a scope
     * one level below it, in "container". */
    {.name = "docker-<64>[.scope]",         .manager = "docker",         .what = "a container of Docker's"},
    {.name = "crio-<64>.scope",             .manager = "crio",           .what = "a container of CRI-O's", .own = "container"},
    {.name = "crio-<64>",                   .manager = "crio",           .what = "a container of CRI-O's"},
    {.name = "cri-containerd-<64>[.scope]", .manager = "cri-containerd", .what = "a container of containerd's"},
    {.name = "libpod-payload-<64>.scope",   .manager = "libpod",         .what = "a container of podman's", .own = "container"},
    {.name = "libpod-payload-<64>",         .manager = "libpod",         .what = "a container of podman's"},
    {.name = "libpod-<64>.scope",           .manager = "libpod",         .what = "a container of podman's", .own = "container"},
    {.name = "libpod-<64>",                 .manager = "libpod",         .what = "a container of podman's"},
    {.name = "nerdctl-<64>[.scope]",        .manager = "nerdctl",        .what = "a container of nerdctl's"},
    {.under = POD_ABOVE, .name = "<prefix>-<64>.scope", .what = "a container's scope in a pod"},

    /* A systemd path that the runtime took literally: the misconfigured cgroup driver. */
    {.name = "<slice>:docker:<step>",   .manager = "docker", .what = "a build step of BuildKit's in Docker, slice:prefix:id taken literally"},
    {.name = "<slice>:libpod-payload:<64>", .manager = "libpod", .what = "a container of podman's, slice:prefix:id taken literally"},
    {.name = "<slice>:<prefix>:<64>",                        .what = "a container, slice:prefix:id taken literally"},

    /* Names that mean something only below a certain directory. */
    {.name = "kata_<64>", .manager = "kata", .what = "a sandbox of Kata's"},
    {.below = POD_ABOVE,          .name = "<8>-<4>-<4>-<4>-<12>", .what = "a container named by a UUID in a pod"},
    {.below = "docker/buildkit",  .name = "<step>",               .manager = "buildkit", .what = "a build step of BuildKit's in Docker"},
    {.under = "ecs",              .name = "<32>-<digits>",        .manager = "ecs",    .what = "a container of Amazon ECS on Fargate"},
    {.below = "garden",           .name = "<8>-<4>-<4>-<4>-<4>",  .manager = "garden", .what = "a container of Cloud Foundry's Garden"},
    {.below = "garden/good",      .name = "<8>-<4>-<4>-<4>-<4>",  .manager = "garden", .what = "a container of Cloud Foundry's Garden"},
    {.below = "garden/bad",       .name = "<8>-<4>-<4>-<4>-<4>",  .manager = "garden", .what = "a container of Cloud Foundry's Garden"},
    {.below = "mesos",            .name = "<8>-<4>-<4>-<4>-<12>", .manager = "mesos",  .what = "a container of Mesos's"},
    {.below = "lxc",              .name = "<name>",               .manager = "lxc",    .what = "a container of LXC's", .own = "ns"},
    {.below = "lxc.payload",      .name = "<name>",               .manager = "lxc",    .what = "a container of LXC's"},
    {.name = "lxc.payload.<name>",                                .manager = "lxc",    .what = "a container of LXC's"},

    /* A bare id; the directory says whose it is, if anything does. */
    {.below = "docker",  .name = "<64>[.scope]",  .manager = "docker",     .what = "a container of Docker's"},
    {.below = "libpod",  .name = "<64>.scope",    .manager = "libpod",     .what = "a container of podman's", .own = "container"},
    {.below = "libpod",  .name = "<64>",          .manager = "libpod",     .what = "a container of podman's"},
    {.below = "garden",  .name = "<64>[.scope]",  .manager = "garden",     .what = "a container of Cloud Foundry's Garden"},
    {.below = "mesos",   .name = "<64>[.scope]",  .manager = "mesos",      .what = "a container of Mesos's"},
    {.below = "k8s.io",  .name = "<64>[.scope]",  .manager = "containerd", .what = "a container of containerd's, by its namespace"},
    {.under = "ecs",     .name = "<64>[.scope]",  .manager = "ecs",        .what = "a container of Amazon ECS"},
    {.name = "<64>[.scope]",                                               .what = "a container's bare id"},
};

/* Below /user.slice a local user can make any name. What is believed there are the engines that
 * users run themselves; all that a lie of theirs can move is the user's own processes. */
static const char *const rootless_engines[] = {"docker", "libpod", "nerdctl"};

/* The classes that have a directory; guaranteed pods sit directly below kubepods. */
static const char *const qos_dirs[] = {"burstable", "besteffort"};
static const char qos_guaranteed[] = "guaranteed";

/* A systemd unit that is no slice holds no pod. */
static const char *const unit_suffixes[] = {".scope", ".service", ".mount"};
/* clang-format on */

enum { N_SHAPES = sizeof(shapes) / sizeof(shapes[0]) };
static_assert(N_SHAPES <= 64, "one bit a shape in shape_place.seen");

static bool is_base36(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

/* How many bytes at the end of s the token takes, 0 if it does not fit there. */
static size_t token_tail(struct str token, struct str s)
{
    uint64_t n_hex;
    size_t n = 0;

    if (str_to_u64(token, &n_hex)) {
        return s.n >= n_hex && str_is_hex((struct str){s.p + (s.n - n_hex), n_hex}) ? n_hex : 0;
    }
    if (str_is(token, "digits")) {
        while (n < s.n && s.p[s.n - 1 - n] >= '0' && s.p[s.n - 1 - n] <= '9') {
            n++;
        }
        return n;
    }
    if (str_is(token, "step")) {
        while (n < s.n && n < 25 && is_base36(s.p[s.n - 1 - n])) {
            n++;
        }
        return n == 25 ? n : 0;
    }
    if (str_is(token, "name")) {
        return str_is(s, ".") || str_is(s, "..") ? 0 : s.n;
    }
    /* <prefix>, <slice> */
    while (n < s.n && s.p[s.n - 1 - n] != ':') {
        n++;
    }
    return n;
}

/* The token's text has been cut off the end of s: keep what it stands for. */
static void token_keep(struct str token, struct str text, struct shape_match *m)
{
    if (str_is(token, "prefix")) {
        m->manager = text;
    } else if (str_is(token, "slice")) {
        m->slice = text;
    } else {
        /* Tokens come from right to left, and an id may be made of several. */
        m->id.n = m->id.p ? (size_t)(m->id.p + m->id.n - text.p) : text.n;
        m->id.p = text.p;
    }
}

static bool name_matches(const char *pattern, struct str s, struct shape_match *m)
{
    const char *end;

    /* The literal text at the start first: nearly every name fails here at its first byte. */
    for (; *pattern != '\0' && *pattern != '<'; pattern++) {
        if (s.n == 0 || *s.p != *pattern) {
            return false;
        }
        s.p++;
        s.n--;
    }
    /* The rest from right to left: ids have a fixed length, what is before them has not. */
    for (end = pattern + strlen(pattern); end > pattern;) {
        if (end[-1] == '>') {
            const char *start = end - 1;
            struct str token;
            size_t n;

            while (start[-1] != '<') {
                start--;
            }
            token = (struct str){start, (size_t)(end - 1 - start)};
            n = token_tail(token, s);
            if (n == 0) {
                return false;
            }
            s.n -= n;
            token_keep(token, (struct str){s.p + s.n, n}, m);
            end = start - 1;
        } else if (end[-1] == ']') {
            const char *start = end - 1;
            struct str optional;

            while (start[-1] != '[') {
                start--;
            }
            optional = (struct str){start, (size_t)(end - 1 - start)};
            if (str_ends(s, optional)) {
                s.n -= optional.n;
            }
            end = start - 1;
        } else {
            if (s.n == 0 || s.p[s.n - 1] != end[-1]) {
                return false;
            }
            s.n--;
            end--;
        }
    }
    return s.n == 0;
}

/* Are the components directly above those of below ("docker/buildkit")? */
static bool directly_below(struct str above, struct str below)
{
    if (above.n < below.n + 2 || above.p[above.n - 1] != '/' ||
        above.p[above.n - below.n - 2] != '/') {
        return false;
    }
    return str_ends((struct str){above.p, above.n - 1}, below);
}

static bool place_fits(size_t i, const struct shape_place *place)
{
    const struct shape *shape = &shapes[i];

    if (shape->below) {
        return shape->below[0] == '<' ? place->directly_pod
                                      : directly_below(place->above, str_of(shape->below));
    }
    if (shape->under) {
        return shape->under[0] == '<' ? place->in_pod : (place->seen >> i & 1) != 0;
    }
    return true;
}

static bool is_rootless_engine(struct str manager)
{
    for (size_t i = 0; i < sizeof(rootless_engines) / sizeof(rootless_engines[0]); i++) {
        if (str_is(manager, rootless_engines[i])) {
            return true;
        }
    }
    return false;
}

bool shape_find(struct str component, const struct shape_place *place, struct shape_match *ret)
{
    for (size_t i = 0; i < N_SHAPES; i++) {
        struct shape_match m = {.shape = &shapes[i]};

        if (!place_fits(i, place) || !name_matches(shapes[i].name, component, &m)) {
            continue;
        }
        if (shapes[i].manager) {
            m.manager = str_of(shapes[i].manager);
        }
        if (place->in_user_slice && !is_rootless_engine(m.manager)) {
            continue;
        }
        *ret = m;
        return true;
    }
    return false;
}

uint64_t shape_seen(struct str component)
{
    uint64_t seen = 0;

    for (size_t i = 0; i < N_SHAPES; i++) {
        if (shapes[i].under && str_is(component, shapes[i].under)) {
            seen |= UINT64_C(1) << i;
        }
    }
    return seen;
}

static bool cut_prefix(struct str *s, struct str prefix)
{
    if (!str_starts(*s, prefix)) {
        return false;
    }
    s->p += prefix.n;
    s->n -= prefix.n;
    return true;
}

static struct str without_slice(struct str s)
{
    if (str_ends(s, STR(".slice"))) {
        s.n -= STR(".slice").n;
    }
    return s;
}

bool pod_dir_parse(struct str component, struct str *ret_uid)
{
    struct str s = without_slice(component);

    for (size_t i = 0; i < sizeof(unit_suffixes) / sizeof(unit_suffixes[0]); i++) {
        if (str_ends(s, str_of(unit_suffixes[i]))) {
            return false;
        }
    }
    if (!cut_prefix(&s, STR("pod")) || s.n == 0) {
        return false;
    }
    *ret_uid = s;
    return true;
}

/* What follows "kubepods": "", "-burstable", "-pod<uid>", "-burstable-pod<uid>". */
static bool kubepods_rest_parse(struct str rest, struct kubepods_name *ret)
{
    struct kubepods_name k = {.qos = qos_guaranteed};

    for (size_t i = 0; i < sizeof(qos_dirs) / sizeof(qos_dirs[0]); i++) {
        struct str after = rest;

        if (cut_prefix(&after, STR("-")) && cut_prefix(&after, str_of(qos_dirs[i])) &&
            (after.n == 0 || after.p[0] == '-')) {
            k.qos = qos_dirs[i];
            rest = after;
            break;
        }
    }
    if (rest.n > 0 && (!cut_prefix(&rest, STR("-")) || !pod_dir_parse(rest, &k.uid))) {
        return false;
    }
    *ret = k;
    return true;
}

bool kubepods_name_parse(struct str component, struct kubepods_name *ret)
{
    const struct str word = STR("kubepods");
    struct str s = without_slice(component);
    const char *from = s.p;

    /* The kubelet's --cgroup-root comes before, and may be named kubepods too. */
    for (;;) {
        const char *end = s.p + s.n;
        const char *at = from ? memmem(from, (size_t)(end - from), word.p, word.n) : NULL;

        if (!at) {
            return false;
        }
        from = at + word.n;
        if ((at == s.p || at[-1] == '-') &&
            kubepods_rest_parse((struct str){from, (size_t)(end - from)}, ret)) {
            return true;
        }
    }
}

/* Lower-case hex in groups of the lengths given, with dashes (or systemd's underscores) between. */
static bool is_groups(struct str s, const unsigned *lengths, size_t n_lengths)
{
    for (size_t i = 0; i < n_lengths; i++) {
        if (i > 0) {
            if (s.n == 0 || (s.p[0] != '-' && s.p[0] != '_')) {
                return false;
            }
            s.p++;
            s.n--;
        }
        if (s.n < lengths[i] || !str_is_hex((struct str){s.p, lengths[i]})) {
            return false;
        }
        s.p += lengths[i];
        s.n -= lengths[i];
    }
    return s.n == 0;
}

bool pod_uid_is_usual(struct str uid)
{
    static const unsigned uuid[] = {8, 4, 4, 4, 12}, hash[] = {32};

    return is_groups(uid, uuid, sizeof(uuid) / sizeof(uuid[0])) ||
           is_groups(uid, hash, sizeof(hash) / sizeof(hash[0]));
}

const char *qos_of_dir(struct str component)
{
    for (size_t i = 0; i < sizeof(qos_dirs) / sizeof(qos_dirs[0]); i++) {
        if (str_is(component, qos_dirs[i])) {
            return qos_dirs[i];
        }
    }
    return NULL;
}
