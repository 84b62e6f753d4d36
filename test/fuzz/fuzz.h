/* A fuzz test: a program with one entry, under libFuzzer's name. The entry parses any bytes and
 * aborts if a result breaks a rule. */
#ifndef PODPID_FUZZ_H
#define PODPID_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Abort unless a rule holds; not assert(), which a release build leaves out. */
static inline void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

#endif
