/* A FILE that is closed at the end of its scope: AUTO_FCLOSE FILE *f = fopen(...). */
#ifndef PODPID_TEST_FCLOSE_H
#define PODPID_TEST_FCLOSE_H

#include <stdio.h>

#include "cri/base/cleanup.h"

DEFINE_CLEANUP(fclose, FILE *)
#define AUTO_FCLOSE CLEANUP(cleanup_fclose)

#endif
