/* The Docker Engine's replies -> rows. Pure: a body in, values out.
 *
 * A body may be anything: what has the wrong type is an error that names it, never a guess. Labels
 * are taken as they are, as claims; cri/docker/pods.c judges them. */
#ifndef PODPID_CRI_DOCKER_JSON_H
#define PODPID_CRI_DOCKER_JSON_H

#include "cri/base/arena.h"
#include "cri/base/error.h"
#include "cri/base/text.h"
#include "cri/view.h"

/* Each gives 0, -EPROTO with ERR_RUNTIME, or -ENOMEM. Strings live in the arena. */

/* /version: name ("docker", or "podman" for its compatible service), version, api. */
int docker_parse_version(struct str body, struct arena *a, struct view_runtime *ret,
                         struct err *err);

/* /info: the cgroup driver. */
int docker_parse_info(struct str body, struct arena *a, const char **ret_driver, struct err *err);

/* /containers/json?all=1, sorted. Who claims to be a sandbox is a pod row. Rows that cannot be used
 * are left out with a warning. */
int docker_parse_list(struct str body, struct arena *a, struct view *ret, struct err *err);

/* /containers/<id>/json. The status is OK. */
int docker_parse_inspect(struct str body, struct arena *a, struct view_container *ret,
                         struct err *err);

/* The "message" of an error's body; NULL if there is none. */
const char *docker_parse_message(struct str body, struct arena *a);

/* Whether an id can be put into a path: letters, digits, '_', '.', '-', no more than 128 of them.
 */
bool docker_id_is_plain(const char *id);

#endif
