#include "resolver/capture/read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "resolver/capture/read_json.h"
#include "resolver/capture/read_view.h"
#include "resolver/cgroup/line.h"
#include "resolver/proc/stat.h"

/* A cgroup file reached 41 KB on a live node; nothing under /proc/<pid> that is kept is larger. */
enum { PROC_FILE_MAX = 1024 * 1024 };

static void close_dir(DIR **d)
{
    if (*d) {
        closedir(*d);
    }
}

/* The entries of the directory dir_fd/name, through a descriptor of its own. */
static int open_dir(int dir_fd, const char *dir, const char *name, DIR **ret, struct err *err)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    int errnum = errno;

    if (!d) {
        if (fd >= 0) {
            close(fd);
        }
        return err_set(err, ERR_INPUT, errnum, "%s/%s: %s", dir, name,
                       errnum == ENOENT ? "is missing; not a whole capture" : strerror(errnum));
    }
    *ret = d;
    return 0;
}

static int read_node(int dir_fd, const char *dir, struct arena *a, struct replay *ret,
                     struct err *err)
{
    static const char *const modes[] = {"v1", "hybrid", "v2"};
    AUTO_JSON json_t *root = NULL;
    struct json_place at = {.dir = dir, .file = "node.json", .arena = a, .err = err};
    struct podpid_node *node = &ret->node.node;
    int64_t inode = 0;
    bool known = false;
    int rc = replay_read_json(dir_fd, dir, at.file, &root, err);

    if (rc < 0) {
        return rc;
    }
    at.object = root;
    if ((rc = json_get_string(&at, "hostname", &node->hostname)) < 0 ||
        (rc = json_get_string(&at, "boot_id", &node->boot_id)) < 0 ||
        (rc = json_get_string(&at, "kernel", &node->kernel)) < 0 ||
        (rc = json_get_string(&at, "cgroup_mode", &node->cgroup_mode)) < 0 ||
        (rc = json_get_integer(&at, "pid_namespace", 0, INT64_MAX, &inode)) < 0 ||
        (rc = json_get_time(&at, "taken_at", &ret->taken_at)) < 0 ||
        (rc = json_get_strings(&at, "warnings", &ret->node.warnings, &ret->node.n_warnings)) < 0) {
        return rc;
    }
    node->pid_namespace = (uint64_t)inode;
    for (size_t i = 0; node->cgroup_mode && i < sizeof(modes) / sizeof(modes[0]); i++) {
        known = known || strcmp(node->cgroup_mode, modes[i]) == 0;
    }
    if (node->cgroup_mode && !known) {
        return json_refuse(&at, "cgroup_mode", "\"%.60s\" is none of v1, hybrid, v2",
                           node->cgroup_mode);
    }
    ret->node.replay = true;
    return 0;
}

static int by_path(const void *a, const void *b)
{
    const struct podpid_cgroup_id *x = a, *y = b;

    return strcmp(x->path, y->path);
}

/* It may be missing: ids are known only where there is a v2 hierarchy. */
static int read_cgroup_ids(int dir_fd, const char *dir, struct arena *a, struct replay *ret,
                           struct err *err)
{
    AUTO_JSON json_t *root = NULL;
    struct json_place at = {.dir = dir, .file = "cgroups.json", .arena = a, .err = err};
    struct podpid_cgroup_id *ids;
    size_t n = 0;
    const char *path;
    json_t *value;
    int rc;

    if (faccessat(dir_fd, at.file, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT) {
        return 0;
    }
    rc = replay_read_json(dir_fd, dir, at.file, &root, err);
    if (rc < 0) {
        return rc;
    }
    at.object = root;
    ids = arena_calloc(a, json_object_size(root), sizeof(*ids));
    if (!ids) {
        return err_nomem(err);
    }
    json_object_foreach(root, path, value)
    {
        if (!json_is_integer(value) || json_integer_value(value) < 1) {
            return json_refuse(&at, NULL, "the id of %.200s is no positive whole number", path);
        }
        ids[n].path = arena_strdup(a, path);
        ids[n].id = (uint64_t)json_integer_value(value);
        if (!ids[n].path) {
            return err_nomem(err);
        }
        n++;
    }
    if (n) {
        qsort(ids, n, sizeof(*ids), by_path);
    }
    ret->cgroup_ids = ids;
    ret->n_cgroup_ids = n;
    return 0;
}

/* The boot time is what tells a moved process from a recycled PID. */
static int check_boot_time(int proc_fd, const char *dir, struct err *err)
{
    CLEANUP(buf_free) struct buf b = {0};
    uint64_t btime;
    int rc = replay_read_file(proc_fd, dir, "stat", PROC_FILE_MAX, &b, err);

    if (rc < 0 || btime_parse((struct str){b.p, b.n}, &btime)) {
        return rc;
    }
    return err_set(err, ERR_INPUT, EINVAL, "%s/stat: has no line \"btime SECONDS\"", dir);
}

static int check_file(int proc_fd, const char *dir, const char *name, struct err *err)
{
    struct stat st;

    if (fstatat(proc_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        return err_set(err, ERR_INPUT, errno, "%s/%s: %s", dir, name,
                       errno == ENOENT ? "is missing; not a whole capture" : strerror(errno));
    }
    return replay_check_file(&st, dir, name, PROC_FILE_MAX, err);
}

/* A leader that exited while its threads live has no v1 cgroups of its own: theirs are read. */
static int check_threads(int proc_fd, const char *dir, const char *pid, struct err *err)
{
    CLEANUP(close_dir) DIR *d = NULL;
    char name[2 * NAME_MAX + 32];
    const struct dirent *e;
    struct stat st;
    int rc;

    snprintf(name, sizeof(name), "%s/task", pid);
    if (fstatat(proc_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT) {
        return 0;
    }
    rc = open_dir(proc_fd, dir, name, &d, err);
    while (rc == 0 && (e = readdir(d)) != NULL) {
        if (e->d_name[0] == '.') {
            continue;
        }
        snprintf(name, sizeof(name), "%s/task/%s/stat", pid, e->d_name);
        rc = check_file(proc_fd, dir, name, err);
        if (rc == 0) {
            snprintf(name, sizeof(name), "%s/task/%s/cgroup", pid, e->d_name);
            rc = check_file(proc_fd, dir, name, err);
        }
    }
    return rc;
}

/* Its stat must make sense, for a process that looks as if it were gone would be reported dead. */
static int check_stat(int proc_fd, const char *dir, const char *name, int32_t pid, struct buf *b,
                      struct err *err)
{
    char file[NAME_MAX + 16];
    struct stat_line line;
    int rc;

    snprintf(file, sizeof(file), "%s/stat", name);
    rc = replay_read_file(proc_fd, dir, file, PROC_FILE_MAX, b, err);
    if (rc < 0) {
        return rc;
    }
    if (!stat_parse((struct str){b->p, b->n}, &line) || line.pid != pid) {
        return err_set(err, ERR_INPUT, EINVAL, "%s/%s: is not the stat of process %d", dir, file,
                       (int)pid);
    }
    return stat_leader_exited(&line) ? check_threads(proc_fd, dir, name, err) : 0;
}

/* One without a line that says where it is would put the process in no container. */
static int check_cgroup(int proc_fd, const char *dir, const char *name, struct buf *b,
                        struct err *err)
{
    char file[NAME_MAX + 16];
    struct cgroup_line line;
    struct str text;
    int rc;

    snprintf(file, sizeof(file), "%s/cgroup", name);
    rc = replay_read_file(proc_fd, dir, file, PROC_FILE_MAX, b, err);
    if (rc < 0) {
        return rc;
    }
    text = (struct str){b->p, b->n};
    if (!cgroup_next_line(&text, &line)) {
        return err_set(err, ERR_INPUT, EINVAL, "%s/%s: has no line \"HIERARCHY:CONTROLLERS:/PATH\"",
                       dir, file);
    }
    return 0;
}

static int check_status(int proc_fd, const char *dir, const char *name, int32_t pid, struct buf *b,
                        struct err *err)
{
    char file[NAME_MAX + 16];
    struct status_text status;
    int rc;

    snprintf(file, sizeof(file), "%s/status", name);
    rc = replay_read_file(proc_fd, dir, file, PROC_FILE_MAX, b, err);
    if (rc < 0) {
        return rc;
    }
    if (!status_parse((struct str){b->p, b->n}, &status) || status.pid != pid) {
        return err_set(err, ERR_INPUT, EINVAL, "%s/%s: has no line \"Pid: %d\"", dir, file, pid);
    }
    return 0;
}

/* Where namespaces could not be read there is none; what is there is read again later. */
static int check_namespaces(int proc_fd, const char *dir, const char *name, struct err *err)
{
    static const char *const kinds[] = {"pid", "mnt", "net", "cgroup", "user"};
    char file[NAME_MAX + 16];
    AUTO_JSON json_t *root = NULL;
    struct json_place at = {.dir = dir, .file = file, .err = err};
    int64_t inode;
    int rc;

    snprintf(file, sizeof(file), "%s/ns.json", name);
    if (faccessat(proc_fd, file, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT) {
        return 0;
    }
    rc = replay_read_json(proc_fd, dir, file, &root, err);
    at.object = root;
    for (size_t i = 0; rc == 0 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        rc = json_get_integer(&at, kinds[i], 0, INT64_MAX, &inode);
    }
    return rc;
}

static int check_process(int proc_fd, const char *dir, const char *name, struct buf *b,
                         struct err *err)
{
    struct stat st;
    int32_t pid;
    int rc;

    if (!procfs_pid_name(name, &pid)) {
        return err_set(err, ERR_INPUT, EINVAL, "%s/%s: is no process ID", dir, name);
    }
    /* The scan follows no link either, and would take the process for one that is gone. */
    if (fstatat(proc_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode)) {
        return err_set(err, ERR_INPUT, ENOTDIR, "%s/%s: is no folder", dir, name);
    }
    if ((rc = check_stat(proc_fd, dir, name, pid, b, err)) < 0 ||
        (rc = check_cgroup(proc_fd, dir, name, b, err)) < 0 ||
        (rc = check_status(proc_fd, dir, name, pid, b, err)) < 0) {
        return rc;
    }
    return check_namespaces(proc_fd, dir, name, err);
}

/* Whatever the scan will open is a plain file of a sane size, and what a process must have is
 * there. Names that are no number are not looked at, as in a real /proc. */
static int check_processes(int proc_fd, const char *dir, struct err *err)
{
    CLEANUP(close_dir) DIR *d = NULL;
    CLEANUP(buf_free) struct buf b = {0};
    const struct dirent *e;
    int rc = open_dir(proc_fd, dir, ".", &d, err);

    while (rc == 0 && (e = readdir(d)) != NULL) {
        struct str name = str_of(e->d_name);

        if (strspn(e->d_name, "0123456789") == name.n) {
            rc = check_process(proc_fd, dir, e->d_name, &b, err);
        }
    }
    return rc;
}

/* DIR/proc as it is: a folder of files, whatever file system it lies on. */
static int open_proc(int dir_fd, const char *dir, struct procfs *ret, struct err *err)
{
    AUTO_CLOSE int fd = -1;
    char path[PATH_MAX];
    int rc;

    snprintf(path, sizeof(path), "%s/proc", dir);
    fd = openat(dir_fd, "proc", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return err_set(err, ERR_INPUT, errno, "%s: %s", path,
                       errno == ENOENT ? "is missing; not a whole capture" : strerror(errno));
    }
    if ((rc = check_boot_time(fd, path, err)) < 0 || (rc = check_processes(fd, path, err)) < 0) {
        return rc;
    }
    *ret = (struct procfs){.fd = TAKE_FD(fd)};
    snprintf(ret->path, sizeof(ret->path), "%.*s", (int)sizeof(ret->path) - 1, path);
    return 0;
}

int replay_open(const char *dir, struct arena *a, struct replay *ret, struct err *err)
{
    AUTO_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct replay r = {0};
    int rc;

    if (fd < 0) {
        return err_set(err, ERR_INPUT, errno, "%s: no capture: %s", dir, strerror(errno));
    }
    if ((rc = replay_read_view(fd, dir, a, &r, err)) < 0 ||
        (rc = read_node(fd, dir, a, &r, err)) < 0 ||
        (rc = read_cgroup_ids(fd, dir, a, &r, err)) < 0 ||
        (rc = open_proc(fd, dir, &r.procfs, err)) < 0) {
        return rc;
    }
    *ret = r;
    return 0;
}
