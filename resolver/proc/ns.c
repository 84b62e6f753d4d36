#include "resolver/proc/ns.h"

#include <errno.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cri/base/cleanup.h"

enum { NS_JSON_MAX = 4096 }; /* bytes of ns.json; its five numbers take 100 */

static const struct {
    const char *name; /* of the link, and of the member in ns.json */
    size_t offset;    /* of the member in struct proc_ns */
    unsigned kind;    /* enum proc_ns_kind */
} namespaces[] = {
    {"pid", offsetof(struct proc_ns, pid), PROC_NS_PID},
    {"mnt", offsetof(struct proc_ns, mnt), PROC_NS_MNT},
    {"net", offsetof(struct proc_ns, net), PROC_NS_NET},
    {"cgroup", offsetof(struct proc_ns, cgroup), PROC_NS_CGROUP},
    {"user", offsetof(struct proc_ns, user), PROC_NS_USER},
};

static uint64_t *ns_field(struct proc_ns *ns, size_t i)
{
    return (uint64_t *)(void *)((char *)ns + namespaces[i].offset);
}

/* The inode number in a link's text, "pid:[4026531836]"; 0: not such a text. readlink() takes two
 * thirds of the time of following the link with stat(). */
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
    for (size_t i = 0; i < N_ELEMENTS(namespaces); i++) {
        char path[16], text[64];
        ssize_t n;

        if (!(kinds & namespaces[i].kind)) {
            continue;
        }
        snprintf(path, sizeof(path), "ns/%s", namespaces[i].name);
        n = readlinkat(pid_fd, path, text, sizeof(text));
        if (n < 0 && err_is_shortage(-errno)) {
            return -errno;
        }
        if (n > 0) {
            *ns_field(ret, i) = ns_link_inode((struct str){text, (size_t)n}, namespaces[i].name);
        }
    }
    return 0;
}

static int read_ns_json(int pid_fd, unsigned kinds, struct proc_ns *ret)
{
    CLEANUP(buf_free) struct buf b = {0};
    json_t *root;
    int rc = procfs_read_file(pid_fd, "ns.json", NS_JSON_MAX, &b);

    if (rc < 0) {
        return err_is_shortage(rc) ? rc : 0;
    }
    root = json_loadb(b.p, b.n, 0, NULL);
    for (size_t i = 0; i < N_ELEMENTS(namespaces); i++) {
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
