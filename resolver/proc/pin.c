/* One process, held by a descriptor of its directory: read, and read again, without the chance that
 * its number is somebody else's meanwhile. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "resolver/proc/procfs.h"

enum { NS_JSON_MAX = 4096 };

/* From its start, whatever was read before: procfs writes the text anew. */
static int read_stat(int stat_fd, struct buf *b, struct stat_line *ret)
{
    int rc = procfs_read_again(stat_fd, b);

    if (rc == 0 && !stat_parse((struct str){b->p, b->n}, ret)) {
        rc = -EBADMSG;
    }
    return rc;
}

int procfs_pin(int proc_fd, pid_t pid, struct pin *ret)
{
    AUTO_CLOSE int fd = procfs_open_pid(proc_fd, pid);
    AUTO_CLOSE int stat_fd = fd < 0 ? fd : procfs_open_pinned(fd, "stat");
    CLEANUP(buf_free) struct buf text = {0};
    CLEANUP(buf_free) struct buf cgroup = {0};
    struct stat_line before, after;
    int rc = stat_fd < 0 ? stat_fd : read_stat(stat_fd, &text, &before);

    if (rc < 0) {
        return rc;
    }
    rc = procfs_read_pinned(fd, "cgroup", &cgroup);
    if (rc < 0) {
        return rc;
    }
    rc = read_stat(stat_fd, &text, &after);
    if (rc < 0) {
        return rc;
    }
    if (before.start != after.start || before.pid != after.pid) {
        return -EAGAIN;
    }
    if (stat_leader_exited(&after)) {
        rc = procfs_read_thread_cgroup(fd, &text);
        if (rc == 0) {
            struct buf leader = cgroup;

            cgroup = text;
            text = leader;
        } else if (rc != -ESRCH) {
            return rc;
        }
    }
    *ret = (struct pin){.stat = after, .cgroup = cgroup};
    cgroup = (struct buf){0};
    return 0;
}

static const struct {
    const char *name; /* of its link, and of its member in ns.json */
    size_t offset;
    unsigned kind;
} namespaces[] = {
    {"pid", offsetof(struct proc_ns, pid), PROC_NS_PID},
    {"mnt", offsetof(struct proc_ns, mnt), PROC_NS_MNT},
    {"net", offsetof(struct proc_ns, net), PROC_NS_NET},
    {"cgroup", offsetof(struct proc_ns, cgroup), PROC_NS_CGROUP},
    {"user", offsetof(struct proc_ns, user), PROC_NS_USER},
};
enum { N_NAMESPACES = sizeof(namespaces) / sizeof(namespaces[0]) };

static uint64_t *ns_field(struct proc_ns *ns, size_t i)
{
    return (uint64_t *)(void *)((char *)ns + namespaces[i].offset);
}

/* "pid:[4026531836]". The inode is in the link's text; following the link would cost half as much
 * again. */
static uint64_t ns_link_inode(struct str text, const char *name)
{
    size_t n = strlen(name);
    uint64_t inode;

    if (text.n < n + 3 || memcmp(text.p, name, n) != 0 || text.p[n] != ':' ||
        text.p[n + 1] != '[' || text.p[text.n - 1] != ']' ||
        !str_to_u64((struct str){text.p + n + 2, text.n - n - 3}, &inode)) {
        return 0;
    }
    return inode;
}

static int read_ns_links(int pid_fd, unsigned kinds, struct proc_ns *ret)
{
    for (size_t i = 0; i < N_NAMESPACES; i++) {
        char path[16], text[64];
        ssize_t n;

        if (!(kinds & namespaces[i].kind)) {
            continue;
        }
        snprintf(path, sizeof(path), "ns/%s", namespaces[i].name);
        n = readlinkat(pid_fd, path, text, sizeof(text));
        if (n > 0) {
            *ns_field(ret, i) = ns_link_inode((struct str){text, (size_t)n}, namespaces[i].name);
        } else if (n < 0 && err_is_shortage(-errno)) {
            return -errno;
        }
    }
    return 0;
}

static int read_ns_json(int pid_fd, unsigned kinds, struct proc_ns *ret)
{
    CLEANUP(buf_free) struct buf b = {0};
    int rc = procfs_read_file(pid_fd, "ns.json", NS_JSON_MAX, &b);
    json_t *root;

    if (rc < 0) {
        return err_is_shortage(rc) ? rc : 0;
    }
    root = json_loadb(b.p, b.n, 0, NULL);
    for (size_t i = 0; i < N_NAMESPACES; i++) {
        json_int_t v = json_integer_value(json_object_get(root, namespaces[i].name));

        *ns_field(ret, i) = v > 0 && kinds & namespaces[i].kind ? (uint64_t)v : 0;
    }
    json_decref(root);
    return 0;
}

int procfs_read_ns(const struct procfs *p, pid_t pid, unsigned kinds, struct proc_ns *ret)
{
    AUTO_CLOSE int fd = procfs_open_pid(p->fd, pid);

    *ret = (struct proc_ns){0};
    if (fd < 0) {
        return err_is_shortage(fd) ? fd : 0;
    }
    return p->is_procfs ? read_ns_links(fd, kinds, ret) : read_ns_json(fd, kinds, ret);
}
