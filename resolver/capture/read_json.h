/* Reading the files of a capture, JSON above all: bounded in size, typed, and every failure is one
 * line that names the file and the place in it. */
#ifndef PODPID_CAPTURE_READ_JSON_H
#define PODPID_CAPTURE_READ_JSON_H

#include <stdint.h>
#include <sys/stat.h>

#include <jansson.h>

#include "cri/base/arena.h"
#include "cri/base/error.h"
#include "cri/base/text.h"

/* The largest JSON file that is read, in bytes. A node of a thousand containers needs about one
 * MiB; parsed, a hostile file of this size takes a few hundred MiB at worst. */
enum { CAPTURE_FILE_MAX = 32 * 1024 * 1024 };

/* The file <dir_fd>/<name> is missing or cannot be opened or read. ERR_INPUT, or ERR_PROC where
 * descriptors ran out. */
int capture_cannot_read(const char *dir, const char *name, int errnum, struct err *err);

/* 0 if st is of a regular file of at most max bytes, else ERR_INPUT with <dir>/<name>. */
int capture_check_file(const struct stat *st, const char *dir, const char *name, uint64_t max,
                       struct err *err);

/* Read the whole of <dir_fd>/<name> into b, which is emptied first. A FIFO, a device or a symbolic
 * link is refused. -ENOENT, with err set as for every failure, where there is no such file. */
int capture_read_file(int dir_fd, const char *dir, const char *name, uint64_t max, struct buf *b,
                      struct err *err);

/* The same, parsed: *ret is an object, the caller's to json_decref(). */
int capture_read_json(int dir_fd, const char *dir, const char *name, json_t **ret, struct err *err);

/* An object in a file, with the words for it in messages: "DIR/runtime.json: pods[3].pid: ...". */
struct json_place {
    const char *dir, *file;
    const char *list; /* the array that the object is in; NULL: it is the document itself */
    size_t index;     /* its index in list */
    const json_t *object;
    struct arena *arena; /* where texts are copied to */
    struct err *err;
};

/* Fail with ERR_INPUT; the line names the place and the key (NULL: none). */
int json_refuse(const struct json_place *at, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Get the member of that key. One that is missing or null leaves *ret as it was. 0, ERR_INPUT or
 * ERR_NOMEM. */
int json_get_string(const struct json_place *at, const char *key, const char **ret);
int json_get_integer(const struct json_place *at, const char *key, int64_t min, int64_t max,
                     int64_t *ret);
int json_get_time(const struct json_place *at, const char *key, int64_t *ret_epoch_ns);
int json_get_strings(const struct json_place *at, const char *key, const char *const **ret,
                     size_t *ret_n);

/* Several strings at once. */
struct json_text {
    const char *key;
    const char **ret;
};
int json_get_texts(const struct json_place *at, const struct json_text *texts, size_t n);

/* The same; *ret is NULL where the member is missing or null, else the file's. */
int json_get_array(const struct json_place *at, const char *key, const json_t **ret);
int json_get_object(const struct json_place *at, const char *key, const json_t **ret);

/* A string that must be there: ERR_INPUT where it is missing or null. */
int json_need_string(const struct json_place *at, const char *key, const char **ret);

#endif
