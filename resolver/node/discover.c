#include "resolver/node/discover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "cri/runtimes.h"
#include "resolver/node/endpoint_text.h"
#include "resolver/node/kubelet.h"
#include "resolver/node/trust.h"

enum { CONFIG_MAX = 1024 * 1024 };

#define KUBEADM_FLAGS "/var/lib/kubelet/kubeadm-flags.env"

static const char *const crictl_configs[] = {
    "/etc/crictl.yaml",
    "/var/lib/rancher/rke2/agent/etc/crictl.yaml",
    "/var/lib/rancher/k3s/agent/etc/crictl.yaml",
};

struct search {
    const struct procfs *procfs;
    int root_fd;
    struct arena *arena;
    struct discovered found; /* filled as we go */
    const char **warnings;   /* found.warnings while it grows */
    size_t cap_warnings;
};

/* An endpoint that somebody other than the user named. */
struct candidate {
    struct endpoint endpoint;
    const char *by;   /* NULL: none */
    const char *path; /* with links followed */
};

__attribute__((format(printf, 2, 3))) static int warn(struct search *s, const char *fmt, ...)
{
    void *items = s->warnings;
    va_list ap;
    char *text;

    va_start(ap, fmt);
    text = arena_vprintf(s->arena, fmt, ap);
    va_end(ap);
    if (!text || arena_grow(s->arena, &items, s->found.n_warnings, &s->cap_warnings,
                            sizeof(*s->warnings)) < 0) {
        return -ENOMEM;
    }
    s->warnings = items;
    s->warnings[s->found.n_warnings++] = text;
    s->found.warnings = s->warnings;
    return 0;
}

/* Explicit ones ------------------------------------------------------------------------------- */

static const char *environment(const struct podpid_options *o, const char *name)
{
    const char *value = o->no_environment ? NULL : getenv(name);

    return value && *value ? value : NULL;
}

static int take_explicit(struct search *s, const char *text, const char *by, struct err *err)
{
    int rc = endpoint_parse(text, &s->found.endpoint, err);

    if (rc < 0) {
        return rc;
    }
    s->found.endpoint.discovered = false;
    s->found.chosen_by = arena_strdup(s->arena, by);
    return s->found.chosen_by ? 1 : err_nomem(err);
}

static int take_explicit_config(struct search *s, const char *file, const char *named_by,
                                struct err *err)
{
    CLEANUP(buf_free) struct buf b = {0};
    AUTO_FREE char *real = realpath(file, NULL); /* whose links may be anybody's */
    struct err reason = {0};
    const char *value = NULL;
    char *by;
    int rc = real ? procfs_read_file(AT_FDCWD, real, CONFIG_MAX, &b) : -errno;

    if (rc < 0) {
        return err_set(err, ERR_INPUT, -rc, "%s: %s", file, strerror(-rc));
    }
    rc = config_key_parse((struct str){b.p, b.n}, "runtime-endpoint", file, s->arena, &value, err);
    if (rc < 0) {
        return rc;
    }
    if (!value) {
        err_set(err, ERR_INPUT, ENOENT, "%s: there is no runtime-endpoint in it", file);
        err_hint(err, "add a line such as: runtime-endpoint: unix:///run/containerd/"
                      "containerd.sock");
        return -ENOENT;
    }
    by = arena_printf(s->arena, "%s (%s)", file, named_by);
    if (!by) {
        return err_nomem(err);
    }
    rc = take_explicit(s, value, by, &reason);
    return rc < 0 ? err_set(err, ERR_INPUT, -rc, "%s: runtime-endpoint: %s", file, reason.text)
                  : rc;
}

/* 1: found; 0: nobody named one; negative errno: it makes no sense, and nothing else is tried. */
static int from_explicit(struct search *s, const struct podpid_options *o, struct err *err)
{
    const char *text;

    if (o->endpoint) {
        return take_explicit(s, o->endpoint,
                             o->endpoint_source ? o->endpoint_source : "--runtime-endpoint", err);
    }
    text = environment(o, "CONTAINER_RUNTIME_ENDPOINT");
    if (text) {
        return take_explicit(s, text, "CONTAINER_RUNTIME_ENDPOINT", err);
    }
    if (o->config_file) {
        return take_explicit_config(s, o->config_file, "--config", err);
    }
    text = environment(o, "CRI_CONFIG_FILE");
    return text ? take_explicit_config(s, text, "CRI_CONFIG_FILE", err) : 0;
}

/* Discovered ones ------------------------------------------------------------------------------ */

/* Take what a source named, unless it is not to be trusted: then a warning. 0 or -ENOMEM. */
static int consider(struct search *s, const char *text, const char *by, struct candidate *ret)
{
    struct candidate c = {0};
    struct err reason = {0};
    struct trusted where;

    if (endpoint_parse(text, &c.endpoint, &reason) < 0) {
        return warn(s, "%s is left out: %s", by, reason.text);
    }
    if (c.endpoint.abstract) {
        return warn(s,
                    "%s is left out: any process on the host's network may own the abstract "
                    "socket @%s",
                    by, c.endpoint.path);
    }
    if (trust_walk(s->root_fd, c.endpoint.path, &where, &reason) < 0) {
        return warn(s, "%s is left out: %s: %s", by, c.endpoint.path, reason.text);
    }
    c.endpoint.discovered = true;
    c.by = arena_strdup(s->arena, by);
    c.path = arena_strdup(s->arena, where.path);
    if (!c.by || !c.path) {
        return -ENOMEM;
    }
    *ret = c;
    return 0;
}

/* The scalar at key in a file that nobody named: *ret stays NULL where there is none or the file is
 * not to be trusted. 0 or -ENOMEM. */
static int read_key(struct search *s, const char *file, const char *key, const char **ret)
{
    CLEANUP(buf_free) struct buf b = {0};
    struct err reason = {0};
    int rc = trust_read(s->root_fd, file, CONFIG_MAX, &b, &reason);

    if (rc == 0) {
        rc = config_key_parse((struct str){b.p, b.n}, key, file, s->arena, ret, &reason);
    }
    if (rc == 0 || rc == -ENOENT || rc == -ENOMEM) {
        return rc == -ENOMEM ? rc : 0;
    }
    return warn(s, "%s is left out: %s", file, reason.text);
}

static int kubelet_setting(struct search *s, const struct kubelet *k, struct candidate *ret)
{
    const char *value = NULL, *by;
    int rc;

    if (k->endpoint) {
        by = arena_printf(s->arena, "kubelet --container-runtime-endpoint (pid %d)", k->pid);
        return by ? consider(s, k->endpoint, by, ret) : -ENOMEM;
    }
    if (!k->config || k->config[0] != '/') {
        return 0;
    }
    rc = read_key(s, k->config, "containerRuntimeEndpoint", &value);
    if (rc < 0 || !value) {
        return rc;
    }
    by = arena_printf(s->arena, "containerRuntimeEndpoint in %s (kubelet, pid %d)", k->config,
                      k->pid);
    return by ? consider(s, value, by, ret) : -ENOMEM;
}

static int from_kubeadm_flags(struct search *s, struct candidate *ret)
{
    CLEANUP(buf_free) struct buf b = {0};
    struct err reason = {0};
    struct kubelet_args args;
    const char *value;
    int rc = trust_read(s->root_fd, KUBEADM_FLAGS, CONFIG_MAX, &b, &reason);

    if (rc < 0) {
        return rc == -ENOENT ? 0 : warn(s, "%s is left out: %s", KUBEADM_FLAGS, reason.text);
    }
    args = kubelet_env_parse((struct str){b.p, b.n});
    if (!args.endpoint.n) {
        return 0;
    }
    value = arena_strndup(s->arena, args.endpoint.p, args.endpoint.n);
    return value ? consider(s, value, KUBEADM_FLAGS, ret) : -ENOMEM;
}

static int from_kubelet(struct search *s, struct candidate *ret, struct err *err)
{
    struct candidate first = {0};
    struct kubelets all = {0};
    int rc = kubelet_find(s->procfs, s->arena, &all, err);

    if (rc < 0) {
        return rc;
    }
    if (all.n_refused) {
        rc = warn(s, "a process named kubelet (pid %d%s) does not count: %s", all.refused_pid,
                  all.n_refused > 1 ? " and others" : "", all.refused_reason);
    }
    for (size_t i = 0; i < all.n && rc == 0; i++) {
        struct candidate c = {0};

        rc = kubelet_setting(s, &all.k[i], &c);
        if (rc == 0 && c.by && first.by && strcmp(c.path, first.path) != 0) {
            return warn(s, "two kubelets differ and neither is asked: %s says %s, %s says %s",
                        first.by, first.endpoint.path, c.by, c.endpoint.path);
        }
        first = first.by ? first : c;
    }
    if (rc == 0 && !first.by) {
        rc = from_kubeadm_flags(s, &first);
    }
    *ret = first;
    return rc;
}

static int from_crictl(struct search *s, struct candidate *ret)
{
    int rc = 0;

    for (size_t i = 0; i < sizeof(crictl_configs) / sizeof(*crictl_configs) && rc == 0; i++) {
        const char *value = NULL;

        rc = read_key(s, crictl_configs[i], "runtime-endpoint", &value);
        if (rc == 0 && value) {
            rc = consider(s, value, crictl_configs[i], ret);
        }
        if (ret->by) {
            break;
        }
    }
    return rc;
}

/* Every well-known socket that exists, once each; the first is taken, the others are kept. */
static int from_well_known(struct search *s, struct err *err)
{
    struct {
        dev_t dev;
        ino_t ino;
    } seen[RUNTIME_SOCKETS_MOST];
    const char *path;
    size_t n = 0;

    for (size_t i = 0; (path = runtime_socket(i)); i++) {
        struct err reason = {0};
        struct endpoint ep;
        struct trusted where;
        size_t k = 0;

        if (trust_walk(s->root_fd, path, &where, &reason) < 0) {
            if (warn(s, "%s is left out: %s", path, reason.text) < 0) {
                return err_nomem(err);
            }
            continue;
        }
        if (!where.exists || !S_ISSOCK(where.st.st_mode)) {
            continue;
        }
        while (k < n && (seen[k].dev != where.st.st_dev || seen[k].ino != where.st.st_ino)) {
            k++;
        }
        if (k < n || endpoint_parse(path, &ep, &reason) < 0) {
            continue;
        }
        seen[n].dev = where.st.st_dev;
        seen[n].ino = where.st.st_ino;
        ep.discovered = true;
        if (n++ == 0) {
            s->found.endpoint = ep;
            s->found.chosen_by = "well-known socket";
        } else if (s->found.n_others < sizeof(s->found.others) / sizeof(*s->found.others)) {
            s->found.others[s->found.n_others++] = ep;
        }
    }
    return n ? 1 : 0;
}

static int nothing_found(const struct search *s, struct err *err)
{
    err_set(err, ERR_RUNTIME, ENOENT, "no container runtime found%s%s",
            s->found.n_warnings ? ": " : "", s->found.n_warnings ? s->found.warnings[0] : "");
    err_hint(err, "name its socket: -r unix:///run/containerd/containerd.sock");
    return -ENOENT;
}

static int from_discovery(struct search *s, struct err *err)
{
    struct candidate kubelet = {0}, crictl = {0}, *chosen;
    int rc = from_kubelet(s, &kubelet, err);

    if (rc < 0) {
        return rc == -ENOMEM ? err_nomem(err) : rc;
    }
    if (from_crictl(s, &crictl) < 0) {
        return err_nomem(err);
    }
    if (kubelet.by && crictl.by && strcmp(kubelet.path, crictl.path) != 0 &&
        warn(s, "%s says %s, but %s says %s: the kubelet's is taken", crictl.by,
             crictl.endpoint.path, kubelet.by, kubelet.endpoint.path) < 0) {
        return err_nomem(err);
    }
    chosen = kubelet.by ? &kubelet : &crictl;
    if (chosen->by) {
        s->found.endpoint = chosen->endpoint;
        s->found.chosen_by = chosen->by;
        return 0;
    }
    rc = from_well_known(s, err);
    return rc == 0 ? nothing_found(s, err) : rc;
}

int discover_endpoint(const struct podpid_options *options, const struct procfs *p, int root_fd,
                      struct arena *a, struct discovered *ret, struct err *err)
{
    struct search s = {.procfs = p, .root_fd = root_fd, .arena = a};
    int rc = from_explicit(&s, options, err);

    if (rc == 0) {
        rc = from_discovery(&s, err);
    }
    if (rc < 0) {
        return rc;
    }
    *ret = s.found;
    return 0;
}
