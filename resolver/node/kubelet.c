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

/* What kind of cgroup a process is in. root: the node's own, as cgroup_parse_below() wants it. */
static int read_cgroup(const struct procfs *p, pid_t pid, struct str root, struct arena *a,
                       struct cgroup_facts *ret)
{
    CLEANUP(buf_free) struct buf b = {0};
    int rc = procfs_read(p->fd, pid, "cgroup", &b);

    return rc < 0 ? rc : cgroup_parse_below((struct str){b.p, b.n}, root, a, ret);
}

static int read_host(const struct procfs *p, struct arena *a, struct kubelet_host *ret)
{
    struct cgroup_facts init = {0}, own = {0};
    int rc = read_cgroup(p, 1, (struct str){0}, a, &init);

    if (rc < 0) {
        return rc;
    }
    ret->root = cgroup_node_root(str_of(init.path));
    procfs_read_ns(p, 1, PROC_NS_PID | PROC_NS_MNT, &ret->init);
    if (p->own_pidns && read_cgroup(p, getpid(), ret->root, a, &own) == 0 &&
        own.kind == CGROUP_HOST) {
        procfs_read_ns(p, getpid(), PROC_NS_PID | PROC_NS_MNT, &ret->self);
        if (ret->self.pid != NS_INIT_PID) {
            ret->self = (struct proc_ns){0};
        }
    }
    return 0;
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

static int copy(struct arena *a, struct str s, const char **ret)
{
    *ret = s.n ? arena_strndup(a, s.p, s.n) : NULL;
    return s.n && !*ret ? -ENOMEM : 0;
}

struct reading {
    struct kubelet kubelet;
    struct kubelet_facts facts;
};

/* One process, its start time read before and after: the PID may be another's by now. 1: it is a
 * kubelet; 0: it is none; negative errno: it went away, or is not for us to see. */
static int read_process(const struct procfs *p, pid_t pid, struct str root, struct arena *a,
                        struct reading *r)
{
    CLEANUP(buf_free) struct buf b = {0};
    uint64_t before, after;
    struct kubelet_args args;
    struct cgroup_facts cgroup;
    int rc = procfs_read(p->fd, pid, "comm", &b);

    /* The cheap test first: it is made for every process of the node. */
    if (rc < 0 || !str_is((struct str){b.p, b.n}, "kubelet\n")) {
        return rc < 0 ? rc : 0;
    }
    rc = read_start(p, pid, &before);
    if (rc < 0 || (rc = procfs_read(p->fd, pid, "cmdline", &b)) < 0) {
        return rc;
    }
    args = kubelet_args_parse((struct str){b.p, b.n});
    r->kubelet.pid = pid;
    if ((rc = copy(a, args.endpoint, &r->kubelet.endpoint)) < 0 ||
        (rc = copy(a, args.config, &r->kubelet.config)) < 0 ||
        (rc = procfs_read(p->fd, pid, "status", &b)) < 0) {
        return rc;
    }
    r->facts.uid_known = kubelet_uid_parse((struct str){b.p, b.n}, r->facts.uid);
    procfs_read_ns(p, pid, PROC_NS_PID | PROC_NS_MNT, &r->facts.ns);
    if ((rc = read_cgroup(p, pid, root, a, &cgroup)) < 0 || (rc = read_start(p, pid, &after)) < 0) {
        return rc;
    }
    r->facts.cgroup = cgroup.kind;
    return before == after ? 1 : -ESRCH;
}

static int add(struct kubelets *all, size_t *cap, const struct reading *r,
               const struct kubelet_host *host, struct arena *a)
{
    const char *refused = kubelet_refuse(&r->facts, host);
    void *items = all->k;
    int rc;

    if (refused) {
        if (all->n_refused++ == 0) {
            all->refused_pid = r->kubelet.pid;
            all->refused_reason = refused;
        }
        return 0;
    }
    rc = arena_grow(a, &items, all->n, cap, sizeof(*all->k));
    if (rc < 0) {
        return rc;
    }
    all->k = items;
    all->k[all->n++] = r->kubelet;
    return 0;
}

int kubelet_find(const struct procfs *p, struct arena *a, struct kubelets *ret, struct err *err)
{
    AUTO_CLOSE int fd = openat(p->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct dir_reader dir = {.fd = fd};
    struct kubelets all = {0};
    struct kubelet_host host = {0};
    struct dir_entry entry;
    size_t cap = 0;
    int rc;

    if (fd < 0) {
        return err_set(err, ERR_PROC, errno, "%s: %s", p->path, strerror(errno));
    }
    if (read_host(p, a, &host) == -ENOMEM) {
        return err_nomem(err);
    }
    while ((rc = dir_next(&dir, &entry)) > 0) {
        struct reading r = {0};
        int32_t pid;

        if (!procfs_pid_name(entry.name, &pid)) {
            continue;
        }
        rc = read_process(p, pid, host.root, a, &r);
        if (rc > 0) {
            rc = add(&all, &cap, &r, &host, a);
        }
        if (rc == -ENOMEM) {
            return err_nomem(err);
        }
    }
    if (rc < 0) {
        return err_set(err, ERR_PROC, -rc, "%s: %s", p->path, strerror(-rc));
    }
    *ret = all;
    return 0;
}
