/* The public rows of a snapshot, made from a unit and its verdict. Pure: everything is copied into
 * the snapshot's arena, so that view and table can go. */
#ifndef PODPID_JOIN_ROWS_H
#define PODPID_JOIN_ROWS_H

#include "resolver/join/verdict.h"

/* pod is left for who builds the pods. 0 or -ENOMEM. */
int row_container(const struct verdict_input *in, const struct unit *u, const struct verdict *v,
                  struct arena *a, struct podpid_container **ret);

/* Without its containers. */
int row_pod(const struct view_pod *pod, const struct verdict *v, struct arena *a,
            struct podpid_pod **ret);

int row_runtime(const struct view_runtime *r, const char *endpoint, const char *chosen_by,
                struct arena *a, struct podpid_runtime **ret);

int row_stray(const struct verdict_input *in, const struct other_cgroup *o, const char *reason,
              struct arena *a, struct podpid_stray **ret);
int row_foreign(const struct other_cgroup *o, struct arena *a, struct podpid_foreign **ret);

#endif
