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

enum { LINE_MAX_BYTES = 4096 };

/* First line of a file below p; NULL: not there. */
static int read_line(const struct procfs *p, const char *name, struct arena *a, const char **ret)
{
    CLEANUP(buf_free) struct buf b = {0};
    struct str text, line;
    int rc = procfs_read_file(p->fd, name, LINE_MAX_BYTES, &b);

    text = (struct str){b.p, b.n};
    *ret = NULL;
    if (rc < 0 || !str_next_line(&text, &line)) {
        return rc == -ENOMEM ? rc : 0;
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

    if (rc < 0 && rc != -ENOMEM && p->own_pidns) {
        rc = procfs_read(p->fd, getpid(), "cgroup", &b);
    }
    *ret = rc == 0 ? node_cgroup_mode((struct str){b.p, b.n}) : NULL;
    return rc == -ENOMEM ? rc : 0;
}

/* 0: not readable, or not there on this kernel. */
static uint64_t inode_of(int dir_fd, const char *name)
{
    struct stat st;

    return dir_fd >= 0 && fstatat(dir_fd, name, &st, 0) == 0 ? st.st_ino : 0;
}

/* The PID namespace that a procfs is of. PID 1's may be unreadable even to root (an LSM); then one
 * process in the initial namespace (kthreadd is 2) proves that it is that one, for no other shows
 * it. */
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

/* 1 or 0; -ENOMEM. */
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

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (str_is(word, known[i].number) || str_is(word, known[i].name)) {
            return known[i].value;
        }
    }
    return HIDEPID_OFF;
}

/* Linux <5.8 has no STATX_MNT_ID, but says so in fdinfo. */
static bool mount_id_of(const struct procfs *p, uint64_t *ret)
{
    AUTO_CLOSE int self = -1;
    CLEANUP(buf_free) struct buf b = {0};
    struct str text, line, key = STR("mnt_id:\t");
    struct statx st;
    char name[32];

    if (statx(p->fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) == 0 && st.stx_mask & STATX_MNT_ID) {
        *ret = st.stx_mnt_id;
        return true;
    }
    self = procfs_open_self(p);
    snprintf(name, sizeof(name), "fdinfo/%d", p->fd);
    if (self < 0 || procfs_read_file(self, name, LINE_MAX_BYTES, &b) < 0) {
        return false;
    }
    text = (struct str){b.p, b.n};
    while (str_next_line(&text, &line)) {
        if (str_starts(line, key)) {
            return str_to_u64((struct str){line.p + key.n, line.n - key.n}, ret);
        }
    }
    return false;
}

/* The options belong to the superblock: whoever mounted or remounted it decided for all. */
static int read_hidepid(const struct procfs *p, struct node_facts *n)
{
    CLEANUP(buf_free) struct buf b = {0};
    struct mount_line m;
    struct str text, line, value;
    uint64_t id, gid = 0;
    int rc;

    if (!mount_id_of(p, &id)) {
        return 0;
    }
    rc = procfs_read_mountinfo(p, &b);
    if (rc < 0) {
        return rc == -ENOMEM ? rc : 0;
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

    n->own_cgroupns = is_other(inode_of(self, "ns/cgroup"), NS_INIT_CGROUP);
    n->own_userns = is_other(inode_of(self, "ns/user"), NS_INIT_USER);
    n->own_timens = is_other(inode_of(self, "ns/time"), NS_INIT_TIME);
    n->nested_pidns = is_other(inode_of(self, "ns/pid"), NS_INIT_PID);
    n->node.pid_namespace = pidns_of(p);
    n->other_pidns = p->other_pidns;
    n->not_root = geteuid() != 0 || n->own_userns;
    n->no_ptrace = n->own_userns || !has_ptrace();
    /* Who may trace everything is shown everything: no need to look how it is mounted. */
    n->exempt_from_hidepid = !n->no_ptrace;
    return n->no_ptrace ? read_hidepid(p, n) : 0;
}

const char *node_proc_path(const struct podpid_options *o)
{
    const char *env = o->no_environment ? NULL : getenv("HOST_PROC");

    return o->proc ? o->proc : env && *env ? env : "/proc";
}

int node_read(const struct procfs *p, struct arena *a, struct node_facts *ret, struct err *err)
{
    struct node_facts n = {.not_procfs = !p->is_procfs};

    if (read_line(p, "sys/kernel/hostname", a, &n.node.hostname) < 0 ||
        read_line(p, "sys/kernel/random/boot_id", a, &n.node.boot_id) < 0 ||
        read_line(p, "sys/kernel/osrelease", a, &n.node.kernel) < 0 ||
        read_cgroup_mode(p, &n.node.cgroup_mode) < 0 ||
        (p->is_procfs && read_privileges(p, &n) < 0) || node_warn(p, a, &n) < 0) {
        return err_nomem(err);
    }
    *ret = n;
    return 0;
}
