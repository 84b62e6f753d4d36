#include "resolver/capture/read_json.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "cri/base/file.h"

int capture_cannot_read(const char *dir, const char *name, int errnum, struct err *err)
{
    if (errnum == ENOMEM) {
        return err_nomem(err);
    }
    if (errnum == ENOENT) {
        return err_set(err, ERR_INPUT, ENOENT, "%s/%s: is missing; not a whole capture", dir, name);
    }
    if (errnum == ELOOP) {
        return err_set(err, ERR_INPUT, EINVAL, "%s/%s: is a symbolic link, not a regular file", dir,
                       name);
    }
    return err_set(err, err_is_shortage(-errnum) ? ERR_PROC : ERR_INPUT, errnum,
                   "%s/%s: cannot be read: %s", dir, name, strerror(errnum));
}

int capture_check_file(const struct stat *st, const char *dir, const char *name, uint64_t max,
                       struct err *err)
{
    if (!S_ISREG(st->st_mode)) {
        return err_set(err, ERR_INPUT, EINVAL, "%s/%s: is not a regular file", dir, name);
    }
    if ((uint64_t)st->st_size > max) {
        return err_set(err, ERR_INPUT, EFBIG,
                       "%s/%s: too large: %" PRIu64 " bytes, %" PRIu64 " at most", dir, name,
                       (uint64_t)st->st_size, max);
    }
    return 0;
}

int capture_read_file(int dir_fd, const char *dir, const char *name, uint64_t max, struct buf *b,
                      struct err *err)
{
    /* Without O_NONBLOCK opening a FIFO would wait until another process writes to it. */
    AUTO_CLOSE int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    int rc;

    b->n = 0;
    if (fd < 0 || fstat(fd, &st) < 0) {
        return capture_cannot_read(dir, name, errno, err);
    }
    rc = capture_check_file(&st, dir, name, max, err);
    if (rc < 0) {
        return rc;
    }
    rc = file_read_all(fd, max, b);
    if (rc == -EFBIG) {
        return err_set(err, ERR_INPUT, EFBIG, "%s/%s: grows while it is read", dir, name);
    }
    return rc < 0 ? capture_cannot_read(dir, name, -rc, err) : 0;
}

int capture_read_json(int dir_fd, const char *dir, const char *name, json_t **ret, struct err *err)
{
    CLEANUP(buf_free) struct buf b = {0};
    json_error_t bad;
    json_t *root;
    int rc;

    rc = capture_read_file(dir_fd, dir, name, CAPTURE_FILE_MAX, &b, err);
    if (rc < 0) {
        return rc;
    }
    /* jansson refuses more than 2048 levels. */
    root = json_loadb(b.p ? b.p : "", b.n, JSON_REJECT_DUPLICATES, &bad);
    if (!root && json_error_code(&bad) == json_error_out_of_memory) {
        return err_nomem(err);
    }
    if (!root) {
        return err_set(err, ERR_INPUT, EINVAL, "%s/%s:%d:%d: not JSON: %s", dir, name, bad.line,
                       bad.column, bad.text);
    }
    if (!json_is_object(root)) {
        json_decref(root);
        return err_set(err, ERR_INPUT, EINVAL, "%s/%s: not a JSON object", dir, name);
    }
    *ret = root;
    return 0;
}

int json_refuse(const struct json_place *at, const char *key, const char *fmt, ...)
{
    char what[512], where[64] = "";
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    if (at->list) {
        snprintf(where, sizeof(where), " %s[%zu]%s", at->list, at->index, key ? "." : ":");
    } else if (key) {
        snprintf(where, sizeof(where), " ");
    }
    return err_set(at->err, ERR_INPUT, EINVAL, "%s/%s:%s%s%s %s", at->dir, at->file, where,
                   key ? key : "", key ? ":" : "", what);
}

static const char *type_name(const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "a number";
    case JSON_REAL:
        return "a number with a fraction";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        break;
    }
    return "null";
}

/* The member; NULL where it is missing, null or not of that type. *ret_rc is 0, or the refusal of
 * its type. */
static const json_t *member(const struct json_place *at, const char *key, json_type type,
                            const char *wanted, int *ret_rc)
{
    const json_t *v = json_object_get(at->object, key);

    *ret_rc = 0;
    if (!v || json_is_null(v)) {
        return NULL;
    }
    if (json_typeof(v) != type) {
        *ret_rc = json_refuse(at, key, "%s, not %s", type_name(v), wanted);
        return NULL;
    }
    return v;
}

int json_get_string(const struct json_place *at, const char *key, const char **ret)
{
    int rc;
    const json_t *v = member(at, key, JSON_STRING, "a string", &rc);
    const char *copy;

    if (!v) {
        return rc;
    }
    copy = arena_strdup(at->arena, json_string_value(v));
    if (!copy) {
        return err_nomem(at->err);
    }
    *ret = copy;
    return 0;
}

int json_get_texts(const struct json_place *at, const struct json_text *texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int rc = json_get_string(at, texts[i].key, texts[i].ret);

        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

int json_need_string(const struct json_place *at, const char *key, const char **ret)
{
    const char *s = NULL;
    int rc = json_get_string(at, key, &s);

    if (rc < 0) {
        return rc;
    }
    if (!s) {
        return json_refuse(at, key, "is missing");
    }
    *ret = s;
    return 0;
}

int json_get_integer(const struct json_place *at, const char *key, int64_t min, int64_t max,
                     int64_t *ret)
{
    int rc;
    const json_t *v = member(at, key, JSON_INTEGER, "a whole number", &rc);
    int64_t n;

    if (!v) {
        return rc;
    }
    n = json_integer_value(v);
    if (n < min || n > max) {
        return json_refuse(at, key, "%" PRId64 " is not between %" PRId64 " and %" PRId64, n, min,
                           max);
    }
    *ret = n;
    return 0;
}

int json_get_time(const struct json_place *at, const char *key, int64_t *ret_epoch_ns)
{
    int rc;
    const json_t *v = member(at, key, JSON_STRING, "a time", &rc);

    if (!v) {
        return rc;
    }
    if (!text_to_time(json_string_value(v), ret_epoch_ns)) {
        return json_refuse(at, key, "\"%.60s\" is no RFC 3339 time", json_string_value(v));
    }
    return 0;
}

int json_get_strings(const struct json_place *at, const char *key, const char *const **ret,
                     size_t *ret_n)
{
    const json_t *v;
    const char **all;
    size_t n;
    int rc = json_get_array(at, key, &v);

    if (rc < 0 || !v) {
        return rc;
    }
    n = json_array_size(v);
    all = arena_calloc(at->arena, n, sizeof(*all));
    if (!all) {
        return err_nomem(at->err);
    }
    for (size_t i = 0; i < n; i++) {
        const char *s = json_string_value(json_array_get(v, i));

        if (!s) {
            return json_refuse(at, key, "holds something that is no string");
        }
        all[i] = arena_strdup(at->arena, s);
        if (!all[i]) {
            return err_nomem(at->err);
        }
    }
    *ret = all;
    *ret_n = n;
    return 0;
}

int json_get_array(const struct json_place *at, const char *key, const json_t **ret)
{
    int rc;

    *ret = member(at, key, JSON_ARRAY, "an array", &rc);
    return rc;
}

int json_get_object(const struct json_place *at, const char *key, const json_t **ret)
{
    int rc;

    *ret = member(at, key, JSON_OBJECT, "an object", &rc);
    return rc;
}
