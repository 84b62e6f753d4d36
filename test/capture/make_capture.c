/* make_capture SCENARIO DIR: write the capture folder that a scenario describes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/support/scenario.h"
#include "test/support/scratch.h"

int main(int argc, char **argv)
{
    struct scenario s = {0};
    struct buf text;
    int status = 0;

    if (argc != 3) {
        fputs("usage: make_capture SCENARIO DIR\n", stderr);
        return 2;
    }
    if (!scratch_read(".", argv[1], &text) && !scratch_read("", argv[1], &text)) {
        fprintf(stderr, "%s: cannot be read\n", argv[1]);
        return 2;
    }
    if (!scenario_write(&s, (struct str){text.p, text.n}, argv[2], false)) {
        fprintf(stderr, "%s: %s\n", argv[1], s.error);
        status = 1;
    }
    scenario_free(&s);
    buf_free(&text);
    return status;
}
