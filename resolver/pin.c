/* One process, held by a descriptor of its directory: read, and read again, without the chance that
 * its number is somebody else's meanwhile. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cri/base/cleanup.h"
#include "resolver/procfs.h"

enum { NS_JSON_MAX = 4096 };

static int read_stat(int pid_fd, struct buf *b, struct stat_line *ret)
{
    int rc = procfs_read_pinned(pid_fd, "stat", b);

    if (rc == 0 && !stat_parse((struct str){b->p, b->n}, ret)) {
        rc = -EBADMSG;
    }
    return rc;
}

int procfs_pin(int proc_fd, pid_t pid, struct pin *ret)
{
    AUTO_CLOSE int fd = procfs_open_pid(proc_fd, pid);
    CLEANUP(buf_free) struct buf text = {0};
    CLEANUP(buf_free) struct buf cgroup = {0};
    struct stat_line before, after;
    int rc = fd < 0 ? fd : read_stat(fd, &text, &before);

    if (rc < 0) {
        return rc;
    }
    rc = procfs_read_pinned(fd, "cgroup", &cgroup);
    if (rc < 0) {
        return rc;
    }
    rc = read_stat(fd, &text, &after);
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
    const char *name;
    size_t offset;
} namespaces[] = {
    {"pid", offsetof(struct proc_ns, pid)},   {"mnt", offsetof(struct proc_ns, mnt)},
    {"net", offsetof(struct proc_ns, net)},   {"cgroup", offsetof(struct proc_ns, cgroup)},
    {"user", offsetof(struct proc_ns, user)},
};
enum { N_NAMESPACES = sizeof(namespaces) / sizeof(namespaces[0]) };

static uint64_t *ns_field(struct proc_ns *ns, size_t i)
{
    return (uint64_t *)(void *)((char *)ns + namespaces[i].offset);
}

static void read_ns_links(int pid_fd, struct proc_ns *ret)
{
    for (size_t i = 0; i < N_NAMESPACES; i++) {
        char path[16];
        struct stat st;

        snprintf(path, sizeof(path), "ns/%s", namespaces[i].name);
        if (fstatat(pid_fd, path, &st, 0) == 0) {
            *ns_field(ret, i) = st.st_ino;
        }
    }
}

static void read_ns_json(int pid_fd, struct proc_ns *ret)
{
    CLEANUP(buf_free) struct buf b = {0};
    json_t *root;

    if (procfs_read_file(pid_fd, "ns.json", NS_JSON_MAX, &b) < 0) {
        return;
    }
    root = json_loadb(b.p, b.n, 0, NULL);
    for (size_t i = 0; i < N_NAMESPACES; i++) {
        json_int_t v = json_integer_value(json_object_get(root, namespaces[i].name));

        *ns_field(ret, i) = v > 0 ? (uint64_t)v : 0;
    }
    json_decref(root);
}

void procfs_read_ns(const struct procfs *p, pid_t pid, struct proc_ns *ret)
{
    AUTO_CLOSE int fd = procfs_open_pid(p->fd, pid);

    *ret = (struct proc_ns){0};
    if (fd < 0) {
        return;
    }
    if (p->is_procfs) {
        read_ns_links(fd, ret);
    } else {
        read_ns_json(fd, ret);
    }
}
