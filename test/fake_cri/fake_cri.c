#include "test/fake_cri/fake_cri.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/cleanup.h"
#include "test/fake_cri/script.h"

struct fake_cri *fake_cri_new(json_t *script, const char *dir)
{
    struct fake_cri *f;

    if (!json_is_object(script) || !script_expand(script, dir)) {
        fprintf(stderr, "fake-cri: the script makes no sense\n");
        json_decref(script);
        return NULL;
    }
    f = calloc(1, sizeof(*f));
    if (!f) {
        json_decref(script);
        return NULL;
    }
    f->script = script;
    f->calls = json_object();
    return f;
}

struct fake_cri *fake_cri_load(const char *file)
{
    json_error_t e;
    json_t *script = json_load_file(file, 0, &e);
    AUTO_FREE char *dir = strdup(file);
    char *slash = dir ? strrchr(dir, '/') : NULL;

    if (!script) {
        fprintf(stderr, "fake-cri: %s:%d: %s\n", file, e.line, e.text);
        return NULL;
    }
    if (slash) {
        *slash = '\0';
    }
    return fake_cri_new(script, slash ? dir : ".");
}

void fake_cri_free(struct fake_cri *f)
{
    if (f) {
        json_decref(f->script);
        json_decref(f->calls);
        free(f);
    }
}

json_t *fake_cri_script(struct fake_cri *f)
{
    return f->script;
}

unsigned fake_cri_calls(const struct fake_cri *f, const char *method)
{
    return (unsigned)json_integer_value(json_object_get(f->calls, method));
}

unsigned fake_cri_peak(const struct fake_cri *f)
{
    return f->peak;
}
