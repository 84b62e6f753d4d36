#include "resolver/podpid.h"

const char *podpid_version(void)
{
    return PODPID_VERSION;
}
