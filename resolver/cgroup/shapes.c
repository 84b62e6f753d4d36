#include "resolver/cgroup/shapes.h"

#include <assert.h>
#include <string.h>

/* clang-format off */
/* To teach podpid a new way to name cgroups, add a line here and a case to test/fixtures/cgroups.
 * The first line that fits wins; helpers come first, because a helper's name contains the
 * container's.
 *
 * Lengths of ids: <64> are the 32 random bytes that Docker, containerd, CRI-O, podman and Kata write
 * in hex; <32> is a task id of Amazon ECS; <8>-<4>-<4>-<4>-<12> is a UUID; <8>-<4>-<4>-<4>-<4> a
 * handle of Garden. */
static const struct shape shapes[] = {
    /* Helpers: processes outside of a container that serve it; their cgroup has the container's id. */
    {.name = "crio-conmon-<64>[.scope]",   .manager = "crio",   .helper = true, .what = "CRI-O's monitor of a container"},
    {.name = "libpod-conmon-<64>[.scope]", .manager = "libpod", .helper = true, .what = "podman's monitor of a container"},
    {.name = "lxc.monitor.<name>",         .manager = "lxc",    .helper = true, .what = "LXC's monitor of a container"},
    {.below = "kata_overhead", .name = "<64>[.scope]", .manager = "kata", .helper = true,
     .what = "Kata's processes on the host for a sandbox"},
    {.below = "kata-overhead.slice", .name = "runtime-rs-<64>.scope", .manager = "kata", .helper = true,
     .what = "Kata runtime-rs's processes on the host for a sandbox"},

    /* <prefix>-<id>, with .scope where systemd makes the cgroup. crun makes a sub-cgroup "container"
     * below the scope for the processes. */
    {.name = "docker-<64>[.scope]",         .manager = "docker",         .what = "a Docker container"},
    {.name = "crio-<64>.scope",             .manager = "crio",           .what = "a CRI-O container", .own = "container"},
    {.name = "crio-<64>",                   .manager = "crio",           .what = "a CRI-O container"},
    {.name = "cri-containerd-<64>[.scope]", .manager = "cri-containerd", .what = "a containerd container"},
    {.name = "libpod-payload-<64>.scope",   .manager = "libpod",         .what = "a podman container", .own = "container"},
    {.name = "libpod-payload-<64>",         .manager = "libpod",         .what = "a podman container"},
    {.name = "libpod-<64>.scope",           .manager = "libpod",         .what = "a podman container", .own = "container"},
    {.name = "libpod-<64>",                 .manager = "libpod",         .what = "a podman container"},
    {.name = "nerdctl-<64>[.scope]",        .manager = "nerdctl",        .what = "a nerdctl container"},
    {.under = POD_ABOVE, .name = "<prefix>-<64>.scope", .what = "a container's scope in a pod"},

    /* "slice:prefix:id" as the name of a directory: the kubelet or engine is set to the systemd cgroup
     * driver, the runtime to cgroupfs. */
    {.name = "<slice>:docker:<step>",   .manager = "docker", .what = "a BuildKit build step in Docker, slice:prefix:id taken literally"},
    {.name = "<slice>:libpod-payload:<64>", .manager = "libpod", .what = "a podman container, slice:prefix:id taken literally"},
    {.name = "<slice>:<prefix>:<64>",                        .what = "a container, slice:prefix:id taken literally"},

    /* Names that are a container's only below a certain directory, and two that stand alone. */
    {.name = "kata_<64>", .manager = "kata", .what = "a Kata sandbox"},
    {.below = POD_ABOVE,          .name = "<8>-<4>-<4>-<4>-<12>", .what = "a container named by a UUID in a pod"},
    {.below = "docker/buildkit",  .name = "<step>",               .manager = "buildkit", .what = "a BuildKit build step in Docker"},
    {.under = "ecs",              .name = "<32>-<digits>",        .manager = "ecs",    .what = "a container of Amazon ECS on Fargate"},
    {.below = "garden",           .name = "<8>-<4>-<4>-<4>-<4>",  .manager = "garden", .what = "a container of Cloud Foundry's Garden"},
    {.below = "garden/good",      .name = "<8>-<4>-<4>-<4>-<4>",  .manager = "garden", .what = "a container of Cloud Foundry's Garden"},
    {.below = "garden/bad",       .name = "<8>-<4>-<4>-<4>-<4>",  .manager = "garden", .what = "a container of Cloud Foundry's Garden"},
    {.below = "mesos",            .name = "<8>-<4>-<4>-<4>-<12>", .manager = "mesos",  .what = "a Mesos container"},
    {.below = "lxc",              .name = "<name>",               .manager = "lxc",    .what = "an LXC container", .own = "ns"},
    {.below = "lxc.payload",      .name = "<name>",               .manager = "lxc",    .what = "an LXC container"},
    {.name = "lxc.payload.<name>",                                .manager = "lxc",    .what = "an LXC container"},

    /* A bare id: the directory above says which manager made it. */
    {.below = "docker",  .name = "<64>[.scope]",  .manager = "docker",     .what = "a Docker container"},
    {.below = "libpod",  .name = "<64>.scope",    .manager = "libpod",     .what = "a podman container", .own = "container"},
    {.below = "libpod",  .name = "<64>",          .manager = "libpod",     .what = "a podman container"},
    {.below = "garden",  .name = "<64>[.scope]",  .manager = "garden",     .what = "a container of Cloud Foundry's Garden"},
    {.below = "mesos",   .name = "<64>[.scope]",  .manager = "mesos",      .what = "a Mesos container"},
    {.below = "k8s.io",  .name = "<64>[.scope]",  .manager = "containerd", .what = "a containerd container, in the directory of the namespace k8s.io"},
    {.under = "ecs",     .name = "<64>[.scope]",  .manager = "ecs",        .what = "a container of Amazon ECS"},
    {.name = "<64>[.scope]",                                               .what = "a container named by its bare id"},
};

/* Below /user.slice a local user can make any name. Only the engines that users run themselves are
 * believed there: with a forged name of theirs a user can mislead about the user's own processes at
 * most. */
static const char *const rootless_engines[] = {"docker", "libpod", "nerdctl"};

/* The QoS classes that have a directory of their own; guaranteed pods are directly below kubepods. */
static const char *const qos_dirs[] = {"burstable", "besteffort"};
static const char qos_guaranteed[] = "guaranteed";

/* systemd units of these types are no directories of pods, whatever their name. */
static const char *const unit_suffixes[] = {".scope", ".service", ".mount"};
/* clang-format on */

enum { N_SHAPES = N_ELEMENTS(shapes) };
static_assert(N_ELEMENTS(shapes) <= SHAPES_MAX, "shape_place.under_seen has a bit for each shape");
static_assert(8 * sizeof(((struct shape_place *)NULL)->under_seen) >= SHAPES_MAX, "enough bits");

/* BuildKit writes random numbers of 128 bits in base 36, padded to one length (identity.NewID()).
 */
enum { STEP_ID_LENGTH = 25 };

static bool is_base36(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

/* How many bytes at the end of s the token matches; 0: it does not match there. */
static size_t token_match_length(struct str token, struct str s)
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
        while (n < s.n && n < STEP_ID_LENGTH && is_base36(s.p[s.n - 1 - n])) {
            n++;
        }
        return n == STEP_ID_LENGTH ? n : 0;
    }
    if (str_is(token, "name")) {
        return str_is(s, ".") || str_is(s, "..") ? 0 : s.n;
    }
    /* The token is <prefix> or <slice>. */
    while (n < s.n && s.p[s.n - 1 - n] != ':') {
        n++;
    }
    return n;
}

/* Note the text that a token matched in the result. */
static void note_token(struct str token, struct str text, struct shape_match *m)
{
    if (str_is(token, "prefix")) {
        m->manager = text;
    } else if (str_is(token, "slice")) {
        m->slice = text;
    } else {
        /* Tokens are matched from right to left: this one extends the id to the left. */
        m->id.n = m->id.p ? (size_t)(m->id.p + m->id.n - text.p) : text.n;
        m->id.p = text.p;
    }
}

static bool name_matches(const char *pattern, struct str s, struct shape_match *m)
{
    const char *end;

    /* First the literal text at the start: most names fail at its first byte. */
    for (; *pattern != '\0' && *pattern != '<'; pattern++) {
        if (s.n == 0 || *s.p != *pattern) {
            return false;
        }
        s.p++;
        s.n--;
    }
    /* The rest from right to left: ids have a fixed length, <prefix> and <slice> before them do
     * not. */
    for (end = pattern + strlen(pattern); end > pattern;) {
        if (end[-1] == '>') {
            const char *start = end - 1;
            struct str token;
            size_t n;

            while (start[-1] != '<') {
                start--;
            }
            token = (struct str){start, (size_t)(end - 1 - start)};
            n = token_match_length(token, s);
            if (n == 0) {
                return false;
            }
            s.n -= n;
            note_token(token, (struct str){s.p + s.n, n}, m);
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

/* Whether the components directly above are those of below ("docker/buildkit"). */
static bool is_directly_below(struct str above, struct str below)
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
                                      : is_directly_below(place->above, str_of(shape->below));
    }
    if (shape->under) {
        return shape->under[0] == '<' ? place->in_pod : (place->under_seen >> i & 1) != 0;
    }
    return true;
}

static bool is_rootless_engine(struct str manager)
{
    for (size_t i = 0; i < N_ELEMENTS(rootless_engines); i++) {
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

uint64_t shape_under_bits(struct str component)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < N_SHAPES; i++) {
        if (shapes[i].under && str_is(component, shapes[i].under)) {
            bits |= UINT64_C(1) << i;
        }
    }
    return bits;
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

    for (size_t i = 0; i < N_ELEMENTS(unit_suffixes); i++) {
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

/* Parse what follows "kubepods": "", "-burstable", "-pod<uid>" or "-burstable-pod<uid>". */
static bool parse_after_kubepods(struct str rest, struct kubepods_name *ret)
{
    struct kubepods_name k = {.qos = qos_guaranteed};

    for (size_t i = 0; i < N_ELEMENTS(qos_dirs); i++) {
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

    /* The name of the kubelet's --cgroup-root stands before "kubepods", and may itself be
     * "kubepods": try each one. */
    for (;;) {
        const char *end = s.p + s.n;
        const char *at = from ? memmem(from, (size_t)(end - from), word.p, word.n) : NULL;

        if (!at) {
            return false;
        }
        from = at + word.n;
        if ((at == s.p || at[-1] == '-') &&
            parse_after_kubepods((struct str){from, (size_t)(end - from)}, ret)) {
            return true;
        }
    }
}

/* Whether s is groups of lower-case hex digits of these lengths, with dashes or (systemd)
 * underscores between them. */
static bool is_hex_groups(struct str s, const unsigned *lengths, size_t n_lengths)
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
    static const unsigned uuid[] = {8, 4, 4, 4, 12}, hash[] = {32}; /* digits of a group */

    return is_hex_groups(uid, uuid, N_ELEMENTS(uuid)) || is_hex_groups(uid, hash, N_ELEMENTS(hash));
}

const char *qos_of_dir(struct str component)
{
    for (size_t i = 0; i < N_ELEMENTS(qos_dirs); i++) {
        if (str_is(component, qos_dirs[i])) {
            return qos_dirs[i];
        }
    }
    return NULL;
}
