#include "test/fake_cri/script.h"

#include <stdio.h>
#include <string.h>

#include "cri/cri.pb-c.h"

static const struct {
    const char *method;
    const ProtobufCMessageDescriptor *reply;
} types[] = {
    {"Version", &cri__version_response__descriptor},
    {"Status", &cri__status_response__descriptor},
    {"RuntimeConfig", &cri__runtime_config_response__descriptor},
    {"ListPodSandbox", &cri__list_pod_sandbox_response__descriptor},
    {"ListContainers", &cri__list_containers_response__descriptor},
    {"PodSandboxStatus", &cri__pod_sandbox_status_response__descriptor},
    {"ContainerStatus", &cri__container_status_response__descriptor},
};

const ProtobufCMessageDescriptor *script_reply_type(const char *method)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i].method, method) == 0) {
            return types[i].reply;
        }
    }
    return NULL;
}

/* The member of an object, made if it is not there. */
static json_t *member(json_t *object, const char *key, json_t *(*make)(void))
{
    if (!json_object_get(object, key)) {
        json_object_set_new(object, key, make());
    }
    return json_object_get(object, key);
}

static json_t *load_file(const char *dir, const char *name)
{
    char path[4096];
    json_error_t e;
    json_t *doc;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    doc = json_load_file(path, 0, &e);
    if (!doc) {
        fprintf(stderr, "fake-cri: %s: %s\n", path, e.text);
    }
    return doc;
}

/* The row that a list has of what a status says. */
static json_t *row_of(const json_t *reply, bool container)
{
    static const char *const keys[] = {"id",         "metadata", "image",       "state",
                                       "created_at", "labels",   "annotations", "runtime_handler"};
    const json_t *status = json_object_get(reply, "status");
    const char *info = json_string_value(json_object_get(json_object_get(reply, "info"), "info"));
    json_t *row = json_object(), *doc, *sandbox;

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        json_object_set(row, keys[i], json_object_get(status, keys[i]));
    }
    if (container && info) {
        doc = json_loads(info, 0, NULL);
        sandbox = json_object_get(doc, "sandboxID");
        json_object_set(row, "pod_sandbox_id", sandbox);
        json_decref(doc);
    }
    return row;
}

static bool expand(json_t *script, const char *dir, const char *kind, const char *list_method,
                   const char *rows, const char *status_method)
{
    json_t *files = json_object_get(json_object_get(script, "recorded"), kind), *file;
    json_t *replies = member(script, "replies", json_object), *list, *statuses;
    size_t i;

    if (!files) {
        return true;
    }
    list = member(member(replies, list_method, json_object), rows, json_array);
    statuses = member(replies, status_method, json_object);
    json_array_foreach(files, i, file)
    {
        json_t *reply = load_file(dir, json_string_value(file));
        const char *id = json_string_value(json_object_get(json_object_get(reply, "status"), "id"));

        if (!id) {
            json_decref(reply);
            return false;
        }
        json_array_append_new(list, row_of(reply, strcmp(kind, "containers") == 0));
        json_object_set_new(statuses, id, reply);
    }
    return true;
}

bool script_expand(json_t *script, const char *dir)
{
    return expand(script, dir, "pods", "ListPodSandbox", "items", "PodSandboxStatus") &&
           expand(script, dir, "containers", "ListContainers", "containers", "ContainerStatus");
}
