/* Reading the JSON files of a capture: bounded in size, typed, every failure one line that names
 * the file and the place in it. */
#ifndef PODPID_CAPTURE_READ_JSON_H
#define PODPID_CAPTURE_READ_JSON_H

#include <stdint.h>
#include <sys/stat.h>

#include <jansson.h>

#include "cri/base/arena.h"
#include "cri/base/error.h"
#include "cri/base/text.h"

/* The most that a JSON file of a capture may hold. A node of a thousand containers needs about one
 * MiB; parsed, a hostile file of this size takes a few hundred MiB at worst. */
enum { REPLAY_FILE_MAX = 32 * 1024 * 1024 };

/* A regular file <dir_fd>/<name> of at most max bytes, by st as the kernel told it: 0, or ERR_INPUT
 * that names <dir>/<name>. A FIFO, a device or a symbolic link is refused unopened. */
int replay_check_file(const struct stat *st, const char *dir, const char *name, uint64_t max,
                      struct err *err);

/* The whole of <dir_fd>/<name> into b (emptied first). -ENOENT (with err set, as for every failure)
 * when there is no such file. */
int replay_read_file(int dir_fd, const char *dir, const char *name, uint64_t max, struct buf *b,
                     struct err *err);

/* The same, parsed: an object. *ret is the caller's to json_decref(). */
int replay_read_json(int dir_fd, const char *dir, const char *name, json_t **ret, struct err *err);

static inline void json_free(json_t **j)
{
    json_decref(*j);
}

#define AUTO_JSON CLEANUP(json_free)

/* An object in a file, and the words for it in messages: "DIR/runtime.json: pods[3].pid: ...". */
struct json_place {
    const char *dir, *file;
    const char *list; /* NULL: the document itself */
    size_t index;
    const json_t *object;
    struct arena *arena; /* where strings go */
    struct err *err;
};

int json_refuse(const struct json_place *at, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A member that is missing or null leaves *ret as it was. 0, ERR_INPUT or -ENOMEM. */
int json_get_string(const struct json_place *at, const char *key, const char **ret);
int json_get_integer(const struct json_place *at, const char *key, int64_t min, int64_t max,
                     int64_t *ret);
int json_get_time(const struct json_place *at, const char *key, int64_t *ret_epoch_ns);
int json_get_strings(const struct json_place *at, const char *key, const char *const **ret,
                     size_t *ret_n);
/* NULL where it is missing or null. */
int json_get_array(const struct json_place *at, const char *key, const json_t **ret);
int json_get_object(const struct json_place *at, const char *key, const json_t **ret);

/* A member that must be there. */
int json_need_string(const struct json_place *at, const char *key, const char **ret);

#endif
