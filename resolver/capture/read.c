/* Reading a capture: node.json, cgroups.json and proc/, and the order of all parts. */
#include "resolver/capture/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/capture/impl.h"
#include "resolver/capture/read_json.h"
#include "resolver/cgroup/line.h"
#include "resolver/proc/stat.h"

/* The largest file of a process that is read, in bytes. A cgroup file of 41 KB was seen on a live
 * node; the others are smaller. */
enum { PROC_FILE_MAX = 1024 * 1024 };

static int read_node(int dir_fd, const char *dir, struct arena *a, struct capture *ret,
                     struct err *err)
{
    static const char *const modes[] = {"v1", "hybrid", "v2"};
    AUTO_JSON json_t *root = NULL;
    struct json_place at = {.dir = dir, .file = "node.json", .arena = a, .err = err};
    struct podpid_node *node = &ret->node.node;
    int64_t inode = 0;
    bool known = false;
    int rc = capture_read_json(dir_fd, dir, at.file, &root, err);

    if (rc < 0) {
        return rc;
    }
    at.object = root;
    if ((rc = json_get_texts(&at,
                             (struct json_text[]){{"hostname", &node->hostname},
                                                  {"boot_id", &node->boot_id},
                                                  {"kernel", &node->kernel},
                                                  {"cgroup_mode", &node->cgroup_mode}},
                             4)) < 0 ||
        (rc = json_get_integer(&at, "pid_namespace", 0, INT64_MAX, &inode)) < 0 ||
        (rc = json_get_time(&at, "taken_at", &ret->taken_at)) < 0 ||
        (rc = json_get_strings(&at, "warnings", &ret->node.warnings, &ret->node.n_warnings)) < 0) {
        return rc;
    }
    node->pid_namespace = (uint64_t)inode;
    for (size_t i = 0; node->cgroup_mode && i < N_ELEMENTS(modes); i++) {
        known = known || strcmp(node->cgroup_mode, modes[i]) == 0;
    }
    if (node->cgroup_mode && !known) {
        return json_refuse(&at, "cgroup_mode", "\"%.60s\" is none of v1, hybrid, v2",
                           node->cgroup_mode);
    }
    ret->node.replay = true;
    return 0;
}

static int compare_paths(const void *a, const void *b)
{
    const struct podpid_cgroup_id *x = a, *y = b;

    return strcmp(x->path, y->path);
}

/* cgroups.json may be missing: only cgroups of a v2 hierarchy have IDs. */
static int read_cgroup_ids(int dir_fd, const char *dir, struct arena *a, struct capture *ret,
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
    rc = capture_read_json(dir_fd, dir, at.file, &root, err);
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
        qsort(ids, n, sizeof(*ids), compare_paths);
    }
    ret->cgroup_ids = ids;
    ret->n_cgroup_ids = n;
    return 0;
}

/* ---- proc/ ----------------------------------------------------------------------------------- */

/* A folder of files that stands in for /proc. The scan takes a process whose files are missing or
 * make no sense for one that went away, as on a live node; of a capture they are an error. */
struct proc_folder {
    int fd;
    const char *dir; /* "DIR/proc", in messages */
    struct buf text; /* of the file that is checked */
    struct err *err;
};

/* Whether a file's text is what the kernel writes there for the process. */
static bool is_stat(struct str text, int32_t pid, struct stat_line *ret)
{
    return stat_parse(text, ret) && ret->pid == pid;
}

static bool is_status(struct str text, int32_t pid)
{
    struct status_text status;

    return status_parse(text, &status) && status.pid == pid;
}

/* Read a file below the folder: *ret is valid until the next one is read. */
static int read_text(struct proc_folder *f, const char *name, struct str *ret)
{
    int rc = capture_read_file(f->fd, f->dir, name, PROC_FILE_MAX, &f->text, f->err);

    *ret = (struct str){f->text.p, f->text.n};
    return rc;
}

/* Whether name is there; 0 also where it is of the wrong type. Negative errno with err set. */
static int is_there(const struct proc_folder *f, const char *name)
{
    struct stat st;

    if (fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        return 1;
    }
    return errno == ENOENT ? 0 : capture_cannot_read(f->dir, name, errno, f->err);
}

/* 0 if name is a regular file of a sane size. */
static int check_file(const struct proc_folder *f, const char *name)
{
    struct stat st;

    if (fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        return capture_cannot_read(f->dir, name, errno, f->err);
    }
    return capture_check_file(&st, f->dir, name, PROC_FILE_MAX, f->err);
}

static int open_folder(const struct proc_folder *f, const char *name)
{
    int fd = openat(f->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    return fd < 0 ? capture_cannot_read(f->dir, name, errno, f->err) : fd;
}

/* Where the leader has exited, the threads' files are read in place of its own. */
static int check_threads(const struct proc_folder *f, const char *pid)
{
    AUTO_CLOSE int fd = -1;
    struct dir_reader reader = {0};
    struct dir_entry e;
    char name[2 * NAME_MAX + 32];
    int rc;

    snprintf(name, sizeof(name), "%s/task", pid);
    rc = is_there(f, name);
    if (rc <= 0) {
        return rc;
    }
    fd = open_folder(f, name);
    if (fd < 0) {
        return fd;
    }
    reader.fd = fd;
    while ((rc = dir_next(&reader, &e)) > 0) {
        if (e.name[0] == '.') {
            continue;
        }
        snprintf(name, sizeof(name), "%s/task/%s/stat", pid, e.name);
        rc = check_file(f, name);
        if (rc < 0) {
            return rc;
        }
        snprintf(name, sizeof(name), "%s/task/%s/cgroup", pid, e.name);
        rc = check_file(f, name);
        if (rc < 0) {
            return rc;
        }
    }
    return rc < 0 ? capture_cannot_read(f->dir, pid, -rc, f->err) : 0;
}

/* ns.json is missing where the namespaces could not be read. */
static int check_namespaces(const struct proc_folder *f, const char *pid)
{
    static const char *const kinds[] = {"pid", "mnt", "net", "cgroup", "user"};
    char file[NAME_MAX + 16];
    AUTO_JSON json_t *root = NULL;
    struct json_place at = {.dir = f->dir, .file = file, .err = f->err};
    int64_t inode;
    int rc;

    snprintf(file, sizeof(file), "%s/ns.json", pid);
    rc = is_there(f, file);
    if (rc <= 0) {
        return rc;
    }
    rc = capture_read_json(f->fd, f->dir, file, &root, f->err);
    at.object = root;
    for (size_t i = 0; rc == 0 && i < N_ELEMENTS(kinds); i++) {
        rc = json_get_integer(&at, kinds[i], 0, INT64_MAX, &inode);
    }
    return rc;
}

static int check_process(struct proc_folder *f, const char *name)
{
    struct stat_line line = {0};
    struct cgroup_line cgroup;
    char file[NAME_MAX + 16];
    struct str text;
    struct stat st;
    int32_t pid;
    int rc;

    if (!procfs_pid_name(name, &pid)) {
        return err_set(f->err, ERR_INPUT, EINVAL, "%s/%s: is no process ID", f->dir, name);
    }
    if (fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode)) {
        return err_set(f->err, ERR_INPUT, ENOTDIR, "%s/%s: is no folder", f->dir, name);
    }
    snprintf(file, sizeof(file), "%s/stat", name);
    rc = read_text(f, file, &text);
    if (rc < 0) {
        return rc;
    }
    if (!is_stat(text, pid, &line)) {
        return err_set(f->err, ERR_INPUT, EINVAL, "%s/%s: is not the stat of process %d", f->dir,
                       file, (int)pid);
    }
    rc = stat_leader_exited(&line) ? check_threads(f, name) : 0;
    if (rc < 0) {
        return rc;
    }
    snprintf(file, sizeof(file), "%s/cgroup", name);
    rc = read_text(f, file, &text);
    if (rc < 0) {
        return rc;
    }
    /* Without such a line the process would be in no container. */
    if (!cgroup_next_line(&text, &cgroup)) {
        return err_set(f->err, ERR_INPUT, EINVAL,
                       "%s/%s: has no line \"HIERARCHY:CONTROLLERS:/PATH\"", f->dir, file);
    }
    snprintf(file, sizeof(file), "%s/status", name);
    rc = read_text(f, file, &text);
    if (rc < 0) {
        return rc;
    }
    if (!is_status(text, pid)) {
        return err_set(f->err, ERR_INPUT, EINVAL, "%s/%s: has no line \"Pid: %d\"", f->dir, file,
                       (int)pid);
    }
    return check_namespaces(f, name);
}

/* Names that are no numbers are not read, as in a real /proc. */
static int check_processes(struct proc_folder *f)
{
    AUTO_CLOSE int fd = open_folder(f, ".");
    struct dir_reader reader = {.fd = fd};
    struct dir_entry e;
    int rc = fd < 0 ? fd : 0;

    while (rc == 0 && (rc = dir_next(&reader, &e)) > 0) {
        rc = strspn(e.name, "0123456789") == strlen(e.name) ? check_process(f, e.name) : 0;
    }
    return rc;
}

static int check_proc(int proc_fd, const char *dir, struct err *err)
{
    struct proc_folder f = {.fd = proc_fd, .dir = dir, .err = err};
    struct str text;
    uint64_t btime;
    int rc = read_text(&f, "stat", &text);

    /* The boot time distinguishes a moved process from another one with the same PID. */
    if (rc == 0 && !btime_parse(text, &btime)) {
        rc = err_set(err, ERR_INPUT, EINVAL, "%s/stat: has no line \"btime SECONDS\"", dir);
    }
    if (rc == 0) {
        rc = check_processes(&f);
    }
    buf_free(&f.text);
    return rc;
}

/* Open DIR/proc as a folder of files, whatever file system it is on. */
static int open_proc(int dir_fd, const char *dir, struct procfs *ret, struct err *err)
{
    AUTO_CLOSE int fd = openat(dir_fd, "proc", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    char path[PATH_MAX];
    int rc;

    if (fd < 0) {
        return errno == ENOTDIR
                   ? err_set(err, ERR_INPUT, ENOTDIR, "%s/proc: %s", dir, strerror(ENOTDIR))
                   : capture_cannot_read(dir, "proc", errno, err);
    }
    snprintf(path, sizeof(path), "%s/proc", dir);
    rc = check_proc(fd, path, err);
    if (rc < 0) {
        return rc;
    }
    *ret = (struct procfs){.fd = TAKE_FD(fd)};
    snprintf(ret->path, sizeof(ret->path), "%.*s", (int)sizeof(ret->path) - 1, path);
    return 0;
}

int capture_read(const char *dir, struct arena *a, struct capture *ret, struct err *err)
{
    AUTO_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct capture c = {0};
    int rc;

    if (fd < 0) {
        return err_set(err, err_is_shortage(-errno) ? ERR_PROC : ERR_INPUT, errno,
                       "%s: no capture: %s", dir, strerror(errno));
    }
    rc = capture_read_view(fd, dir, a, &c, err);
    if (rc < 0) {
        return rc;
    }
    rc = read_node(fd, dir, a, &c, err);
    if (rc < 0) {
        return rc;
    }
    rc = read_cgroup_ids(fd, dir, a, &c, err);
    if (rc < 0) {
        return rc;
    }
    rc = open_proc(fd, dir, &c.procfs, err);
    if (rc < 0) {
        return rc;
    }
    *ret = c;
    return 0;
}
