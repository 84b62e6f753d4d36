/* Lists of either API made sound: sorted, and free of rows that contradict each other. Pure. */
#ifndef PODPID_CRI_LISTS_H
#define PODPID_CRI_LISTS_H

#include "cri/base/arena.h"
#include "cri/view.h"

/* Sort both lists by id and drop rows without an id and all but the first of those that share one;
 * a warning for each is appended to the view's. sandboxes_are_containers (the Docker Engine): an id
 * stands for one row of both lists together, and a container needs no sandbox. Else (CRI) a
 * container without a listed sandbox stays, with a warning. 0 or -ENOMEM. */
int lists_settle(struct view *v, bool sandboxes_are_containers, struct arena *a);

#endif
