/* Which container is this process in? The join of a look, kept for as long as its snapshot lives.
 */
#ifndef PODPID_LOOK_WHOIS_H
#define PODPID_LOOK_WHOIS_H

#include "resolver/look/impl.h"

/* Takes what the answers need out of a look that is about to be done: the table, the /proc, the
 * members, and the arenas in which they live. 0 or -ENOMEM. */
int whois_keep(struct podpid_look *k);

#endif
