/* validate [--lines] SCHEMA < DOCUMENT: 0 it is what the schema says, 1 it is not (and why). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cri/base/text.h"
#include "test/support/schema.h"

int main(int argc, char **argv)
{
    bool lines = argc == 3 && strcmp(argv[1], "--lines") == 0, ok;
    struct schema *schema;
    struct buf text = {0};
    char chunk[65536], why[1024];
    size_t n;

    if (argc != (lines ? 3 : 2)) {
        fprintf(stderr, "usage: validate [--lines] SCHEMA < DOCUMENT\n");
        return 2;
    }
    schema = schema_open(argv[argc - 1]);
    if (!schema) {
        return 2;
    }
    while ((n = fread(chunk, 1, sizeof(chunk), stdin)) > 0) {
        buf_append(&text, chunk, n);
    }
    ok = schema_holds_text(schema, text.p ? text.p : "", text.n, lines, why, sizeof(why));
    if (!ok) {
        fprintf(stderr, "%s\n", why);
    }
    buf_free(&text);
    schema_close(schema);
    return ok ? 0 : 1;
}
