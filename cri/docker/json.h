/* The Docker Engine's replies -> rows of the view. No I/O.
 *
 * A body may hold anything: a value of the wrong type is an error that names its key. Labels are
 * copied; cri/docker/pods.c judges what they claim. */
#ifndef PODPID_CRI_DOCKER_JSON_H
#define PODPID_CRI_DOCKER_JSON_H

#include "cri/base/arena.h"
#include "cri/base/error.h"
#include "cri/base/text.h"
#include "cri/view.h"

/* Each gives 0, -EPROTO with ERR_RUNTIME, or -ENOMEM. Strings live in the arena. */

/* /version: fills name ("docker", or that of the engine which a component names), version and api.
 */
int docker_parse_version(struct str body, struct arena *a, struct view_runtime *ret,
                         struct err *err);

/* /info: the cgroup driver, NULL if it is not given. */
int docker_parse_info(struct str body, struct arena *a, const char **ret_driver, struct err *err);

/* /containers/json?all=1, sorted by id. A container whose labels claim to be a sandbox becomes a
 * pod row. Rows that cannot be used are left out, with a warning. */
int docker_parse_list(struct str body, struct arena *a, struct view *ret, struct err *err);

/* /containers/<id>/json. ret's status is VIEW_STATUS_OK. */
int docker_parse_inspect(struct str body, struct arena *a, struct view_container *ret,
                         struct err *err);

/* The "message" in the body of an HTTP error; NULL: none, or memory is out. */
const char *docker_parse_message(struct str body, struct arena *a);

/* Whether an id can be part of a URL's path: 1 to 128 letters, digits, '_', '.' and '-', no '.'
 * first. */
bool docker_id_is_plain(const char *id);

#endif
