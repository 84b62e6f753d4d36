#include "resolver/node/node.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "resolver/cgroup/line.h"
#include "resolver/proc/mountinfo.h"
#include "resolver/proc/ns.h"

/* The largest file that is read for one line, in bytes: a page of the kernel's. */
enum { LINE_MAX_BYTES = 4096 };

/* The first line of a file below p; NULL: there is none. 0 or a shortage. */
static int read_line(const struct procfs *p, const char *name, struct arena *a, const char **ret)
{
    CLEANUP(buf_free) struct buf b = {0};
    struct str text, line;
    int rc = procfs_read_file(p->fd, name, LINE_MAX_BYTES, &b);

    text = (struct str){b.p, b.n};
    *ret = NULL;
    if (rc < 0 || !str_next_line(&text, &line)) {
        return err_is_shortage(rc) ? rc : 0;
    }
    *ret = arena_strndup(a, line.p, line.n);
    return *ret ? 0 : -ENOMEM;
}

const char *node_cgroup_mode(struct str text)
{
    bool v1 = false, v2 = false;
    struct cgroup_line line;

    while (cgroup_next_line(&text, &line)) {
        v2 = v2 || line.hierarchy == 0;
        v1 = v1 || line.hierarchy != 0;
    }
    return v1 && v2 ? "hybrid" : v1 ? "v1" : v2 ? "v2" : NULL;
}

static int read_cgroup_mode(const struct procfs *p, const char **ret)
{
    CLEANUP(buf_free) struct buf b = {0};
    int rc = procfs_read(p->fd, 1, "cgroup", &b);

    if (rc < 0 && !err_is_shortage(rc) && p->own_pidns) {
        rc = procfs_read(p->fd, getpid(), "cgroup", &b);
    }
    *ret = rc == 0 ? node_cgroup_mode((struct str){b.p, b.n}) : NULL;
    return err_is_shortage(rc) ? rc : 0;
}

/* The inode of a namespace; 0: it may not be read, or this kernel has none of that kind. */
static uint64_t inode_of(int dir_fd, const char *name)
{
    struct stat st;

    return dir_fd >= 0 && fstatat(dir_fd, name, &st, 0) == 0 ? st.st_ino : 0;
}

/* The PID namespace that a procfs shows. That of PID 1 may be unreadable even to root (an LSM).
 * Then kthreadd, PID 2 of the initial namespace, proves that namespace: no other one shows it. */
static uint64_t pidns_of(const struct procfs *p)
{
    uint64_t inode = inode_of(p->fd, p->own_pidns ? "self/ns/pid" : "1/ns/pid");

    if (inode == 0 && inode_of(p->fd, "2/ns/pid") == NS_INIT_PID) {
        inode = NS_INIT_PID;
    }
    return inode;
}

static bool is_other(uint64_t inode, uint64_t initial)
{
    return inode != 0 && inode != initial;
}

static bool has_ptrace(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

    return syscall(SYS_capget, &header, data) == 0 &&
           data[CAP_TO_INDEX(CAP_SYS_PTRACE)].effective & CAP_TO_MASK(CAP_SYS_PTRACE);
}

/* Whether podpid is in a group: 1 or 0; -ENOMEM. */
static int in_group(uint64_t gid)
{
    int n = getgroups(0, NULL);
    AUTO_FREE gid_t *groups = calloc(n > 0 ? (size_t)n : 1, sizeof(*groups));

    if (!groups) {
        return -ENOMEM;
    }
    n = getgroups(n, groups);
    for (int i = 0; i < n; i++) {
        if (groups[i] == gid) {
            return 1;
        }
    }
    return getegid() == gid;
}

static enum hidepid to_hidepid(struct str word)
{
    static const struct {
        const char *number, *name;
        enum hidepid value;
    } known[] = {{"1", "noaccess", HIDEPID_NOACCESS},
                 {"2", "invisible", HIDEPID_INVISIBLE},
                 {"4", "ptraceable", HIDEPID_PTRACEABLE}};

    for (size_t i = 0; i < N_ELEMENTS(known); i++) {
        if (str_is(word, known[i].number) || str_is(word, known[i].name)) {
            return known[i].value;
        }
    }
    return HIDEPID_OFF;
}

/* The ID of the mount that p is on: by statx(), or from fdinfo (Linux before 5.8 has no
 * STATX_MNT_ID). 1: found; 0: not known; a shortage. */
static int mount_id_of(const struct procfs *p, uint64_t *ret)
{
    AUTO_CLOSE int self = -1;
    CLEANUP(buf_free) struct buf b = {0};
    struct str text, line, key = STR("mnt_id:\t");
    struct statx st;
    char name[32];
    int rc;

    if (statx(p->fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) == 0 && st.stx_mask & STATX_MNT_ID) {
        *ret = st.stx_mnt_id;
        return 1;
    }
    self = procfs_open_self(p);
    snprintf(name, sizeof(name), "fdinfo/%d", p->fd);
    rc = self < 0 ? self : procfs_read_file(self, name, LINE_MAX_BYTES, &b);
    if (rc < 0) {
        return err_is_shortage(rc) ? rc : 0;
    }
    text = (struct str){b.p, b.n};
    while (str_next_line(&text, &line)) {
        if (str_starts(line, key)) {
            return str_to_u64((struct str){line.p + key.n, line.n - key.n}, ret);
        }
    }
    return 0;
}

/* The hidepid of p's mount, and whether podpid is exempt from it. The options belong to the
 * superblock: the last mount or remount of it decided for all its mounts. 0 or a shortage. */
static int read_hidepid(const struct procfs *p, struct node_facts *n)
{
    CLEANUP(buf_free) struct buf b = {0};
    struct mount_line m;
    struct str text, line, value;
    uint64_t id, gid = 0;
    int rc;

    rc = mount_id_of(p, &id);
    if (rc <= 0) {
        return rc;
    }
    rc = procfs_read_mountinfo(p, &b);
    if (rc < 0) {
        return err_is_shortage(rc) ? rc : 0;
    }
    text = (struct str){b.p, b.n};
    while (str_next_line(&text, &line)) {
        if (!mountinfo_parse(line, &m) || m.id != id) {
            continue;
        }
        if (mountinfo_option(m.options, "hidepid", &value)) {
            n->hidepid = to_hidepid(value);
        }
        if (mountinfo_option(m.options, "gid", &value)) {
            str_to_u64(value, &gid);
        }
        rc = in_group(gid);
        n->exempt_from_hidepid = n->hidepid != HIDEPID_PTRACEABLE && rc > 0;
        return rc < 0 ? rc : 0;
    }
    return 0;
}

static int read_privileges(const struct procfs *p, struct node_facts *n)
{
    AUTO_CLOSE int self = procfs_open_self(p);

    if (self < 0 && err_is_shortage(self)) {
        return self;
    }
    n->own_cgroupns = is_other(inode_of(self, "ns/cgroup"), NS_INIT_CGROUP);
    n->own_userns = is_other(inode_of(self, "ns/user"), NS_INIT_USER);
    n->own_timens = is_other(inode_of(self, "ns/time"), NS_INIT_TIME);
    n->nested_pidns = is_other(inode_of(self, "ns/pid"), NS_INIT_PID);
    n->node.pid_namespace = pidns_of(p);
    n->other_pidns = p->other_pidns;
    n->not_root = geteuid() != 0 || n->own_userns;
    n->no_ptrace = n->own_userns || !has_ptrace();
    /* With CAP_SYS_PTRACE every process is shown, however /proc is mounted. */
    n->exempt_from_hidepid = !n->no_ptrace;
    return n->no_ptrace ? read_hidepid(p, n) : 0;
}

const char *node_proc_path(const struct podpid_options *o)
{
    const char *env = o->no_environment ? NULL : getenv("HOST_PROC");

    return o->proc ? o->proc : env && *env ? env : "/proc";
}

/* 0 or a shortage. */
static int read_texts(const struct procfs *p, struct arena *a, struct podpid_node *n)
{
    int rc = read_line(p, "sys/kernel/hostname", a, &n->hostname);

    if (rc < 0) {
        return rc;
    }
    rc = read_line(p, "sys/kernel/random/boot_id", a, &n->boot_id);
    if (rc < 0) {
        return rc;
    }
    rc = read_line(p, "sys/kernel/osrelease", a, &n->kernel);
    if (rc < 0) {
        return rc;
    }
    return read_cgroup_mode(p, &n->cgroup_mode);
}

int node_read(const struct procfs *p, struct arena *a, struct node_facts *ret, struct err *err)
{
    struct node_facts n = {.not_procfs = !p->is_procfs};
    int rc = read_texts(p, a, &n.node);

    if (rc == 0 && p->is_procfs) {
        rc = read_privileges(p, &n);
    }
    if (rc == 0) {
        rc = node_warn(p, a, &n);
    }
    if (rc < 0) {
        return rc == -ENOMEM ? err_nomem(err)
                             : err_set(err, ERR_PROC, -rc, "%s: %s", p->path, strerror(-rc));
    }
    *ret = n;
    return 0;
}
