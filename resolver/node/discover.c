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

/* The largest configuration file that is read, in bytes: a kubelet's is a few KiB. */
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
    struct discovered found; /* its warnings are set at the end */
    struct texts warnings;
};

/* An endpoint that a source other than the user named. */
struct candidate {
    struct endpoint endpoint;
    const char *by;   /* the source in words; NULL: it names no endpoint */
    const char *path; /* the endpoint's path with links followed */
};

__attribute__((format(printf, 2, 3))) static int add_warning(struct search *s, const char *fmt, ...)
{
    va_list ap;
    char *text;

    va_start(ap, fmt);
    text = arena_vprintf(s->arena, fmt, ap);
    va_end(ap);
    return texts_add(&s->warnings, s->arena, text);
}

/* A source that cannot be read is left out with a warning, for reasons of its own: 0 or -ENOMEM. A
 * shortage says nothing about the source and is given back. */
static int leave_out(struct search *s, const char *source, int rc, const struct err *reason)
{
    return err_is_shortage(rc) ? rc : add_warning(s, "%s is left out: %s", source, reason->text);
}

/* ---- Named by the user ----------------------------------------------------------------------- */

static const char *environment(const struct podpid_options *o, const char *name)
{
    const char *value = o->no_environment ? NULL : getenv(name);

    return value && *value ? value : NULL;
}

/* 1, or negative errno with ERR_USAGE. */
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
    AUTO_FREE char *real = realpath(file, NULL); /* procfs_read_file() follows no link */
    struct err reason = {0};
    const char *value = NULL;
    char *by;
    int rc = real ? procfs_read_file(AT_FDCWD, real, CONFIG_MAX, &b) : -errno;

    if (rc < 0) {
        return err_set(err, err_is_shortage(rc) ? ERR_PROC : ERR_INPUT, -rc, "%s: %s", file,
                       strerror(-rc));
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

/* 1: found; 0: the user named none; negative errno: what the user named makes no sense, and nothing
 * else is tried. */
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

/* ---- Discovered ------------------------------------------------------------------------------ */

/* Take the endpoint that a source names. One that cannot be trusted becomes a warning. 0 or a
 * shortage. */
static int take_discovered(struct search *s, const char *text, const char *by,
                           struct candidate *ret)
{
    struct candidate c = {0};
    struct err reason = {0};
    struct trusted where;
    int rc;

    if (endpoint_parse(text, &c.endpoint, &reason) < 0) {
        return add_warning(s, "%s is left out: %s", by, reason.text);
    }
    if (c.endpoint.abstract) {
        return add_warning(s,
                           "%s is left out: any process on the host's network may own the abstract "
                           "socket @%s",
                           by, c.endpoint.path);
    }
    rc = trust_walk(s->root_fd, c.endpoint.path, &where, &reason);
    if (rc < 0) {
        return err_is_shortage(rc)
                   ? rc
                   : add_warning(s, "%s is left out: %s: %s", by, c.endpoint.path, reason.text);
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

/* The text at a key of a file that the user did not name: *ret stays NULL where the file is
 * missing, has no such key or cannot be trusted. 0 or a shortage. */
static int read_key(struct search *s, const char *file, const char *key, const char **ret)
{
    CLEANUP(buf_free) struct buf b = {0};
    struct err reason = {0};
    int rc = trust_read(s->root_fd, file, CONFIG_MAX, &b, &reason);

    if (rc == 0) {
        rc = config_key_parse((struct str){b.p, b.n}, key, file, s->arena, ret, &reason);
    }
    return rc == 0 || rc == -ENOENT ? 0 : leave_out(s, file, rc, &reason);
}

static int kubelet_setting(struct search *s, const struct kubelet *k, struct candidate *ret)
{
    const char *value = NULL, *by;
    int rc;

    if (k->endpoint) {
        by = arena_printf(s->arena, "kubelet --container-runtime-endpoint (pid %d)", k->pid);
        return by ? take_discovered(s, k->endpoint, by, ret) : -ENOMEM;
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
    return by ? take_discovered(s, value, by, ret) : -ENOMEM;
}

static int from_kubeadm_flags(struct search *s, struct candidate *ret)
{
    CLEANUP(buf_free) struct buf b = {0};
    struct err reason = {0};
    struct kubelet_args args;
    const char *value;
    int rc = trust_read(s->root_fd, KUBEADM_FLAGS, CONFIG_MAX, &b, &reason);

    if (rc < 0) {
        return rc == -ENOENT ? 0 : leave_out(s, KUBEADM_FLAGS, rc, &reason);
    }
    args = kubelet_env_parse((struct str){b.p, b.n});
    if (!args.endpoint.n) {
        return 0;
    }
    value = arena_strndup(s->arena, args.endpoint.p, args.endpoint.n);
    return value ? take_discovered(s, value, KUBEADM_FLAGS, ret) : -ENOMEM;
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
        rc =
            add_warning(s, "a process named kubelet (pid %d%s) does not count: %s", all.refused_pid,
                        all.n_refused > 1 ? " and others" : "", all.refused_reason);
    }
    for (size_t i = 0; i < all.n && rc == 0; i++) {
        struct candidate c = {0};

        rc = kubelet_setting(s, &all.k[i], &c);
        if (rc == 0 && c.by && first.by && strcmp(c.path, first.path) != 0) {
            return add_warning(s,
                               "two kubelets differ and neither is asked: %s says %s, %s says %s",
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

    for (size_t i = 0; i < N_ELEMENTS(crictl_configs) && rc == 0; i++) {
        const char *value = NULL;

        rc = read_key(s, crictl_configs[i], "runtime-endpoint", &value);
        if (rc == 0 && value) {
            rc = take_discovered(s, value, crictl_configs[i], ret);
        }
        if (ret->by) {
            break;
        }
    }
    return rc;
}

/* Take the first well-known socket that exists and keep the others, each socket once. 1: there is
 * one; 0: there is none; a shortage. */
static int from_well_known(struct search *s)
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
        int rc = trust_walk(s->root_fd, path, &where, &reason);

        if (rc < 0) {
            rc = leave_out(s, path, rc, &reason);
            if (rc < 0) {
                return rc;
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
        } else if (s->found.n_others < N_ELEMENTS(s->found.others)) {
            s->found.others[s->found.n_others++] = ep;
        }
    }
    return n ? 1 : 0;
}

static int nothing_found(const struct search *s, struct err *err)
{
    err_set(err, ERR_RUNTIME, ENOENT, "no container runtime found%s%s", s->warnings.n ? ": " : "",
            s->warnings.n ? s->warnings.items[0] : "");
    err_hint(err, "name its socket: -r unix:///run/containerd/containerd.sock");
    return -ENOENT;
}

/* A source of which nothing may be concluded, for memory or descriptors ran out. */
static int cannot_look(int rc, struct err *err)
{
    return rc == -ENOMEM ? err_nomem(err)
                         : err_set(err, ERR_PROC, -rc, "cannot look for the container runtime: %s",
                                   strerror(-rc));
}

static int from_discovery(struct search *s, struct err *err)
{
    struct candidate kubelet = {0}, crictl = {0}, *chosen;
    int rc = from_kubelet(s, &kubelet, err);

    if (rc < 0) {
        return err_is_shortage(rc) ? cannot_look(rc, err) : rc;
    }
    rc = from_crictl(s, &crictl);
    if (rc < 0) {
        return cannot_look(rc, err);
    }
    if (kubelet.by && crictl.by && strcmp(kubelet.path, crictl.path) != 0 &&
        add_warning(s, "%s says %s, but %s says %s: the kubelet's is taken", crictl.by,
                    crictl.endpoint.path, kubelet.by, kubelet.endpoint.path) < 0) {
        return err_nomem(err);
    }
    chosen = kubelet.by ? &kubelet : &crictl;
    if (chosen->by) {
        s->found.endpoint = chosen->endpoint;
        s->found.chosen_by = chosen->by;
        return 0;
    }
    rc = from_well_known(s);
    if (rc < 0) {
        return cannot_look(rc, err);
    }
    return rc ? 0 : nothing_found(s, err);
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
    s.found.warnings = s.warnings.items;
    s.found.n_warnings = s.warnings.n;
    *ret = s.found;
    return 0;
}
