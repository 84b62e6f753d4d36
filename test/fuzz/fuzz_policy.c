/* yaml_parse(), manifest_read() and policy_read(): the input is a file. It is read, or refused with
 * an error that starts with the file's name. */
#include "test/fuzz/fuzz.h"

#include <string.h>

#include "resolver/targets/targets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct podpid_targets t = {.policy = {.wait = -1, .handoff_mode = -1}};
    struct yaml_stream s = {0};
    struct err err = {0};
    int rc = yaml_parse((struct str){(const char *)data, size}, "input", 20000, &t.arena, &s, &err);

    must(rc == 0 || strncmp(err.text, "input:", 6) == 0);
    if (rc == 0 && s.n > 0) {
        rc = manifest_read(&t, &s, "node-a", &err);
        must(rc == 0 || strncmp(err.text, "input:", 6) == 0);
        rc = policy_read(&t, &s, &err);
        must(rc == 0 || strncmp(err.text, "input:", 6) == 0);
        must(t.policy.wait >= -1 && t.policy.handoff_mode <= 0777);
    }
    arena_free(&t.arena);
    return 0;
}
