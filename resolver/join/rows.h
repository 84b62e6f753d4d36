/* The public rows of a snapshot, made from a unit and its verdict. Pure. Every text is copied into
 * the given arena, so that the view and the table may be freed. Each function returns 0, or -ENOMEM
 * with *ret as it was. */
#ifndef PODPID_JOIN_ROWS_H
#define PODPID_JOIN_ROWS_H

#include "resolver/join/verdict.h"

/* A container with its processes. Its pod stays NULL: the snapshot's builder sets it. */
int row_container(const struct verdict_input *in, const struct unit *u, const struct verdict *v,
                  struct arena *a, struct podpid_container **ret);

/* A pod without its containers: the snapshot's builder sets them. */
int row_pod(const struct view_pod *pod, const struct verdict *v, struct arena *a,
            struct podpid_pod **ret);

/* The runtime that answered at endpoint; chosen_by says in words why that endpoint. */
int row_runtime(const struct view_runtime *r, const char *endpoint, const char *chosen_by,
                struct arena *a, struct podpid_runtime **ret);

int row_stray(const struct verdict_input *in, const struct other_cgroup *o, const char *reason,
              struct arena *a, struct podpid_stray **ret);
int row_foreign(const struct other_cgroup *o, struct arena *a, struct podpid_foreign **ret);

#endif
