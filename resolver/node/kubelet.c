#include "resolver/node/kubelet.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "resolver/cgroup/path.h"
#include "resolver/node/endpoint_text.h"
#include "resolver/proc/stat.h"

bool kubelet_uid_parse(struct str status, uint32_t ret[4])
{
    struct str line;

    while (str_next_line(&status, &line)) {
        uint32_t uid[4];
        size_t at = 4, n = 0;

        if (!str_starts(line, STR("Uid:"))) {
            continue;
        }
        while (n < 4 && at < line.n && line.p[at] == '\t') {
            size_t end = ++at;
            uint64_t v;

            while (end < line.n && line.p[end] != '\t') {
                end++;
            }
            if (!str_to_u64((struct str){line.p + at, end - at}, &v) || v > UINT32_MAX) {
                return false;
            }
            uid[n++] = (uint32_t)v;
            at = end;
        }
        if (n < 4 || at != line.n) {
            return false;
        }
        memcpy(ret, uid, sizeof(uid));
        return true;
    }
    return false;
}

const char *kubelet_refuse(const struct kubelet_facts *k, const struct kubelet_host *host)
{
    const struct proc_ns *ns = host->init.pid && host->init.mnt ? &host->init : &host->self;

    if (k->cgroup != CGROUP_HOST) {
        return "it runs in a pod's or container's cgroup";
    }
    if (!k->uid_known || k->uid[0] || k->uid[1] || k->uid[2] || k->uid[3]) {
        return "it does not run as root";
    }
    if (!k->ns.pid || !k->ns.mnt || !ns->pid || !ns->mnt) {
        return "its namespaces cannot be compared with the host's";
    }
    if (k->ns.pid != ns->pid || k->ns.mnt != ns->mnt) {
        return "it runs in other namespaces than the host";
    }
    return NULL;
}

/* The facts of a process's cgroup below the node's own root. 0 or negative errno. */
static int read_cgroup(const struct procfs *p, pid_t pid, struct str root, struct arena *a,
                       struct cgroup_facts *ret)
{
    CLEANUP(buf_free) struct buf b = {0};
    int rc = procfs_read(p->fd, pid, "cgroup", &b);

    return rc < 0 ? rc : cgroup_parse_below((struct str){b.p, b.n}, root, a, ret);
}

/* The namespaces of podpid itself, where it runs on the host: not in a container's cgroup, and in
 * the initial PID namespace. Else *ret stays as it is. */
static int read_self(const struct procfs *p, struct str root, struct arena *a, struct proc_ns *ret)
{
    struct cgroup_facts own = {0};
    struct proc_ns ns;
    int rc = p->own_pidns ? read_cgroup(p, getpid(), root, a, &own) : -ESRCH;

    if (rc < 0 || own.kind != CGROUP_HOST) {
        return err_is_shortage(rc) ? rc : 0;
    }
    rc = procfs_read_ns(p, getpid(), PROC_NS_PID | PROC_NS_MNT, &ns);
    if (rc == 0 && ns.pid == NS_INIT_PID) {
        *ret = ns;
    }
    return rc;
}

/* 0, or a shortage: what else cannot be read is unknown. */
static int read_host(const struct procfs *p, struct arena *a, struct kubelet_host *ret)
{
    struct cgroup_facts init = {0};
    int rc = read_cgroup(p, 1, (struct str){0}, a, &init);

    if (rc < 0) {
        return err_is_shortage(rc) ? rc : 0;
    }
    ret->root = cgroup_node_root(str_of(init.path));
    rc = procfs_read_ns(p, 1, PROC_NS_PID | PROC_NS_MNT, &ret->init);
    return rc < 0 ? rc : read_self(p, ret->root, a, &ret->self);
}

static int read_start(const struct procfs *p, pid_t pid, uint64_t *ret)
{
    CLEANUP(buf_free) struct buf b = {0};
    struct stat_line stat;
    int rc = procfs_read(p->fd, pid, "stat", &b);

    if (rc < 0 || !stat_parse((struct str){b.p, b.n}, &stat)) {
        return rc < 0 ? rc : -EPROTO;
    }
    *ret = stat.start;
    return 0;
}

/* A copy of an argument's value; NULL for an empty one. */
static int copy_value(struct arena *a, struct str s, const char **ret)
{
    *ret = s.n ? arena_strndup(a, s.p, s.n) : NULL;
    return s.n && !*ret ? -ENOMEM : 0;
}

struct reading {
    struct kubelet kubelet;
    struct kubelet_facts facts;
};

/* What is read of a process named kubelet, other than its start time. 0 or negative errno. */
static int read_facts(const struct procfs *p, pid_t pid, struct str root, struct arena *a,
                      struct reading *r)
{
    CLEANUP(buf_free) struct buf b = {0};
    struct kubelet_args args;
    struct cgroup_facts cgroup;
    int rc = procfs_read(p->fd, pid, "cmdline", &b);

    if (rc < 0) {
        return rc;
    }
    args = kubelet_args_parse((struct str){b.p, b.n});
    r->kubelet.pid = pid;
    if (copy_value(a, args.endpoint, &r->kubelet.endpoint) < 0 ||
        copy_value(a, args.config, &r->kubelet.config) < 0) {
        return -ENOMEM;
    }
    rc = procfs_read(p->fd, pid, "status", &b);
    if (rc < 0) {
        return rc;
    }
    r->facts.uid_known = kubelet_uid_parse((struct str){b.p, b.n}, r->facts.uid);
    rc = procfs_read_ns(p, pid, PROC_NS_PID | PROC_NS_MNT, &r->facts.ns);
    if (rc < 0) {
        return rc;
    }
    rc = read_cgroup(p, pid, root, a, &cgroup);
    if (rc < 0) {
        return rc;
    }
    r->facts.cgroup = cgroup.kind;
    return 0;
}

/* Read one process. Its start time is read before and after the rest, for the PID may have been
 * given to another process meanwhile. 1: it is named kubelet; 0: it is not; negative errno: a
 * shortage, or the process is gone or may not be read. */
static int read_process(const struct procfs *p, pid_t pid, struct str root, struct arena *a,
                        struct reading *r)
{
    CLEANUP(buf_free) struct buf b = {0};
    uint64_t before, after;
    int rc = procfs_read(p->fd, pid, "comm", &b);

    /* The cheap test first: it is made for every process of the node. */
    if (rc < 0 || !str_is((struct str){b.p, b.n}, "kubelet\n")) {
        return rc < 0 ? rc : 0;
    }
    rc = read_start(p, pid, &before);
    if (rc < 0) {
        return rc;
    }
    rc = read_facts(p, pid, root, a, r);
    if (rc < 0) {
        return rc;
    }
    rc = read_start(p, pid, &after);
    if (rc < 0) {
        return rc;
    }
    return before == after ? 1 : -ESRCH;
}

/* Add a process to those that count, or to those that do not. */
static int add_kubelet(struct kubelets *all, size_t *cap, const struct reading *r,
                       const struct kubelet_host *host, struct arena *a)
{
    const char *refused = kubelet_refuse(&r->facts, host);

    if (!refused) {
        return ARENA_APPEND(a, all->k, all->n, *cap, r->kubelet);
    }
    if (all->n_refused++ == 0) {
        all->refused_pid = r->kubelet.pid;
        all->refused_reason = refused;
    }
    return 0;
}

static int cannot_read(const struct procfs *p, int rc, struct err *err)
{
    return rc == -ENOMEM ? err_nomem(err)
                         : err_set(err, ERR_PROC, -rc, "%s: %s", p->path, strerror(-rc));
}

int kubelet_find(const struct procfs *p, struct arena *a, struct kubelets *ret, struct err *err)
{
    AUTO_CLOSE int fd = openat(p->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct dir_reader dir = {.fd = fd};
    struct kubelets all = {0};
    struct kubelet_host host = {0};
    struct dir_entry entry;
    size_t cap = 0;
    int rc = fd < 0 ? -errno : read_host(p, a, &host);

    if (rc < 0) {
        return cannot_read(p, rc, err);
    }
    while ((rc = dir_next(&dir, &entry)) > 0) {
        struct reading r = {0};
        int32_t pid;

        if (!procfs_pid_name(entry.name, &pid)) {
            continue;
        }
        rc = read_process(p, pid, host.root, a, &r);
        if (rc > 0) {
            rc = add_kubelet(&all, &cap, &r, &host, a);
        }
        if (err_is_shortage(rc)) {
            return cannot_read(p, rc, err);
        }
    }
    if (rc < 0) {
        return cannot_read(p, rc, err);
    }
    *ret = all;
    return 0;
}
