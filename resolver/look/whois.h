/* podpid_whois(): which container is this process in? It needs more of the look than its snapshot
 * has. */
#ifndef PODPID_LOOK_WHOIS_H
#define PODPID_LOOK_WHOIS_H

#include "resolver/look/impl.h"

/* Move what questions need from a look to its snapshot, which frees it: the process table, /proc,
 * members, units, and the arenas in which they live. For a look that is done: it can only be freed
 * afterwards. 0 or -ENOMEM. */
int whois_keep(struct podpid_look *k);

#endif
