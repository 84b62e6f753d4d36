/* One fuzz entry a program, by libFuzzer's name. An entry aborts where something that must hold
 * does not. */
#ifndef PODPID_FUZZ_H
#define PODPID_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

#endif
