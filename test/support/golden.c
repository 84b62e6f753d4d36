#include "test/support/golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/text.h"
#include "test/support/unit.h"

void assert_golden(const char *name, const char *text, size_t n)
{
    char path[512], chunk[4096];
    struct buf wanted = {0};
    size_t got;
    FILE *f;

    snprintf(path, sizeof(path), TEST_DIR "/fixtures/output/%s", name);
    if (getenv("UPDATE_GOLDEN")) {
        f = fopen(path, "w");
        assert_non_null(f);
        assert_int_equal(fwrite(text, 1, n, f), n);
        fclose(f);
        return;
    }
    f = fopen(path, "r");
    if (!f) {
        fail_msg("%s is not there; run with UPDATE_GOLDEN=1 to make it", path);
    }
    while ((got = fread(chunk, 1, sizeof(chunk), f)) > 0) {
        buf_append(&wanted, chunk, got);
    }
    fclose(f);
    if (wanted.n != n || memcmp(wanted.p ? wanted.p : "", text, n) != 0) {
        fail_msg("not as in %s:\n%.*s", path, (int)n, text);
    }
    buf_free(&wanted);
}
