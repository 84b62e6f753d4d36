/* Reading a file of targets: which document it holds, and the limits of both kinds. */
#include "resolver/targets/targets.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cri/base/cleanup.h"
#include "cri/base/file.h"
#include "resolver/arguments.h"

/* A policy is written by hand: 1 MiB and 20000 values are far beyond any. Its anchors count in
 * full, so that a small file cannot become a large policy; the parser's own limit is ten times
 * that, so that the message about the policy is the one that people see. A manifest is printed by
 * kubectl for thousands of pods. */
enum {
    POLICY_MAX = 1024 * 1024,
    POLICY_MAX_VALUES = 20000,
    POLICY_PARSE_VALUES = 10 * POLICY_MAX_VALUES,
    MANIFEST_MAX = 64 * 1024 * 1024,
};

static bool is_stdin(const char *path)
{
    return strcmp(path, "-") == 0;
}

/* Append the whole file to b; name stands for it in messages. */
static int read_input(const char *path, const char *name, struct buf *b, struct err *err)
{
    AUTO_CLOSE int opened = -1;
    int fd = STDIN_FILENO, rc;

    if (!is_stdin(path)) {
        fd = opened = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    }
    rc = fd < 0 ? -errno : file_read_all(fd, MANIFEST_MAX, b);
    if (rc == -EFBIG) {
        return err_set(err, ERR_INPUT, EFBIG, "%s: expected at most %d MiB", name,
                       MANIFEST_MAX / 1024 / 1024);
    }
    if (rc == -ENOMEM) {
        return err_nomem(err);
    }
    return rc < 0 ? err_set(err, ERR_INPUT, -rc, "%s: cannot be read: %s", name, strerror(-rc)) : 0;
}

static bool is_manifest(const struct yaml_value *root)
{
    const char *version = yaml_string(yaml_get(root, "apiVersion"));
    const char *kind = yaml_string(yaml_get(root, "kind"));

    return version && strcmp(version, "v1") == 0 && !(kind && strcmp(kind, "PreflightPolicy") == 0);
}

static int read_text(struct podpid_targets *t, struct str text, const char *name,
                     const char *node_name, struct err *err)
{
    bool small = text.n <= POLICY_MAX;
    struct yaml_stream stream = {0};
    const struct yaml_value *root;
    int rc = yaml_parse(text, name, small ? POLICY_PARSE_VALUES : YAML_MAX_VALUES, &t->arena,
                        &stream, err);

    if (rc < 0) {
        return rc;
    }
    if (stream.n == 0) {
        return err_set(err, ERR_INPUT, EINVAL,
                       "%s:1:1: expected a PreflightPolicy, a v1 Pod or a v1 List: it is empty",
                       name);
    }
    root = stream.roots[0];
    if (root->kind != YAML_MAP) {
        return yaml_error(err, name, root,
                          "expected a PreflightPolicy, a v1 Pod or a v1 List, not %s",
                          yaml_kind_name(root));
    }
    if (is_manifest(root)) {
        return manifest_read(t, &stream, node_name, err);
    }
    if (!small || root->weight > POLICY_MAX_VALUES) {
        return yaml_error(err, name, root, "expected a policy of at most 1 MiB and %d values",
                          POLICY_MAX_VALUES);
    }
    return policy_read(t, &stream, err);
}

static int add_file(struct podpid_targets *t, const char *path, const char *node_name,
                    struct err *err)
{
    CLEANUP(buf_free) struct buf b = {0};
    char hostname[256] = ""; /* HOST_NAME_MAX is 64 on Linux */
    const char *name = arena_strdup(&t->arena, is_stdin(path) ? "(stdin)" : path);
    int rc;

    if (!name) {
        return err_nomem(err);
    }
    rc = read_input(path, name, &b, err);
    if (rc < 0) {
        return rc;
    }
    node_name = node_name ? node_name : getenv("NODE_NAME");
    if (!node_name || !*node_name) {
        node_name = gethostname(hostname, sizeof(hostname) - 1) == 0 ? hostname : NULL;
    }
    return read_text(t, (struct str){b.p ? b.p : "", b.n}, name, node_name, err);
}

int podpid_targets_add_file(struct podpid_targets *t, const char *path, const char *node_name,
                            struct podpid_error *error)
{
    struct err err = {0};

    if (!t || !path) {
        return bad_argument(__func__, error);
    }
    return add_file(t, path, node_name, &err) < 0 ? error_publish(&err, error) : 0;
}
