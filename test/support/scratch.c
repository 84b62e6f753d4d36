#include "test/support/scratch.h"
#include "test/support/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *scratch_new(void)
{
    const char *tmp = getenv("TMPDIR");
    char path[PATH_MAX];
    char *dir;

    snprintf(path, sizeof(path), "%s/podpid-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(path)) {
        fail_msg("mkdtemp %s: %s", path, strerror(errno));
    }
    dir = strdup(path);
    assert_non_null(dir);
    return dir;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void scratch_remove(char *dir)
{
    if (dir) {
        nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        free(dir);
    }
}

void scratch_delete(const char *dir, const char *name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0) {
        fail_msg("cannot remove %s", path);
    }
}

static void make_parents(char *path)
{
    for (char *p = path + 1; (p = strchr(p, '/')) != NULL; *p++ = '/') {
        *p = '\0';
        if (mkdir(path, 0777) < 0 && errno != EEXIST) {
            fail_msg("mkdir %s: %s", path, strerror(errno));
        }
    }
}

void scratch_write(const char *dir, const char *name, const void *p, size_t n)
{
    char path[PATH_MAX];
    bool written;
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "w");
    if (!f && errno == ENOENT) {
        make_parents(path);
        f = fopen(path, "w");
    }
    if (!f) {
        fail_msg("%s: %s", path, strerror(errno));
        return;
    }
    written = n == 0 || fwrite(p, 1, n, f) == n;
    if (fclose(f) != 0 || !written) {
        fail_msg("writing %s", path);
    }
}

void scratch_puts(const char *dir, const char *name, const char *text)
{
    scratch_write(dir, name, text, strlen(text));
}

bool scratch_read(const char *dir, const char *name, struct buf *ret)
{
    char path[PATH_MAX], piece[4096];
    size_t n;
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "r");
    if (!f) {
        return false;
    }
    *ret = (struct buf){0};
    buf_puts(ret, "");
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0) {
        buf_append(ret, piece, n);
    }
    fclose(f);
    assert_false(ret->failed);
    return true;
}

void scratch_copy(const char *from, const char *to)
{
    DIR *d = opendir(from);
    const struct dirent *e;

    if (!d) {
        fail_msg("%s: %s", from, strerror(errno));
        return;
    }
    while ((e = readdir(d)) != NULL) {
        char source[PATH_MAX], target[PATH_MAX];
        struct stat st;
        struct buf b;

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
            continue;
        }
        snprintf(source, sizeof(source), "%s/%s", from, e->d_name);
        assert_int_equal(stat(source, &st), 0);
        if (S_ISDIR(st.st_mode)) {
            snprintf(target, sizeof(target), "%s/%s", to, e->d_name);
            scratch_copy(source, target);
            continue;
        }
        assert_true(scratch_read(from, e->d_name, &b));
        scratch_write(to, e->d_name, b.p, b.n);
        buf_free(&b);
    }
    closedir(d);
}
