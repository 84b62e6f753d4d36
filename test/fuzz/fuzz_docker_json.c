/* The parsers of dockerd's replies: the input is a body. */
#include "test/fuzz/fuzz.h"

#include <string.h>

#include "cri/docker/json.h"
#include "cri/docker/pods.h"

/* A list never puts a container into a pod: that needs the CgroupParent of an inspection. */
static void check_list(struct str body, struct arena *a)
{
    const struct view_runtime who = {.name = "docker", .cgroup_driver = "cgroupfs"};
    struct view v = {0};

    if (docker_parse_list(body, a, &v, NULL) < 0) {
        return;
    }
    for (size_t i = 0; i < v.n_pods; i++) {
        must(docker_id_is_plain(v.pods[i].id));
        v.pods[i].status = VIEW_STATUS_OK;
    }
    for (size_t i = 0; i < v.n_containers; i++) {
        must(docker_id_is_plain(v.containers[i].id));
        v.containers[i].status = VIEW_STATUS_OK;
    }
    must(docker_settle(&who, &v, a) == 0);
    for (size_t i = 0; i < v.n_containers; i++) {
        must(!v.containers[i].sandbox_id);
    }
    must(v.n_pods == 0);
}

static void check_inspection(struct str body, struct arena *a)
{
    struct view_container c = {0};

    if (docker_parse_inspect(body, a, &c, NULL) == 0) {
        must(c.id && c.docker && c.pid >= 0 && c.status == VIEW_STATUS_OK);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body = {(const char *)data, size};
    struct view_runtime who = {0};
    const char *driver = NULL;
    struct arena a = {0};

    check_list(body, &a);
    check_inspection(body, &a);
    if (docker_parse_version(body, &a, &who, NULL) == 0) {
        must(who.version && *who.version);
    }
    docker_parse_info(body, &a, &driver, NULL);
    docker_parse_message(body, &a);
    arena_free(&a);
    return 0;
}
