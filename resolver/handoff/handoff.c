#include "resolver/handoff/handoff.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "cri/base/file.h"
#include "cri/base/text.h"
#include "resolver/arguments.h"
#include "resolver/handoff/file.h"
#include "resolver/node/node.h"

enum { DEFAULT_MODE = 0640 };

/* ---- Whether there may be a handoff ---------------------------------------------------------- */

static int refuse_no_target(const struct podpid_targets *targets, struct err *err)
{
    err_set(err, ERR_USAGE, EINVAL, "to hand over PIDs there must be at least one target");
    if (targets && targets->n_other_node) {
        err_hint(
            err, "%zu %s of other nodes: is --node-name (NODE_NAME) right?", targets->n_other_node,
            plural(targets->n_other_node, "pod of the manifest is", "pods of the manifest are"));
    } else {
        err_hint(err, "name pods with -p ('*' is all), or a policy or manifest with -f");
    }
    return -EINVAL;
}

/* Whether the PIDs of this /proc mean the same to whoever gets them from us: 1 or 0, or a shortage.
 * A /proc that cannot be opened for another reason is left to the look, which reports it. */
static int is_own_proc(const char *path, struct err *err)
{
    struct procfs p;
    bool own;
    int rc = procfs_open(path, &p, err);

    if (rc < 0) {
        return err_is_shortage(rc) ? rc : 1;
    }
    own = p.own_pidns;
    procfs_close(&p);
    return own;
}

int handoff_check(const struct podpid_options *look, const struct podpid_targets *targets,
                  struct err *err)
{
    int own;

    if (look->replay) {
        return err_set(err, ERR_USAGE, EINVAL,
                       "nothing of a capture can be handed over: its processes are not here");
    }
    if (!targets || podpid_targets_count(targets) == 0) {
        return refuse_no_target(targets, err);
    }
    own = is_own_proc(node_proc_path(look), err);
    if (own < 0) {
        return own;
    }
    if (!own) {
        err_set(err, ERR_USAGE, EINVAL,
                "%s is not procfs of podpid's own PID namespace: its PIDs would name other "
                "processes for whoever gets them",
                node_proc_path(look));
        err_hint(err,
                 "run in the host's PID namespace (hostPID: true, --pid=host), without --proc");
        return -EINVAL;
    }
    return 0;
}

/* ---- The document ---------------------------------------------------------------------------- */

static bool is_target(void *context, const struct podpid_container *c)
{
    return targets_result_has(context, c);
}

int handoff_select(const struct podpid_snapshot *s, const struct targets_result *result,
                   struct podpid_snapshot **ret, struct err *err)
{
    /* The callback only reads its context. */
    if (podpid_snapshot_select(s, PODPID_SELECT_ALL_STATES | PODPID_SELECT_NO_FINDINGS, is_target,
                               NULL, (void *)(uintptr_t)result, ret, NULL) < 0) {
        return err_nomem(err);
    }
    return 0;
}

static int append(void *context, const char *data, size_t n)
{
    struct buf *b = context;

    buf_append(b, data, n);
    return b->failed;
}

static int write_document(const struct podpid_snapshot *targets, struct buf *b, struct err *err)
{
    if (podpid_snapshot_to_json(targets, PODPID_JSON_DOCUMENT, append, b, NULL) < 0 || b->failed) {
        return err_nomem(err);
    }
    return 0;
}

int handoff_give(const struct podpid_snapshot *targets, const char *path, int mode,
                 const char *group, struct err *err)
{
    CLEANUP(buf_free) struct buf text = {0};
    int rc = write_document(targets, &text, err);

    if (rc < 0) {
        return rc;
    }
    return handoff_file_write(path, (mode_t)(mode ? mode : DEFAULT_MODE), group, text.p, text.n,
                              err);
}

/* Fill the memory file, rewind it for its reader, and forbid every change from now on. */
static int fill_memfd(int fd, const struct buf *text)
{
    int rc = file_write_all(fd, text->p, text->n);

    if (rc < 0) {
        return rc;
    }
    if (lseek(fd, 0, SEEK_SET) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0) {
        return -errno;
    }
    return 0;
}

static int make_memfd(const struct podpid_snapshot *targets, int *ret_fd, struct err *err)
{
    CLEANUP(buf_free) struct buf text = {0};
    AUTO_CLOSE int fd = -1;
    int rc = write_document(targets, &text, err);

    if (rc < 0) {
        return rc;
    }
    fd = memfd_create("podpid-handoff", MFD_ALLOW_SEALING);
    rc = fd < 0 ? -errno : fill_memfd(fd, &text);
    if (rc < 0) {
        return err_set(err, ERR_WRITE, -rc, "cannot make the handoff's memory file: %s",
                       strerror(-rc));
    }
    *ret_fd = TAKE_FD(fd);
    return 0;
}

/* ---- The library's calls --------------------------------------------------------------------- */

int podpid_handoff_memfd(const struct podpid_snapshot *targets, int *ret_fd,
                         struct podpid_error *error)
{
    struct err err = {0};

    if (!targets || !ret_fd) {
        return bad_argument(__func__, error);
    }
    return make_memfd(targets, ret_fd, &err) < 0 ? error_publish(&err, error) : 0;
}

int podpid_handoff_remove(const char *path, struct podpid_error *error)
{
    struct err err = {0};

    if (!path) {
        return bad_argument(__func__, error);
    }
    return handoff_file_remove(path, &err) < 0 ? error_publish(&err, error) : 0;
}
